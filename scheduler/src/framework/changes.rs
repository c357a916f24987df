//! Which events follow from what has changed in a pod or a node.
//!
//! # Source
//! `pkg/scheduler/framework/events.go`

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Node, NodeSpec, NodeStatus, Pod, PodExtendedResourceClaimStatus, Taint, Toleration,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_matching::label_selector::labels_of;
use plimsoll_resource_math::pod_resources::{PodResources, PodResourcesOptions, StatusResources};
use plimsoll_resource_math::resource_list::ResourceList;

use super::events::{ActionType, ClusterEvent, EventResource};
use crate::pod_info::fields;

/// Whether an updated pod that has no node is the waiting pod that the events are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// It is.
    Target,
    /// It is another one.
    Other,
}

/// The events that follow from the update of a pod; never none.
///
/// # Source
/// `pkg/scheduler/framework/events.go` (`PodSchedulingPropertiesChange`)
pub fn pod_events(old: &Pod, new: &Pod, whose: Whose) -> Vec<ClusterEvent> {
    let has_node = !fields::node_name(new).is_empty();
    let resource = match whose {
        _ if has_node => EventResource::AssignedPod,
        Whose::Target => EventResource::TargetPod,
        Whose::Other => EventResource::UnscheduledPod,
    };
    let (less, more) = scaling(old, new);
    let changes = [
        (labels_of(&old.metadata) != labels_of(&new.metadata), ActionType::UPDATE_POD_LABEL),
        (less, ActionType::UPDATE_POD_SCALE_DOWN),
        (more, ActionType::UPDATE_POD_SCALE_UP),
        (has_gates(old) && !has_gates(new), ActionType::UPDATE_POD_SCHEDULING_GATES_ELIMINATED),
        (fields::tolerations(old).len() != fields::tolerations(new).len(), ActionType::UPDATE_POD_TOLERATION),
        (!same_generated_claims(old, new), ActionType::UPDATE_POD_GENERATED_RESOURCE_CLAIM),
    ];
    let mut events = events(resource, &changes);
    if events.is_empty() {
        events.push(ClusterEvent::new(resource, ActionType::UPDATE));
    }
    events
}

/// The events that follow from the update of a node; none if nothing has changed that matters for pods.
///
/// # Source
/// `pkg/scheduler/framework/events.go` (`NodeSchedulingPropertiesChange`)
pub fn node_events(old: &Node, new: &Node) -> Vec<ClusterEvent> {
    let is_cordoned = |node| node_spec(node).and_then(|spec| spec.unschedulable).unwrap_or(false);
    let policy = |node| node_spec(node).and_then(|spec| spec.pod_preemption_policy.clone());
    let annotations = |node: &Node| node.metadata.annotations.clone().unwrap_or_default();
    let features =
        |node| node_status(node).and_then(|status| status.declared_features.clone()).unwrap_or_default();
    let changes = [
        (is_cordoned(old) && !is_cordoned(new), ActionType::UPDATE_NODE_TAINT),
        (!same_amounts(allocatable(old), allocatable(new)), ActionType::UPDATE_NODE_ALLOCATABLE),
        (labels_of(&old.metadata) != labels_of(&new.metadata), ActionType::UPDATE_NODE_LABEL),
        (!same_taints(old, new), ActionType::UPDATE_NODE_TAINT),
        (conditions(old) != conditions(new), ActionType::UPDATE_NODE_CONDITION),
        (annotations(old) != annotations(new), ActionType::UPDATE_NODE_ANNOTATION),
        (policy(old) != policy(new), ActionType::UPDATE_NODE_PREEMPTION_POLICY),
        (features(old) != features(new), ActionType::UPDATE_NODE_DECLARED_FEATURE),
    ];
    events(EventResource::Node, &changes)
}

/// Whether two nodes have the same taints, in the same order.
pub(crate) fn same_taints(first: &Node, second: &Node) -> bool {
    // An empty text and none are the same in Go.
    let normal = |taint: &Taint| Taint { value: non_empty(taint.value.as_ref()), ..taint.clone() };
    let taints = |node| -> Vec<Taint> {
        node_spec(node).and_then(|spec| spec.taints.as_ref()).into_iter().flatten().map(normal).collect()
    };
    taints(first) == taints(second)
}

/// Whether two pods have the same tolerations, in the same order.
pub(crate) fn same_tolerations(first: &Pod, second: &Pod) -> bool {
    let normal = |toleration: &Toleration| Toleration {
        key: non_empty(toleration.key.as_ref()),
        operator: non_empty(toleration.operator.as_ref()),
        value: non_empty(toleration.value.as_ref()),
        effect: non_empty(toleration.effect.as_ref()),
        ..toleration.clone()
    };
    let all = |pod| -> Vec<Toleration> { fields::tolerations(pod).iter().map(normal).collect() };
    all(first) == all(second)
}

fn non_empty(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn events(resource: EventResource, changes: &[(bool, ActionType)]) -> Vec<ClusterEvent> {
    let changed = changes.iter().filter(|(changed, _)| *changed);
    changed.map(|(_, action)| ClusterEvent::new(resource, *action)).collect()
}

/// Whether a pod asks for less of anything than before, and whether it asks for more of anything. A pod whose amounts can't be
/// read does neither.
fn scaling(old: &Pod, new: &Pod) -> (bool, bool) {
    let options =
        PodResourcesOptions { status: StatusResources::ContainersAndPod, ..PodResourcesOptions::default() };
    let requests = |pod| Some(PodResources::parse(pod).ok()?.requests(&options));
    let (Some(old), Some(new)) = (requests(old), requests(new)) else { return (false, false) };
    let exceeds = |one: &ResourceList, other: &ResourceList| {
        let mut amounts = one.iter();
        amounts.any(|(name, amount)| {
            other.get(name).is_none_or(|other| amount.milli_value() > other.milli_value())
        })
    };
    (exceeds(&old, &new), exceeds(&new, &old))
}

fn same_generated_claims(old: &Pod, new: &Pod) -> bool {
    generated_claims(old) == generated_claims(new)
        && extended_resource_claim(old) == extended_resource_claim(new)
}

fn generated_claims(pod: &Pod) -> Vec<(&str, Option<&str>)> {
    let statuses = pod.status.as_ref().and_then(|status| status.resource_claim_statuses.as_ref());
    let statuses = statuses.into_iter().flatten();
    statuses.map(|claim| (claim.name.as_str(), claim.resource_claim_name.as_deref())).collect()
}

fn extended_resource_claim(pod: &Pod) -> Option<&PodExtendedResourceClaimStatus> {
    pod.status.as_ref()?.extended_resource_claim_status.as_ref()
}

fn same_amounts(
    first: Option<&BTreeMap<String, ApiQuantity>>,
    second: Option<&BTreeMap<String, ApiQuantity>>,
) -> bool {
    match (ResourceList::parse(first), ResourceList::parse(second)) {
        (Ok(first), Ok(second)) => {
            let same = |(name, amount): (&String, _)| second.get(name) == Some(amount);
            first.len() == second.len() && first.iter().all(same)
        }
        _ => first == second,
    }
}

fn conditions(node: &Node) -> BTreeMap<&str, &str> {
    let conditions = node_status(node).and_then(|status| status.conditions.as_ref());
    let read = conditions.into_iter().flatten();
    read.map(|condition| (condition.type_.as_str(), condition.status.as_str())).collect()
}

fn allocatable(node: &Node) -> Option<&BTreeMap<String, ApiQuantity>> {
    node_status(node)?.allocatable.as_ref()
}

fn has_gates(pod: &Pod) -> bool {
    fields::spec(pod).scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty())
}

fn node_spec(node: &Node) -> Option<&NodeSpec> {
    node.spec.as_ref()
}

fn node_status(node: &Node) -> Option<&NodeStatus> {
    node.status.as_ref()
}
