//! Fields of a pod that many read, with what stands for them where they aren't set.

use std::sync::LazyLock;

use k8s_openapi::api::core::v1::{Pod, PodSpec, Toleration};

/// The spec of a pod that has none.
static NO_SPEC: LazyLock<PodSpec> = LazyLock::new(PodSpec::default);

/// The pod's spec.
pub(crate) fn spec(pod: &Pod) -> &PodSpec {
    pod.spec.as_ref().unwrap_or(&NO_SPEC)
}

/// The name of its namespace; empty if it has none.
pub(crate) fn namespace(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().unwrap_or_default()
}

/// Its name; empty if it has none.
pub(crate) fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

/// Its priority; 0 if none is set.
pub(crate) fn priority(pod: &Pod) -> i32 {
    spec(pod).priority.unwrap_or(0)
}

/// Its tolerations.
pub(crate) fn tolerations(pod: &Pod) -> &[Toleration] {
    spec(pod).tolerations.as_deref().unwrap_or_default()
}

/// The scheduler that it asks for; empty if it asks for none.
pub(crate) fn scheduler_name(pod: &Pod) -> &str {
    spec(pod).scheduler_name.as_deref().unwrap_or_default()
}

/// The node it is bound to or asks for by name; empty if there is none.
pub(crate) fn node_name(pod: &Pod) -> &str {
    spec(pod).node_name.as_deref().unwrap_or_default()
}

/// The node that was set aside for it; empty if there is none.
pub(crate) fn nominated_node_name(pod: &Pod) -> &str {
    let status = pod.status.as_ref();
    status.and_then(|status| status.nominated_node_name.as_deref()).unwrap_or_default()
}

/// Whether it has a node, or one was set aside for it.
pub(crate) fn has_node_or_nomination(pod: &Pod) -> bool {
    !node_name(pod).is_empty() || !nominated_node_name(pod).is_empty()
}
