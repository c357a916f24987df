//! Things that pods on many nodes share, each kept once, with how many pods of each node have it.

use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::NodeIndex;
use super::node_counts::NodeCounts;

/// Distinct values, each with the nodes whose pods have it. A value that no pod has is forgotten.
#[derive(Clone, Debug)]
pub(super) struct Counted<T> {
    values: FxHashMap<Arc<T>, NodeCounts>,
}

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self { values: FxHashMap::default() }
    }
}

impl<T: Eq + Hash> Counted<T> {
    /// A pod of a node has the value. Returns the value as it is shared.
    pub(super) fn add(&mut self, value: Arc<T>, node: NodeIndex) -> Arc<T> {
        let shared = self.values.get_key_value(&value).map_or(value, |(known, _)| Arc::clone(known));
        self.values.entry(Arc::clone(&shared)).or_default().add(node);
        shared
    }

    /// A pod of a node has the value no longer.
    pub(super) fn remove(&mut self, value: &T, node: NodeIndex) {
        let Some(counts) = self.values.get_mut(value) else { return };
        counts.remove(node);
        if counts.is_empty() {
            self.values.remove(value);
        }
    }

    /// Whether no pod has any value.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All values that pods have.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&T, &NodeCounts)> {
        self.values.iter().map(|(value, counts)| (&**value, counts))
    }
}
