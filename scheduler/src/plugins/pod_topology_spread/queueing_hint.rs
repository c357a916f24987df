//! Which events may even out the domains over which a pod spreads.

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_matching::label_selector::labels_of;

use super::constraint::{Constraint, Spreading, WhenUnsatisfiable, what_failed};
use crate::framework::{
    ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint, same_taints,
    same_tolerations,
};
use crate::pod_info::fields;

pub(super) fn events(spreading: &Spreading) -> Vec<EventRegistration> {
    type Decide = fn(&HintRequest<'_>, &Spreading) -> HintResult;
    let with = |resource, action, decide: Decide| {
        let spreading = spreading.clone();
        EventRegistration::with(resource, action, move |request| decide(request, &spreading))
    };
    let pod = ActionType::ADD | ActionType::UPDATE_POD_LABEL | ActionType::DELETE;
    let target = ActionType::UPDATE_POD_TOLERATION | ActionType::UPDATE_POD_LABEL;
    let node =
        ActionType::ADD | ActionType::DELETE | ActionType::UPDATE_NODE_LABEL | ActionType::UPDATE_NODE_TAINT;
    vec![
        with(EventResource::AssignedPod, pod, after_pod_change),
        with(EventResource::TargetPod, target, after_target_pod_change),
        with(EventResource::Node, node, after_node_change),
    ]
}

fn constraints(request: &HintRequest<'_>, spreading: &Spreading) -> Result<Vec<Constraint>, String> {
    let constraints = spreading.constraints(request.pod, request.listers, WhenUnsatisfiable::DoNotSchedule);
    constraints.map_err(|error| what_failed(request.pod, "hard", &error))
}

/// A pod counts now that didn't, or no longer does.
///
/// # Source
/// `plugin.go` (`isSchedulableAfterAssignedPodChange`)
fn after_pod_change(request: &HintRequest<'_>, spreading: &Spreading) -> HintResult {
    let (old, new) = request.pods()?;
    // Before the constraints are read, as those that can't be read let the pod be tried again.
    if [old, new].into_iter().flatten().any(|pod| !takes_part(pod, request.pod)) {
        return Ok(QueueingHint::Skip);
    }
    let constraints = constraints(request, spreading)?;
    let counts = |pod: &Pod| constraints.iter().any(|one| is_about(one, pod));
    Ok(match (old, new) {
        (Some(old), Some(new)) => after_label_change(old, new, &constraints),
        (Some(pod), None) | (None, Some(pod)) => QueueingHint::queue_if(counts(pod)),
        (None, None) => QueueingHint::Skip,
    })
}

/// The pod counts now where it didn't, no longer does, or tolerates nodes that count.
///
/// # Source
/// `plugin.go` (`isSchedulableAfterTargetPodChange`)
fn after_target_pod_change(request: &HintRequest<'_>, spreading: &Spreading) -> HintResult {
    let constraints = constraints(request, spreading)?;
    let (Some(old), Some(new)) = request.pods()? else { return Ok(QueueingHint::Skip) };
    let honors_taints = constraints.iter().any(|one| one.honors_node_taints);
    if honors_taints && !same_tolerations(old, new) {
        return Ok(QueueingHint::Queue);
    }
    Ok(after_label_change(old, new, &constraints))
}

/// # Source
/// `plugin.go` (`isSchedulableAfterPodLabelChange`)
fn after_label_change(old: &Pod, new: &Pod, constraints: &[Constraint]) -> QueueingHint {
    let differs = |one: &Constraint| is_about(one, old) != is_about(one, new);
    QueueingHint::queue_if(constraints.iter().any(differs))
}

/// A node that counts has come, gone, or changed its domain or taints.
///
/// # Source
/// `plugin.go` (`isSchedulableAfterNodeChange`)
fn after_node_change(request: &HintRequest<'_>, spreading: &Spreading) -> HintResult {
    let constraints = constraints(request, spreading)?;
    let domain = |node: &Node, one: &Constraint| labels_of(&node.metadata).get(&one.topology_key).cloned();
    let is_in_all = |node: &Node| constraints.iter().all(|one| domain(node, one).is_some());
    let may_let_in = match request.nodes()? {
        (Some(old), Some(new)) => {
            let is_moved = constraints.iter().any(|one| domain(old, one) != domain(new, one));
            is_in_all(old) != is_in_all(new) || (is_in_all(new) && (is_moved || !same_taints(old, new)))
        }
        (Some(node), None) | (None, Some(node)) => is_in_all(node),
        (None, None) => false,
    };
    Ok(QueueingHint::queue_if(may_let_in))
}

fn is_about(constraint: &Constraint, pod: &Pod) -> bool {
    constraint.selector.matches(labels_of(&pod.metadata))
}

/// # Source
/// `plugin.go` (`involvedInTopologySpreading`)
fn takes_part(pod: &Pod, waiting: &Pod) -> bool {
    fields::has_node_or_nomination(pod) && fields::namespace(pod) == fields::namespace(waiting)
}
