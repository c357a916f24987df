//! Which events may free a disk or a claim that a pod wants.

use super::conflict;
use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::plugins::claim_hint::after_change_of_named_claim;
use crate::pod_info::{PodVolumes, fields};

pub(super) fn events() -> Vec<EventRegistration> {
    use EventResource as R;
    vec![
        EventRegistration::with(R::AssignedPod, ActionType::DELETE, after_deletion),
        EventRegistration::always(R::Node, ActionType::ADD),
        EventRegistration::with(R::PersistentVolumeClaim, ActionType::ADD, after_change_of_named_claim),
    ]
}

/// A pod is gone that had a disk or a claim which this one wants.
///
/// # Source
/// `volume_restrictions.go` (`isSchedulableAfterAssignedPodDeleted`)
fn after_deletion(request: &HintRequest<'_>) -> HintResult {
    let (old, _) = request.pods()?;
    // As upstream's, this looks at disks of pods in the same namespace only.
    let gone = old.filter(|gone| fields::namespace(gone) == fields::namespace(request.pod));
    let Some(freed) = gone.and_then(PodVolumes::new) else { return Ok(QueueingHint::Skip) };
    let Some(wanted) = PodVolumes::new(request.pod) else { return Ok(QueueingHint::Skip) };
    let frees_disk = wanted.disks().any(|disk| freed.disks().any(|freed| conflict(disk, freed)));
    // Which access modes the claim has isn't asked.
    let frees_claim = || wanted.claims().any(|claim| freed.claims().any(|freed| freed == claim));
    Ok(QueueingHint::queue_if(frees_disk || frees_claim()))
}
