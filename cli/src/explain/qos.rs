//! Why a pod is of its quality-of-service class.

use plimsoll_resource_math::PodResources;
use plimsoll_resource_math::pod_resources::Requirements;
use plimsoll_resource_math::qos::QosClass;
use plimsoll_resource_math::resource_name::{CPU, MEMORY};

/// The rule that decides the class of a pod, in a sentence.
pub(super) fn reason(pod: &PodResources, class: QosClass) -> String {
    let level = pod.pod_level.as_ref().filter(|_| pod.is_pod_level_set());
    match (class, level) {
        (QosClass::BestEffort, None) => "no container has a cpu or memory request or limit".to_owned(),
        (QosClass::BestEffort, Some(_)) => {
            "the pod as a whole has no cpu or memory request or limit".to_owned()
        }
        (QosClass::Guaranteed, None) => {
            "every container has cpu and memory requests that equal its limits".to_owned()
        }
        (QosClass::Guaranteed, Some(_)) => {
            "the pod as a whole has cpu and memory requests that equal its limits".to_owned()
        }
        (QosClass::Burstable, Some(level)) => {
            let shortfall = shortfall(level).unwrap_or_else(|| "its amounts differ".to_owned());
            format!("not Guaranteed, as {shortfall} for the pod as a whole")
        }
        (QosClass::Burstable, None) => {
            let mut shortfalls = pod.all_containers().filter_map(|container| {
                shortfall(&container.spec)
                    .map(|shortfall| format!("{shortfall} in container {}", container.name))
            });
            let shortfall = shortfalls.next().unwrap_or_else(|| "containers differ".to_owned());
            format!("not Guaranteed, as {shortfall}")
        }
    }
}

/// The first thing that keeps amounts from being Guaranteed.
fn shortfall(amounts: &Requirements) -> Option<String> {
    [CPU, MEMORY].into_iter().find_map(|resource| {
        let (request, limit) = (amounts.requests.amount(resource), amounts.limits.amount(resource));
        if limit.is_zero() {
            return Some(format!("there is no {resource} limit"));
        }
        (request != limit).then(|| format!("the {resource} request {request} is not the limit {limit}"))
    })
}
