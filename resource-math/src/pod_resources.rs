//! What a pod asks for: the amounts of its containers, of the pod as a whole and of its status, read once at the edge.
//!
//! Everything computed from them (totals, QoS class, cgroup values, LimitRange and quota decisions) cannot fail.
//!
//! # Source
//! component-helpers `resource`

mod parse;
mod totals;

pub use parse::ParsePodResourcesError;
pub use totals::{PodResourcesOptions, StatusResources, non_zero_container_requests};

use crate::resource_list::ResourceList;
use crate::resource_name::is_supported_pod_level;

/// Requests and limits that stand together in one `resources` field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// What is asked for.
    pub requests: ResourceList,
    /// What may be used at most.
    pub limits: ResourceList,
}

impl Requirements {
    /// Whether neither requests nor limits name any resource.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.limits.is_empty()
    }
}

/// The amounts of one container, as its spec and its status have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerResources {
    /// The container's name.
    pub name: String,
    /// Whether it is an init container that runs beside the others from its start on (`restartPolicy: Always`).
    pub sidecar: bool,
    /// What the spec asks for.
    pub spec: Requirements,
    /// What the node has set aside (`status.containerStatuses[].allocatedResources`); none if the status does not say.
    pub allocated: Option<ResourceList>,
    /// The requests in force (`status.containerStatuses[].resources.requests`); none if the status does not say.
    pub actual_requests: Option<ResourceList>,
    /// The limits in force (`status.containerStatuses[].resources.limits`); none if the status does not say.
    pub actual_limits: Option<ResourceList>,
}

/// What the status says about the pod as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodStatusResources {
    /// What the node has set aside (`status.allocatedResources`); none if the status does not say.
    pub allocated: Option<ResourceList>,
    /// Whether `status.resources` is there at all.
    pub actual: bool,
    /// The requests in force (`status.resources.requests`); none if the status does not say.
    pub actual_requests: Option<ResourceList>,
    /// The limits in force (`status.resources.limits`); none if the status does not say.
    pub actual_limits: Option<ResourceList>,
    /// Whether the node has found that it can never make the resize that the spec asks for.
    pub resize_infeasible: bool,
}

/// All amounts of one pod.
///
/// ```
/// use k8s_openapi::api::core::v1::Pod;
/// use plimsoll_resource_math::pod_resources::{PodResources, PodResourcesOptions};
/// let pod: Pod = serde_json::from_value(serde_json::json!({
///     "spec": {"containers": [
///         {"name": "web", "resources": {"requests": {"cpu": "250m"}}},
///         {"name": "log", "resources": {"requests": {"cpu": "50m"}}},
///     ]},
/// }))?;
/// let resources = PodResources::parse(&pod)?;
/// assert_eq!(resources.requests(&PodResourcesOptions::default()).amount("cpu").to_string(), "300m");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodResources {
    /// The containers, in the order of the spec.
    pub containers: Vec<ContainerResources>,
    /// The init containers, sidecars among them, in the order of the spec.
    pub init_containers: Vec<ContainerResources>,
    /// What the pod's sandbox costs on top (`spec.overhead`).
    pub overhead: ResourceList,
    /// The amounts of the pod as a whole (`spec.resources`); none if the field is absent.
    pub pod_level: Option<Requirements>,
    /// What the status says about the pod as a whole.
    pub status: PodStatusResources,
}

impl PodResources {
    /// Whether the pod as a whole has a request or limit of a resource that pods can have as a whole.
    ///
    /// # Source
    /// component-helpers `resource` (`IsPodLevelResourcesSet`)
    pub fn is_pod_level_set(&self) -> bool {
        self.is_pod_level_requests_set() || self.is_pod_level_limits_set()
    }

    /// Whether the pod as a whole has a request of a resource that pods can have as a whole.
    ///
    /// # Source
    /// component-helpers `resource` (`IsPodLevelRequestsSet`)
    pub fn is_pod_level_requests_set(&self) -> bool {
        self.pod_level.as_ref().is_some_and(|level| names_pod_level_resource(&level.requests))
    }

    /// Whether the pod as a whole has a limit of a resource that pods can have as a whole.
    ///
    /// # Source
    /// component-helpers `resource` (`IsPodLevelLimitsSet`)
    pub fn is_pod_level_limits_set(&self) -> bool {
        self.pod_level.as_ref().is_some_and(|level| names_pod_level_resource(&level.limits))
    }

    /// The init containers, then the containers.
    pub fn all_containers(&self) -> impl Iterator<Item = &ContainerResources> {
        self.init_containers.iter().chain(&self.containers)
    }
}

fn names_pod_level_resource(list: &ResourceList) -> bool {
    list.keys().any(|name| is_supported_pod_level(name))
}

#[cfg(test)]
mod tests;
