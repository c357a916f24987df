//! The claims of a pod as they will be once it is bound.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go` (`Reserve`, `bindClaim`)

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::{AllocationResult, ResourceClaim, ResourceClaimConsumerReference};

use crate::framework::Assumed;
use crate::pod_info::fields;

/// Keeps a claim from being deleted while a pod uses its devices.
const FINALIZER: &str = "resource.kubernetes.io/delete-protection";

/// A claim that a pod uses, with the devices that it gets, if it had none.
pub(super) fn assumed(claim: ResourceClaim, allocation: Option<AllocationResult>, pod: &Pod) -> Assumed {
    let mut claim = claim;
    let status = claim.status.get_or_insert_default();
    if let Some(allocation) = allocation {
        status.allocation = Some(allocation);
        let finalizers = claim.metadata.finalizers.get_or_insert_default();
        if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            finalizers.push(FINALIZER.to_owned());
        }
    }
    status.reserved_for.get_or_insert_default().push(ResourceClaimConsumerReference {
        api_group: None,
        resource: "pods".to_owned(),
        name: fields::name(pod).to_owned(),
        uid: pod.metadata.uid.clone().unwrap_or_default(),
    });
    Assumed::ResourceClaim(Box::new(claim))
}

/// Whether a claim is reserved for a pod already.
///
/// # Source
/// k8s.io/dynamic-resource-allocation `resourceclaim/resourceclaim.go` (`IsReservedForPod`)
pub(super) fn is_reserved_for(claim: &ResourceClaim, pod: &Pod) -> bool {
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    let reserved = claim.status.iter().flat_map(|status| status.reserved_for.iter().flatten());
    reserved.into_iter().any(|consumer| consumer.uid == uid)
}
