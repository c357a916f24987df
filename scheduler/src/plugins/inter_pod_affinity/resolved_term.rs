//! A term of the pod to schedule, with the namespaces that its selector chooses now.

use plimsoll_matching::label_selector::Labels;

use crate::affinity_term::AffinityTerm;
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeCounts, PodIdentity, Snapshot};

/// A term of the pod to schedule.
pub(super) struct ResolvedTerm<'a> {
    pub(super) term: &'a AffinityTerm,
    chosen: Vec<&'a str>,
}

impl<'a> ResolvedTerm<'a> {
    /// Looks up which namespaces the term is about. A namespace that isn't known has pods all the same, but only a selector of
    /// everything chooses it.
    ///
    /// # Source
    /// `pkg/scheduler/framework/plugins/interpodaffinity/plugin.go` (`mergeAffinityTermNamespacesIfNotEmpty`)
    pub(super) fn new(term: &'a AffinityTerm, snapshot: &'a Snapshot) -> Self {
        let selector = &term.namespace_selector;
        let is_unneeded = selector.is_everything() || selector.is_nothing();
        let chosen =
            if is_unneeded { Vec::new() } else { snapshot.listers().namespaces_matching(selector).collect() };
        Self { term, chosen }
    }

    /// Whether the term is about a pod of that namespace with these labels.
    pub(super) fn matches(&self, namespace: &str, labels: &Labels) -> bool {
        (self.term.namespace_selector.is_everything()
            || self.term.namespaces.contains(namespace)
            || self.chosen.contains(&namespace))
            && self.term.selector.matches(labels)
    }

    /// Whether the term is about a pod itself.
    pub(super) fn matches_pod(&self, pod: &PodInfo<'_>) -> bool {
        self.matches(pod.namespace(), pod.labels())
    }

    /// The namespaces that the term is about and that have pods.
    fn namespaces(&self, snapshot: &'a Snapshot) -> Vec<&'a str> {
        if self.term.namespace_selector.is_everything() {
            return snapshot.namespaces_with_pods().collect();
        }
        let named = self.term.namespaces.iter().map(String::as_str);
        let mut all: Vec<&str> = named.chain(self.chosen.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The pods that the term is about, and the nodes they are on.
    pub(super) fn pods(&self, snapshot: &'a Snapshot) -> Vec<(&'a PodIdentity, &'a NodeCounts)> {
        let namespaces = self.namespaces(snapshot);
        let pods = namespaces.iter().flat_map(|namespace| snapshot.pods_in(namespace));
        pods.filter(|(identity, _)| self.term.selector.matches(&identity.labels)).collect()
    }
}
