//! What the kubelet and the container runtime make of a pod's amounts on a node with cgroups: CPU shares, weights and
//! quotas, memory bounds, and whom the kernel kills first.
//!
//! Weights and `memory.high` are computed in floating point where the kubelet does so.
//!
//! # Source
//! kubernetes `pkg/kubelet/cm`, `pkg/kubelet/qos`, `pkg/kubelet/kuberuntime`

mod container;
mod cpu;
mod memory;
mod oom_score;
mod pod;

pub use container::ContainerCgroup;
pub use cpu::{container_cpu_weight, cpu_quota, cpu_shares, linear_cpu_weight};
pub use oom_score::oom_score_adj;
pub use pod::PodCgroup;

use k8s_openapi::api::core::v1::Pod;

use crate::pod_resources::PodResources;
use crate::qos::{QosClass, stored_class};

/// The settings of a kubelet that bear on cgroup values, and what its node has. The default is that of upstream, on a node
/// whose memory is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kubelet {
    /// Whether CPU limits are enforced (`cpuCFSQuota`).
    pub enforce_cpu_limits: bool,
    /// The period of CPU quotas, in microseconds (`cpuCFSQuotaPeriod`).
    pub cpu_period: i64,
    /// Whether requested memory is kept from being reclaimed (`memoryReservationPolicy: TieredReservation`).
    pub reserve_memory: bool,
    /// At which part of the way from request to limit memory is throttled (`memoryThrottlingFactor`); none for never.
    pub memory_throttling_factor: Option<f64>,
    /// The size of a memory page, in bytes.
    pub page_size: i64,
    /// The memory of the node, in bytes.
    pub memory_capacity: Option<i64>,
    /// What pods may use of that, in bytes.
    pub memory_allocatable: Option<i64>,
}

impl Default for Kubelet {
    fn default() -> Self {
        Self {
            enforce_cpu_limits: true,
            cpu_period: cpu::DEFAULT_PERIOD,
            reserve_memory: false,
            memory_throttling_factor: None,
            page_size: 4096,
            memory_capacity: None,
            memory_allocatable: None,
        }
    }
}

/// What the kubelet looks at beside a pod's amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PodStanding {
    /// The pod's class, as its status names it.
    pub qos_class: QosClass,
    /// Whether the node can't do without it: static, or of system priority, and of class `system-node-critical`.
    pub node_critical: bool,
}

impl PodStanding {
    /// The standing of a pod. An unknown class in its status counts as best effort, as it does to the kubelet.
    ///
    /// # Source
    /// kubernetes `pkg/kubelet/types` (`IsNodeCriticalPod`), `pkg/apis/core/v1/helper/qos` (`GetPodQOS`)
    pub fn of(pod: &Pod, resources: &PodResources) -> Self {
        let class = QosClass::from_name(stored_class(pod, resources)).unwrap_or(QosClass::BestEffort);
        Self { qos_class: class, node_critical: is_node_critical(pod) }
    }
}

fn is_node_critical(pod: &Pod) -> bool {
    const SYSTEM_PRIORITY: i32 = 2_000_000_000;
    let annotation =
        |key: &str| pod.metadata.annotations.as_ref().and_then(|annotations| annotations.get(key));
    let is_static = annotation("kubernetes.io/config.source").is_some_and(|source| source != "api");
    let is_mirror = annotation("kubernetes.io/config.mirror").is_some();
    let Some(spec) = &pod.spec else {
        return false;
    };
    let is_system = spec.priority.is_some_and(|priority| priority >= SYSTEM_PRIORITY);
    (is_static || is_mirror || is_system)
        && spec.priority_class_name.as_deref() == Some("system-node-critical")
}

#[cfg(test)]
mod tests;
