//! Which nodes a pod can run on, of those that are looked at.
//!
//! # Source
//! `pkg/scheduler/schedule_one.go` (`findNodesThatFitPod`)

use fixedbitset::FixedBitSet;

use super::CycleState;
use super::class_cache::ClassState;
use super::filtering::Filters;
use crate::extender::{self, Verdicts};
use crate::framework::{Code, ExtensionPoint};
use crate::pod_info::PodInfo;
use crate::profile::{Profile, TieBreak};
use crate::snapshot::{NodeIndex, Snapshot};

/// Below this number of nodes all of them are looked at, and this many feasible ones are looked for at least.
const MIN_FEASIBLE_NODES_TO_FIND: usize = 100;
/// At least so many per cent of the nodes are looked for, if the number of nodes decides.
const MIN_PERCENTAGE_OF_NODES_TO_FIND: usize = 5;

/// Whether all nodes are looked for, so that the order in which they are visited doesn't matter.
pub(super) fn wants_all_nodes(node_count: usize, profile: &Profile) -> bool {
    nodes_to_find(node_count, profile) >= node_count
}

/// The nodes that a pod can run on, in the order in which they are visited, and how many were refused on the way.
#[derive(Clone, Debug, Default)]
pub(super) struct FoundNodes {
    pub(super) feasible: Vec<NodeIndex>,
    pub(super) refused: usize,
    /// The node that was set aside for the pod, if it was refused.
    pub(super) refused_nominated: Option<NodeIndex>,
    /// Which nodes were refused; known only if extenders are asked about the pod.
    pub(super) refused_nodes: Option<FixedBitSet>,
    /// What extenders refuse nodes for.
    pub(super) verdicts: Verdicts,
    /// Whether extenders have dropped nodes that had passed.
    pub(super) rejected_by_extenders: bool,
}

impl FoundNodes {
    pub(super) fn has_refused(&self, node: NodeIndex) -> bool {
        self.refused_nodes.as_ref().is_some_and(|refused| refused.contains(node))
    }

    /// How many nodes something is held against, by filters or by extenders.
    pub(super) fn refused_count(&self) -> usize {
        let verdicts = &self.verdicts;
        let by_extenders = verdicts.of_nodes.keys().filter(|node| !self.has_refused(**node)).count();
        self.refused + by_extenders + verdicts.of_unknown_nodes.len()
    }

    fn note_refused(&mut self, nodes: impl IntoIterator<Item = NodeIndex>) {
        if let Some(refused) = &mut self.refused_nodes {
            refused.extend(nodes);
        }
    }
}

/// The nodes that a pod can run on, as the settings of the profile have them sampled.
///
/// # Source
/// `pkg/scheduler/schedule_one.go` (`findNodesThatFitPod`)
pub(super) fn find_nodes(
    pod: &PodInfo<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    filters: &Filters<'_>,
    class: Option<&ClassState>,
    state: &mut CycleState,
) -> Result<FoundNodes, String> {
    let extenders = &profile.extenders;
    let mut found = FoundNodes {
        refused_nodes: extenders.decide_about(pod.pod).then(FixedBitSet::new),
        ..FoundNodes::default()
    };
    let nominated = Some(pod.nominated_node_name()).filter(|name| !name.is_empty());
    if let Some(node) = nominated.and_then(|name| snapshot.node(name)) {
        let status = filters.check(node);
        if status.is_success() {
            // An extender that gives no answer here is asked again, about all nodes.
            let verdicts = &mut found.verdicts;
            let passed = extender::find_nodes_that_pass(extenders, pod.pod, snapshot, vec![node], verdicts);
            found.feasible = passed.unwrap_or_default();
            if !found.feasible.is_empty() {
                return Ok(found);
            }
        }
        found.refused_nominated = status.is_rejected().then_some(node);
        found.note_refused(found.refused_nominated);
    }
    let nodes = filters.nodes_to_visit(snapshot);
    let candidates = &mut state.candidates;
    if let Some(class) = class {
        candidates.clone_from(class.passes());
    } else {
        candidates.clear();
        candidates.grow(snapshot.column_length());
        nodes.iter().for_each(|node| candidates.insert(*node));
    }
    filters.narrow(candidates, class.is_some());
    let wanted = nodes_to_find(nodes.len(), profile);
    let can_fail = filters.can_fail();
    if matches!(profile.tie_break, TieBreak::Seeded { .. }) && wanted >= nodes.len() {
        found.feasible.extend(candidates.ones());
        found.refused = nodes.len() - found.feasible.len()
            + usize::from(found.refused_nominated.is_some_and(|node| !nodes.contains(&node)));
        if can_fail {
            nodes.iter().try_for_each(|node| undecided(filters, candidates, *node).map_or(Ok(()), Err))?;
        }
        if found.refused_nodes.is_some() {
            found.note_refused(nodes.iter().copied().filter(|node| !candidates.contains(*node)));
        }
    } else {
        let undecided = |node| if can_fail { undecided(filters, candidates, node) } else { None };
        let visited = visit(&nodes, state.next_start_node_index, wanted, candidates, undecided, &mut found);
        // The next search begins behind the nodes that were visited, even where this one ends with an error.
        let processed = found.feasible.len() + found.refused_count();
        state.next_start_node_index = (state.next_start_node_index + processed) % snapshot.node_count();
        visited?;
    }
    if found.refused_nodes.is_some() {
        let passed = std::mem::take(&mut found.feasible);
        let count = passed.len();
        found.feasible =
            extender::find_nodes_that_pass(extenders, pod.pod, snapshot, passed, &mut found.verdicts)?;
        found.rejected_by_extenders = found.feasible.len() != count;
    }
    Ok(found)
}

/// The message of a filter that couldn't decide about a node; none if all could.
fn undecided(filters: &Filters<'_>, candidates: &FixedBitSet, node: NodeIndex) -> Option<String> {
    if candidates.contains(node) {
        return None;
    }
    let status = filters.check(node);
    (status.code == Code::Error).then(|| status.message())
}

/// Visits nodes from a place on, round to the one before it, until one more than the wanted number is feasible. Whether the
/// node that was set aside is among them or not, its refusal counts once.
///
/// # Errors
/// A filter couldn't decide about a node that was visited.
///
/// # Source
/// `pkg/scheduler/schedule_one.go` (`findNodesThatPassFilters`)
fn visit(
    nodes: &[NodeIndex],
    start: usize,
    wanted: usize,
    candidates: &FixedBitSet,
    undecided: impl Fn(NodeIndex) -> Option<String>,
    found: &mut FoundNodes,
) -> Result<(), String> {
    found.refused = usize::from(found.refused_nominated.is_some());
    let (before, after) = nodes.split_at(start % nodes.len().max(1));
    for node in after.iter().chain(before) {
        if candidates.contains(*node) {
            if found.feasible.len() == wanted {
                return Ok(());
            }
            found.feasible.push(*node);
            continue;
        }
        if let Some(message) = undecided(*node) {
            return Err(message);
        }
        if found.refused_nominated != Some(*node) {
            found.refused += 1;
            found.note_refused([*node]);
        }
    }
    Ok(())
}

/// How many feasible nodes are enough.
///
/// # Source
/// `pkg/scheduler/schedule_one.go` (`numFeasibleNodesToFind`)
pub(super) fn nodes_to_find(node_count: usize, profile: &Profile) -> usize {
    let has_scores = profile.at(ExtensionPoint::Score).next().is_some();
    if !has_scores
        && !profile.extenders.iter().any(|extender| extender.is_filter() || extender.is_prioritizer())
    {
        return 1;
    }
    if node_count < MIN_FEASIBLE_NODES_TO_FIND {
        return node_count;
    }
    let percentage = match usize::from(profile.percentage_of_nodes_to_score) {
        0 => 50_usize.saturating_sub(node_count / 125).max(MIN_PERCENTAGE_OF_NODES_TO_FIND),
        percentage => percentage,
    };
    (node_count * percentage / 100).max(MIN_FEASIBLE_NODES_TO_FIND)
}
