//! What the controller does next for a DaemonSet: which nodes get a pod, and the counts that its status shows.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_matching::label_selector::{Selector, labels_of};

use super::new_pod::template_generation;
use super::node_affinity::target_node_name;
use super::placement::Placement;
use super::{API_VERSION, CONTROLLER_REVISION_HASH_LABEL, KIND, POD_TEMPLATE_GENERATION_LABEL};
use crate::owner::{Claim, Owner};
use crate::template_hash::template_hash;

/// What is to be done for a DaemonSet, and how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The nodes that get a pod, in the order of the nodes given.
    pub create_on: Vec<String>,
    /// The counts before anything is done.
    pub status: Status,
    /// The hash that marks pods of the current template: the one that pods of its generation carry already, else one of
    /// our own; empty where nothing is planned.
    pub revision_hash: String,
}

/// The counts of a DaemonSet's status that don't depend on revisions or on time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Nodes that should run a pod.
    pub desired_number_scheduled: i32,
    /// Nodes that should run a pod and have one.
    pub current_number_scheduled: i32,
    /// Nodes that have a pod and should run none.
    pub number_misscheduled: i32,
    /// Nodes that should run a pod and whose oldest one is Ready.
    pub number_ready: i32,
}

/// Plans the pods of a DaemonSet with this uid. Of the pods given, those in its namespace count that it owns or that it
/// would adopt.
///
/// A DaemonSet that is being deleted, or whose selector is empty or malformed, gets no pods.
///
/// # Source
/// `pkg/controller/daemon/daemon_controller.go` (`syncDaemonSet`, `manage`, `updateDaemonSetStatus`)
pub fn plan<'a>(
    daemon_set: &DaemonSet,
    uid: &str,
    nodes: impl IntoIterator<Item = &'a Node>,
    pods: impl IntoIterator<Item = &'a Pod>,
) -> Plan {
    let mut plan = Plan::default();
    let Some(selector) = usable_selector(daemon_set) else {
        return plan;
    };
    let owner = Owner::new(API_VERSION, KIND, &daemon_set.metadata, uid);
    let pods_by_node = group_by_node(&owner, &selector, pods);
    plan.revision_hash = revision_hash(daemon_set, pods_by_node.values().copied());
    let placement = Placement::new(daemon_set);
    for node in nodes {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        let pod = pods_by_node.get(name);
        match (placement.on(node).should_run, pod) {
            (true, None) => {
                plan.status.desired_number_scheduled += 1;
                plan.create_on.push(name.to_owned());
            }
            (true, Some(oldest)) => {
                plan.status.desired_number_scheduled += 1;
                plan.status.current_number_scheduled += 1;
                plan.status.number_ready += i32::from(is_ready(oldest));
            }
            (false, Some(_)) => plan.status.number_misscheduled += 1,
            (false, None) => {}
        }
    }
    plan
}

fn usable_selector(daemon_set: &DaemonSet) -> Option<Selector> {
    let selector = Selector::from_label_selector(Some(&daemon_set.spec.selector)).ok()?;
    let is_deleted = daemon_set.metadata.deletion_timestamp.is_some();
    (!is_deleted && !selector.is_everything()).then_some(selector)
}

/// The pod that counts on each node. Pods that have ended and are being deleted, and pods for no node in particular, are
/// left out.
///
/// # Source
/// `pkg/controller/daemon/daemon_controller.go` (`getNodesToDaemonPods`)
fn group_by_node<'a>(
    owner: &Owner<'_>,
    selector: &Selector,
    pods: impl IntoIterator<Item = &'a Pod>,
) -> BTreeMap<&'a str, &'a Pod> {
    let mut pods_by_node: BTreeMap<&str, &Pod> = BTreeMap::new();
    for pod in pods {
        let metadata = &pod.metadata;
        if metadata.namespace.as_deref().unwrap_or_default() != owner.namespace
            || owner.claim(selector, metadata) == Claim::Foreign
            || (is_terminal(pod) && metadata.deletion_timestamp.is_some())
        {
            continue;
        }
        if let Ok(node) = target_node_name(pod) {
            let oldest = pods_by_node.entry(node).or_insert(pod);
            if keep_order(pod) < keep_order(oldest) {
                *oldest = pod;
            }
        }
    }
    pods_by_node
}

/// DIFFERENCE: D-DaemonSet-1. A hash that no pod tells is ours.
fn revision_hash<'a>(daemon_set: &DaemonSet, pods: impl Iterator<Item = &'a Pod>) -> String {
    let generation = template_generation(daemon_set).map(|generation| generation.to_string());
    let known = pods.filter_map(|pod| {
        let labels = labels_of(&pod.metadata);
        let is_current =
            generation.is_some() && labels.get(POD_TEMPLATE_GENERATION_LABEL) == generation.as_ref();
        labels.get(CONTROLLER_REVISION_HASH_LABEL).filter(|_| is_current)
    });
    let collisions = daemon_set.status.as_ref().and_then(|status| status.collision_count);
    known.min().cloned().unwrap_or_else(|| template_hash(&daemon_set.spec.template, collisions))
}

/// The order in which pods of one node are kept: bound before unbound, older before younger, then by name.
///
/// # Source
/// `pkg/controller/daemon/daemon_controller.go` (`podByCreationTimestampAndPhase`)
fn keep_order(pod: &Pod) -> impl Ord {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    let is_unbound = node.unwrap_or_default().is_empty();
    (is_unbound, pod.metadata.creation_timestamp.clone(), pod.metadata.name.clone())
}

fn is_terminal(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref());
    conditions
        .unwrap_or_default()
        .iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}
