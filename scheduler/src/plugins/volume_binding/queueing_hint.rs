//! Which events may let a pod have its volumes.

use k8s_openapi::api::core::v1::{TopologySelectorLabelRequirement, TopologySelectorTerm, Volume};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, StorageClass};

use super::csi_migration::MIGRATED_PLUGINS;
use super::provisioning::limit;
use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::plugins::claim_hint::after_change_of_own_claim;
use crate::pod_info::fields;
use crate::volume_claims::annotation;

pub(super) fn events() -> Vec<EventRegistration> {
    use EventResource as R;
    let change = ActionType::ADD | ActionType::UPDATE;
    vec![
        EventRegistration::with(R::StorageClass, change, after_class_change),
        EventRegistration::with(R::PersistentVolumeClaim, change, after_change_of_own_claim),
        EventRegistration::always(R::PersistentVolume, change),
        EventRegistration::always(R::Node, ActionType::ADD | ActionType::UPDATE_NODE_LABEL),
        EventRegistration::with(R::CsiNode, change, after_csi_node_change),
        EventRegistration::with(R::CsiDriver, ActionType::UPDATE, after_driver_update),
        EventRegistration::with(R::CsiStorageCapacity, change, after_capacity_change),
    ]
}

/// A class is new or makes volumes elsewhere.
///
/// # Source
/// `volume_binding.go` (`isSchedulableAfterStorageClassChange`)
fn after_class_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.storage_classes()?;
    let topologies = |class: &StorageClass| -> Vec<Vec<TopologySelectorLabelRequirement>> {
        let terms = class.allowed_topologies.iter().flatten();
        terms
            .map(|term: &TopologySelectorTerm| term.match_label_expressions.clone().unwrap_or_default())
            .collect()
    };
    let differs = |old| new.is_some_and(|new| topologies(new) != topologies(old));
    Ok(QueueingHint::queue_if(old.is_none_or(differs)))
}

/// The drivers of a node are new, or have taken over other volumes.
///
/// # Source
/// `volume_binding.go` (`isSchedulableAfterCSINodeChange`)
fn after_csi_node_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.csi_nodes()?;
    let migrated =
        |node: &CSINode| annotation(&node.metadata, MIGRATED_PLUGINS).unwrap_or_default().to_owned();
    let differs = |old| new.is_some_and(|new| migrated(new) != migrated(old));
    Ok(QueueingHint::queue_if(old.is_none_or(differs)))
}

/// A driver that the pod names itself no longer says how much storage it has left.
///
/// # Source
/// `volume_binding.go` (`isSchedulableAfterCSIDriverChange`)
fn after_driver_update(request: &HintRequest<'_>) -> HintResult {
    let (Some(old), Some(new)) = request.csi_drivers()? else { return Ok(QueueingHint::Skip) };
    let tells_capacity = |driver: &CSIDriver| driver.spec.storage_capacity == Some(true);
    let name = new.metadata.name.as_deref().unwrap_or_default();
    let is_named = |volume: &Volume| volume.csi.as_ref().is_some_and(|source| source.driver == name);
    let mut volumes = fields::spec(request.pod).volumes.iter().flatten();
    Ok(QueueingHint::queue_if(tells_capacity(old) && !tells_capacity(new) && volumes.any(is_named)))
}

/// Larger volumes can be made somewhere than before.
///
/// # Source
/// `volume_binding.go` (`isSchedulableAfterCSIStorageCapacityChange`)
fn after_capacity_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.csi_storage_capacities()?;
    let is_larger = |old| new.is_some_and(|new| limit(new) > limit(old));
    Ok(QueueingHint::queue_if(old.is_none_or(is_larger)))
}
