//! What happens to a scheduling queue, step by step.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::devices::{slices, taint_rule};
use super::matching::{NODE_NAMES, labels, taint, toleration};
use super::node::named_node;
use super::pod::pod;
use super::scheduling::{Selector, config, drop_field, need_declared_feature, owner, placeable, selecting};
use super::storage::{DRIVERS, add_volumes};
use super::storage_change::storage_change;
use super::{NAMESPACES, chance, list, maybe, number, number_below, pick, some_of};

/// Plugins that turn pods away, one that never does, and one that isn't there.
pub const PLUGINS: &[&str] = &[
    "NodeName",
    "NodeUnschedulable",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
    "DynamicResources",
    "DefaultPreemption",
    "NodeDeclaredFeatures",
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
        match number(rng, 0..=104) {
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
            97..=99 => json!({"do": "flushUnschedulable"}),
            _ => {
                let index = number_below(rng, 2);
                let rule = maybe(rng, 75, |rng| taint_rule(rng, index));
                json!({"do": "taintRule", "name": format!("rule-{index}"), "rule": rule})
            }
        }
    });
    let mut case = objects(rng);
    case["resourceSlices"] =
        slices(rng, &NODE_NAMES.iter().copied().map(str::to_owned).collect::<Vec<_>>()).into();
    case["steps"] = steps;
    case
}

/// What plugins look up.
pub(super) fn objects(rng: &mut StdRng) -> Value {
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

pub(super) fn waiting_pod(rng: &mut StdRng, index: usize) -> Value {
    let mut pod = placeable(pod(rng), rng, &format!("pod-{index}"), false);
    pod["metadata"]["namespace"] = pick(rng, &NAMESPACES[..2]).into();
    pod["spec"]["schedulerName"] = "default-scheduler".into();
    drop_field(&mut pod["spec"], "nodeName");
    drop_field(&mut pod["spec"], "schedulingGates");
    if chance(rng, 50) {
        give_volumes(rng, &mut pod);
    }
    if chance(rng, 10) {
        let name = pick(rng, &["example.com/gpu", "deviceclass.resource.kubernetes.io/gpu"]);
        let amounts = json!({name: "1"});
        ask_for(pod.pointer_mut("/spec/containers/0"), json!({"requests": amounts, "limits": amounts}));
    }
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
pub(super) fn change_pod(rng: &mut StdRng, pod: &mut Value) {
    match number(rng, 0..=6) {
        0 => pod["metadata"]["labels"] = labels(rng),
        1 => drop_field(&mut pod["spec"], "schedulingGates"),
        2 => pod["spec"]["tolerations"] = list(rng, 0..=3, |rng, _| toleration(rng)),
        3 => {
            let requests =
                json!({"cpu": pick(rng, &["0", "100m", "2"]), "memory": pick(rng, &["1Mi", "1Gi"])});
            ask_for(pod.pointer_mut("/spec/containers/0"), json!({"requests": requests}));
        }
        4 => pod["status"] = json!({"nominatedNodeName": pick(rng, &["", "node-a", "node-b"])}),
        5 => need_declared_feature(&mut pod["spec"], rng),
        _ => pod["metadata"]["annotations"] = json!({"changed": number(rng, 0..=9).to_string()}),
    }
    let claims = maybe(rng, 5, |_| json!([{"name": "gpu", "resourceClaimName": "made"}]));
    if !claims.is_null() {
        pod["status"]["resourceClaimStatuses"] = claims;
    }
}

/// Gives a container other resources, if there is one.
pub(super) fn ask_for(container: Option<&mut Value>, resources: Value) {
    if let Some(container) = container {
        container["resources"] = resources;
    }
}

/// A change of a node, of a pod that has one, or of something that plugins look up.
pub(super) fn change(rng: &mut StdRng) -> Value {
    let (kind, old, new) = match number(rng, 0..=2) {
        0 => storage_change(rng),
        1 => {
            let old = changing_node(rng);
            let new = changed(rng, &old, change_node);
            ("Node", old, new)
        }
        _ => {
            let old = assigned_pod(rng);
            let new = changed(rng, &old, change_pod);
            ("Pod", old, new)
        }
    };
    let both = number(rng, 0..=3);
    let mut change = json!({"kind": kind});
    if both != 0 {
        change["new"] = new;
    }
    if both != 1 {
        change["old"] = old;
    }
    change
}

fn changed(rng: &mut StdRng, object: &Value, change: fn(&mut StdRng, &mut Value)) -> Value {
    let mut changed = object.clone();
    for _ in 0..number(rng, 1..=2) {
        change(rng, &mut changed);
    }
    changed
}

/// Volumes of any kind, and of some that matter for single changes.
fn give_volumes(rng: &mut StdRng, pod: &mut Value) {
    add_volumes(rng, pod);
    if chance(rng, 20) {
        pod["spec"]["volumes"][0] = json!({"name": "v0", "csi": {"driver": pick(rng, DRIVERS)}});
    }
}

fn assigned_pod(rng: &mut StdRng) -> Value {
    let mut pod = placeable(super::pod::pod_with_status(rng), rng, "assigned", false);
    pod["metadata"]["namespace"] = pick(rng, &NAMESPACES[..2]).into();
    drop_field(&mut pod["spec"], "nodeName");
    if chance(rng, 40) {
        give_volumes(rng, &mut pod);
    }
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
