//! What happens to a scheduling queue, step by step, and single changes that may let a pod in.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::matching::{NODE_NAMES, labels, taint, toleration};
use super::node::named_node;
use super::pod::pod;
use super::scheduling::{Selector, config, drop_field, owner, placeable, selecting};
use super::{NAMESPACES, chance, list, maybe, number, number_below, pick, some_of};

/// Plugins that turn pods away, one that never does, and one that isn't there.
pub const PLUGINS: &[&str] = &[
    "NodeName",
    "NodeUnschedulable",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "PodTopologySpread",
    "InterPodAffinity",
    "DynamicResources",
    "DefaultPreemption",
    "SchedulingGates",
    "ImageLocality",
    "Missing",
];

const PODS: usize = 5;

/// A queue and what is done to it.
pub fn scheduler_queue(rng: &mut StdRng) -> Value {
    let mut pods: Vec<Value> = (0..PODS).map(|index| waiting_pod(rng, index)).collect();
    let steps = list(rng, 1..=40, |rng, version| {
        let index = number_below(rng, PODS);
        let name = pods[index]["metadata"]["name"].clone();
        match number(rng, 0..=99) {
            0..=17 => json!({"do": "add", "pod": pods[index]}),
            18..=35 => json!({"do": "pop"}),
            36..=53 => {
                let unschedulable = maybe(rng, 85, |rng| some_of(rng, 20, PLUGINS));
                let pending = maybe(rng, 15, |rng| some_of(rng, 20, PLUGINS));
                json!({"do": "return", "which": number(rng, 0..=4), "unschedulable": unschedulable, "pending": pending})
            }
            54..=57 => json!({"do": "done", "which": number(rng, 0..=4)}),
            58..=65 => {
                change_pod(rng, &mut pods[index]);
                pods[index]["metadata"]["resourceVersion"] = version.to_string().into();
                json!({"do": "update", "pod": pods[index]})
            }
            66..=68 => json!({"do": "delete", "name": name}),
            69..=71 => json!({"do": "activate", "name": name}),
            72..=73 => json!({"do": "nominate", "name": name, "node": pick(rng, &["", "node-a", "node-b"])}),
            74..=76 => json!({"do": "preempting", "name": name, "on": chance(rng, 60)}),
            77..=87 => json!({"do": "change", "change": change(rng)}),
            88..=93 => json!({"do": "wait", "millis": pick(rng, &[300, 1000, 1500, 4000, 100_000, 301_000])}),
            94..=96 => json!({"do": "flushBackoff"}),
            _ => json!({"do": "flushUnschedulable"}),
        }
    });
    let mut case = objects(rng);
    case["steps"] = steps;
    case
}

/// A plugin, a pod that it turned away, and a change.
pub fn scheduler_hint(rng: &mut StdRng) -> Value {
    let mut case = objects(rng);
    case["plugin"] = pick(rng, PLUGINS).into();
    let pod = waiting_pod(rng, 0);
    let is_target = chance(rng, 20);
    case["change"] = if is_target {
        let mut new = pod.clone();
        change_pod(rng, &mut new);
        case["pod"] = new.clone();
        json!({"oldPod": pod, "newPod": new})
    } else {
        case["pod"] = pod;
        change(rng)
    };
    case["target"] = is_target.into();
    case
}

/// What plugins look up.
fn objects(rng: &mut StdRng) -> Value {
    json!({
        "services": list(rng, 0..=2, |rng, index| selecting(rng, &format!("service-{index}"), Selector::Labels)),
        "replicaSets": list(rng, 0..=1, |rng, _| selecting(rng, "owner", Selector::Whole)),
        "deviceClasses": list(rng, 0..=1, |rng, _| {
            let name = pick(rng, &["gpu", "other"]);
            json!({"metadata": {"name": name}, "spec": {"extendedResourceName": "example.com/gpu"}})
        }),
        "config": maybe(rng, 15, config),
    })
}

fn waiting_pod(rng: &mut StdRng, index: usize) -> Value {
    let mut pod = placeable(pod(rng), rng, &format!("pod-{index}"), false);
    pod["metadata"]["namespace"] = pick(rng, &NAMESPACES[..2]).into();
    pod["spec"]["schedulerName"] = "default-scheduler".into();
    drop_field(&mut pod["spec"], "nodeName");
    drop_field(&mut pod["spec"], "schedulingGates");
    if chance(rng, 15) {
        pod["spec"]["schedulingGates"] = json!([{"name": "example.com/wait"}]);
    }
    if chance(rng, 15) {
        pod["status"] = json!({"nominatedNodeName": pick(rng, NODE_NAMES)});
    }
    if chance(rng, 30) {
        pod["metadata"]["ownerReferences"] = json!([owner("ReplicaSet")]);
    }
    pod
}

/// Something changes in a pod that a user or a controller may change.
fn change_pod(rng: &mut StdRng, pod: &mut Value) {
    match number(rng, 0..=5) {
        0 => pod["metadata"]["labels"] = labels(rng),
        1 => drop_field(&mut pod["spec"], "schedulingGates"),
        2 => pod["spec"]["tolerations"] = list(rng, 0..=3, |rng, _| toleration(rng)),
        3 => {
            let requests =
                json!({"cpu": pick(rng, &["0", "100m", "2"]), "memory": pick(rng, &["1Mi", "1Gi"])});
            pod["spec"]["containers"][0]["resources"] = json!({"requests": requests});
        }
        4 => pod["status"] = json!({"nominatedNodeName": pick(rng, &["", "node-a", "node-b"])}),
        _ => pod["metadata"]["annotations"] = json!({"changed": number(rng, 0..=9).to_string()}),
    }
    let claims = maybe(rng, 5, |_| json!([{"name": "gpu", "resourceClaimName": "made"}]));
    if !claims.is_null() {
        pod["status"]["resourceClaimStatuses"] = claims;
    }
}

/// A change of a node or of a pod that has one.
fn change(rng: &mut StdRng) -> Value {
    let kind = if chance(rng, 50) { "Node" } else { "Pod" };
    let old = if kind == "Node" { changing_node(rng) } else { assigned_pod(rng) };
    let mut new = old.clone();
    for _ in 0..number(rng, 1..=2) {
        if kind == "Node" { change_node(rng, &mut new) } else { change_pod(rng, &mut new) }
    }
    let both = number(rng, 0..=3);
    let mut change = json!({});
    if both != 0 {
        change[format!("new{kind}")] = new;
    }
    if both != 1 {
        change[format!("old{kind}")] = old;
    }
    change
}

fn assigned_pod(rng: &mut StdRng) -> Value {
    let mut pod = placeable(super::pod::pod_with_status(rng), rng, "assigned", false);
    pod["metadata"]["namespace"] = pick(rng, &NAMESPACES[..2]).into();
    drop_field(&mut pod["spec"], "nodeName");
    if chance(rng, 90) {
        pod["spec"]["nodeName"] = pick(rng, NODE_NAMES).into();
    }
    pod
}

fn changing_node(rng: &mut StdRng) -> Value {
    let name = pick(rng, NODE_NAMES);
    named_node(rng, name)
}

fn change_node(rng: &mut StdRng, node: &mut Value) {
    let other = changing_node(rng);
    match number(rng, 0..=6) {
        0 => node["spec"]["unschedulable"] = chance(rng, 50).into(),
        1 => node["spec"]["taints"] = list(rng, 0..=2, |rng, _| taint(rng)),
        2 => node["metadata"]["labels"] = other["metadata"]["labels"].clone(),
        3 => node["status"]["allocatable"] = other["status"]["allocatable"].clone(),
        4 => {
            node["status"]["conditions"] =
                json!([{"type": "Ready", "status": pick(rng, &["True", "False", "Unknown"])}]);
        }
        5 => node["metadata"]["annotations"] = json!({"changed": "yes"}),
        _ => node["status"]["declaredFeatures"] = json!(["GuaranteedQoSPodCPUResize"]),
    }
}
