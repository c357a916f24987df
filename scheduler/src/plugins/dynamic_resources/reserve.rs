//! The claims of a pod as they will be once it is bound, and what is written so that they are.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go` (`Reserve`, `bindClaim`)

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::{AllocationResult, ResourceClaim, ResourceClaimConsumerReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::claims::display_name;
use crate::framework::{Action, AssumedClaim, Write};
use crate::listers::allocation;
use crate::pod_info::fields;

/// Keeps a claim from being deleted while a pod uses its devices.
pub(super) const FINALIZER: &str = "resource.kubernetes.io/delete-protection";

/// A claim that a pod uses, with the devices that it gets, if it had none.
pub(super) fn assumed(claim: ResourceClaim, found: Option<AllocationResult>, pod: &Pod) -> AssumedClaim {
    let mut claim = claim;
    let is_new_allocation = found.is_some();
    if let Some(found) = found {
        claim.status.get_or_insert_default().allocation = Some(found);
        protect(&mut claim);
    }
    reserve_for(&mut claim, pod);
    AssumedClaim { claim, is_new_allocation, ..AssumedClaim::default() }
}

/// What is to be written so that a claim is reserved for a pod, with the devices that were found for it, if any were.
///
/// # Errors
/// The claim isn't any longer what it was.
///
/// # Source
/// `dynamicresources.go` (`bindClaim`)
pub(super) fn writes(
    stored: &ResourceClaim,
    found: Option<&AllocationResult>,
    pod: &Pod,
    now: Timestamp,
) -> Result<Vec<Write>, String> {
    let name = display_name(stored);
    let mut claim = stored.clone();
    let mut writes = Vec::new();
    if claim.metadata.deletion_timestamp.is_some() {
        return Err(format!("claim {name} got deleted in the meantime"));
    }
    if let Some(found) = found {
        if allocation(&claim).is_some() {
            return Err(format!("claim {name} got allocated elsewhere in the meantime"));
        }
        if protect(&mut claim) {
            let action = Action::UpdateResourceClaim(Box::new(claim.clone()));
            writes.push(Write { action, context: Some("add finalizer to claim") });
        }
        claim.status.get_or_insert_default().allocation = Some(found.clone());
    }
    reserve_for(&mut claim, pod);
    let Some(there) = claim.status.as_mut().and_then(|status| status.allocation.as_mut()) else {
        return Err(format!("claim {name} got deallocated elsewhere in the meantime"));
    };
    there.allocation_timestamp.get_or_insert(Time(now));
    let context = match found {
        Some(_) => "add allocation and reservation to claim",
        None => "add reservation to claim",
    };
    let action = Action::UpdateResourceClaimStatus(Box::new(claim));
    writes.push(Write { action, context: Some(context) });
    Ok(writes)
}

/// Whether the finalizer was missing.
fn protect(claim: &mut ResourceClaim) -> bool {
    let finalizers = claim.metadata.finalizers.get_or_insert_default();
    let is_missing = !finalizers.iter().any(|finalizer| finalizer == FINALIZER);
    if is_missing {
        finalizers.push(FINALIZER.to_owned());
    }
    is_missing
}

fn reserve_for(claim: &mut ResourceClaim, pod: &Pod) {
    let reserved = &mut claim.status.get_or_insert_default().reserved_for;
    reserved.get_or_insert_default().push(ResourceClaimConsumerReference {
        api_group: None,
        resource: "pods".to_owned(),
        name: fields::name(pod).to_owned(),
        uid: pod.metadata.uid.clone().unwrap_or_default(),
    });
}

/// Whether a claim is reserved for a pod already.
///
/// # Source
/// k8s.io/dynamic-resource-allocation `resourceclaim/resourceclaim.go` (`IsReservedForPod`)
pub(super) fn is_reserved_for(claim: &ResourceClaim, pod: &Pod) -> bool {
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    reserved_for(claim).iter().any(|consumer| consumer.uid == uid)
}

/// Those for which a claim is reserved.
pub(super) fn reserved_for(claim: &ResourceClaim) -> &[ResourceClaimConsumerReference] {
    claim.status.as_ref().and_then(|status| status.reserved_for.as_deref()).unwrap_or_default()
}
