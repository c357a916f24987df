//! Clusters with pods to schedule.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::devices::add_devices;
use super::extender::add_extenders;
use super::matching::{NODE_NAMES, label_selector, labels, pod_affinity, topology_spread_constraint};
use super::node::named_node;
use super::pod::{pod, pod_with_status};
use super::scheduler_config::plugin_args;
use super::storage::add_storage;
use super::{NAMESPACES, chance, list, maybe, number, object, pick, some_of};

const IMAGES: &[&str] = &["nginx:1.27", "busybox:latest", "registry.example/app@sha256:00", "busybox"];

/// Sorted, as the API server wants them.
const DECLARED_FEATURES: &[&str] = &[
    "InPlacePodVerticalScalingInitContainers",
    "RestartAllContainersOnContainerExits",
    "UnheardOf",
    "UserNamespacesHostNetworkSupport",
    "VolumeBindMountOptions",
];

const MOST_ON_NODE: usize = 12;

/// A cluster, and pods to schedule one after the other.
pub fn scheduling(rng: &mut StdRng) -> Value {
    let node_count = match number(rng, 0..=99) {
        0 => 0,
        1..=95 => number(rng, 1..=8),
        _ => number(rng, 100..=140),
    };
    let is_large = node_count >= 100;
    // In a full cluster pods have to remove others.
    let is_full = !is_large && chance(rng, 30);
    let nodes: Vec<Value> =
        (1..=node_count).map(|index| node(rng, &format!("node-{index}"), is_full)).collect();
    // Upstream's order of more than twelve equally important pods of a node is anything.
    let most = if is_full { 25.min(MOST_ON_NODE * nodes.len()) } else { MOST_ON_NODE };
    let running = list(rng, 0..=most, |rng, index| {
        let mut running = placeable(pod_with_status(rng), rng, &format!("running-{index}"), is_full);
        let last = nodes.len().max(1);
        let node = if is_full { 1 + index % last } else { pick(rng, &(1..=last).collect::<Vec<_>>()) };
        running["spec"]["nodeName"] = format!("node-{node}").into();
        run(rng, &mut running, index);
        running
    });
    let most = usize::from(chance(rng, 20));
    let nominated = list(rng, 0..=most, |rng, index| {
        let mut nominated = placeable(pod(rng), rng, &format!("nominated-{index}"), is_full);
        drop_field(&mut nominated["spec"], "nodeName");
        nominated["status"] = json!({"nominatedNodeName": pick(rng, NODE_NAMES)});
        nominated
    });
    let pods = list(rng, 1..=3, |rng, index| {
        let mut pending = placeable(pod(rng), rng, &format!("pending-{index}"), is_full);
        if is_large {
            // A pod that most nodes take, so that only a part of them is looked at.
            pending["spec"]["containers"] = json!([{"name": "app"}]);
        }
        if chance(rng, 5) {
            pending["status"] = json!({"nominatedNodeName": pick(rng, NODE_NAMES)});
        }
        if chance(rng, 40) {
            let kind = pick(rng, &["ReplicaSet", "StatefulSet", "ReplicationController", "Job"]);
            pending["metadata"]["ownerReferences"] = json!([owner(kind)]);
        }
        pending
    });
    let mut case = json!({
        "nodes": nodes,
        "running": running,
        "nominated": nominated,
        "namespaces": namespaces(rng),
        "services": list(rng, 0..=2, |rng, index| selecting(rng, &format!("service-{index}"), Selector::Labels)),
        "replicationControllers": list(rng, 0..=2, |rng, _| selecting(rng, "owner", Selector::Labels)),
        "replicaSets": list(rng, 0..=2, |rng, _| selecting(rng, "owner", Selector::Whole)),
        "statefulSets": list(rng, 0..=2, |rng, _| selecting(rng, "owner", Selector::Whole)),
        "podDisruptionBudgets": if is_full { disruption_budgets(rng) } else { json!([]) },
        "pods": pods,
        "percentage": pick(rng, &[0, 1, 50, 80, 100]),
        "config": maybe(rng, 25, config),
    });
    if !is_large && chance(rng, 17) {
        add_storage(rng, &mut case);
    }
    if !is_large && chance(rng, 25) {
        add_devices(rng, &mut case);
    }
    if chance(rng, 25) {
        add_extenders(rng, &mut case);
    }
    case
}

/// A configuration in which plugins are told something, mostly something valid.
pub(super) fn config(rng: &mut StdRng) -> Value {
    let told = list(rng, 1..=2, |rng, _| {
        let (name, args) = plugin_args(rng);
        json!({"name": name, "args": args})
    });
    let off = |rng: &mut StdRng| {
        let plugins = some_of(rng, 15, SCORING);
        json!({"disabled": plugins.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()})
    };
    let plugins = maybe(rng, 20, |rng| json!({"preScore": off(rng), "score": off(rng)}));
    json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "profiles": [{"plugins": plugins, "pluginConfig": told}],
    })
}

/// The plugins that are asked at PreScore and at Score.
const SCORING: &[&str] = &[
    "TaintToleration",
    "NodeAffinity",
    "NodeResourcesFit",
    "VolumeBinding",
    "PodTopologySpread",
    "InterPodAffinity",
    "NodeResourcesBalancedAllocation",
];

fn node(rng: &mut StdRng, name: &str, is_full: bool) -> Value {
    let mut node = named_node(rng, name);
    if is_full {
        let allocatable = json!({"cpu": "2", "memory": "4Gi", "pods": pick(rng, &["3", "5", "110"])});
        node["status"] = json!({"allocatable": allocatable});
        drop_field(&mut node["spec"], "unschedulable");
    }
    if chance(rng, 50) {
        node["status"]["declaredFeatures"] = json!(some_of(rng, 70, DECLARED_FEATURES));
    }
    if chance(rng, 40) {
        node["status"]["images"] = list(rng, 0..=3, |rng, _| {
            let bytes = number(rng, 1..=1500) * 1024 * 1024;
            json!({"names": some_of(rng, 40, IMAGES), "sizeBytes": bytes})
        });
    }
    node
}

/// A pod of that name, with a priority more often than not, and near or away from others.
pub(super) fn placeable(mut pod: Value, rng: &mut StdRng, name: &str, is_full: bool) -> Value {
    pod["metadata"]["name"] = name.into();
    let spec = &mut pod["spec"];
    if chance(rng, 60) {
        spec["priority"] = pick(rng, &[-1, 0, 1, 1000]).into();
    }
    if is_full {
        let requests = json!({"cpu": pick(rng, &["300m", "700m", "1500m"]), "memory": "500Mi"});
        spec["containers"] = json!([{"name": "app", "resources": {"requests": requests}}]);
        for field in ["initContainers", "resources", "overhead", "nodeSelector", "affinity", "tolerations"] {
            drop_field(spec, field);
        }
    } else if chance(rng, 60) {
        // A pod that the amounts don't keep off.
        spec["containers"] = json!([{"name": "app", "image": pick(rng, IMAGES)}]);
        for field in ["initContainers", "resources", "overhead"] {
            drop_field(spec, field);
        }
    }
    let share = if is_full { 10 } else { 30 };
    for kind in ["podAffinity", "podAntiAffinity"] {
        if chance(rng, share) {
            spec["affinity"][kind] = pod_affinity(rng);
        }
    }
    if chance(rng, share) {
        spec["topologySpreadConstraints"] = list(rng, 0..=3, |rng, _| spread_constraint(rng));
    }
    if chance(rng, 6) {
        need_declared_feature(spec, rng);
    }
    if chance(rng, 4) {
        spec["volumes"] = json!([{"name": "image", "image": {"reference": pick(rng, IMAGES)}}]);
    }
    pod
}

/// The pod needs something of the kubelet that not every kubelet can do, or nearly.
pub(super) fn need_declared_feature(spec: &mut Value, rng: &mut StdRng) {
    let containers = pick(rng, &["containers", "initContainers", "ephemeralContainers"]);
    match number(rng, 0..=2) {
        0 => {
            let action = pick(rng, &["Restart", "RestartAllContainers"]);
            spec[containers] = json!([{"name": "app", "restartPolicyRules": [{"action": action}]}]);
        }
        1 => {
            spec["hostNetwork"] = chance(rng, 80).into();
            spec["hostUsers"] = maybe(rng, 80, |rng| chance(rng, 20));
        }
        _ => {
            let options = some_of(rng, 70, &["noexec"]);
            let mount = json!({"name": "data", "mountPath": "/data", "bindMountOptions": options});
            spec[containers] = json!([{"name": "app", "volumeMounts": [mount]}]);
        }
    }
}

fn spread_constraint(rng: &mut StdRng) -> Value {
    let mut constraint = topology_spread_constraint(rng);
    let keys = ["topology.kubernetes.io/zone", "kubernetes.io/hostname", "disk"];
    constraint["topologyKey"] = pick(rng, &keys).into();
    for (field, value) in [
        ("minDomains", maybe(rng, 20, |rng| number(rng, 1..=4))),
        ("nodeAffinityPolicy", maybe(rng, 20, |rng| pick(rng, &["Honor", "Ignore"]))),
        ("nodeTaintsPolicy", maybe(rng, 30, |rng| pick(rng, &["Honor", "Ignore"]))),
        ("matchLabelKeys", maybe(rng, 15, |_| json!(["app", "missing"]))),
    ] {
        if !value.is_null() {
            constraint[field] = value;
        }
    }
    constraint
}

/// The pod has started, each at a time of its own or not; some are on their way out.
fn run(rng: &mut StdRng, pod: &mut Value, index: usize) {
    let second = if chance(rng, 30) { 0 } else { index % 60 };
    pod["status"]["startTime"] = format!("2026-01-01T00:00:{second:02}Z").into();
    if chance(rng, 10) {
        pod["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z".into();
        if chance(rng, 50) {
            let reason = pick(rng, &["PreemptionByScheduler", "EvictionByEvictionAPI"]);
            pod["status"]["conditions"] =
                json!([{"type": "DisruptionTarget", "status": "True", "reason": reason}]);
        }
    }
}

pub(super) fn namespaces(rng: &mut StdRng) -> Value {
    let names = some_of(rng, 80, NAMESPACES);
    let namespace = |name: &&str| json!({"metadata": {"name": name, "labels": labels(rng)}});
    names.iter().map(namespace).collect()
}

#[derive(Clone, Copy)]
pub(super) enum Selector {
    Labels,
    Whole,
}

pub(super) fn selecting(rng: &mut StdRng, name: &str, selector: Selector) -> Value {
    let namespace = pick(rng, NAMESPACES);
    let selector = match selector {
        Selector::Labels => maybe(rng, 90, labels),
        Selector::Whole => label_selector(rng),
    };
    json!({"metadata": {"name": name, "namespace": namespace}, "spec": object([("selector", selector)])})
}

pub(super) fn owner(kind: &str) -> Value {
    let api_version = match kind {
        "ReplicationController" => "v1",
        "Job" => "batch/v1",
        _ => "apps/v1",
    };
    json!({"apiVersion": api_version, "kind": kind, "name": "owner", "uid": "1", "controller": true})
}

/// At most one of a namespace: upstream looks at them in any order.
fn disruption_budgets(rng: &mut StdRng) -> Value {
    let namespaces = some_of(rng, 60, NAMESPACES);
    let budget = |namespace: &&str| {
        let disrupted = maybe(rng, 30, |_| json!({"running-1": "2026-01-01T00:00:00Z"}));
        let status =
            object([("disruptionsAllowed", number(rng, 0..=2).into()), ("disruptedPods", disrupted)]);
        let spec = object([("selector", maybe(rng, 90, label_selector))]);
        json!({"metadata": {"name": "budget", "namespace": namespace}, "spec": spec, "status": status})
    };
    namespaces.iter().map(budget).collect()
}

pub(super) fn drop_field(object: &mut Value, field: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(field);
    }
}
