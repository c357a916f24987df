//! Pods that wait for something to happen, found by the plugins that turned them away.
//!
//! # Source
//! `pkg/scheduler/backend/queue/unschedulable_entities.go`

use std::collections::{BTreeMap, BTreeSet};

use super::queued_pod::{PodKey, QueuedPodInfo};

/// Pods that wait for something to happen.
#[derive(Debug, Default)]
pub(super) struct UnschedulablePods {
    pods: BTreeMap<PodKey, QueuedPodInfo>,
    rejected_by: BTreeMap<&'static str, BTreeSet<PodKey>>,
}

impl UnschedulablePods {
    pub(super) fn insert(&mut self, pod: QueuedPodInfo) {
        let key = pod.key();
        self.remove(&key);
        for plugin in pod.rejectors() {
            self.rejected_by.entry(plugin).or_default().insert(PodKey::clone(&key));
        }
        self.pods.insert(key, pod);
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<QueuedPodInfo> {
        let pod = self.pods.remove(key)?;
        for plugin in pod.rejectors() {
            if let Some(pods) = self.rejected_by.get_mut(plugin) {
                pods.remove(key);
            }
        }
        Some(pod)
    }

    pub(super) fn get(&self, key: &str) -> Option<&QueuedPodInfo> {
        self.pods.get(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }

    /// All of them, in order of key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&PodKey, &QueuedPodInfo)> {
        self.pods.iter()
    }

    /// The pods that any of these plugins turned away, in order of key.
    pub(super) fn rejected_by(&self, plugins: &[&str]) -> Vec<(&PodKey, &QueuedPodInfo)> {
        let mut sets = plugins.iter().filter_map(|plugin| self.rejected_by.get(plugin));
        let find = |key: &PodKey| self.pods.get_key_value(key);
        match (sets.next(), sets.next()) {
            (None, _) => Vec::new(),
            (Some(only), None) => only.iter().filter_map(find).collect(),
            (Some(first), Some(second)) => {
                let keys: BTreeSet<&PodKey> = [first, second].into_iter().chain(sets).flatten().collect();
                keys.into_iter().filter_map(find).collect()
            }
        }
    }
}
