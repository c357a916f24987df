//! The cgroup of a pod.

use std::collections::BTreeMap;

use super::memory::memory_high;
use super::{Kubelet, PodStanding, cpu};
use crate::pod_resources::{PodResources, PodResourcesOptions};
use crate::qos::QosClass;
use crate::quantity::Quantity;
use crate::resource_list::ResourceList;
use crate::resource_name::{CPU, HUGEPAGES_PREFIX, MEMORY};

/// The cgroup of a pod as the kubelet sets it; what is none stays as the kernel makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodCgroup {
    /// `cpu.shares` of cgroup v1.
    pub cpu_shares: i64,
    /// `cpu.cfs_quota_us` of cgroup v1: microseconds of CPU time in each period, -1 for no limit.
    pub cpu_quota: Option<i64>,
    /// `cpu.cfs_period_us` of cgroup v1, in microseconds.
    pub cpu_period: Option<i64>,
    /// The most memory, in bytes: `memory.max` of cgroup v2, `memory.limit_in_bytes` of v1.
    pub memory: Option<i64>,
    /// The most memory in huge pages, in bytes, by size of the page in bytes.
    pub hugepages: BTreeMap<i64, i64>,
    /// `memory.min` of cgroup v2: never reclaimed, in bytes.
    pub memory_min: Option<i64>,
    /// `memory.low` of cgroup v2: reclaimed last, in bytes.
    pub memory_low: Option<i64>,
    /// `memory.high` of cgroup v2: throttled from there on, in bytes.
    pub memory_high: Option<i64>,
}

impl PodCgroup {
    /// The values for a pod.
    ///
    /// # Source
    /// kubernetes `pkg/kubelet/cm` (`ResourceConfigForPod`, `ApplyPodLevelMemoryHigh`)
    pub fn new(pod: &PodResources, standing: PodStanding, kubelet: &Kubelet) -> Self {
        let options = PodResourcesOptions::default();
        let (requests, limits) = (pod.requests(&options), pod.limits(&options));
        let mut cgroup = Self {
            cpu_shares: cpu::cpu_shares(0),
            hugepages: hugepages(&requests),
            memory_high: pod_memory_high(pod, &requests, &limits, kubelet),
            ..Self::default()
        };
        if standing.qos_class != QosClass::BestEffort {
            let guaranteed = standing.qos_class == QosClass::Guaranteed;
            cgroup.cpu_shares = cpu::cpu_shares(requests.amount(CPU).milli_value());
            if guaranteed || is_limited(pod, CPU) {
                let quota = cpu::cpu_quota(limits.amount(CPU).milli_value(), kubelet.cpu_period);
                cgroup.cpu_quota = Some(if kubelet.enforce_cpu_limits { quota } else { -1 });
                cgroup.cpu_period = Some(kubelet.cpu_period);
            }
            if guaranteed || is_limited(pod, MEMORY) {
                cgroup.memory = Some(limits.amount(MEMORY).value());
            }
        }
        if kubelet.reserve_memory {
            cgroup.reserve(requests.amount(MEMORY).value(), standing.qos_class);
        }
        cgroup
    }

    fn reserve(&mut self, memory_request: i64, class: QosClass) {
        let reserved = Some(memory_request).filter(|request| *request > 0);
        match class {
            QosClass::Guaranteed => self.memory_min = reserved,
            QosClass::Burstable | QosClass::BestEffort => self.memory_low = reserved,
        }
    }

    /// `cpu.weight` of cgroup v2.
    pub fn cpu_weight(&self) -> i64 {
        cpu::linear_cpu_weight(self.cpu_shares)
    }

    /// The text of `cpu.max` of cgroup v2; none if the kubelet leaves it alone.
    pub fn cpu_max(&self) -> Option<String> {
        Some(cpu::cpu_max(self.cpu_quota?, self.cpu_period?))
    }
}

/// Whether the pod as a whole has a limit, or each of its containers has.
fn is_limited(pod: &PodResources, name: &str) -> bool {
    let level = pod.pod_level.as_ref().filter(|_| pod.is_pod_level_set());
    level.is_some_and(|level| !level.limits.amount(name).is_zero())
        || pod.all_containers().all(|container| !container.spec.limits.amount(name).is_zero())
}

fn pod_memory_high(
    pod: &PodResources,
    requests: &ResourceList,
    limits: &ResourceList,
    kubelet: &Kubelet,
) -> Option<i64> {
    if !pod.is_pod_level_set() || !is_limited(pod, MEMORY) {
        return None;
    }
    let (request, limit) = (requests.amount(MEMORY).value(), limits.amount(MEMORY).value());
    if limit == 0 || request == limit { None } else { memory_high(request, limit, kubelet) }
}

/// # Source
/// kubernetes `pkg/kubelet/cm` (`HugePageLimits`)
fn hugepages(requests: &ResourceList) -> BTreeMap<i64, i64> {
    let mut limits = BTreeMap::new();
    for (name, amount) in requests {
        if let Some(size) = name.strip_prefix(HUGEPAGES_PREFIX) {
            let size = Quantity::parse(size).unwrap_or_default().value();
            let limit: &mut i64 = limits.entry(size).or_default();
            *limit = limit.saturating_add(amount.value());
        }
    }
    limits
}
