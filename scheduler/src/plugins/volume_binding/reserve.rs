//! The claims and volumes of a pod as they will be once it is bound.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/volumebinding/binder.go` (`AssumePodVolumes`), component-helpers `storage/volume/pv_helpers.go`

use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim};

use super::binder::PodVolumes;
use super::volume_search::is_bound_to;
use crate::framework::Assumed;
use crate::volume_claims::{SELECTED_NODE, reference_to};

const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

/// The objects as PreBind has to write them: a volume for each claim that gets one that exists, and the claims for which
/// volumes are to be made on the node.
pub(super) fn assumed(volumes: &PodVolumes<'_>, node_name: &str) -> Vec<Assumed> {
    let bound = volumes
        .bindings
        .iter()
        .map(|binding| Assumed::PersistentVolume(Box::new(bound_volume(binding.volume, binding.claim))));
    let provisioned = volumes.provisions.iter().map(|provision| {
        let mut claim = provision.claim.clone();
        let annotations = claim.metadata.annotations.get_or_insert_default();
        annotations.insert(SELECTED_NODE.to_owned(), node_name.to_owned());
        Assumed::PersistentVolumeClaim(Box::new(claim))
    });
    bound.chain(provisioned).collect()
}

/// A volume that is bound to a claim. If nobody has meant it for the claim, it says that it wasn't bound by hand.
///
/// # Source
/// component-helpers `storage/volume/pv_helpers.go` (`GetBindVolumeToClaim`)
fn bound_volume(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> PersistentVolume {
    let mut bound = volume.clone();
    if !is_bound_to(volume, claim) {
        let annotations = bound.metadata.annotations.get_or_insert_default();
        annotations.entry(BOUND_BY_CONTROLLER.to_owned()).or_insert_with(|| "yes".to_owned());
    }
    let spec = bound.spec.get_or_insert_default();
    let uid = |uid: Option<&String>| uid.filter(|uid| !uid.is_empty()).cloned();
    let has_uid = |reference: &ObjectReference| {
        uid(reference.uid.as_ref()) == uid(claim.metadata.uid.as_ref()) && is_bound_to(volume, claim)
    };
    if !spec.claim_ref.as_ref().is_some_and(has_uid) {
        spec.claim_ref = Some(reference_to(claim));
    }
    bound
}
