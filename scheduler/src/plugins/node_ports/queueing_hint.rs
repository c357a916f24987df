//! Which events may free a port that a pod wants.

use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::host_port::host_ports;
use crate::pod_info::fields;

pub(super) fn events() -> Vec<EventRegistration> {
    vec![
        EventRegistration::with(EventResource::AssignedPod, ActionType::DELETE, after_deletion),
        EventRegistration::always(EventResource::Node, ActionType::ADD),
    ]
}

/// A pod is gone that had a port which this one wants.
///
/// # Source
/// `node_ports.go` (`isSchedulableAfterAssignedPodDeleted`)
fn after_deletion(request: &HintRequest<'_>) -> HintResult {
    let (old, _) = request.pods()?;
    let Some(gone) = old.filter(|gone| fields::has_node_or_nomination(gone)) else {
        return Ok(QueueingHint::Skip);
    };
    let freed = host_ports(fields::spec(gone));
    let wanted = host_ports(fields::spec(request.pod));
    let is_freed = wanted.iter().any(|wanted| freed.iter().any(|freed| freed.conflicts_with(wanted)));
    Ok(QueueingHint::queue_if(is_freed))
}
