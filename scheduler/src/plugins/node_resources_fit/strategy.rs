//! What nodes are compared by: what is left of them, what is used of them, or a line of one's own.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/noderesources/least_allocated.go`, `most_allocated.go`, `requested_to_capacity_ratio.go`,
//! `pkg/scheduler/framework/plugins/helper/shape_score.go`

use crate::config::{ResourceSpec, ScoringStrategy, UtilizationShapePoint};
use crate::framework::{MAX_NODE_SCORE, Normalization, PreScore, Score, ScorePlugin};
use crate::plugins::resource_allocation::{Counting, ResourceColumn, default_resources};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The best score of a point of a line.
const MAX_CUSTOM_PRIORITY_SCORE: i64 = 10;
/// All of a node is used.
const MAX_UTILIZATION: i64 = 100;

/// What nodes are compared by, and which of their resources.
pub(super) struct Strategy {
    resources: Vec<ResourceSpec>,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    LeastAllocated,
    MostAllocated,
    /// Points of a line: utilization in per cent, and score.
    RequestedToCapacityRatio(Vec<(i64, i64)>),
}

impl Strategy {
    /// The strategy of valid arguments; `LeastAllocated` over cpu and memory if there are none.
    pub(super) fn new(given: Option<&ScoringStrategy>) -> Self {
        let Some(given) = given else {
            return Self { resources: default_resources(), kind: Kind::LeastAllocated };
        };
        let kind = match (given.strategy.as_str(), &given.requested_to_capacity_ratio) {
            ("MostAllocated", _) => Kind::MostAllocated,
            ("RequestedToCapacityRatio", Some(ratio)) => {
                Kind::RequestedToCapacityRatio(ratio.shape.iter().copied().map(point).collect())
            }
            _ => Kind::LeastAllocated,
        };
        Self { resources: given.resources.clone(), kind }
    }
}

fn point(given: UtilizationShapePoint) -> (i64, i64) {
    let score = i64::from(given.score) * (MAX_NODE_SCORE / MAX_CUSTOM_PRIORITY_SCORE);
    (given.utilization.into(), score)
}

impl ScorePlugin for Strategy {
    fn node_local(&self) -> Option<Normalization> {
        Some(Normalization::Identity)
    }

    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        _nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        let requests = &pod.fit_score_requests;
        let columns = ResourceColumn::all(&self.resources, requests, snapshot, Counting::NonZero);
        PreScore::run(StrategyScore { columns, kind: &self.kind })
    }
}

struct StrategyScore<'a> {
    columns: Vec<ResourceColumn<'a>>,
    kind: &'a Kind,
}

impl StrategyScore<'_> {
    /// The weighted mean over the resources that the node has, with how it is rounded left to `divide`.
    fn mean(
        &self,
        node: NodeIndex,
        score: impl Fn(i64, i64) -> i64,
        counts: impl Fn(i64) -> bool,
        divide: impl Fn(i64, i64) -> i64,
    ) -> i64 {
        let (mut sum, mut weights) = (0_i64, 0_i64);
        for column in &self.columns {
            let Some(allocatable) = column.allocatable(node) else { continue };
            let score = score(column.used_with_pod(node), allocatable);
            if counts(score) {
                sum = sum.wrapping_add(score.wrapping_mul(column.weight));
                weights = weights.wrapping_add(column.weight);
            }
        }
        if weights == 0 { 0 } else { divide(sum, weights) }
    }
}

impl Score for StrategyScore<'_> {
    fn score(&self, node: NodeIndex) -> i64 {
        match self.kind {
            Kind::LeastAllocated => self.mean(node, least_allocated, |_| true, i64::wrapping_div),
            Kind::MostAllocated => self.mean(node, most_allocated, |_| true, i64::wrapping_div),
            Kind::RequestedToCapacityRatio(line) => {
                // Resources that score nothing don't count.
                let score = |used, capacity| on_line(line, utilization(used, capacity));
                self.mean(node, score, |score| score > 0, rounded)
            }
        }
    }
}

/// The part of a capacity that is left, of 100, rounded towards zero; 0 if more is used than there is.
fn least_allocated(used: i64, capacity: i64) -> i64 {
    if capacity == 0 || used > capacity {
        return 0;
    }
    capacity.wrapping_sub(used).wrapping_mul(MAX_NODE_SCORE).wrapping_div(capacity)
}

/// The part of a capacity that is used, of 100, rounded towards zero.
fn most_allocated(used: i64, capacity: i64) -> i64 {
    if capacity == 0 {
        return 0;
    }
    used.min(capacity).wrapping_mul(MAX_NODE_SCORE).wrapping_div(capacity)
}

/// The part of a capacity that is used, in per cent; all of it if more is used than there is.
fn utilization(used: i64, capacity: i64) -> i64 {
    if capacity == 0 || used > capacity {
        return MAX_UTILIZATION;
    }
    used.wrapping_mul(MAX_UTILIZATION).wrapping_div(capacity)
}

/// The height of a line at a place; before its first and behind its last point it is level.
fn on_line(line: &[(i64, i64)], place: i64) -> i64 {
    let Some(next) = line.iter().position(|(utilization, _)| place <= *utilization) else {
        return line.last().map_or(0, |(_, score)| *score);
    };
    let (to, score) = line[next];
    let Some((from, before)) = next.checked_sub(1).map(|last| line[last]) else { return score };
    before + (score - before) * (place - from) / (to - from)
}

/// Rounds half away from zero.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "upstream computes in float64"
)]
fn rounded(sum: i64, weights: i64) -> i64 {
    (sum as f64 / weights as f64).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_level_outside_its_points() {
        // Source: pkg/scheduler/framework/plugins/noderesources/requested_to_capacity_ratio_test.go (TestBrokenLinearFunction).
        let line = [(10, 1), (90, 9)];
        for (place, expected) in
            [(-10, 1), (0, 1), (9, 1), (10, 1), (15, 1), (19, 1), (20, 2), (89, 8), (90, 9), (99, 9)]
        {
            assert_eq!(on_line(&line, place), expected, "{place}");
        }
        let falling = [(0, 2), (40, 10), (100, 0)];
        for (place, expected) in [(-10, 2), (0, 2), (20, 6), (30, 8), (40, 10), (70, 5), (100, 0), (110, 0)] {
            assert_eq!(on_line(&falling, place), expected, "{place}");
        }
    }
}
