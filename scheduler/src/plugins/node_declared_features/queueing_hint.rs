//! Which events may give a pod a node that can do what it needs.

use k8s_openapi::api::core::v1::Node;

use super::needed;
use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::pod_info::fields;

pub(super) fn events() -> Vec<EventRegistration> {
    let node = ActionType::ADD | ActionType::UPDATE_NODE_DECLARED_FEATURE;
    vec![
        EventRegistration::with(EventResource::Node, node, after_node_change),
        EventRegistration::with(EventResource::TargetPod, ActionType::UPDATE, after_target_pod_update),
    ]
}

/// A node is new or declares other features; whether they are those that the pod needs isn't asked.
///
/// # Source
/// `nodedeclaredfeatures.go` (`isSchedulableAfterNodeChange`)
fn after_node_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.nodes()?;
    let declared = |node: &Node| -> Vec<String> {
        node.status.as_ref().and_then(|status| status.declared_features.clone()).unwrap_or_default()
    };
    let differs = |old| new.is_some_and(|new| declared(new) != declared(old));
    Ok(QueueingHint::queue_if(old.is_none_or(differs)))
}

/// The pod needs other features than before.
///
/// # Source
/// `nodedeclaredfeatures.go` (`isSchedulableAfterTargetPodUpdate`)
fn after_target_pod_update(request: &HintRequest<'_>) -> HintResult {
    let (Some(old), Some(new)) = request.pods()? else { return Ok(QueueingHint::Skip) };
    Ok(QueueingHint::queue_if(needed(fields::spec(old)) != needed(fields::spec(new))))
}
