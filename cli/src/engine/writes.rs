//! What the scheduler wants written, done at once, along with what the controllers of a cluster would make of it.

use std::sync::Arc;

use k8s_openapi::api::core::v1::PodExtendedResourceClaimStatus;
use k8s_openapi::api::resource::v1::ResourceClaim;
use plimsoll_scheduler::Snapshot;
use plimsoll_scheduler::framework::{Action, Change, Object as Changed, Write};
use plimsoll_scheduler::volume_claims::namespace_and_name;

use super::devices::{self, ClaimMaker};
use super::volumes::{self, TakenForGranted};

/// What came of writes.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What else pods may wait for.
    pub(super) changes: Vec<Change>,
    /// What the pod's status says of the claim that was made up for its extended resources, if that is new.
    pub(super) extended_resource_claim_status: Option<PodExtendedResourceClaimStatus>,
    /// The claims that gave back their devices, by namespace and name.
    pub(super) released: Vec<String>,
}

/// Writes all in their order.
pub(super) fn write(
    writes: Vec<Write>,
    snapshot: &mut Snapshot,
    claim_maker: &mut ClaimMaker,
    granted: &mut TakenForGranted,
) -> Written {
    let mut written = Written::default();
    let mut created = ResourceClaim::default();
    for write in writes {
        match write.action {
            Action::UpdatePersistentVolume(volume) => volumes::bind_chosen(*volume, snapshot),
            Action::UpdatePersistentVolumeClaim(claim) => volumes::provision(&claim, snapshot, granted),
            Action::CreateResourceClaim(claim) => {
                created = claim_maker.create(*claim);
                written.set_claim(created.clone(), snapshot);
            }
            Action::UpdateResourceClaim(claim) | Action::UpdateResourceClaimStatus(claim) => {
                let mut claim = *claim;
                if claim.metadata.name.is_none() {
                    claim.metadata.name.clone_from(&created.metadata.name);
                    claim.metadata.uid.clone_from(&created.metadata.uid);
                }
                written.set_claim(claim, snapshot);
            }
            Action::UnreserveResourceClaim { mut claim, pod_uid } => {
                let reserved = claim.status.iter_mut().flat_map(|status| status.reserved_for.iter_mut());
                reserved.for_each(|users| users.retain(|user| user.uid != pod_uid));
                written.set_claim(*claim, snapshot);
            }
            Action::DeleteResourceClaim { namespace, name } => {
                written.released.push(format!("{namespace}/{name}"));
                written.changes.extend(devices::delete(&namespace, &name, snapshot));
            }
            Action::PatchExtendedResourceClaimStatus { status, .. } => {
                let mut status = *status;
                if status.resource_claim_name.is_empty() {
                    status.resource_claim_name = created.metadata.name.clone().unwrap_or_default();
                }
                written.extended_resource_claim_status = Some(status);
            }
        }
    }
    written
}

impl Written {
    fn set_claim(&mut self, claim: ResourceClaim, snapshot: &mut Snapshot) {
        let (namespace, name) = namespace_and_name(&claim.metadata);
        let has_devices =
            |claim: &ResourceClaim| claim.status.as_ref().is_some_and(|status| status.allocation.is_some());
        let old = snapshot.listers().devices.claim(namespace, name).cloned();
        if old.as_ref().is_some_and(has_devices) && !has_devices(&claim) {
            self.released.push(format!("{namespace}/{name}"));
        }
        snapshot.listers_mut().devices.set_claim(&claim);
        let object = |claim| Changed::ResourceClaim(Arc::new(claim));
        self.changes.push(Change { old: old.map(object), new: Some(object(claim)) });
    }
}
