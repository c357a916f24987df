//! Mirror pods: what the API holds of the static pods that a kubelet runs from files.

use k8s_openapi::api::core::v1::Pod;

/// The annotation that makes a pod a mirror pod; its value is the hash of the static pod.
pub const CONFIG_MIRROR_ANNOTATION: &str = "kubernetes.io/config.mirror";

/// Whether a pod mirrors a static pod.
pub fn is_mirror_pod(pod: &Pod) -> bool {
    pod.metadata
        .annotations
        .as_ref()
        .is_some_and(|annotations| annotations.contains_key(CONFIG_MIRROR_ANNOTATION))
}
