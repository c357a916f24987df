//! If no node is left for a pod: a claim that only the pod uses gives back its devices, if they keep the pod off a node, or the
//! claim goes that an earlier attempt has made up for extended resources.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go` (`PostFilter`)

use k8s_openapi::api::resource::v1::ResourceClaim;

use super::pod_devices::{PodDevices, REASON_UNAVAILABLE};
use super::reserve::{FINALIZER, reserved_for};
use super::{DynamicResources, NAME};
use crate::framework::{
    Action, Code, FailedCycle, Nomination, PostFilterPlugin, PostFiltered, Status, Write,
};
use crate::snapshot::NodeIndex;
use crate::volume_claims::namespace_and_name;

/// A claim has given back its devices.
const REASON_DEALLOCATED: &str = "deallocation of ResourceClaim completed";
/// A claim that was made up is gone.
const REASON_DELETED: &str = "deletion of ResourceClaim completed";
/// The plugin wasn't asked about the pod before, and so it knows nothing of it.
const REASON_NOT_FOUND: &str = "not found";

impl PostFilterPlugin for DynamicResources {
    fn post_filter(&self, failed: &FailedCycle<'_>) -> PostFiltered {
        if failed.not_pre_filtered.contains(&NAME) {
            return answer(Status::new(Code::Error, NAME, REASON_NOT_FOUND), Vec::new());
        }
        let nothing = || answer(Status { code: Code::Unschedulable, ..Status::SUCCESS }, Vec::new());
        let Ok(Some(devices)) = self.read(failed.pod, failed.snapshot) else { return nothing() };
        if let Some(claim) = claim_in_the_way(&devices, failed) {
            return unschedulable(REASON_DEALLOCATED, vec![deallocation(claim)]);
        }
        match devices.left_over() {
            Some(claim) => unschedulable(REASON_DELETED, deletion(claim)),
            None => nothing(),
        }
    }
}

fn unschedulable(reason: &'static str, writes: Vec<Write>) -> PostFiltered {
    answer(Status::new(Code::Unschedulable, NAME, reason), writes)
}

fn answer(status: Status, writes: Vec<Write>) -> PostFiltered {
    PostFiltered { status, nomination: Nomination::Keep, writes }
}

/// A claim of the pod's that no other pod uses, and whose devices can't be used on a node that was refused for that.
fn claim_in_the_way<'a>(devices: &PodDevices<'a>, failed: &FailedCycle<'_>) -> Option<&'a ResourceClaim> {
    let is_for_that = |status: &Status| status.reasons.iter().any(|reason| reason.text == REASON_UNAVAILABLE);
    let refused = failed.statuses.refused_by(NAME).filter(|(_, status)| is_for_that(status));
    let nodes: Vec<NodeIndex> = refused.map(|(node, _)| node).collect();
    if nodes.is_empty() {
        return None;
    }
    let uid = failed.pod.pod.metadata.uid.as_deref().unwrap_or_default();
    let is_own = |claim: &ResourceClaim| match reserved_for(claim) {
        [] => true,
        [only] => only.uid == uid,
        _ => false,
    };
    // DIFFERENCE: D-scheduler-37.
    devices.named_claims_elsewhere(&nodes).into_iter().find(|claim| is_own(claim))
}

/// A claim gives back its devices.
fn deallocation(claim: &ResourceClaim) -> Write {
    let mut claim = claim.clone();
    if let Some(status) = &mut claim.status {
        status.reserved_for = None;
        status.allocation = None;
        status.devices = None;
    }
    Write::new(Action::UpdateResourceClaimStatus(Box::new(claim)))
}

/// A claim that was made up is deleted. Nothing protects it any longer then.
///
/// # Source
/// `extendeddynamicresources.go` (`deleteClaim`)
pub(super) fn deletion(claim: &ResourceClaim) -> Vec<Write> {
    let (namespace, name) = namespace_and_name(&claim.metadata);
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    let mut unprotected = claim.clone();
    if let Some(finalizers) = &mut unprotected.metadata.finalizers {
        finalizers.retain(|finalizer| finalizer != FINALIZER);
    }
    vec![
        Write {
            action: Action::UpdateResourceClaim(Box::new(unprotected)),
            context: Some("update resourceclaim"),
        },
        Write::new(Action::DeleteResourceClaim { namespace, name }),
    ]
}

#[cfg(test)]
mod tests;
