//! The claims on devices that a pod names.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go` (`foreachPodResourceClaim`), k8s.io/dynamic-resource-allocation
//! `resourceclaim/resourceclaim.go`

use k8s_openapi::api::core::v1::{Pod, PodResourceClaim};
use k8s_openapi::api::resource::v1::{DeviceClaim, DeviceRequest, ResourceClaim};
use plimsoll_api::quote::go_quote;

use crate::listers::{DeviceListers, is_controlled_by};
use crate::pod_info::fields;

/// The claims of a pod that exist, in the order in which the pod names them.
///
/// # Errors
/// Why the pod has to wait for one.
pub(super) fn claims_of<'a>(pod: &Pod, listers: &'a DeviceListers) -> Result<Vec<&'a ResourceClaim>, String> {
    let namespace = fields::namespace(pod);
    let mut claims = Vec::new();
    for entry in fields::spec(pod).resource_claims.iter().flatten() {
        let Some((name, is_generated)) = name_of(pod, entry)? else { continue };
        let claim = listers.claim(namespace, name).ok_or_else(|| {
            format!("could not find ResourceClaim {}", go_quote(&format!("{namespace}/{name}")))
        })?;
        if claim.metadata.deletion_timestamp.is_some() {
            return Err(format!("resourceclaim {} is being deleted", go_quote(name)));
        }
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        if is_generated && !is_controlled_by(&claim.metadata, uid) {
            return Err(format!(
                "ResourceClaim {namespace}/{name} was not created for Pod {namespace}/{} (Pod is not owner)",
                fields::name(pod)
            ));
        }
        claims.push(claim);
    }
    Ok(claims)
}

/// The name of the claim that an entry of a pod stands for, and whether that was made for the pod; none if the entry needs no claim.
///
/// # Source
/// k8s.io/dynamic-resource-allocation `resourceclaim/resourceclaim.go` (`Name`)
pub(super) fn name_of<'a>(
    pod: &'a Pod,
    entry: &'a PodResourceClaim,
) -> Result<Option<(&'a str, bool)>, String> {
    let pod_name = || format!("pod \"{}/{}\"", fields::namespace(pod), fields::name(pod));
    if let Some(name) = &entry.resource_claim_name {
        return Ok(Some((name, false)));
    }
    if entry.resource_claim_template_name.is_none() {
        let entry = go_quote(&entry.name);
        return Err(format!(
            "{}, spec.resourceClaim {entry}: none of the supported fields are set",
            pod_name()
        ));
    }
    let statuses = pod.status.as_ref().and_then(|status| status.resource_claim_statuses.as_ref());
    match statuses.into_iter().flatten().find(|status| status.name == entry.name) {
        Some(status) => Ok(status.resource_claim_name.as_deref().map(|name| (name, true))),
        None => Err(format!("{}: ResourceClaim not created yet", pod_name())),
    }
}

/// A claim in messages.
pub(super) fn display_name(claim: &ResourceClaim) -> String {
    let name = claim.metadata.name.as_deref().unwrap_or_default();
    match claim.metadata.namespace.as_deref() {
        None | Some("") => name.to_owned(),
        Some(namespace) => format!("{namespace}/{name}"),
    }
}

/// What a claim says of devices.
pub(super) fn devices_of(claim: &ResourceClaim) -> Option<&DeviceClaim> {
    claim.spec.as_ref()?.devices.as_ref()
}

/// What a claim asks for.
pub(super) fn requests_of(claim: &ResourceClaim) -> &[DeviceRequest] {
    devices_of(claim).and_then(|devices| devices.requests.as_deref()).unwrap_or_default()
}
