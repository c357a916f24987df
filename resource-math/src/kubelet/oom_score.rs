//! Whom the kernel kills first when a node runs out of memory.

use super::PodStanding;
use crate::pod_resources::{ContainerResources, PodResources, PodResourcesOptions};
use crate::qos::QosClass;
use crate::resource_name::MEMORY;

const LEAST_LIKELY: i64 = -997;
const MOST_LIKELY: i64 = 1000;

/// The `oom_score_adj` of a container's processes, from -997 (killed last) to 1000 (killed first), on a node with so many
/// bytes of memory. Burstable containers lie between: the more of the node they ask for, the later they are killed.
///
/// # Source
/// kubernetes `pkg/kubelet/qos` (`GetContainerOOMScoreAdjust`). DIFFERENCE: D-Kubelet-1: upstream wraps around.
pub fn oom_score_adj(
    pod: &PodResources,
    container: &ContainerResources,
    standing: PodStanding,
    memory_capacity: i64,
) -> i64 {
    match standing.qos_class {
        _ if standing.node_critical => LEAST_LIKELY,
        QosClass::Guaranteed => LEAST_LIKELY,
        QosClass::BestEffort => MOST_LIKELY,
        QosClass::Burstable => burstable(pod, container, memory_capacity),
    }
}

fn burstable(pod: &PodResources, container: &ContainerResources, memory_capacity: i64) -> i64 {
    let spare = if pod.is_pod_level_requests_set() { spare_memory_per_container(pod) } else { 0 };
    let capacity = i128::from(memory_capacity.max(1));
    let score = |request: i64| {
        let part = 1000 * (i128::from(request) + i128::from(spare)) / capacity;
        i64::try_from(i128::from(MOST_LIKELY) - part).unwrap_or(i64::MIN)
    };
    let mut adjust = score(memory_request(container));
    if is_sidecar(pod, container)
        && let Some(least) = pod.containers.iter().map(memory_request).min()
    {
        // A sidecar goes no earlier than the containers that need it.
        adjust = adjust.min(score(least));
    }
    // Above guaranteed pods, which may have 3 at the most, and below best-effort ones.
    let adjust = adjust.max(MOST_LIKELY + LEAST_LIKELY);
    if adjust == MOST_LIKELY { MOST_LIKELY - 1 } else { adjust }
}

fn is_sidecar(pod: &PodResources, container: &ContainerResources) -> bool {
    container.sidecar && pod.init_containers.iter().any(|init| init.name == container.name)
}

fn memory_request(container: &ContainerResources) -> i64 {
    container.spec.requests.amount(MEMORY).value()
}

/// What the pod as a whole asks for beyond its containers, shared among them equally.
///
/// # Source
/// kubernetes `pkg/kubelet/qos` (`remainingPodMemReqPerContainer`)
fn spare_memory_per_container(pod: &PodResources) -> i64 {
    let requested = pod.pod_level.as_ref().map(|level| level.requests.amount(MEMORY)).unwrap_or_default();
    if requested.is_zero() {
        return 0;
    }
    let containers = pod.container_requests(&PodResourcesOptions::default()).amount(MEMORY);
    let spare = requested.value().saturating_sub(containers.value()).max(0);
    let count = i64::try_from(pod.all_containers().count()).unwrap_or(i64::MAX);
    spare / count.max(1)
}
