//! Which events may let a pod have its devices.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go` (`EventsToRegister`)

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::ResourceClaim;

use super::claims::claims_of;
use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::listers::{DeviceListers, allocation};

pub(super) fn events() -> Vec<EventRegistration> {
    use EventResource as R;
    let node = ActionType::ADD | ActionType::UPDATE_NODE_LABEL | ActionType::UPDATE_NODE_ALLOCATABLE;
    let claim = ActionType::ADD | ActionType::UPDATE | ActionType::DELETE;
    let named = ActionType::UPDATE_POD_GENERATED_RESOURCE_CLAIM;
    let changed = ActionType::ADD | ActionType::UPDATE;
    vec![
        EventRegistration::always(R::Node, node),
        EventRegistration::with(R::ResourceClaim, claim, after_claim_change),
        EventRegistration::with(R::TargetPod, named, after_target_change),
        EventRegistration::always(R::DeviceClass, changed),
        EventRegistration::always(R::ResourceSlice, changed),
    ]
}

/// A claim has given back its devices, or one that the pod uses is new or has another status.
///
/// # Source
/// `dynamicresources.go` (`isSchedulableAfterClaimChange`, `preQueueingHint`)
fn after_claim_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.resource_claims()?;
    let Some(new) = new else {
        return Ok(QueueingHint::queue_if(old.and_then(allocation).is_some()));
    };
    let Some(uses) = uses_claim(request.pod, new, &request.listers.devices) else {
        return Ok(QueueingHint::Skip);
    };
    let Some(old) = old else { return Ok(QueueingHint::queue_if(uses)) };
    let gave_back = allocation(old).is_some() && allocation(new).is_none();
    // A status that says nothing is as good as none.
    let status = |claim: &ResourceClaim| claim.status.clone().unwrap_or_default();
    Ok(QueueingHint::queue_if(gave_back || (uses && status(old) != status(new))))
}

/// Whether a pod uses a claim; none if another of its claims keeps it waiting.
fn uses_claim(pod: &Pod, claim: &ResourceClaim, listers: &DeviceListers) -> Option<bool> {
    let claims = claims_of(pod, listers).ok()?;
    Some(claims.iter().any(|used| used.metadata.uid == claim.metadata.uid))
}

/// The claims that were made for the pod are there.
///
/// # Source
/// `dynamicresources.go` (`isSchedulableAfterTargetPodUpdate`)
fn after_target_change(request: &HintRequest<'_>) -> HintResult {
    let (_, new) = request.pods()?;
    let has_claims = new.is_none_or(|pod| claims_of(pod, &request.listers.devices).is_ok());
    Ok(QueueingHint::queue_if(has_claims))
}
