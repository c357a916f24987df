//! Which events may let a pod onto a node whose taints it didn't tolerate.

use k8s_openapi::api::core::v1::Node;
use plimsoll_matching::taints::{find_untolerated, forbids_scheduling};

use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::pod_info::fields;

pub(super) fn events() -> Vec<EventRegistration> {
    let node = ActionType::ADD | ActionType::UPDATE_NODE_TAINT;
    vec![
        EventRegistration::with(EventResource::Node, node, after_node_change),
        EventRegistration::always(EventResource::TargetPod, ActionType::UPDATE_POD_TOLERATION),
    ]
}

/// The pod tolerates the node, and didn't before.
///
/// # Source
/// `taint_toleration.go` (`isSchedulableAfterNodeChange`)
fn after_node_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.nodes()?;
    let tolerations = fields::tolerations(request.pod);
    let is_tolerated = |node: &Node| {
        let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
        find_untolerated(taints, tolerations, forbids_scheduling).is_none()
    };
    let was_tolerated = old.is_some_and(is_tolerated);
    Ok(QueueingHint::queue_if(!was_tolerated && new.is_some_and(is_tolerated)))
}
