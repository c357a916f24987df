//! What a pod asks of its node: `nodeSelector` and the required and preferred terms of its node affinity.
//!
//! # Source
//! component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go`

use k8s_openapi::api::core::v1::{NodeAffinity, PodSpec, PreferredSchedulingTerm};
use plimsoll_api::field::{ErrorList, Path};

use crate::label_requirement::Labels;
use crate::node_selector::{NodeSelector, Term};

/// What a pod requires of its node, read once: all labels of `nodeSelector`, and any of the required terms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RequiredNodeAffinity {
    labels: Vec<(String, String)>,
    terms: Option<NodeSelector>,
    errors: Vec<String>,
}

impl RequiredNodeAffinity {
    /// Reads what the pod requires. Malformed terms choose no node.
    ///
    /// # Source
    /// component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go` (`GetRequiredNodeAffinity`)
    pub fn new(pod: &PodSpec) -> Self {
        let labels = pod.node_selector.iter().flatten();
        let required = node_affinity(pod)
            .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
        let (terms, errors) = required.map(NodeSelector::new).unzip();
        Self {
            labels: labels.map(|(key, value)| (key.clone(), value.clone())).collect(),
            terms,
            errors: errors.unwrap_or_default().iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether the pod may run on the node of this name with these labels.
    ///
    /// # Source
    /// component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go` (`RequiredNodeAffinity.Match`)
    pub fn matches(&self, labels: &Labels, name: &str) -> bool {
        self.matches_labels(labels) && self.terms.as_ref().is_none_or(|terms| terms.matches(labels, name))
    }

    /// What is malformed in the required terms, in order. Upstream reports it where no term chooses a node whose labels
    /// are those of `nodeSelector`; nothing in Kubernetes shows it.
    pub fn parse_errors(&self) -> &[String] {
        &self.errors
    }

    /// Whether every node will do.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.terms.is_none()
    }

    /// Whether a node has all labels of `nodeSelector`.
    pub fn matches_labels(&self, labels: &Labels) -> bool {
        self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

/// What a pod prefers of its node, read once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PreferredSchedulingTerms {
    terms: Vec<(Term, i32)>,
}

impl PreferredSchedulingTerms {
    /// Reads the preferred terms. Those of weight 0 and empty ones count for nothing and aren't checked.
    ///
    /// # Errors
    /// All that is malformed in the terms.
    ///
    /// # Source
    /// component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go` (`NewPreferredSchedulingTerms`)
    pub fn new(preferred: &[PreferredSchedulingTerm]) -> Result<Self, ErrorList> {
        Self::new_at(preferred, None)
    }

    /// The same for terms that stand at a path, which errors then name.
    ///
    /// # Errors
    /// As [`PreferredSchedulingTerms::new`].
    pub fn new_at(preferred: &[PreferredSchedulingTerm], path: Option<&Path<'_>>) -> Result<Self, ErrorList> {
        let mut errors = ErrorList::new();
        let mut terms = Vec::with_capacity(preferred.len());
        for (index, term) in preferred.iter().enumerate().filter(|(_, term)| term.weight != 0) {
            let path = path.map_or_else(|| Path::root_index(index), |path| path.index(index));
            match Term::new(&term.preference, &path) {
                Ok(Some(preference)) => terms.push((preference, term.weight)),
                Ok(None) => {}
                Err(faults) => errors.extend(faults),
            }
        }
        if errors.is_empty() { Ok(Self { terms }) } else { Err(errors) }
    }

    /// The sum of the weights of the terms that choose the node of this name with these labels.
    ///
    /// # Source
    /// component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go` (`PreferredSchedulingTerms.Score`)
    pub fn score(&self, labels: &Labels, name: &str) -> i64 {
        self.terms
            .iter()
            .filter(|(term, _)| term.matches(labels, name))
            .map(|(_, weight)| i64::from(*weight))
            .sum()
    }
}

/// The node affinity of a pod, if it has one.
pub fn node_affinity(pod: &PodSpec) -> Option<&NodeAffinity> {
    pod.affinity.as_ref()?.node_affinity.as_ref()
}

#[cfg(test)]
mod tests;
