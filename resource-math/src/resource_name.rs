//! The names of resources and the families they fall into.
//!
//! # Source
//! kubernetes `pkg/apis/core/v1/helper` and `pkg/apis/core/helper`

use plimsoll_api::names::is_qualified_name;

/// Processor time, in cores.
pub const CPU: &str = "cpu";
/// Memory, in bytes.
pub const MEMORY: &str = "memory";
/// Local scratch space, in bytes.
pub const EPHEMERAL_STORAGE: &str = "ephemeral-storage";
/// Space of a persistent volume, in bytes.
pub const STORAGE: &str = "storage";
/// How many pods a node takes, or how many pods a quota counts.
pub const PODS: &str = "pods";
/// Pages of one huge size, in bytes; the size follows the prefix.
pub const HUGEPAGES_PREFIX: &str = "hugepages-";
/// What a volume plugin can attach to a node, as a count.
pub const ATTACHABLE_VOLUMES_PREFIX: &str = "attachable-volumes-";

const NATIVE_DOMAIN: &str = "kubernetes.io/";
const QUOTA_REQUESTS_PREFIX: &str = "requests.";

/// Whether a name is one of pages of a huge size.
pub fn is_hugepages(name: &str) -> bool {
    name.starts_with(HUGEPAGES_PREFIX)
}

/// Whether a name belongs to Kubernetes itself: no domain, or a domain of `kubernetes.io`.
pub fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains(NATIVE_DOMAIN)
}

/// Whether a name is a resource that someone other than Kubernetes defines, such as `example.com/gpu`.
pub fn is_extended(name: &str) -> bool {
    // The name is also used with a quota's prefix, and must stay a legal name there.
    !is_native(name)
        && !name.starts_with(QUOTA_REQUESTS_PREFIX)
        && is_qualified_name(&format!("{QUOTA_REQUESTS_PREFIX}{name}"))
}

/// Whether a pod as a whole can request and limit a resource: cpu, memory and huge pages.
///
/// # Source
/// component-helpers `resource` (`IsSupportedPodLevelResource`)
pub fn is_supported_pod_level(name: &str) -> bool {
    matches!(name, CPU | MEMORY) || is_hugepages(name)
}
