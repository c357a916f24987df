//! Which events may bring a pod near those that it has to be near, or remove those that it must not be near.

use k8s_openapi::api::core::v1::{Affinity, Node, Pod, PodAffinityTerm};
use plimsoll_matching::label_selector::{Labels, labels_of};

use crate::affinity_term::AffinityTerm;
use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::pod_info::fields;

pub(super) fn events() -> Vec<EventRegistration> {
    let pod = ActionType::ADD | ActionType::UPDATE_POD_LABEL | ActionType::DELETE;
    let node = ActionType::ADD | ActionType::UPDATE_NODE_LABEL;
    vec![
        EventRegistration::with(EventResource::AssignedPod, pod, after_pod_change),
        EventRegistration::always(EventResource::TargetPod, ActionType::UPDATE_POD_LABEL),
        EventRegistration::with(EventResource::Node, node, after_node_change),
    ]
}

/// A pod is one that the pod has to be near, or is no longer one that keeps it away.
///
/// # Source
/// `plugin.go` (`isSchedulableAfterAssignedPodChange`)
fn after_pod_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.pods()?;
    if [old, new].into_iter().flatten().any(|pod| !fields::has_node_or_nomination(pod)) {
        return Ok(QueueingHint::Skip);
    }
    let (near, apart) = (affinity_terms(request.pod)?, anti_affinity_terms(request.pod)?);
    let may_let_in = match (old, new) {
        (Some(old), Some(new)) => {
            let comes_near = !meets_all(&near, old) && meets_all(&near, new);
            comes_near || (meets_any(&apart, old) && !meets_any(&apart, new))
        }
        (None, Some(new)) => meets_all(&near, new),
        (Some(old), None) => meets_any(&apart, old) || meets_any(&anti_affinity_terms(old)?, request.pod),
        (None, None) => false,
    };
    Ok(QueueingHint::queue_if(may_let_in))
}

/// A node is in another domain than it was.
///
/// # Source
/// `plugin.go` (`isSchedulableAfterNodeChange`)
fn after_node_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.nodes()?;
    let Some(new) = new else { return Ok(QueueingHint::Skip) };
    let domains = |term: &AffinityTerm| (old.and_then(|old| domain(old, term)), domain(new, term));
    // Near enough to the right pods the pod gets only in a domain.
    let comes_near = affinity_terms(request.pod)?.iter().any(|term| {
        let (before, after) = domains(term);
        after.is_some() && before != after
    });
    if comes_near {
        return Ok(QueueingHint::Queue);
    }
    // Far enough from the wrong ones it is in another domain, or in none. Which pods are in the domain of a new node isn't asked.
    let comes_apart = anti_affinity_terms(request.pod)?.iter().any(|term| {
        let (before, after) = domains(term);
        old.is_none() || (before.is_some() && before != after)
    });
    Ok(QueueingHint::queue_if(comes_apart))
}

fn domain<'a>(node: &'a Node, term: &AffinityTerm) -> Option<&'a String> {
    labels_of(&node.metadata).get(&term.topology_key)
}

fn affinity_terms(pod: &Pod) -> Result<Vec<AffinityTerm>, String> {
    required_terms(pod, |affinity| {
        affinity.pod_affinity.as_ref()?.required_during_scheduling_ignored_during_execution.as_ref()
    })
}

fn anti_affinity_terms(pod: &Pod) -> Result<Vec<AffinityTerm>, String> {
    required_terms(pod, |affinity| {
        affinity.pod_anti_affinity.as_ref()?.required_during_scheduling_ignored_during_execution.as_ref()
    })
}

fn required_terms(
    pod: &Pod,
    of: impl Fn(&Affinity) -> Option<&Vec<PodAffinityTerm>>,
) -> Result<Vec<AffinityTerm>, String> {
    let terms = fields::spec(pod).affinity.as_ref().and_then(of);
    let read = |term| AffinityTerm::new(fields::namespace(pod), term).map_err(|error| error.to_string());
    terms.into_iter().flatten().map(read).collect()
}

/// Whether there are terms, and all are about a pod.
fn meets_all(terms: &[AffinityTerm], pod: &Pod) -> bool {
    !terms.is_empty() && terms.iter().all(|term| is_about(term, pod))
}

fn meets_any(terms: &[AffinityTerm], pod: &Pod) -> bool {
    terms.iter().any(|term| is_about(term, pod))
}

/// As upstream's, this doesn't look at the labels of the pod's namespace: a namespace selector chooses only if it chooses a
/// namespace without any.
fn is_about(term: &AffinityTerm, pod: &Pod) -> bool {
    term.matches(fields::namespace(pod), &Labels::new(), labels_of(&pod.metadata))
}
