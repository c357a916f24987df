//! The cgroup of a container.

use super::memory::memory_high;
use super::{Kubelet, PodStanding, cpu};
use crate::pod_resources::{ContainerResources, PodResources};
use crate::qos::QosClass;
use crate::quantity::Quantity;
use crate::resource_name::{CPU, MEMORY};

/// The cgroup of a container as the kubelet asks the runtime for it; what is none stays as the kernel makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerCgroup {
    /// `cpu.shares` of cgroup v1.
    pub cpu_shares: i64,
    /// `cpu.cfs_quota_us` of cgroup v1: microseconds of CPU time in each period; none if limits are not enforced, zero for no
    /// limit.
    pub cpu_quota: Option<i64>,
    /// `cpu.cfs_period_us` of cgroup v1, in microseconds.
    pub cpu_period: Option<i64>,
    /// The most memory, in bytes: `memory.max` of cgroup v2, `memory.limit_in_bytes` of v1.
    pub memory: Option<i64>,
    /// `memory.min` of cgroup v2: never reclaimed, in bytes.
    pub memory_min: Option<i64>,
    /// `memory.low` of cgroup v2: reclaimed last, in bytes.
    pub memory_low: Option<i64>,
    /// `memory.high` of cgroup v2: throttled from there on, in bytes.
    pub memory_high: Option<i64>,
}

impl ContainerCgroup {
    /// The values for a container of a pod.
    ///
    /// # Source
    /// kubernetes `pkg/kubelet/kuberuntime` (`generateLinuxContainerResources`)
    pub fn new(
        pod: &PodResources,
        container: &ContainerResources,
        standing: PodStanding,
        kubelet: &Kubelet,
    ) -> Self {
        let cpu_limit = effective_limit(pod, container, CPU).milli_value();
        let cpu_request = container.spec.requests.get(CPU).map_or(cpu_limit, Quantity::milli_value);
        let memory_limit = effective_limit(pod, container, MEMORY).value();
        let enforced = kubelet.enforce_cpu_limits;
        let mut cgroup = Self {
            cpu_shares: cpu::cpu_shares(cpu_request),
            cpu_quota: enforced.then(|| cpu::cpu_quota(cpu_limit, kubelet.cpu_period)),
            cpu_period: enforced.then_some(kubelet.cpu_period),
            memory: Some(memory_limit).filter(|limit| *limit != 0),
            memory_min: None,
            memory_low: None,
            memory_high: container_memory_high(pod, container, kubelet),
        };
        cgroup.reserve(container.spec.requests.amount(MEMORY).value(), standing.qos_class, kubelet);
        cgroup
    }

    fn reserve(&mut self, memory_request: i64, class: QosClass, kubelet: &Kubelet) {
        if memory_request == 0 || !kubelet.reserve_memory {
            (self.memory_min, self.memory_low) = (Some(0), Some(0));
        } else if class == QosClass::Guaranteed {
            self.memory_min = Some(memory_request);
        } else {
            self.memory_low = Some(memory_request);
        }
    }

    /// `cpu.weight` of cgroup v2 as today's runtimes set it.
    pub fn cpu_weight(&self) -> i64 {
        cpu::container_cpu_weight(self.cpu_shares)
    }

    /// `cpu.weight` of cgroup v2 as runtimes before runc 1.3.2 and crun 1.23 set it.
    pub fn older_cpu_weight(&self) -> i64 {
        cpu::linear_cpu_weight(self.cpu_shares)
    }

    /// The text of `cpu.max` of cgroup v2; none if limits are not enforced.
    pub fn cpu_max(&self) -> Option<String> {
        Some(cpu::cpu_max(self.cpu_quota?, self.cpu_period?))
    }
}

/// The container's limit; that of the pod as a whole if the container has none.
fn effective_limit(pod: &PodResources, container: &ContainerResources, name: &str) -> Quantity {
    let own = container.spec.limits.amount(name);
    match &pod.pod_level {
        Some(level) if own.is_zero() && pod.is_pod_level_set() => level.limits.amount(name),
        _ => own,
    }
}

fn container_memory_high(
    pod: &PodResources,
    container: &ContainerResources,
    kubelet: &Kubelet,
) -> Option<i64> {
    let request = container.spec.requests.amount(MEMORY).value();
    let limit = container.spec.limits.amount(MEMORY).value();
    if limit != 0 {
        return if request == limit { None } else { memory_high(request, limit, kubelet) };
    }
    // The cgroup of the pod throttles then.
    let level = pod.pod_level.as_ref().filter(|_| pod.is_pod_level_set());
    if level.is_some_and(|level| !level.limits.amount(MEMORY).is_zero()) {
        return None;
    }
    let allocatable = kubelet.memory_allocatable.filter(|bytes| *bytes > 0)?;
    memory_high(request, allocatable, kubelet)
}
