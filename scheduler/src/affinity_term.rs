//! Terms of pod affinity and anti-affinity, parsed once.
//!
//! # Source
//! kube-scheduler `framework/types.go` (`AffinityTerm`), `pkg/scheduler/framework/types.go` (`NewPodInfo`)

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PodAffinityTerm, PodSpec, WeightedPodAffinityTerm};
use plimsoll_matching::label_selector::{Labels, Selector, SelectorError};

/// Which pods a term is about, and what counts as near.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AffinityTerm {
    /// The namespaces of the pods, by name.
    pub namespaces: BTreeSet<String>,
    /// The namespaces of the pods, by label.
    pub namespace_selector: Selector,
    /// The labels of the pods.
    pub selector: Selector,
    /// The label of nodes whose value says which nodes are near each other.
    pub topology_key: String,
}

/// A term that is preferred, with what it counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WeightedAffinityTerm {
    /// The term.
    pub term: AffinityTerm,
    /// What it counts; 1 to 100 in a valid pod.
    pub weight: i32,
}

/// All terms of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PodAffinityTerms {
    /// Pods that have to be near.
    pub required_affinity: Vec<AffinityTerm>,
    /// Pods that must not be near.
    pub required_anti_affinity: Vec<AffinityTerm>,
    /// Pods that had better be near.
    pub preferred_affinity: Vec<WeightedAffinityTerm>,
    /// Pods that had better not be near.
    pub preferred_anti_affinity: Vec<WeightedAffinityTerm>,
}

impl AffinityTerm {
    /// Reads a term of a pod in that namespace. A term that says nothing of namespaces is about the pod's own.
    ///
    /// # Errors
    /// A selector is malformed.
    pub fn new(namespace: &str, term: &PodAffinityTerm) -> Result<Self, SelectorError> {
        let names = term.namespaces.as_deref().unwrap_or_default();
        let is_own = names.is_empty() && term.namespace_selector.is_none();
        let own = is_own.then(|| namespace.to_owned());
        Ok(Self {
            selector: Selector::from_label_selector(term.label_selector.as_ref())?,
            namespaces: own.into_iter().chain(names.iter().cloned()).collect(),
            namespace_selector: Selector::from_label_selector(term.namespace_selector.as_ref())?,
            topology_key: term.topology_key.clone(),
        })
    }

    /// Whether the term is about pods of a namespace with these labels.
    pub fn matches_namespace(&self, namespace: &str, namespace_labels: &Labels) -> bool {
        self.namespaces.contains(namespace) || self.namespace_selector.matches(namespace_labels)
    }

    /// Whether the term is about a pod: its namespace with that one's labels, and its own labels.
    pub fn matches(&self, namespace: &str, namespace_labels: &Labels, labels: &Labels) -> bool {
        self.matches_namespace(namespace, namespace_labels) && self.selector.matches(labels)
    }
}

impl PodAffinityTerms {
    /// Reads the terms of a pod in that namespace. A list with a malformed term counts as empty; which ones, and why, is told
    /// beside.
    pub fn new(namespace: &str, spec: &PodSpec) -> (Self, Vec<String>) {
        let affinity = spec.affinity.as_ref();
        let near = affinity.and_then(|affinity| affinity.pod_affinity.as_ref());
        let apart = affinity.and_then(|affinity| affinity.pod_anti_affinity.as_ref());
        let mut errors = Vec::new();
        let mut keep = |name: &str, error: SelectorError| errors.push(format!("{name}: {error}"));
        let required = |terms: Option<&Vec<PodAffinityTerm>>| {
            terms.into_iter().flatten().map(|term| AffinityTerm::new(namespace, term)).collect()
        };
        let preferred = |terms: Option<&Vec<WeightedPodAffinityTerm>>| {
            let weighted = |term: &WeightedPodAffinityTerm| {
                let weight = term.weight;
                Ok(WeightedAffinityTerm {
                    term: AffinityTerm::new(namespace, &term.pod_affinity_term)?,
                    weight,
                })
            };
            terms.into_iter().flatten().map(weighted).collect()
        };
        let required_affinity = required(
            near.and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref()),
        );
        let required_anti_affinity = required(
            apart.and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref()),
        );
        let preferred_affinity = preferred(
            near.and_then(|affinity| affinity.preferred_during_scheduling_ignored_during_execution.as_ref()),
        );
        let preferred_anti_affinity = preferred(
            apart.and_then(|affinity| affinity.preferred_during_scheduling_ignored_during_execution.as_ref()),
        );
        let terms = Self {
            required_affinity: or_none(required_affinity, |error| keep("requiredAffinityTerms", error)),
            required_anti_affinity: or_none(required_anti_affinity, |error| {
                keep("requiredAntiAffinityTerms", error);
            }),
            preferred_affinity: or_none(preferred_affinity, |error| keep("preferredAffinityTerms", error)),
            preferred_anti_affinity: or_none(preferred_anti_affinity, |error| {
                keep("preferredAntiAffinityTerms", error);
            }),
        };
        (terms, errors)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        let Self { required_affinity, required_anti_affinity, preferred_affinity, preferred_anti_affinity } =
            self;
        required_affinity.is_empty()
            && required_anti_affinity.is_empty()
            && preferred_affinity.is_empty()
            && preferred_anti_affinity.is_empty()
    }
}

fn or_none<T>(terms: Result<Vec<T>, SelectorError>, report: impl FnOnce(SelectorError)) -> Vec<T> {
    terms.unwrap_or_else(|error| {
        report(error);
        Vec::new()
    })
}
