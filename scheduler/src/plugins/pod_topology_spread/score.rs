//! Which nodes keep the domains of soft constraints even.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/podtopologyspread/scoring.go`

use std::sync::Arc;

use super::constraint::{Constraint, Participation, Spreading, WhenUnsatisfiable, what_failed};
use super::grouped_score::GroupedSpread;
use crate::framework::{Grouping, MAX_NODE_SCORE, PreScore, Score, ScorePlugin};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeCounts, NodeIndex, Snapshot, TopologyColumn};
use crate::well_known_labels::HOSTNAME;

pub(super) struct SpreadScorePlugin {
    pub(super) spreading: Spreading,
}

impl ScorePlugin for SpreadScorePlugin {
    fn failure_without_pre_score(&self) -> Option<&'static str> {
        Some("error reading \"PreScorePodTopologySpread\" from cycleState: not found")
    }

    fn grouping(&self, pod: &PodInfo<'_>, snapshot: &Snapshot) -> Grouping {
        let listers = snapshot.listers();
        match self.spreading.constraints(pod.pod, listers, WhenUnsatisfiable::ScheduleAnyway) {
            Err(_) => Grouping::EachNode,
            Ok(constraints) if constraints.is_empty() => Grouping::Indifferent,
            Ok(constraints) => {
                let requires_all_labels = self.spreading.requires_all_labels(pod.pod);
                Grouping::Groups(Box::new(GroupedSpread::new(pod, constraints, requires_all_labels)))
            }
        }
    }

    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        match self.spreading.constraints(pod.pod, snapshot.listers(), WhenUnsatisfiable::ScheduleAnyway) {
            Err(error) => PreScore::Error(format!(
                "calculating preScoreState: {}",
                what_failed(pod.pod, "soft", &error)
            )),
            Ok(constraints) if constraints.is_empty() => PreScore::Skip,
            Ok(constraints) => {
                let requires_all_labels = self.spreading.requires_all_labels(pod.pod);
                PreScore::run(SpreadScore::new(pod, snapshot, nodes, constraints, requires_all_labels))
            }
        }
    }
}

struct SpreadScore<'a> {
    nodes: &'a [NodeIndex],
    /// Nodes that lack a label that they have to have.
    is_ignored: Vec<bool>,
    spreads: Vec<Spread>,
}

/// A constraint, how many pods count where, and what each counts.
struct Spread {
    constraint: Constraint,
    column: Arc<TopologyColumn>,
    counts: Counts,
    weight: f64,
}

enum Counts {
    /// Of each node.
    OfNodes(Vec<i64>),
    /// Of each domain.
    OfDomains(Vec<i64>),
}

impl<'a> SpreadScore<'a> {
    /// # Source
    /// `scoring.go` (`initPreScoreState`, `PreScore`)
    fn new(
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        nodes: &'a [NodeIndex],
        constraints: Vec<Constraint>,
        requires_all_labels: bool,
    ) -> Self {
        let participation = Participation::new(pod, snapshot, &constraints, requires_all_labels);
        let is_ignored: Vec<bool> = nodes.iter().map(|node| !participation.has_labels(*node)).collect();
        let scored =
            || nodes.iter().zip(&is_ignored).filter(|(_, ignored)| !**ignored).map(|(node, _)| *node);
        let spread = |constraint| Spread::new(constraint, pod, snapshot, &participation, scored());
        let spreads = constraints.into_iter().map(spread).collect();
        Self { nodes, is_ignored, spreads }
    }
}

impl Spread {
    fn new(
        constraint: Constraint,
        pod: &PodInfo<'_>,
        snapshot: &Snapshot,
        participation: &Participation<'_>,
        scored: impl Iterator<Item = NodeIndex>,
    ) -> Self {
        let column = snapshot.topology(&constraint.topology_key);
        if constraint.topology_key == HOSTNAME {
            let mut counts = vec![0; snapshot.column_length()];
            for (node, count) in constraint.counted_pods(pod, snapshot).flat_map(NodeCounts::iter) {
                counts[node] += count;
            }
            let weight = weight_for(scored.count());
            return Self { constraint, column, counts: Counts::OfNodes(counts), weight };
        }
        let mut is_scored = vec![false; column.domain_count()];
        let mut any_without = false;
        for node in scored {
            match column.domain(node) {
                Some(domain) => is_scored[domain] = true,
                // A node without the label counts as a domain of its own.
                None => any_without = true,
            }
        }
        let mut counts = vec![0; column.domain_count()];
        for (node, count) in constraint.counted_pods(pod, snapshot).flat_map(NodeCounts::iter) {
            if let Some(domain) = column.domain(node).filter(|domain| is_scored[*domain])
                && participation.has_labels(node)
                && participation.meets_policies(&constraint, node)
            {
                counts[domain] += count;
            }
        }
        let domains = is_scored.iter().filter(|scored| **scored).count() + usize::from(any_without);
        Self { constraint, column, counts: Counts::OfDomains(counts), weight: weight_for(domains) }
    }

    /// What the pods of a node's domain count; none if it is in none.
    fn score(&self, node: NodeIndex) -> Option<f64> {
        let domain = self.column.domain(node)?;
        let count = match &self.counts {
            Counts::OfNodes(counts) => counts[node],
            Counts::OfDomains(counts) => counts[domain],
        };
        Some(score_for_count(count, self.weight, self.constraint.max_skew))
    }
}

/// What so many pods of a domain count.
///
/// # Source
/// `scoring.go` (`scoreForCount`)
#[expect(clippy::cast_precision_loss, reason = "upstream computes in float64")]
pub(super) fn score_for_count(count: i64, weight: f64, max_skew: i64) -> f64 {
    count as f64 * weight + (max_skew - 1) as f64
}

/// The score of a node or group for which the constraints count so much.
#[expect(clippy::cast_possible_truncation, reason = "upstream computes in float64")]
pub(super) fn sum(scores: impl Iterator<Item = f64>) -> i64 {
    scores.sum::<f64>().round() as i64
}

/// What a pod counts where there are so many domains: in few domains each has many pods anyway.
#[expect(clippy::cast_precision_loss, reason = "upstream computes in float64")]
pub(super) fn weight_for(domains: usize) -> f64 {
    ((domains + 2) as f64).ln()
}

impl Score for SpreadScore<'_> {
    fn score(&self, node: NodeIndex) -> i64 {
        sum(self.spreads.iter().filter_map(|spread| spread.score(node)))
    }

    fn score_all(&self, nodes: &[NodeIndex]) -> Vec<i64> {
        debug_assert_eq!(nodes, self.nodes, "the nodes that are compared are those that were announced");
        let score = |(node, ignored): (&NodeIndex, &bool)| if *ignored { 0 } else { self.score(*node) };
        nodes.iter().zip(&self.is_ignored).map(score).collect()
    }

    fn normalize(&self, scores: &mut [i64]) {
        normalize(scores, &self.is_ignored);
    }
}

/// The fewer pods count, the better. Nodes or groups that are ignored get nothing.
///
/// # Source
/// `scoring.go` (`NormalizeScore`)
pub(super) fn normalize(scores: &mut [i64], is_ignored: &[bool]) {
    let counted = || scores.iter().zip(is_ignored).filter(|(_, ignored)| !**ignored);
    let least = counted().map(|(score, _)| *score).min().unwrap_or(i64::MAX);
    let most = counted().map(|(score, _)| *score).max().unwrap_or(0).max(0);
    for (score, ignored) in scores.iter_mut().zip(is_ignored) {
        *score = match (*ignored, most) {
            (true, _) => 0,
            (false, 0) => MAX_NODE_SCORE,
            (false, most) => MAX_NODE_SCORE * (most + least - *score) / most,
        };
    }
}
