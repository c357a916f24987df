//! The nodes that are set aside for pods that aren't on any yet.
//!
//! # Source
//! `pkg/scheduler/backend/queue/nominator.go`

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::api::core::v1::Pod;

use super::queued_pod::{PodKey, identity, key};
use crate::framework::Nomination;
use crate::pod_info::fields;

/// Which nodes are set aside for which pods. The pods are told apart by their identity, as what is known here may differ from
/// what their objects say.
#[derive(Debug, Default)]
pub(super) struct Nominator {
    /// By node, in the order in which they were nominated.
    pods: BTreeMap<String, Vec<(String, PodKey)>>,
    nodes: HashMap<String, String>,
}

impl Nominator {
    /// Sets a node aside for a pod: the one that is said, or the one that its object names.
    ///
    /// # Source
    /// `nominator.go` (`addNominatedPodUnlocked`)
    pub(super) fn add(&mut self, pod: &Pod, nomination: &Nomination) {
        match nomination {
            Nomination::Keep => self.set(pod, fields::nominated_node_name(pod)),
            Nomination::Clear => self.set(pod, ""),
            Nomination::Set(preemption) => self.set(pod, &preemption.node),
        }
    }

    /// Takes over a pod's new state. What isn't in its object yet stays so.
    ///
    /// # Source
    /// `nominator.go` (`UpdateNominatedPod`)
    pub(super) fn update(&mut self, old: &Pod, new: &Pod) {
        let is_silent =
            fields::nominated_node_name(old).is_empty() && fields::nominated_node_name(new).is_empty();
        let kept = is_silent.then(|| self.nodes.get(&identity(old)).cloned()).flatten();
        self.remove(old);
        self.set(new, kept.as_deref().unwrap_or_else(|| fields::nominated_node_name(new)));
    }

    pub(super) fn remove(&mut self, pod: &Pod) {
        let identity = identity(pod);
        let Some(node) = self.nodes.remove(&identity) else { return };
        if let Some(pods) = self.pods.get_mut(&node) {
            pods.retain(|(other, _)| *other != identity);
            if pods.is_empty() {
                self.pods.remove(&node);
            }
        }
    }

    /// The pods for which a node is set aside.
    pub(super) fn pods(&self, node: &str) -> impl Iterator<Item = &PodKey> {
        self.pods.get(node).into_iter().flatten().map(|(_, key)| key)
    }

    /// The nodes that are set aside for any pod.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &str> {
        self.pods.keys().map(String::as_str)
    }

    fn set(&mut self, pod: &Pod, node: &str) {
        self.remove(pod);
        if !node.is_empty() {
            self.nodes.insert(identity(pod), node.to_owned());
            self.pods.entry(node.to_owned()).or_default().push((identity(pod), key(pod)));
        }
    }
}
