//! What several plugins say about a change of a claim: whether it is one of the pod's.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

use crate::framework::{HintRequest, HintResult, QueueingHint};
use crate::pod_info::{PodVolumes, fields};
use crate::volume_claims::namespace_and_name;

/// The claim is one that the pod names.
pub(super) fn after_change_of_named_claim(request: &HintRequest<'_>) -> HintResult {
    after_claim_change(request, |volumes, name| volumes.claims().any(|claim| claim == name))
}

/// The claim is one that the pod names, or that is made for one of its ephemeral volumes.
pub(super) fn after_change_of_own_claim(request: &HintRequest<'_>) -> HintResult {
    after_claim_change(request, |volumes, name| volumes.all_claims().any(|(claim, _)| claim == name))
}

fn after_claim_change(request: &HintRequest<'_>, has: fn(&PodVolumes, &str) -> bool) -> HintResult {
    let (_, new) = request.claims()?;
    let is_of_pod = |claim: &PersistentVolumeClaim| {
        let (namespace, name) = namespace_and_name(&claim.metadata);
        namespace == fields::namespace(request.pod)
            && PodVolumes::new(request.pod).is_some_and(|volumes| has(&volumes, name))
    };
    Ok(QueueingHint::queue_if(new.is_some_and(is_of_pod)))
}
