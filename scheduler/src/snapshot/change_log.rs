//! Which nodes have changed, so that what was computed before can be kept for the others.

use std::sync::Arc;

use super::{NodeIndex, PodIdentity};

/// How many changes are remembered for each node, and beside.
const CHANGES_PER_NODE: usize = 4;
const MIN_CHANGES: usize = 1024;

/// The pods that have come and gone, in order. Whatever else changes ends an epoch, and with it what was remembered.
#[derive(Debug, Default)]
pub(super) struct ChangeLog {
    epoch: Arc<()>,
    changes: Vec<PodChange>,
}

/// A pod that has come to a node, or gone from it.
#[derive(Clone, Debug)]
pub struct PodChange {
    /// The node.
    pub node: NodeIndex,
    /// What selectors see of the pod.
    pub identity: Arc<PodIdentity>,
    /// 1 if it has come, -1 if it has gone.
    pub count: i64,
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
    /// A pod has come or gone.
    pub(super) fn push(&mut self, change: PodChange, node_count: usize) {
        if self.changes.len() >= CHANGES_PER_NODE * node_count + MIN_CHANGES {
            self.end_epoch();
        }
        self.changes.push(change);
    }

    /// Nothing that was computed before holds any longer.
    pub(super) fn end_epoch(&mut self) {
        self.epoch = Arc::default();
        self.changes.clear();
    }

    /// The end of the log.
    pub(super) fn position(&self) -> LogPosition {
        LogPosition { epoch: Arc::clone(&self.epoch), place: self.changes.len() }
    }

    /// The pods that have come and gone since; none if anything else may have changed.
    pub(super) fn since(&self, position: &LogPosition) -> Option<&[PodChange]> {
        Arc::ptr_eq(&self.epoch, &position.epoch).then(|| &self.changes[position.place..])
    }
}
