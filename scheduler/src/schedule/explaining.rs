//! What every plugin says of every node, also of those that upstream wouldn't ask any more.

use fixedbitset::FixedBitSet;

use super::filtering::{PreFiltered, pre_filter};
use super::scoring::score_nodes;
use super::{CycleState, Outcome, schedule};
use crate::extender::{self, Verdicts};
use crate::framework::{Code, Status};
use crate::pod_info::PodInfo;
use crate::profile::Profile;
use crate::snapshot::{NodeIndex, Snapshot};

/// A pod and every node.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The nodes in the order in which they are visited.
    pub nodes: Vec<NodeExplanation>,
    /// What would be decided now.
    pub outcome: Outcome,
}

/// A node for one pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeExplanation {
    /// The node.
    pub node: NodeIndex,
    /// What each plugin refuses it for, in the order of the plugins, or else what extenders do; the first one is what upstream says. Empty
    /// if it is feasible.
    pub refusals: Vec<Status>,
    /// What each plugin's score counts for, and those of extenders together, if the node is feasible; plugins to which all nodes are
    /// the same are left out.
    pub scores: Vec<(&'static str, i64)>,
    /// Their sum.
    pub total: i64,
}

/// Judges all nodes for a pod, and compares those that are feasible.
///
/// # Errors
/// A plugin couldn't compare them; the message says why.
pub fn explain(pod: &PodInfo<'_>, snapshot: &Snapshot, profile: &Profile) -> Result<Explanation, String> {
    let mut nodes: Vec<NodeExplanation> = Vec::with_capacity(snapshot.node_count());
    match pre_filter(pod, snapshot, profile) {
        PreFiltered::Rejected { status, .. } => {
            let refused = |node: &NodeIndex| NodeExplanation {
                node: *node,
                refusals: vec![status.clone()],
                ..NodeExplanation::default()
            };
            nodes.extend(snapshot.order().iter().map(refused));
        }
        PreFiltered::Run(filters) => {
            let visited = filters.nodes_to_visit(snapshot);
            let left_out = filters.status_of_nodes_left_out(None);
            for node in snapshot.order() {
                let mut refusals = filters.refusals(*node);
                if refusals.is_empty() && !visited.contains(node) {
                    refusals.push(left_out.clone());
                }
                nodes.push(NodeExplanation { node: *node, refusals, ..NodeExplanation::default() });
            }
        }
    }
    ask_extenders(pod, snapshot, profile, &mut nodes);
    add_scores(pod, snapshot, profile, &mut nodes)?;
    let outcome = schedule(pod, snapshot, profile, &mut CycleState::default());
    Ok(Explanation { nodes, outcome })
}

/// What extenders refuse nodes for that the plugins let pass; nothing if one gives no answer, as the outcome says.
fn ask_extenders(pod: &PodInfo<'_>, snapshot: &Snapshot, profile: &Profile, nodes: &mut [NodeExplanation]) {
    if profile.extenders.is_empty() {
        return;
    }
    let feasible = nodes.iter().filter(|node| node.refusals.is_empty()).map(|node| node.node).collect();
    let mut verdicts = Verdicts::default();
    let passed =
        extender::find_nodes_that_pass(&profile.extenders, pod.pod, snapshot, feasible, &mut verdicts);
    let Ok(passed) = passed else { return };
    let passed: FixedBitSet = passed.into_iter().collect();
    for node in nodes.iter_mut().filter(|node| node.refusals.is_empty() && !passed.contains(node.node)) {
        // A node that an extender has dropped without a word counts as one that wasn't looked at.
        let unsaid =
            Status { plugin: extender::NAME, code: Code::UnschedulableAndUnresolvable, ..Status::SUCCESS };
        node.refusals.push(verdicts.of_nodes.remove(&node.node).unwrap_or(unsaid));
    }
}

fn add_scores(
    pod: &PodInfo<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    nodes: &mut [NodeExplanation],
) -> Result<(), String> {
    let mut feasible: Vec<&mut NodeExplanation> =
        nodes.iter_mut().filter(|node| node.refusals.is_empty()).collect();
    let indexes: Vec<NodeIndex> = feasible.iter().map(|node| node.node).collect();
    if indexes.is_empty() {
        return Ok(());
    }
    for scores in score_nodes(pod, snapshot, profile, &indexes)? {
        for (node, score) in feasible.iter_mut().zip(scores.weighted) {
            node.scores.push((scores.plugin, score));
            node.total = node.total.wrapping_add(score);
        }
    }
    let added = extender::scores(&profile.extenders, pod.pod, snapshot, &indexes);
    for (node, score) in feasible.iter_mut().zip(added) {
        let Some(score) = score else { continue };
        node.scores.push((extender::NAME, score));
        node.total = node.total.wrapping_add(score);
    }
    Ok(())
}
