//! What nodes are compared by: what is left of them, what is used of them, or a line of one's own.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/noderesources/least_allocated.go`, `most_allocated.go`, `requested_to_capacity_ratio.go`

use crate::config::{ResourceSpec, ScoringStrategy};
use crate::framework::{MAX_NODE_SCORE, Normalization, PreScore, Score, ScorePlugin};
use crate::plugins::dynamic_resources::DeviceCounter;
use crate::plugins::function_shape::{FunctionShape, rounded_mean};
use crate::plugins::resource_allocation::{
    Counting, NodeResource, ResourceColumn, counts_devices, default_resources,
};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// What nodes are compared by, and which of their resources.
pub(super) struct Strategy {
    resources: Vec<ResourceSpec>,
    kind: Kind,
    devices: DeviceCounter,
}

#[derive(Clone)]
enum Kind {
    LeastAllocated,
    MostAllocated,
    RequestedToCapacityRatio(FunctionShape),
}

impl Strategy {
    /// The strategy of valid arguments; `LeastAllocated` over cpu and memory if there are none.
    pub(super) fn new(given: Option<&ScoringStrategy>) -> Self {
        let devices = DeviceCounter::default();
        let Some(given) = given else {
            return Self { resources: default_resources(), kind: Kind::LeastAllocated, devices };
        };
        let kind = match (given.strategy.as_str(), &given.requested_to_capacity_ratio) {
            ("MostAllocated", _) => Kind::MostAllocated,
            ("RequestedToCapacityRatio", Some(ratio)) => {
                Kind::RequestedToCapacityRatio(FunctionShape::new(&ratio.shape))
            }
            _ => Kind::LeastAllocated,
        };
        Self { resources: given.resources.clone(), kind, devices }
    }
}

impl ScorePlugin for Strategy {
    fn node_local(&self, pod: &PodInfo<'_>, snapshot: &Snapshot) -> Option<Normalization> {
        let counts = counts_devices(&self.resources, &pod.fit_score_requests, snapshot);
        (!counts).then_some(Normalization::Identity)
    }

    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        _nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        let requests = &pod.fit_score_requests;
        let columns =
            ResourceColumn::all(&self.resources, requests, snapshot, Counting::NonZero, &self.devices);
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
            let Some(NodeResource { allocatable, used }) = column.on(node) else { continue };
            let score = score(used.wrapping_add(column.pod_request), allocatable);
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
                self.mean(node, |used, capacity| line.score(used, capacity), |score| score > 0, rounded_mean)
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
