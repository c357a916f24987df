//! What the plugins that compare nodes by resources share: the resources to look at, and their columns for one pod.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/noderesources/resource_allocation.go`

use plimsoll_resource_math::resource_name::{CPU, MEMORY};

use super::dynamic_resources::{ClassDevices, DeviceCounter};
use crate::config::ResourceSpec;
use crate::pod_info::{ResourceAmounts, is_scalar};
use crate::snapshot::{NodeIndex, Snapshot};

/// The resources that nodes are compared by if the arguments name none: cpu and memory alike.
pub fn default_resources() -> Vec<ResourceSpec> {
    [CPU, MEMORY].map(|name| ResourceSpec { name: name.to_owned(), weight: 1 }).to_vec()
}

/// Whether a container that asks for no cpu or memory counts as if it asked for a little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// It does.
    NonZero,
    /// Only what is asked for counts.
    Requested,
}

/// One resource of all nodes beside what the pod asks of it.
pub(super) struct ResourceColumn<'a> {
    pub(super) weight: i64,
    pub(super) pod_request: i64,
    /// What nodes have of it themselves, and what pods use of that; none if no node has any.
    of_nodes: Option<(&'a [i64], &'a [i64])>,
    /// What devices serve it where a node has none of it.
    devices: Option<ClassDevices<'a>>,
}

/// A resource of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeResource {
    /// What the node has for pods; never 0.
    pub(super) allocatable: i64,
    /// What pods use without the pod.
    pub(super) used: i64,
}

impl<'a> ResourceColumn<'a> {
    /// The columns of the resources to look at. Resources that no node has are left out, and those beside cpu, memory and
    /// ephemeral storage if the pod doesn't ask for them.
    pub(super) fn all(
        resources: &[ResourceSpec],
        pod_requests: &ResourceAmounts,
        snapshot: &'a Snapshot,
        counting: Counting,
        devices: &'a DeviceCounter,
    ) -> Vec<Self> {
        let columns = snapshot.resources();
        let column = |spec: &ResourceSpec| {
            let pod_request = pod_requests.amount(&spec.name);
            if pod_request == 0 && is_scalar(&spec.name) {
                return None;
            }
            let of_nodes = columns.id(&spec.name).map(|id| {
                let used = match (counting, spec.name.as_str()) {
                    (Counting::NonZero, CPU) => snapshot.non_zero_cpu_millis(),
                    (Counting::NonZero, MEMORY) => snapshot.non_zero_memory_bytes(),
                    _ => columns.requested(id),
                };
                (columns.allocatable(id), used)
            });
            let devices = is_scalar(&spec.name).then(|| devices.serving(&spec.name, snapshot)).flatten();
            let is_any = of_nodes.is_some() || devices.is_some();
            is_any.then_some(Self { weight: spec.weight, pod_request, of_nodes, devices })
        };
        resources.iter().filter_map(column).collect()
    }

    /// What a node has of the resource; none if it hasn't any.
    pub(super) fn on(&self, node: NodeIndex) -> Option<NodeResource> {
        let (allocatable, used) = self.of_nodes.map_or((0, 0), |(all, used)| (all[node], used[node]));
        if allocatable != 0 {
            return Some(NodeResource { allocatable, used });
        }
        let devices = self.devices.as_ref()?.on(node);
        (devices.all > 0).then_some(NodeResource { allocatable: devices.all, used: devices.allocated })
    }
}

/// Whether nodes are compared by devices for a pod, so that more than a node and its pods decides how good it is.
pub(super) fn counts_devices(
    resources: &[ResourceSpec],
    pod_requests: &ResourceAmounts,
    snapshot: &Snapshot,
) -> bool {
    let listers = &snapshot.listers().devices;
    resources
        .iter()
        .filter(|spec| is_scalar(&spec.name))
        .any(|spec| pod_requests.amount(&spec.name) != 0 && listers.class_for_resource(&spec.name).is_some())
}
