//! The same scores for whole groups of nodes: nodes of the same domains that have as many pods themselves are alike.

use std::any::Any;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::constraint::{Constraint, Participation};
use super::score::{normalize, score_for_count, sum, weight_for};
use crate::framework::GroupedScore;
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeCounts, NodeIndex, PodChange, Snapshot, TopologyColumn};
use crate::well_known_labels::HOSTNAME;

/// The soft constraints of pods of one kind, with what counts for each.
#[derive(Debug)]
pub(super) struct GroupedSpread {
    namespace: String,
    constraints: Vec<Constraint>,
    requires_all_labels: bool,
    /// One for each constraint.
    spreads: Vec<Spread>,
    /// Nodes that lack a label that they have to have.
    is_ignored: Vec<bool>,
    groups: FxHashMap<GroupKey, usize>,
    keys: Vec<GroupKey>,
}

/// What the nodes of a group have in common: for each constraint the number of pods on the node, if its domains are single nodes, else
/// the domain; none if the node is in no domain. Nodes that are ignored are a group of their own.
type GroupKey = Option<Vec<Option<i64>>>;

/// How many pods count where.
#[derive(Debug)]
struct Spread {
    column: Arc<TopologyColumn>,
    of_nodes: bool,
    /// Of each node, or of each domain.
    counts: Vec<i64>,
    /// The nodes whose pods count.
    takes_part: Vec<bool>,
}

impl GroupedSpread {
    pub(super) fn new(pod: &PodInfo<'_>, constraints: Vec<Constraint>, requires_all_labels: bool) -> Self {
        Self {
            namespace: pod.namespace().to_owned(),
            constraints,
            requires_all_labels,
            spreads: Vec::new(),
            is_ignored: Vec::new(),
            groups: FxHashMap::default(),
            keys: Vec::new(),
        }
    }

    fn key(&self, node: NodeIndex) -> GroupKey {
        let in_common = |spread: &Spread| {
            let domain = spread.column.domain(node)?;
            if spread.of_nodes { Some(spread.counts[node]) } else { i64::try_from(domain).ok() }
        };
        (!self.is_ignored[node]).then(|| self.spreads.iter().map(in_common).collect())
    }

    /// What a pod counts for a constraint, given the groups that have feasible nodes.
    fn weight(&self, place: usize, groups: &[(usize, usize)]) -> f64 {
        let scored =
            groups.iter().filter_map(|(group, nodes)| Some((self.keys[*group].as_ref()?[place], nodes)));
        if self.spreads[place].of_nodes {
            return weight_for(scored.map(|(_, nodes)| nodes).sum());
        }
        let mut domains: Vec<Option<i64>> = scored.map(|(domain, _)| domain).collect();
        domains.sort_unstable();
        domains.dedup();
        weight_for(domains.len())
    }
}

impl Spread {
    fn new(
        constraint: &Constraint,
        pod: &PodInfo<'_>,
        snapshot: &Snapshot,
        participation: &Participation<'_>,
    ) -> Self {
        let column = snapshot.topology(&constraint.topology_key);
        let of_nodes = constraint.topology_key == HOSTNAME;
        let mut takes_part = vec![of_nodes; snapshot.column_length()];
        if !of_nodes {
            for node in snapshot.order() {
                takes_part[*node] =
                    participation.has_labels(*node) && participation.meets_policies(constraint, *node);
            }
        }
        let places = if of_nodes { snapshot.column_length() } else { column.domain_count() };
        let mut spread = Self { column, of_nodes, counts: vec![0; places], takes_part };
        for (node, count) in constraint.counted_pods(pod, snapshot).flat_map(NodeCounts::iter) {
            spread.add(node, count);
        }
        spread
    }

    fn add(&mut self, node: NodeIndex, count: i64) {
        let place = if self.of_nodes { Some(node) } else { self.column.domain(node) };
        if let Some(place) = place.filter(|_| self.takes_part[node]) {
            self.counts[place] += count;
        }
    }
}

impl GroupedScore for GroupedSpread {
    fn is_same(&self, other: &dyn GroupedScore) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Self>().is_some_and(|other| {
            self.namespace == other.namespace
                && self.requires_all_labels == other.requires_all_labels
                && self.constraints == other.constraints
        })
    }

    fn begin(&mut self, pod: &PodInfo<'_>, snapshot: &Snapshot) {
        let participation = Participation::new(pod, snapshot, &self.constraints, self.requires_all_labels);
        self.is_ignored = vec![true; snapshot.column_length()];
        for node in snapshot.order() {
            self.is_ignored[*node] = !participation.has_labels(*node);
        }
        let spread = |constraint| Spread::new(constraint, pod, snapshot, &participation);
        self.spreads = self.constraints.iter().map(spread).collect();
    }

    fn follow(&mut self, change: &PodChange) {
        if *change.identity.namespace != *self.namespace {
            return;
        }
        for (constraint, spread) in self.constraints.iter().zip(&mut self.spreads) {
            if constraint.counts(&change.identity) {
                spread.add(change.node, change.count);
            }
        }
    }

    fn group(&mut self, node: NodeIndex) -> usize {
        let key = self.key(node);
        if let Some(group) = self.groups.get(&key) {
            return *group;
        }
        let group = self.keys.len();
        self.keys.push(key.clone());
        self.groups.insert(key, group);
        group
    }

    fn scores(&self, groups: &[(usize, usize)]) -> Vec<i64> {
        let weights: Vec<f64> = (0..self.spreads.len()).map(|place| self.weight(place, groups)).collect();
        let score = |key: &[Option<i64>]| {
            let parts = key.iter().zip(&self.spreads).zip(&self.constraints).zip(&weights);
            sum(parts.filter_map(|(((common, spread), constraint), weight)| {
                let common = (*common)?;
                let count = if spread.of_nodes {
                    common
                } else {
                    // It is a domain's place.
                    usize::try_from(common).ok().and_then(|domain| spread.counts.get(domain)).copied()?
                };
                Some(score_for_count(count, *weight, constraint.max_skew))
            }))
        };
        let keys = || groups.iter().map(|(group, _)| self.keys[*group].as_deref());
        let mut scores: Vec<i64> = keys().map(|key| key.map_or(0, score)).collect();
        let is_ignored: Vec<bool> = keys().map(|key| key.is_none()).collect();
        normalize(&mut scores, &is_ignored);
        scores
    }
}
