//! Which events may let drivers attach the volumes of a pod.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Volume;
use k8s_openapi::api::storage::v1::CSINodeDriver;

use super::count_of;
use super::csi_migration::translate_disk;
use crate::csi_migration::InTreePlugin;
use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::plugins::claim_hint::after_change_of_own_claim;
use crate::pod_info::{Disk, fields};

pub(super) fn events() -> Vec<EventRegistration> {
    use EventResource as R;
    vec![
        EventRegistration::always(R::CsiNode, ActionType::ADD),
        EventRegistration::with(R::CsiNode, ActionType::UPDATE, after_csi_node_update),
        EventRegistration::with(R::AssignedPod, ActionType::DELETE, after_deletion),
        EventRegistration::with(R::PersistentVolumeClaim, ActionType::ADD, after_change_of_own_claim),
        EventRegistration::with(R::VolumeAttachment, ActionType::DELETE, after_detachment),
    ]
}

/// A driver can attach more volumes to a node than before.
///
/// # Source
/// `csi.go` (`isSchedulableAfterCSINodeUpdated`)
fn after_csi_node_update(request: &HintRequest<'_>) -> HintResult {
    let (Some(old), Some(new)) = request.csi_nodes()? else { return Ok(QueueingHint::Skip) };
    let count = |driver: &CSINodeDriver| count_of(driver).unwrap_or(0);
    let before: BTreeMap<&str, i32> =
        old.spec.drivers.iter().map(|driver| (driver.name.as_str(), count(driver))).collect();
    let has_more = |driver: &CSINodeDriver| count(driver) > before.get(&*driver.name).copied().unwrap_or(0);
    Ok(QueueingHint::queue_if(new.spec.drivers.iter().any(has_more)))
}

/// A pod is gone that had a volume which a driver may have had to attach.
///
/// # Source
/// `csi.go` (`isSchedulableAfterAssignedPodDeleted`)
fn after_deletion(request: &HintRequest<'_>) -> HintResult {
    let (old, _) = request.pods()?;
    let Some(gone) = old.filter(|gone| fields::has_node_or_nomination(gone)) else {
        return Ok(QueueingHint::Skip);
    };
    let counts = |volume: &Volume| {
        volume.persistent_volume_claim.is_some()
            || volume.ephemeral.is_some()
            || InTreePlugin::of_inline(volume).is_some()
    };
    Ok(QueueingHint::queue_if(fields::spec(gone).volumes.iter().flatten().any(counts)))
}

/// A volume is detached, of which driver ever if the pod names a claim, else of the driver of one of the pod's disks.
///
/// # Source
/// `csi.go` (`isSchedulableAfterVolumeAttachmentDeleted`)
fn after_detachment(request: &HintRequest<'_>) -> HintResult {
    let (Some(gone), _) = request.volume_attachments()? else { return Ok(QueueingHint::Skip) };
    for volume in fields::spec(request.pod).volumes.iter().flatten() {
        if volume.persistent_volume_claim.is_some() {
            return Ok(QueueingHint::Queue);
        }
        // DIFFERENCE: D-scheduler-27.
        let Some(plugin) = InTreePlugin::of_inline(volume) else { continue };
        Disk::new(volume).as_ref().map(translate_disk).transpose()?;
        if plugin.driver == gone.spec.attacher {
            return Ok(QueueingHint::Queue);
        }
    }
    Ok(QueueingHint::Skip)
}
