//! Which nodes have changed, so that what was computed before can be kept for the others.

use std::sync::Arc;

use super::NodeIndex;

/// How many changes are remembered for each node, and beside.
const CHANGES_PER_NODE: usize = 4;
const MIN_CHANGES: usize = 1024;

/// The nodes whose pods have changed, in order. Whatever else changes ends an epoch, and with it what was remembered.
#[derive(Debug, Default)]
pub(super) struct ChangeLog {
    epoch: Arc<()>,
    nodes: Vec<NodeIndex>,
}

/// A place in the log of one snapshot.
#[derive(Clone, Debug)]
pub struct LogPosition {
    epoch: Arc<()>,
    place: usize,
}

impl Clone for ChangeLog {
    /// A copy goes its own way.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl ChangeLog {
    /// The pods of a node have changed.
    pub(super) fn push(&mut self, node: NodeIndex, node_count: usize) {
        if self.nodes.len() >= CHANGES_PER_NODE * node_count + MIN_CHANGES {
            self.end_epoch();
        }
        self.nodes.push(node);
    }

    /// Nothing that was computed before holds any longer.
    pub(super) fn end_epoch(&mut self) {
        self.epoch = Arc::default();
        self.nodes.clear();
    }

    /// The end of the log.
    pub(super) fn position(&self) -> LogPosition {
        LogPosition { epoch: Arc::clone(&self.epoch), place: self.nodes.len() }
    }

    /// The nodes that have changed since; none if anything else may have.
    pub(super) fn since(&self, position: &LogPosition) -> Option<&[NodeIndex]> {
        Arc::ptr_eq(&self.epoch, &position.epoch).then(|| &self.nodes[position.place..])
    }
}
