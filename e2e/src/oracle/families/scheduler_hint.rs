//! What plugins say about whether a change may let a pod in that they turned away.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_scheduler::Listers;
use plimsoll_scheduler::framework::{
    ActionType, Change, ClusterEvent, EventRegistration, EventResource, HintRequest, Object, Plugin,
    QueueingHint, Whose, node_events, pod_events,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::scheduler::{self, differs_by_amounts};
use super::{Family, decode};
use crate::oracle::generate::scheduler_queue::scheduler_hint;

pub(super) const FAMILY: Family = Family {
    name: "scheduler_hint",
    generate: scheduler_hint,
    evaluate,
    known_difference: Some(differs_by_amounts),
    bench: None,
};

/// A plugin, a pod that it turned away, and a change.
#[derive(Deserialize)]
struct Input {
    #[serde(flatten)]
    world: scheduler::Input,
    #[serde(default)]
    plugin: String,
    #[serde(default)]
    pod: Pod,
    #[serde(default)]
    change: ObjectChange,
    #[serde(default)]
    target: bool,
}

/// A node or a pod before and after.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ObjectChange {
    old_node: Option<Node>,
    new_node: Option<Node>,
    old_pod: Option<Pod>,
    new_pod: Option<Pod>,
}

impl ObjectChange {
    /// The events that the scheduler makes of it.
    pub(super) fn events(&self, whose: Whose) -> (Vec<ClusterEvent>, Change) {
        let one = |resource, action| vec![ClusterEvent::new(resource, action)];
        let (old_node, new_node) = (self.old_node.clone(), self.new_node.clone());
        let (old_pod, new_pod) = (self.old_pod.clone(), self.new_pod.clone());
        let events = match (&old_node, &new_node, &old_pod, &new_pod) {
            (Some(old), Some(new), ..) => node_events(old, new),
            (None, Some(_), ..) => one(EventResource::Node, ActionType::ADD),
            (Some(_), None, ..) => one(EventResource::Node, ActionType::DELETE),
            (None, None, Some(old), Some(new)) => pod_events(old, new, whose),
            (None, None, None, Some(_)) => one(EventResource::AssignedPod, ActionType::ADD),
            (None, None, Some(_), None) => one(EventResource::AssignedPod, ActionType::DELETE),
            (None, None, None, None) => Vec::new(),
        };
        let object = |node: Option<Node>, pod: Option<Pod>| {
            let node = node.map(|node| Object::Node(Arc::new(node)));
            node.or_else(|| pod.map(|pod| Object::Pod(Arc::new(pod))))
        };
        (events, Change { old: object(old_node, old_pod), new: object(new_node, new_pod) })
    }
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let mut listers = Listers::default();
    input.world.add_objects(&mut listers);
    let Some(profile) = input.world.profile() else { return Ok(json!("no valid configuration")) };
    let whose = if input.target { Whose::Target } else { Whose::Other };
    let (events, change) = input.change.events(whose);
    let request = HintRequest { pod: &input.pod, change: &change, listers: &listers };
    let registered = profile.plugin(&input.plugin).map(Plugin::registered_events);
    let registered = registered.unwrap_or_default();
    let mut hints: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for event in events {
        let heard = registered.iter().filter(|registered| registered.event.covers(event));
        hints.insert(event.label(), heard.map(|registered| say(registered, &request)).collect());
    }
    Ok(json!(hints))
}

fn say(registered: &EventRegistration, request: &HintRequest<'_>) -> &'static str {
    match registered.hint.as_ref().map(|hint| hint(request)) {
        None | Some(Ok(QueueingHint::Queue)) => "Queue",
        Some(Ok(QueueingHint::Skip)) => "QueueSkip",
        Some(Err(_)) => "error",
    }
}
