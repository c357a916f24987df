//! Which events may let a pod in that found no node it requires.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use plimsoll_matching::label_selector::labels_of;
use plimsoll_matching::node_affinity::RequiredNodeAffinity;

use super::AddedAffinity;
use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::pod_info::fields;

pub(super) fn events(added: Arc<AddedAffinity>) -> Vec<EventRegistration> {
    let node = ActionType::ADD | ActionType::UPDATE_NODE_LABEL;
    vec![EventRegistration::with(EventResource::Node, node, move |request| {
        after_node_change(request, &added)
    })]
}

/// The node is one that the pod requires, and wasn't before.
///
/// # Source
/// `node_affinity.go` (`isSchedulableAfterNodeChange`)
fn after_node_change(request: &HintRequest<'_>, added: &AddedAffinity) -> HintResult {
    let (old, new) = request.nodes()?;
    let Some(new) = new else { return Ok(QueueingHint::Skip) };
    let name = |node: &'_ Node| node.metadata.name.clone().unwrap_or_default();
    let enforced = added.required.as_ref();
    if enforced.is_some_and(|enforced| !enforced.matches(labels_of(&new.metadata), &name(new))) {
        return Ok(QueueingHint::Skip);
    }
    let required = RequiredNodeAffinity::new(fields::spec(request.pod));
    // A term that can't be read matters only where no other matches, and only on nodes with the labels of `nodeSelector`.
    let is_met = |node: &Node| {
        let labels = labels_of(&node.metadata);
        let is_met = required.matches(labels, &name(node));
        let unread = if is_met || !required.matches_labels(labels) { &[] } else { required.parse_errors() };
        unread.first().map_or(Ok(is_met), |error| Err(error.clone()))
    };
    let is_new = is_met(new)? && !old.map(is_met).transpose()?.unwrap_or(false);
    Ok(QueueingHint::queue_if(is_new))
}
