//! What a pod of a dump says about itself.

use k8s_openapi::api::core::v1::Pod;

/// Whether a pod has come to an end, so that it uses nothing of its node any more.
pub(super) fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}
