//! Which nodes are in the same domain of a topology key: a column for each label key that pods spread over or gather by.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use plimsoll_matching::label_requirement::Labels;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::NodeIndex;

/// How many columns are kept. Each pod can name keys of its own; then the columns are made anew now and then.
const MAX_COLUMNS: usize = 128;

/// A domain of a topology key: the place of its value among all values of the label.
pub type Domain = usize;

/// The domain of each node by one topology key.
#[derive(Clone, Debug, Default)]
pub struct TopologyColumn {
    domains: Vec<Option<u32>>,
    ids: FxHashMap<String, u32>,
}

impl TopologyColumn {
    fn new(key: &str, labels: &[Labels]) -> Self {
        let mut column = Self::default();
        for (node, labels) in labels.iter().enumerate() {
            column.set(node, labels.get(key).map(String::as_str));
        }
        column
    }

    /// The domain of a node; none if the node hasn't the label.
    pub fn domain(&self, node: NodeIndex) -> Option<Domain> {
        self.domains[node].map(|domain| domain as usize)
    }

    /// One more than the highest domain.
    pub fn domain_count(&self) -> usize {
        self.ids.len()
    }

    fn set(&mut self, node: NodeIndex, value: Option<&str>) {
        if self.domains.len() <= node {
            self.domains.resize(node + 1, None);
        }
        self.domains[node] = value.map(|value| {
            let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
            match self.ids.get(value) {
                Some(id) => *id,
                None => *self.ids.entry(value.to_owned()).or_insert(next),
            }
        });
    }

    /// Whether so many nodes have gone that most domains may be those of none.
    fn is_stale(&self) -> bool {
        self.ids.len() > 2 * self.domains.len() + MAX_COLUMNS
    }
}

/// The columns that were asked for. They are made when a pod first asks and follow the nodes from then on.
#[derive(Debug, Default)]
pub(super) struct TopologyColumns {
    columns: RwLock<HashMap<String, Arc<TopologyColumn>, FxBuildHasher>>,
}

impl Clone for TopologyColumns {
    fn clone(&self) -> Self {
        Self { columns: RwLock::new(self.columns.read().clone()) }
    }
}

impl TopologyColumns {
    /// The column of a key, where these are the labels of the nodes.
    pub(super) fn get(&self, key: &str, labels: &[Labels]) -> Arc<TopologyColumn> {
        if let Some(column) = self.columns.read().get(key) {
            return Arc::clone(column);
        }
        let column = Arc::new(TopologyColumn::new(key, labels));
        let mut columns = self.columns.write();
        if columns.len() >= MAX_COLUMNS {
            columns.clear();
        }
        columns.insert(key.to_owned(), Arc::clone(&column));
        column
    }

    /// A node has these labels now.
    pub(super) fn set(&mut self, node: NodeIndex, labels: &Labels) {
        let columns = self.columns.get_mut();
        columns.retain(|key, column| {
            Arc::make_mut(column).set(node, labels.get(key).map(String::as_str));
            !column.is_stale()
        });
    }
}
