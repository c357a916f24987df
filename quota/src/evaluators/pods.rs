//! Pods: how many, and what they request and may use at most.
//!
//! # Source
//! kubernetes `pkg/quota/v1/evaluator/core/pods.go`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Affinity, Pod, PodAffinityTerm, WeightedPodAffinityTerm};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use plimsoll_resource_math::pod_resources::{ContainerResources, StatusResources};
use plimsoll_resource_math::qos::{QosClass, stored_class};
use plimsoll_resource_math::resource_name::{
    CPU, EPHEMERAL_STORAGE, MEMORY, PODS, is_extended, is_hugepages,
};
use plimsoll_resource_math::{PodResources, PodResourcesOptions, Quantity, ResourceList};

use super::object_count::one;
use super::{REQUESTS_PREFIX, is_extended_resource_key};
use crate::refusal::MissingResource;
use crate::request::{Object, Operation, Request};
use crate::scopes::{self, ScopeRequirement, UnusableScope};

const COUNT_KEY: &str = "count/pods";
const REQUESTS_CPU: &str = "requests.cpu";
const REQUESTS_MEMORY: &str = "requests.memory";
const REQUESTS_EPHEMERAL_STORAGE: &str = "requests.ephemeral-storage";
const LIMITS_CPU: &str = "limits.cpu";
const LIMITS_MEMORY: &str = "limits.memory";
const LIMITS_EPHEMERAL_STORAGE: &str = "limits.ephemeral-storage";
/// The prefix of the resources by which a pod asks for devices of a class by the name of the class.
const DEVICE_CLASS_PREFIX: &str = "deviceclass.resource.kubernetes.io/";

/// How often a key is matched: a key can be both one of huge pages and of an extended resource.
pub(super) fn matches(key: &str) -> usize {
    let named = matches!(
        key,
        COUNT_KEY
            | CPU
            | MEMORY
            | EPHEMERAL_STORAGE
            | REQUESTS_CPU
            | REQUESTS_MEMORY
            | REQUESTS_EPHEMERAL_STORAGE
            | LIMITS_CPU
            | LIMITS_MEMORY
            | LIMITS_EPHEMERAL_STORAGE
            | PODS
    );
    let bare = key.strip_prefix(REQUESTS_PREFIX).unwrap_or(key);
    usize::from(named) + usize::from(is_hugepages(bare)) + usize::from(is_extended_resource_key(key))
}

/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/pods.go` (`Handles`)
pub(super) fn handles(request: &Request<'_>, subresource: &str) -> bool {
    match (request.operation, subresource) {
        (Operation::Create, "") | (Operation::Update, "resize") => true,
        (Operation::Update, "") => match (request.object, request.old_object) {
            (Object::Pod(pod, _), Some(Object::Pod(old, _))) => is_terminating(pod) != is_terminating(old),
            _ => false,
        },
        _ => false,
    }
}

/// What a pod uses: an object in any case, and its amounts unless it has ended or should long be gone.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/pods.go` (`PodUsageFunc`)
pub(crate) fn usage(pod: &Pod, resources: &PodResources, now: Timestamp) -> ResourceList {
    let mut usage = ResourceList::new();
    usage.insert(COUNT_KEY, one());
    if !counts(pod, now) {
        return usage;
    }
    usage.insert(PODS, one());
    let options =
        PodResourcesOptions { status: effective_status(resources), ..PodResourcesOptions::default() };
    for (name, amount) in resources.requests(&options) {
        add_request(&mut usage, name, amount);
    }
    for (name, amount) in resources.limits(&options) {
        if let Some(key) = limits_key(&name) {
            usage.insert(key, amount);
        }
    }
    usage
}

/// What a pod uses as long as it does not change; none once it is being deleted, as time then counts too.
pub(super) fn lasting_usage(pod: &Pod, resources: &PodResources) -> Option<ResourceList> {
    pod.metadata.deletion_timestamp.is_none().then(|| usage(pod, resources, Timestamp::UNIX_EPOCH))
}

/// The status counts beside the spec; where it says nothing that differs, leaving it out gives the same sums sooner.
fn effective_status(resources: &PodResources) -> StatusResources {
    let says_nothing = |container: &ContainerResources| {
        container.allocated.is_none()
            && container.actual_requests.is_none()
            && container.actual_limits.is_none()
    };
    if !resources.status.resize_infeasible && resources.all_containers().all(says_nothing) {
        StatusResources::Ignored
    } else {
        StatusResources::Containers
    }
}

/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/pods.go` (`podComputeUsageHelper`)
fn add_request(usage: &mut ResourceList, name: String, amount: Quantity) {
    let requests_key = match name.as_str() {
        CPU => REQUESTS_CPU.to_owned(),
        MEMORY => REQUESTS_MEMORY.to_owned(),
        EPHEMERAL_STORAGE => REQUESTS_EPHEMERAL_STORAGE.to_owned(),
        name if is_hugepages(name) => format!("{REQUESTS_PREFIX}{name}"),
        name if is_extended(name) || name.starts_with(DEVICE_CLASS_PREFIX) => {
            usage.insert(format!("{REQUESTS_PREFIX}{name}"), amount);
            return;
        }
        _ => return,
    };
    usage.insert(requests_key, amount.clone());
    usage.insert(name, amount);
}

fn limits_key(name: &str) -> Option<&'static str> {
    match name {
        CPU => Some(LIMITS_CPU),
        MEMORY => Some(LIMITS_MEMORY),
        EPHEMERAL_STORAGE => Some(LIMITS_EPHEMERAL_STORAGE),
        _ => None,
    }
}

/// Whether a pod's amounts count: not once it has ended, nor once its deletion is overdue by its grace period.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/pods.go` (`QuotaV1Pod`)
pub fn counts(pod: &Pod, now: Timestamp) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if matches!(phase, Some("Failed" | "Succeeded")) {
        return false;
    }
    let (Some(deleted), Some(grace)) =
        (&pod.metadata.deletion_timestamp, pod.metadata.deletion_grace_period_seconds)
    else {
        return true;
    };
    // A time beyond what a timestamp can hold lies after every present.
    deleted.0.checked_add(SignedDuration::from_secs(grace)).map_or(grace > 0, |overdue| now <= overdue)
}

/// The keys that every container must set, be it to zero, where a quota names them. Pods with amounts of their own are
/// exempt.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/pods.go` (`Constraints`)
pub(super) fn constraints(required: &[&str], resources: &PodResources) -> Vec<MissingResource> {
    if resources.is_pod_level_set() {
        return Vec::new();
    }
    let mandatory: BTreeSet<&str> =
        required.iter().copied().filter(|key| mandatory_resource(key).is_some()).collect();
    let missing = mandatory.into_iter().filter_map(|key| {
        let containers: BTreeSet<&str> = resources
            .all_containers()
            .filter(|container| !sets(container, key))
            .map(|container| container.name.as_str())
            .collect();
        (!containers.is_empty()).then(|| MissingResource {
            key: key.to_owned(),
            containers: containers.into_iter().map(str::to_owned).collect(),
        })
    });
    missing.collect()
}

/// Whether a key must be set by every container, and by which of its lists.
fn mandatory_resource(key: &str) -> Option<(List, &'static str)> {
    match key {
        CPU | REQUESTS_CPU => Some((List::Requests, CPU)),
        MEMORY | REQUESTS_MEMORY => Some((List::Requests, MEMORY)),
        LIMITS_CPU => Some((List::Limits, CPU)),
        LIMITS_MEMORY => Some((List::Limits, MEMORY)),
        _ => None,
    }
}

enum List {
    Requests,
    Limits,
}

fn sets(container: &ContainerResources, key: &str) -> bool {
    match mandatory_resource(key) {
        Some((List::Requests, name)) => container.spec.requests.contains_key(name),
        Some((List::Limits, name)) => container.spec.limits.contains_key(name),
        None => true,
    }
}

/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/pods.go` (`podMatchesScopeFunc`)
pub(super) fn matches_scope(
    scope: &ScopeRequirement,
    pod: &Pod,
    resources: &PodResources,
) -> Result<bool, UnusableScope> {
    match scope.scope_name.as_str() {
        scopes::TERMINATING => Ok(is_terminating(pod)),
        scopes::NOT_TERMINATING => Ok(!is_terminating(pod)),
        scopes::BEST_EFFORT => Ok(is_best_effort(pod, resources)),
        scopes::NOT_BEST_EFFORT => Ok(!is_best_effort(pod, resources)),
        scopes::PRIORITY_CLASS => {
            let class = pod.spec.as_ref().and_then(|spec| spec.priority_class_name.as_deref());
            let class = class.filter(|class| !class.is_empty());
            if scope.is_exists() { Ok(class.is_some()) } else { scope.selects(class) }
        }
        scopes::CROSS_NAMESPACE_POD_AFFINITY => {
            Ok(pod.spec.as_ref().and_then(|spec| spec.affinity.as_ref()).is_some_and(crosses_namespaces))
        }
        _ => Ok(false),
    }
}

/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/pods.go` (`IsTerminating`)
fn is_terminating(pod: &Pod) -> bool {
    let deadline = pod.spec.as_ref().and_then(|spec| spec.active_deadline_seconds);
    deadline.is_some_and(|seconds| seconds >= 0)
}

fn is_best_effort(pod: &Pod, resources: &PodResources) -> bool {
    stored_class(pod, resources) == QosClass::BestEffort.as_str()
}

/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/pods.go` (`usesCrossNamespacePodAffinity`)
fn crosses_namespaces(affinity: &Affinity) -> bool {
    let attracted = affinity.pod_affinity.as_ref();
    let repelled = affinity.pod_anti_affinity.as_ref();
    let required = [
        attracted.and_then(|terms| terms.required_during_scheduling_ignored_during_execution.as_deref()),
        repelled.and_then(|terms| terms.required_during_scheduling_ignored_during_execution.as_deref()),
    ];
    let preferred = [
        attracted.and_then(|terms| terms.preferred_during_scheduling_ignored_during_execution.as_deref()),
        repelled.and_then(|terms| terms.preferred_during_scheduling_ignored_during_execution.as_deref()),
    ];
    let weighted = |term: &WeightedPodAffinityTerm| reaches_out(&term.pod_affinity_term);
    required.into_iter().flatten().flatten().any(reaches_out)
        || preferred.into_iter().flatten().flatten().any(weighted)
}

fn reaches_out(term: &PodAffinityTerm) -> bool {
    term.namespaces.as_ref().is_some_and(|namespaces| !namespaces.is_empty())
        || term.namespace_selector.is_some()
}
