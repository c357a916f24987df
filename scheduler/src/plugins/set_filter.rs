//! Judges nodes by something of which many nodes have the same, such as their taints: each distinct set of it is judged once.

use fixedbitset::FixedBitSet;

use crate::framework::{Code, Filter, Status, retain};
use crate::snapshot::NodeIndex;

/// Which sets let a pod onto the nodes that have them.
pub(super) struct SetFilter<'a> {
    /// The plugin, and what it says of the others.
    pub(super) plugin: &'static str,
    pub(super) reason: &'static str,
    /// For each set, whether it does.
    pub(super) allowed: Vec<bool>,
    /// The set of each node.
    pub(super) set_of: &'a [u32],
    pub(super) is_node_local: bool,
}

impl SetFilter<'_> {
    fn allows(&self, node: NodeIndex) -> bool {
        self.allowed[self.set_of[node] as usize]
    }
}

impl Filter for SetFilter<'_> {
    fn is_node_local(&self) -> bool {
        self.is_node_local
    }

    fn check(&self, node: NodeIndex) -> Status {
        if self.allows(node) {
            Status::SUCCESS
        } else {
            Status::new(Code::UnschedulableAndUnresolvable, self.plugin, self.reason)
        }
    }

    fn narrow(&self, candidates: &mut FixedBitSet) {
        retain(candidates, |node| self.allows(node));
    }
}
