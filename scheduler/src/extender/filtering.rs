//! Which nodes extenders drop.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;
use k8s_openapi::api::core::v1::Pod;
use plimsoll_api::quote::go_quote;

use super::wire::FailedNodes;
use super::{Extender, Extenders, NAME};
use crate::framework::{Code, Status};
use crate::snapshot::{NodeIndex, Snapshot};

/// What extenders refuse nodes for. They may name any node, also one that passes, and one that there isn't.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdicts {
    pub(crate) of_nodes: BTreeMap<NodeIndex, Status>,
    pub(crate) of_unknown_nodes: BTreeMap<String, Status>,
}

impl Verdicts {
    /// Later verdicts take the place of earlier ones.
    fn add(&mut self, code: Code, failed: FailedNodes, snapshot: &Snapshot) {
        for (name, text) in failed {
            let status = Status::new(code, NAME, text);
            match snapshot.node(&name) {
                Some(node) => self.of_nodes.insert(node, status),
                None => self.of_unknown_nodes.insert(name, status),
            };
        }
    }
}

/// The nodes that all extenders let pass, each asked about what the one before it left.
///
/// # Errors
/// An extender that can't be done without gave no answer.
///
/// # Source
/// `pkg/scheduler/schedule_one.go` (`findNodesThatPassExtenders`)
pub(crate) fn find_nodes_that_pass(
    extenders: &Extenders,
    pod: &Pod,
    snapshot: &Snapshot,
    feasible: Vec<NodeIndex>,
    verdicts: &mut Verdicts,
) -> Result<Vec<NodeIndex>, String> {
    let mut left = feasible;
    for extender in extenders.interested_in(pod).filter(|extender| extender.is_filter()) {
        if left.is_empty() {
            break;
        }
        match extender.filter(pod, snapshot, &left) {
            Ok(filtered) => {
                verdicts.add(Code::Unschedulable, filtered.failed, snapshot);
                // Of a node that is named for both, removing pods doesn't help.
                verdicts.add(Code::UnschedulableAndUnresolvable, filtered.unresolvable, snapshot);
                left = filtered.passed;
            }
            Err(_) if extender.is_ignorable() => {}
            Err(message) => return Err(message),
        }
    }
    Ok(left)
}

/// An answer about nodes.
struct Filtered {
    /// In the order of the answer.
    passed: Vec<NodeIndex>,
    failed: FailedNodes,
    unresolvable: FailedNodes,
}

impl Extender {
    /// # Source
    /// `pkg/scheduler/extender.go` (`Filter`)
    fn filter(&self, pod: &Pod, snapshot: &Snapshot, nodes: &[NodeIndex]) -> Result<Filtered, String> {
        let names: Vec<&str> = nodes.iter().map(|node| snapshot.name(*node)).collect();
        let answer = self.client.filter(pod, &names)?;
        if !answer.error.is_empty() {
            return Err(answer.error);
        }
        let asked: FixedBitSet = nodes.iter().copied().collect();
        let find = |name: &str| {
            let node = snapshot.node(name).filter(|node| asked.contains(*node));
            // DIFFERENCE: D-scheduler-51. Upstream says so only where it is answered in names.
            node.ok_or_else(|| {
                format!(
                    "extender {} claims a filtered node {} which is not found in the input node list",
                    go_quote(self.name()),
                    go_quote(name)
                )
            })
        };
        // DIFFERENCE: D-scheduler-50. Upstream goes on with the nodes as they come back, without what runs on them.
        let passed: Result<Vec<NodeIndex>, String> = match (&answer.node_names, &answer.nodes) {
            (Some(names), _) if self.settings.node_cache_capable => {
                names.iter().map(|name| find(name)).collect()
            }
            (_, Some(nodes)) => nodes.names().map(find).collect(),
            _ => Ok(Vec::new()),
        };
        Ok(Filtered {
            passed: passed?,
            failed: answer.failed_nodes,
            unresolvable: answer.failed_and_unresolvable_nodes,
        })
    }
}
