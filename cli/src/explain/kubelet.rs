//! What the kubelet and the container runtime set in the cgroups.

use plimsoll_resource_math::PodResources;
use plimsoll_resource_math::kubelet::{ContainerCgroup, Kubelet, PodCgroup, PodStanding, oom_score_adj};
use plimsoll_resource_math::pod_resources::ContainerResources;
use serde::Serialize;

/// When a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ContainerKind {
    /// Before the others, to its end.
    Init,
    /// From before the others on, beside them.
    Sidecar,
    /// All the time.
    Container,
}

impl ContainerKind {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init container",
            Self::Sidecar => "sidecar",
            Self::Container => "container",
        }
    }
}

/// The values of one cgroup; what is absent is left as the kernel has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cgroup {
    /// `cpu.weight` of cgroup v2.
    pub cpu_weight: i64,
    /// `cpu.weight` as older runtimes set it, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older_cpu_weight: Option<i64>,
    /// `cpu.max` of cgroup v2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_max: Option<String>,
    /// `memory.max` of cgroup v2, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_max: Option<i64>,
    /// `memory.min` of cgroup v2, in bytes, where the kubelet reserves memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_min: Option<i64>,
    /// `memory.high` of cgroup v2, in bytes, where the kubelet throttles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_high: Option<i64>,
    /// `cpu.shares` of cgroup v1.
    pub cpu_shares: i64,
    /// `cpu.cfs_quota_us` of cgroup v1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<i64>,
    /// `oom_score_adj` of the processes; of containers only, and where the node's memory is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_score_adj: Option<i64>,
}

/// The cgroup of a container.
pub(super) fn container(
    pod: &PodResources,
    container: &ContainerResources,
    standing: PodStanding,
    kubelet: &Kubelet,
) -> Cgroup {
    let cgroup = ContainerCgroup::new(pod, container, standing, kubelet);
    let (weight, older) = (cgroup.cpu_weight(), cgroup.older_cpu_weight());
    Cgroup {
        cpu_weight: weight,
        older_cpu_weight: Some(older).filter(|older| *older != weight),
        cpu_max: cgroup.cpu_max(),
        memory_max: cgroup.memory,
        memory_min: cgroup.memory_min.filter(|bytes| *bytes != 0),
        memory_high: cgroup.memory_high,
        cpu_shares: cgroup.cpu_shares,
        cpu_quota: cgroup.cpu_quota,
        oom_score_adj: kubelet.memory_capacity.map(|bytes| oom_score_adj(pod, container, standing, bytes)),
    }
}

/// The cgroup of a pod, the parent of those of its containers.
pub(super) fn pod(pod: &PodResources, standing: PodStanding, kubelet: &Kubelet) -> Cgroup {
    let cgroup = PodCgroup::new(pod, standing, kubelet);
    Cgroup {
        cpu_weight: cgroup.cpu_weight(),
        older_cpu_weight: None,
        cpu_max: cgroup.cpu_max(),
        memory_max: cgroup.memory,
        memory_min: cgroup.memory_min.filter(|bytes| *bytes != 0),
        memory_high: cgroup.memory_high,
        cpu_shares: cgroup.cpu_shares,
        cpu_quota: cgroup.cpu_quota,
        oom_score_adj: None,
    }
}
