//! Names of objects by something that several of them may have in common.

use std::collections::{BTreeMap, BTreeSet};

/// Names of objects by something that several of them may have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct NameIndex {
    names: BTreeMap<String, BTreeSet<String>>,
}

impl NameIndex {
    pub(super) fn insert(&mut self, key: &str, name: &str) {
        match self.names.get_mut(key) {
            Some(names) => _ = names.insert(name.to_owned()),
            None => _ = self.names.insert(key.to_owned(), BTreeSet::from([name.to_owned()])),
        }
    }

    pub(super) fn remove(&mut self, key: &str, name: &str) {
        if let Some(names) = self.names.get_mut(key) {
            names.remove(name);
            if names.is_empty() {
                self.names.remove(key);
            }
        }
    }

    /// The names by that key, in order.
    pub(super) fn get(&self, key: &str) -> impl Iterator<Item = &String> {
        self.names.get(key).into_iter().flatten()
    }
}
