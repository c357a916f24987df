//! The claims of a pod: those that have a volume, and those that get one along with a node.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::storage::v1::StorageClass;

use super::NAME;
use crate::framework::{Code, Status};
use crate::listers::{StorageListers, not_found};
use crate::pod_info::PodInfo;
use crate::volume_claims::{BIND_COMPLETED, annotation, check_made_for, class_of_claim, waits_for_pod};

/// A claim waits for a volume that should have been bound without regard to pods.
pub const REASON_UNBOUND: &str = "pod has unbound immediate PersistentVolumeClaims";

/// The claims of a pod, in the order of its volumes. A claim that two volumes name is there twice.
#[derive(Debug, Default)]
pub(super) struct PodClaims<'a> {
    /// The volumes of those that are bound, by name.
    pub(super) bound: Vec<&'a str>,
    /// Those that wait for the pod to get a node.
    pub(super) unbound: Vec<UnboundClaim<'a>>,
}

/// A claim that gets its volume along with a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnboundClaim<'a> {
    pub(super) claim: &'a PersistentVolumeClaim,
    pub(super) class: &'a StorageClass,
}

impl<'a> PodClaims<'a> {
    /// The claims of a pod; none if its volumes name no claim.
    ///
    /// # Errors
    /// What keeps the pod from every node.
    ///
    /// # Source
    /// `pkg/scheduler/framework/plugins/volumebinding/volume_binding.go` (`PreFilter`, `podHasPVCs`), `binder.go` (`GetPodVolumeClaims`)
    pub(super) fn read(pod: &PodInfo<'_>, storage: &'a StorageListers) -> Result<Option<Self>, Status> {
        let refuse = |text: String| Status::new(Code::UnschedulableAndUnresolvable, NAME, text);
        let all = existing_claims(pod, storage).map_err(refuse)?;
        if all.is_empty() {
            return Ok(None);
        }
        let mut claims = Self::default();
        let mut is_any_left_out = false;
        for claim in all {
            let volume = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).unwrap_or_default();
            if !volume.is_empty() && annotation(&claim.metadata, BIND_COMPLETED).is_some() {
                claims.bound.push(volume);
                continue;
            }
            match delayed_class(claim, storage)? {
                Some(class) if volume.is_empty() => claims.unbound.push(UnboundClaim { claim, class }),
                _ => is_any_left_out = true,
            }
        }
        if is_any_left_out { Err(refuse(REASON_UNBOUND.to_owned())) } else { Ok(Some(claims)) }
    }
}

fn existing_claims<'a>(
    pod: &PodInfo<'_>,
    storage: &'a StorageListers,
) -> Result<Vec<&'a PersistentVolumeClaim>, String> {
    let mut claims = Vec::new();
    for (name, is_ephemeral) in pod.volumes.iter().flat_map(|volumes| volumes.all_claims()) {
        let Some(claim) = storage.claim(pod.namespace(), name) else {
            return Err(if is_ephemeral {
                format!(
                    "waiting for ephemeral volume controller to create the persistentvolumeclaim {name:?}"
                )
            } else {
                not_found("persistentvolumeclaim", name)
            });
        };
        if claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Lost") {
            let volume = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).unwrap_or_default();
            return Err(format!(
                "persistentvolumeclaim {name:?} bound to non-existent persistentvolume {volume:?}"
            ));
        }
        if claim.metadata.deletion_timestamp.is_some() {
            return Err(format!("persistentvolumeclaim {name:?} is being deleted"));
        }
        if is_ephemeral {
            check_made_for(claim, pod.name(), pod.pod.metadata.uid.as_deref().unwrap_or_default())?;
        }
        claims.push(claim);
    }
    Ok(claims)
}

/// The class of a claim, if its volumes are bound along with pods.
///
/// # Source
/// component-helpers `storage/volume/pv_helpers.go` (`IsDelayBindingMode`)
fn delayed_class<'a>(
    claim: &PersistentVolumeClaim,
    storage: &'a StorageListers,
) -> Result<Option<&'a StorageClass>, Status> {
    let name = class_of_claim(claim);
    let Some(class) = Some(name).filter(|name| !name.is_empty()).and_then(|name| storage.class(name)) else {
        return Ok(None);
    };
    match waits_for_pod(class) {
        Ok(waits) => Ok(Some(class).filter(|_| waits)),
        Err(text) => Err(Status::new(Code::Error, NAME, text)),
    }
}
