//! The claims that volumes of a pod stand for, and what is read of a claim or volume in several places.
//!
//! # Source
//! component-helpers `storage/ephemeral/ephemeral.go`, `storage/volume/helpers.go`

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_resource_math::Quantity;
use plimsoll_resource_math::quantity::ParseQuantityError;

use crate::listers::is_controlled_by;
use crate::pod_info::PodInfo;

/// The annotation that named the class before there was a field for it; it still goes first.
const BETA_STORAGE_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// A volume of a pod that is a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimReference<'a> {
    /// The name of the claim.
    pub(crate) name: Cow<'a, str>,
    /// Whether the claim is made for the pod and goes with it.
    pub(crate) is_ephemeral: bool,
}

/// The claims of a pod, in the order of its volumes.
pub(crate) fn claim_references<'a>(pod: &PodInfo<'a>) -> impl Iterator<Item = ClaimReference<'a>> + use<'a> {
    let pod_name = pod.name();
    pod.spec().volumes.iter().flatten().filter_map(move |volume| {
        if let Some(source) = &volume.persistent_volume_claim {
            return Some(ClaimReference { name: source.claim_name.as_str().into(), is_ephemeral: false });
        }
        let name = || format!("{pod_name}-{}", volume.name).into();
        volume.ephemeral.as_ref().map(|_| ClaimReference { name: name(), is_ephemeral: true })
    })
}

/// Whether a claim was made for an ephemeral volume of this pod.
///
/// # Errors
/// Upstream's sentence if it wasn't.
///
/// # Source
/// component-helpers `storage/ephemeral/ephemeral.go` (`VolumeIsForPod`)
pub(crate) fn check_made_for(claim: &PersistentVolumeClaim, pod: &PodInfo<'_>) -> Result<(), String> {
    let (claim_namespace, claim_name) = namespace_and_name(&claim.metadata);
    let uid = pod.pod.metadata.uid.as_deref().unwrap_or_default();
    if claim_namespace == pod.namespace() && is_controlled_by(&claim.metadata, uid) {
        return Ok(());
    }
    Err(format!(
        "PVC {claim_namespace}/{claim_name} was not created for pod {}/{} (pod is not owner)",
        pod.namespace(),
        pod.name()
    ))
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
pub(crate) fn annotation<'a>(metadata: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(name).map(String::as_str)
}

/// The namespace and name of an object.
pub(crate) fn namespace_and_name(metadata: &ObjectMeta) -> (&str, &str) {
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
