//! Pods that come to nodes and go.

use std::sync::Arc;

use super::placed_pod::pod_key;
use super::sign::Sign;
use super::{NodeIndex, PlacedPod, PodChange, Snapshot};
use crate::pod_info::{AccountedResources, PodInfo};

impl Snapshot {
    /// Counts a pod as running on a node. A pod of the same namespace and name that is there already is replaced. Pods that
    /// have come to an end are not to be added.
    pub fn add_pod(&mut self, pod: &PodInfo<'_>, node_name: &str) {
        let key: Arc<str> = pod_key(pod.namespace(), pod.name()).into();
        self.remove_pod_by_key(&key);
        let placed = PlacedPod::new(pod, Arc::clone(&key));
        *self.priorities.entry(placed.priority).or_default() += 1;
        self.node_of_pod.insert(key, node_name.to_owned());
        match self.index_of.get(node_name) {
            Some(index) => self.place(*index, placed),
            None => self.strays.entry(node_name.to_owned()).or_default().push(placed),
        }
    }

    /// No longer counts a pod. Whether it was there.
    pub fn remove_pod(&mut self, namespace: &str, name: &str) -> bool {
        self.remove_pod_by_key(&pod_key(namespace, name))
    }

    pub(super) fn place(&mut self, index: NodeIndex, mut pod: PlacedPod) {
        self.count(index, &pod.accounted, Sign::Add);
        let namespace = Arc::clone(&pod.identity.namespace);
        pod.identity = self.identities.entry(namespace).or_default().add(pod.identity, index);
        self.log(index, &pod, 1);
        pod.terms = pod.terms.map(|terms| self.terms.add(terms, index));
        if let Some(volumes) = &pod.volumes {
            self.claim_uses.add(&pod.identity.namespace, volumes);
        }
        self.ports[index].extend(pod.host_ports.iter().cloned());
        self.pods[index].push(pod);
    }

    fn remove_pod_by_key(&mut self, key: &str) -> bool {
        let Some(node_name) = self.node_of_pod.remove(key) else { return false };
        let removed = match self.index_of.get(&node_name) {
            Some(index) => self.take(*index, key),
            None => take_from(self.strays.entry(node_name).or_default(), key),
        };
        if let Some(pod) = &removed {
            self.forget_priority(pod.priority);
        }
        removed.is_some()
    }

    /// Selectors no longer find a pod on a node, and its claims are free.
    pub(super) fn disown(&mut self, index: NodeIndex, pod: &PlacedPod) {
        let namespace = &pod.identity.namespace;
        if let Some(identities) = self.identities.get_mut(namespace) {
            identities.remove(&pod.identity, index);
            if identities.is_empty() {
                self.identities.remove(namespace);
            }
        }
        if let Some(terms) = &pod.terms {
            self.terms.remove(terms, index);
        }
        if let Some(volumes) = &pod.volumes {
            self.claim_uses.remove(namespace, volumes);
        }
    }

    fn take(&mut self, index: NodeIndex, key: &str) -> Option<PlacedPod> {
        let pod = take_from(&mut self.pods[index], key)?;
        self.log(index, &pod, -1);
        self.count(index, &pod.accounted, Sign::Subtract);
        self.disown(index, &pod);
        // DIFFERENCE: D-scheduler-2.
        for port in &*pod.host_ports {
            if let Some(position) = self.ports[index].iter().position(|used| used == port) {
                self.ports[index].swap_remove(position);
            }
        }
        Some(pod)
    }

    fn log(&mut self, node: NodeIndex, pod: &PlacedPod, count: i64) {
        let change = PodChange { node, identity: Arc::clone(&pod.identity), count };
        self.changes.push(change, self.names.len());
    }

    fn forget_priority(&mut self, priority: i32) {
        if let Some(count) = self.priorities.get_mut(&priority) {
            *count -= 1;
            if *count == 0 {
                self.priorities.remove(&priority);
            }
        }
    }

    fn count(&mut self, index: NodeIndex, accounted: &AccountedResources, sign: Sign) {
        self.resources.count(index, &accounted.amounts, sign);
        sign.apply(&mut self.non_zero_cpu_millis[index], accounted.non_zero_cpu_millis);
        sign.apply(&mut self.non_zero_memory_bytes[index], accounted.non_zero_memory_bytes);
    }
}

/// As upstream, the last pod takes the place of the one that goes.
fn take_from(pods: &mut Vec<PlacedPod>, key: &str) -> Option<PlacedPod> {
    let position = pods.iter().position(|pod| &*pod.key == key)?;
    Some(pods.swap_remove(position))
}
