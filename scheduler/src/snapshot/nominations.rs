//! Nodes that are set aside for pods.

use super::placed_pod::pod_key;
use super::{NodeIndex, PlacedPod, Snapshot};
use crate::pod_info::PodInfo;

impl Snapshot {
    /// Sets a node aside for a pod that isn't on any yet: pods of lower priority are kept off the room that it needs. A node that
    /// was set aside for the pod before no longer is.
    pub fn nominate(&mut self, pod: &PodInfo<'_>, node_name: &str) {
        self.clear_nomination(pod.namespace(), pod.name());
        // DIFFERENCE: D-scheduler-8.
        let placed = PlacedPod::new(pod, pod_key(pod.namespace(), pod.name()).into());
        self.nominated.entry(node_name.to_owned()).or_default().push(placed);
    }

    /// No longer sets a node aside for a pod.
    pub fn clear_nomination(&mut self, namespace: &str, name: &str) {
        let key = pod_key(namespace, name);
        self.nominated.retain(|_, pods| {
            pods.retain(|pod| *pod.key != *key);
            !pods.is_empty()
        });
    }

    /// The pods for which a node was set aside.
    pub fn nominated_pods(&self, node: NodeIndex) -> &[PlacedPod] {
        self.nominated.get(&self.names[node]).map(Vec::as_slice).unwrap_or_default()
    }

    /// The nodes that were set aside for any pod.
    pub fn nominated_nodes(&self) -> impl Iterator<Item = NodeIndex> {
        self.nominated.keys().filter_map(|name| self.node(name))
    }
}
