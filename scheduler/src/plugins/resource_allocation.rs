//! What the plugins that compare nodes by resources share: the resources to look at, and their columns for one pod.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/noderesources/resource_allocation.go`

use plimsoll_resource_math::resource_name::{CPU, MEMORY};

use crate::config::ResourceSpec;
use crate::pod_info::{ResourceAmounts, is_scalar};
use crate::snapshot::{NodeIndex, Snapshot};

/// The resources that nodes are compared by if the arguments name none: cpu and memory alike.
pub fn default_resources() -> Vec<ResourceSpec> {
    [CPU, MEMORY].map(|name| ResourceSpec { name: name.to_owned(), weight: 1 }).to_vec()
}

/// Whether a container that asks for no cpu or memory counts as if it asked for a little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    /// It does.
    NonZero,
    /// Only what is asked for counts.
    Requested,
}

/// One resource of all nodes beside what the pod asks of it.
pub(crate) struct ResourceColumn<'a> {
    pub(crate) weight: i64,
    pub(crate) pod_request: i64,
    allocatable: &'a [i64],
    used: &'a [i64],
}

impl<'a> ResourceColumn<'a> {
    /// The columns of the resources to look at. Resources that no node has are left out, and those beside cpu, memory and
    /// ephemeral storage if the pod doesn't ask for them.
    pub(crate) fn all(
        resources: &[ResourceSpec],
        pod_requests: &ResourceAmounts,
        snapshot: &'a Snapshot,
        counting: Counting,
    ) -> Vec<Self> {
        let columns = snapshot.resources();
        let column = |spec: &ResourceSpec| {
            let pod_request = pod_requests.amount(&spec.name);
            if pod_request == 0 && is_scalar(&spec.name) {
                return None;
            }
            let id = columns.id(&spec.name)?;
            let used = match (counting, spec.name.as_str()) {
                (Counting::NonZero, CPU) => snapshot.non_zero_cpu_millis(),
                (Counting::NonZero, MEMORY) => snapshot.non_zero_memory_bytes(),
                _ => columns.requested(id),
            };
            Some(Self { weight: spec.weight, pod_request, allocatable: columns.allocatable(id), used })
        };
        resources.iter().filter_map(column).collect()
    }

    /// What the node has for pods; none if it hasn't the resource.
    pub(crate) fn allocatable(&self, node: NodeIndex) -> Option<i64> {
        Some(self.allocatable[node]).filter(|amount| *amount != 0)
    }

    /// What pods on the node use without this one.
    pub(crate) fn used(&self, node: NodeIndex) -> i64 {
        self.used[node]
    }

    /// What pods on the node would use with this one.
    pub(crate) fn used_with_pod(&self, node: NodeIndex) -> i64 {
        self.used[node].wrapping_add(self.pod_request)
    }
}
