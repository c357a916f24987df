//! The feasible nodes of a class by the groups that a score puts them in, and by the sum of their node-local scores.

use fixedbitset::FixedBitSet;

use super::nodes_by_total::{NodeSet, NodesByTotal};
use crate::framework::GroupedScore;
use crate::pod_info::PodInfo;
use crate::snapshot::{LogPosition, NodeIndex, Snapshot};

/// A score that puts nodes in groups, and the feasible nodes of each group.
#[derive(Debug)]
pub(super) struct GroupIndex {
    pub(super) score: Box<dyn GroupedScore>,
    position: LogPosition,
    /// In which group a node is, with which total; none if it isn't feasible.
    places: Vec<Option<(usize, i64)>>,
    groups: Vec<NodesByTotal>,
}

/// What node-local filters and scores say of the nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local<'a> {
    /// The nodes that all of them let pass.
    pub(super) passes: &'a FixedBitSet,
    /// The sum of the scores of those.
    pub(super) totals: &'a [i64],
}

impl GroupIndex {
    pub(super) fn new(
        mut score: Box<dyn GroupedScore>,
        pod: &PodInfo<'_>,
        snapshot: &Snapshot,
        local: Local<'_>,
    ) -> Self {
        score.begin(pod, snapshot);
        let places = vec![None; snapshot.column_length()];
        let mut index = Self { score, position: snapshot.position(), places, groups: Vec::new() };
        for node in local.passes.ones() {
            index.place(node, local);
        }
        index
    }

    /// Looks again at the nodes that have changed. Whether that was possible.
    pub(super) fn follow(&mut self, snapshot: &Snapshot, local: Local<'_>) -> bool {
        let Some(changes) = snapshot.changed_since(&self.position) else { return false };
        for change in changes {
            self.score.follow(change);
        }
        for change in changes {
            self.place(change.node, local);
        }
        self.position = snapshot.position();
        true
    }

    fn place(&mut self, node: NodeIndex, local: Local<'_>) {
        if let Some((group, total)) = self.places[node].take() {
            self.groups[group].remove(node, total);
        }
        if !local.passes.contains(node) {
            return;
        }
        let (group, total) = (self.score.group(node), local.totals[node]);
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, NodesByTotal::default);
        }
        self.groups[group].insert(node, total);
        self.places[node] = Some((group, total));
    }

    /// The nodes that are best if the score counts so much: of each group that has any, those.
    pub(super) fn best(&self, weight: i64) -> Vec<&NodeSet> {
        let numbered = self.groups.iter().enumerate();
        let sizes: Vec<(usize, usize)> =
            numbered.map(|(group, nodes)| (group, nodes.len())).filter(|(_, nodes)| *nodes > 0).collect();
        let scores = self.score.scores(&sizes);
        let best_of = |((group, _), score): (&(usize, usize), i64)| {
            let (total, nodes) = self.groups[*group].best()?;
            Some((total.wrapping_add(score.wrapping_mul(weight)), nodes))
        };
        let best_of_groups: Vec<(i64, &NodeSet)> = sizes.iter().zip(scores).filter_map(best_of).collect();
        let best = best_of_groups.iter().map(|(total, _)| *total).max();
        best_of_groups.into_iter().filter(|(total, _)| Some(*total) == best).map(|(_, nodes)| nodes).collect()
    }
}
