//! What is read of claims, volumes and their classes in several places, and how they refer to each other.
//!
//! # Source
//! component-helpers `storage/ephemeral/ephemeral.go`, `storage/volume/helpers.go`

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::quote::go_quote;
use plimsoll_resource_math::Quantity;
use plimsoll_resource_math::quantity::ParseQuantityError;

use crate::listers::is_controlled_by;

/// The annotation of a claim that has its volume.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// The annotation of a claim that says for which node its volume is made.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// The provisioner of classes whose volumes are made by hand.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
/// The annotation that named the class before there was a field for it; it still goes first.
const BETA_STORAGE_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// Checks that a claim of the pod's namespace was made for an ephemeral volume of the pod.
///
/// # Errors
/// Upstream's sentence if it wasn't.
///
/// # Source
/// component-helpers `storage/ephemeral/ephemeral.go` (`VolumeIsForPod`)
pub(crate) fn check_made_for(
    claim: &PersistentVolumeClaim,
    pod_name: &str,
    pod_uid: &str,
) -> Result<(), String> {
    if is_controlled_by(&claim.metadata, pod_uid) {
        return Ok(());
    }
    let (namespace, claim_name) = namespace_and_name(&claim.metadata);
    Err(format!(
        "PVC {namespace}/{claim_name} was not created for pod {namespace}/{pod_name} (pod is not owner)"
    ))
}

/// The name of the class that a claim asks for; empty if it asks for none.
///
/// # Source
/// component-helpers `storage/volume/helpers.go` (`GetPersistentVolumeClaimClass`)
pub(crate) fn class_of_claim(claim: &PersistentVolumeClaim) -> &str {
    let asked = || claim.spec.as_ref()?.storage_class_name.as_deref();
    annotation(&claim.metadata, BETA_STORAGE_CLASS).or_else(asked).unwrap_or_default()
}

/// Whether the claims of a class get their volumes along with a pod's node.
///
/// # Errors
/// The class doesn't say; upstream's sentence.
pub fn waits_for_pod(class: &StorageClass) -> Result<bool, String> {
    let mode = class.volume_binding_mode.as_deref().ok_or_else(|| {
        let name = class.metadata.name.as_deref().unwrap_or_default();
        format!("VolumeBindingMode not set for StorageClass {}", go_quote(name))
    })?;
    Ok(mode == "WaitForFirstConsumer")
}

/// What a volume says of the claim that it is bound to.
pub fn reference_to(claim: &PersistentVolumeClaim) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("PersistentVolumeClaim".to_owned()),
        name: claim.metadata.name.clone(),
        namespace: claim.metadata.namespace.clone(),
        resource_version: claim.metadata.resource_version.clone(),
        uid: claim.metadata.uid.clone(),
        ..ObjectReference::default()
    }
}

/// The storage class that a volume is of; empty if it is of none.
///
/// # Source
/// component-helpers `storage/volume/helpers.go` (`GetPersistentVolumeClass`)
pub(crate) fn class_of_volume(volume: &PersistentVolume) -> &str {
    let spec = volume.spec.as_ref();
    annotation(&volume.metadata, BETA_STORAGE_CLASS)
        .or_else(|| spec?.storage_class_name.as_deref())
        .unwrap_or_default()
}

/// An annotation of an object.
pub fn annotation<'a>(metadata: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(name).map(String::as_str)
}

/// The namespace and name of an object.
pub fn namespace_and_name(metadata: &ObjectMeta) -> (&str, &str) {
    (metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_deref().unwrap_or_default())
}

/// The amount of storage in a list of amounts; none if it isn't listed.
///
/// # Errors
/// It is no quantity.
pub(crate) fn storage_amount(
    amounts: Option<&BTreeMap<String, ApiQuantity>>,
) -> Result<Option<Quantity>, ParseQuantityError> {
    amounts
        .and_then(|amounts| amounts.get("storage"))
        .map(|amount| Quantity::parse(amount.0.trim()))
        .transpose()
}
