//! The names of resources and the families they fall into.
//!
//! # Source
//! kubernetes `pkg/apis/core/v1/helper` and `pkg/apis/core/helper`

mod validate;

use plimsoll_api::names::is_qualified_name;
pub use validate::{validate, validate_container};

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

/// Whether Kubernetes knows a name that has no domain, be it as a container's resource or as a quota's key.
///
/// # Source
/// kubernetes `pkg/apis/core/helper` (`IsStandardResourceName`)
pub fn is_standard(name: &str) -> bool {
    name == STORAGE || is_standard_quota(name)
}

/// Whether a quota can count a name that has no domain.
///
/// # Source
/// kubernetes `pkg/apis/core/helper` (`IsStandardQuotaResourceName`)
pub fn is_standard_quota(name: &str) -> bool {
    is_hugepages(name)
        || name.strip_prefix(QUOTA_REQUESTS_PREFIX).is_some_and(is_hugepages)
        || is_counted_object(name)
        || matches!(
            name,
            CPU | MEMORY
                | EPHEMERAL_STORAGE
                | "requests.cpu"
                | "requests.memory"
                | "requests.storage"
                | "requests.ephemeral-storage"
                | "limits.cpu"
                | "limits.memory"
                | "limits.ephemeral-storage"
        )
}

/// Whether a container can ask for a name that has no domain.
///
/// # Source
/// kubernetes `pkg/apis/core/helper` (`IsStandardContainerResourceName`)
pub fn is_standard_container(name: &str) -> bool {
    matches!(name, CPU | MEMORY | EPHEMERAL_STORAGE) || is_hugepages(name)
}

/// Whether only whole numbers make sense: counts of objects, and extended resources.
///
/// # Source
/// kubernetes `pkg/apis/core/helper` (`IsIntegerResourceName`)
pub fn is_integer(name: &str) -> bool {
    is_counted_object(name) || is_extended(name)
}

/// Whether limits may be above requests: so it is for Kubernetes' own resources other than huge pages.
///
/// # Source
/// kubernetes `pkg/apis/core/helper` (`IsOvercommitAllowed`)
pub fn is_overcommit_allowed(name: &str) -> bool {
    is_native(name) && !is_hugepages(name)
}

/// Whether a name is one of the kinds of objects that quotas count by a short name.
fn is_counted_object(name: &str) -> bool {
    matches!(
        name,
        PODS | "resourcequotas"
            | "services"
            | "replicationcontrollers"
            | "secrets"
            | "configmaps"
            | "persistentvolumeclaims"
            | "services.nodeports"
            | "services.loadbalancers"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_names_into_families() {
        for name in ["cpu", "storage", "requests.hugepages-2Mi", "hugepages-1Gi", "services.nodeports"] {
            assert!(is_standard(name), "{name}");
        }
        for name in ["Cpu", "requests.pods", "example.com/gpu", "attachable-volumes-x", ""] {
            assert!(!is_standard(name), "{name}");
        }
        assert!(!is_standard_quota("storage") && is_standard_quota("requests.storage"));
        assert!(is_standard_container("hugepages-2Mi") && !is_standard_container("storage"));
        assert!(is_integer("pods") && is_integer("example.com/gpu") && !is_integer("cpu"));
        assert!(is_overcommit_allowed("cpu") && is_overcommit_allowed("kubernetes.io/x"));
        assert!(!is_overcommit_allowed("hugepages-2Mi") && !is_overcommit_allowed("example.com/gpu"));
    }
}
