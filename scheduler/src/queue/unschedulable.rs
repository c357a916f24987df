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

    pub(super) fn iter(&self) -> impl Iterator<Item = &QueuedPodInfo> {
        self.pods.values()
    }

    pub(super) fn keys(&self) -> BTreeSet<PodKey> {
        self.pods.keys().cloned().collect()
    }

    /// The pods that any of these plugins turned away.
    pub(super) fn rejected_by<'p>(&self, plugins: impl Iterator<Item = &'p str>) -> BTreeSet<PodKey> {
        plugins.filter_map(|plugin| self.rejected_by.get(plugin)).flatten().cloned().collect()
    }
}
