//! What each node is refused for, once no node is left.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use super::filtering::Filters;
use super::finding::FoundNodes;
use crate::fit_error::NodeStatuses;
use crate::framework::{Code, Status};
use crate::snapshot::{LogPosition, NodeIndex, Snapshot};

/// What each node is refused for; the message of a plugin that couldn't decide.
pub(super) fn of_all_nodes(
    snapshot: &Snapshot,
    filters: &Filters<'_>,
    nominated: Option<NodeIndex>,
) -> Result<NodeStatuses, String> {
    let mut statuses = NodeStatuses::new(filters.status_of_nodes_left_out(nominated));
    let nodes = filters.nodes_to_visit(snapshot);
    let nominated = nominated.filter(|node| !nodes.contains(node));
    for node in nodes.iter().chain(&nominated) {
        statuses.push(*node, of_node(filters, *node)?);
    }
    Ok(statuses)
}

/// What nodes are refused for of which extenders have dropped the last. Those that weren't looked at stay so.
pub(super) fn with_verdicts(
    snapshot: &Snapshot,
    filters: &Filters<'_>,
    found: &FoundNodes,
) -> Result<NodeStatuses, String> {
    let mut statuses = NodeStatuses::new(filters.status_of_nodes_left_out(found.refused_nominated));
    let verdicts = &found.verdicts.of_nodes;
    let nodes = filters.nodes_to_visit(snapshot);
    let left_out = found.refused_nodes.iter().flat_map(FixedBitSet::ones).chain(verdicts.keys().copied());
    let listed: FixedBitSet = nodes.iter().copied().collect();
    let left_out: BTreeSet<NodeIndex> = left_out.filter(|node| !listed.contains(*node)).collect();
    for node in nodes.iter().chain(&left_out) {
        if let Some(verdict) = verdicts.get(node) {
            statuses.push(*node, verdict.clone());
            if found.has_refused(*node) {
                statuses.push_overruled(*node, of_node(filters, *node)?);
            }
        } else if found.has_refused(*node) {
            statuses.push(*node, of_node(filters, *node)?);
        }
    }
    for verdict in found.verdicts.of_unknown_nodes.values() {
        statuses.push_unknown(verdict.clone());
    }
    Ok(statuses)
}

fn of_node(filters: &Filters<'_>, node: NodeIndex) -> Result<Status, String> {
    let status = filters.check(node);
    if status.code == Code::Error {
        return Err(status.message());
    }
    Ok(status)
}

/// What node-local filters refuse each node for, kept from one pod of a class to the next.
#[derive(Debug, Default)]
pub(super) struct KeptRefusals {
    kept: Option<(LogPosition, NodeStatuses)>,
    /// At which place of the statuses a node is.
    places: Vec<usize>,
}

impl KeptRefusals {
    /// What each node is refused for now: only nodes whose pods have changed are judged again.
    pub(super) fn follow(
        &mut self,
        snapshot: &Snapshot,
        filters: &Filters<'_>,
    ) -> Result<NodeStatuses, String> {
        let kept = self.kept.take().and_then(|(position, statuses)| {
            let changes = snapshot.changed_since(&position)?;
            Some((statuses, changes))
        });
        let statuses = if let Some((mut statuses, changes)) = kept {
            for change in changes {
                statuses.replace(self.places[change.node], of_node(filters, change.node)?);
            }
            statuses
        } else {
            let statuses = of_all_nodes(snapshot, filters, None)?;
            self.places = vec![usize::MAX; snapshot.column_length()];
            for (place, (node, _)) in statuses.judged().iter().enumerate() {
                self.places[*node] = place;
            }
            statuses
        };
        self.kept = Some((snapshot.position(), statuses.clone()));
        Ok(statuses)
    }
}
