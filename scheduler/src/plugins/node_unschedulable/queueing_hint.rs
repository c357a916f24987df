//! Which events may let a pod onto a node that was cordoned.

use k8s_openapi::api::core::v1::Node;

use super::tolerate_being_unschedulable;
use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::pod_info::fields;

pub(super) fn events() -> Vec<EventRegistration> {
    let node = ActionType::ADD | ActionType::UPDATE_NODE_TAINT;
    vec![
        EventRegistration::with(EventResource::Node, node, after_node_change),
        EventRegistration::with(
            EventResource::TargetPod,
            ActionType::UPDATE_POD_TOLERATION,
            after_toleration_change,
        ),
    ]
}

/// A node is new or no longer cordoned.
///
/// # Source
/// `node_unschedulable.go` (`isSchedulableAfterNodeChange`)
fn after_node_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.nodes()?;
    let is_cordoned = |node: &Node| node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false);
    Ok(QueueingHint::queue_if(old.is_none_or(is_cordoned) && !new.is_some_and(is_cordoned)))
}

/// The pod tolerates cordoned nodes now.
///
/// # Source
/// `node_unschedulable.go` (`isSchedulableAfterTargetPodTolerationChange`)
fn after_toleration_change(request: &HintRequest<'_>) -> HintResult {
    let (_, new) = request.pods()?;
    let tolerates = new.is_some_and(|pod| tolerate_being_unschedulable(fields::tolerations(pod)));
    Ok(QueueingHint::queue_if(tolerates))
}
