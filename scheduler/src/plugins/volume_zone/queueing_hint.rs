//! Which events may tell in which zone a pod's volumes are, or offer a node there.

use super::{Topology, topologies_of};
use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::plugins::claim_hint::after_change_of_named_claim;
use crate::volume_claims::waits_for_pod;

pub(super) fn events() -> Vec<EventRegistration> {
    use EventResource as R;
    let change = ActionType::ADD | ActionType::UPDATE;
    vec![
        EventRegistration::with(R::StorageClass, ActionType::ADD, after_class_added),
        EventRegistration::always(R::Node, ActionType::ADD | ActionType::UPDATE_NODE_LABEL),
        EventRegistration::with(R::PersistentVolumeClaim, change, after_change_of_named_claim),
        EventRegistration::with(R::PersistentVolume, change, after_volume_change),
    ]
}

/// A class is new whose claims wait for the pod.
///
/// # Source
/// `volume_zone.go` (`isSchedulableAfterStorageClassAdded`)
fn after_class_added(request: &HintRequest<'_>) -> HintResult {
    let (_, new) = request.storage_classes()?;
    Ok(QueueingHint::queue_if(new.is_some_and(|class| waits_for_pod(class) == Ok(true))))
}

/// A volume is new, or is elsewhere.
///
/// # Source
/// `volume_zone.go` (`isSchedulableAfterPersistentVolumeChange`)
fn after_volume_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.volumes()?;
    let topologies = |volume| -> Vec<Topology<'_>> { topologies_of(volume).collect() };
    let differs = |old| new.is_some_and(|new| topologies(new) != topologies(old));
    Ok(QueueingHint::queue_if(old.is_none_or(differs)))
}
