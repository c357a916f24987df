//! Pods.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::matching::{NODE_LABELS, NODE_NAMES, affinity, labels_of, toleration, topology_spread_constraint};
use super::resources::{changed_requirements, pod_level_requirements, requirements, resource_list};
use super::{NAMESPACES, chance, list, maybe, metadata, number, object, pick};

/// Priority classes that pods name.
pub const PRIORITY_CLASSES: &[&str] =
    &["high", "low", "system-node-critical", "system-cluster-critical", "missing"];

/// A pod as somebody creates it: no status.
pub fn pod(rng: &mut StdRng) -> Value {
    let name = pick(rng, &["web", "db-0", "worker.1", "a"]);
    let namespace = pick(rng, NAMESPACES);
    object([
        ("apiVersion", "v1".into()),
        ("kind", "Pod".into()),
        ("metadata", metadata(rng, name, Some(namespace))),
        ("spec", pod_spec(rng)),
    ])
}

/// A pod with the status of one that runs, perhaps in the middle of a resize, perhaps ended.
pub fn pod_with_status(rng: &mut StdRng) -> Value {
    let mut pod = pod(rng);
    pod["status"] = pod_status(rng, &pod["spec"]);
    pod
}

/// The spec of a pod.
pub fn pod_spec(rng: &mut StdRng) -> Value {
    let priority = chance(rng, 15);
    let host_network = chance(rng, 8);
    object([
        ("initContainers", maybe(rng, 35, |rng| list(rng, 0..=3, init_container))),
        (
            "containers",
            if chance(rng, 1) {
                json!([])
            } else {
                list(rng, 1..=3, |rng, index| container(rng, "app", index))
            },
        ),
        ("ephemeralContainers", maybe(rng, 1, |_| json!([{"name": "debug", "image": "busybox"}]))),
        ("resources", maybe(rng, 20, pod_level_requirements)),
        ("overhead", maybe(rng, 10, |rng| resource_list(rng, 70, &["cpu", "memory", "example.com/nic"]))),
        ("runtimeClassName", maybe(rng, 5, |_| "kata")),
        ("restartPolicy", maybe(rng, 30, |rng| pick(rng, &["Always", "OnFailure", "Never"]))),
        ("terminationGracePeriodSeconds", maybe(rng, 10, |rng| number(rng, 0..=60))),
        ("activeDeadlineSeconds", maybe(rng, 12, |rng| number(rng, 0..=600))),
        ("nodeName", maybe(rng, 8, |rng| pick(rng, NODE_NAMES))),
        ("nodeSelector", maybe(rng, 15, |rng| labels_of(rng, &NODE_LABELS[..4]))),
        ("affinity", maybe(rng, 20, affinity)),
        ("tolerations", maybe(rng, 30, |rng| list(rng, 0..=3, |rng, _| toleration(rng)))),
        (
            "topologySpreadConstraints",
            maybe(rng, 8, |rng| list(rng, 0..=2, |rng, _| topology_spread_constraint(rng))),
        ),
        ("priorityClassName", if priority { pick(rng, PRIORITY_CLASSES).into() } else { Value::Null }),
        (
            "priority",
            maybe(rng, if priority { 50 } else { 3 }, |rng| pick(rng, &[-1, 0, 1, 1000, 2_000_000_000])),
        ),
        ("preemptionPolicy", maybe(rng, 4, |rng| pick(rng, &["Never", "PreemptLowerPriority"]))),
        ("schedulingGates", maybe(rng, 4, |_| json!([{"name": "example.com/wait"}]))),
        ("hostNetwork", if host_network { true.into() } else { Value::Null }),
        ("volumes", maybe(rng, 8, |rng| list(rng, 0..=2, volume))),
    ])
}

/// A container called after `role` and its index.
pub fn container(rng: &mut StdRng, role: &str, index: usize) -> Value {
    let repeated = chance(rng, 1);
    let name = if repeated { role.to_owned() } else { format!("{role}-{index}") };
    object([
        ("name", name.into()),
        ("image", pick(rng, &["nginx:1.27", "busybox", "registry.example/app@sha256:00"]).into()),
        ("resources", maybe(rng, 85, requirements)),
        ("ports", maybe(rng, 15, |rng| list(rng, 0..=2, port))),
        (
            "resizePolicy",
            maybe(
                rng,
                6,
                |rng| json!([{"resourceName": pick(rng, &["cpu", "memory"]), "restartPolicy": pick(rng, &["NotRequired", "RestartContainer"])}]),
            ),
        ),
    ])
}

/// An init container, half of them sidecars.
fn init_container(rng: &mut StdRng, index: usize) -> Value {
    let mut container = container(rng, "init", index);
    if chance(rng, 50) {
        container["restartPolicy"] = "Always".into();
    }
    container
}

fn port(rng: &mut StdRng, index: usize) -> Value {
    let number = pick(rng, &[80, 443, 8080, 9090]);
    object([
        ("name", maybe(rng, 50, |_| format!("port-{index}"))),
        ("containerPort", number.into()),
        ("hostPort", maybe(rng, 30, |_| number)),
        ("protocol", maybe(rng, 50, |rng| pick(rng, &["TCP", "UDP", "SCTP"]))),
    ])
}

fn volume(rng: &mut StdRng, index: usize) -> Value {
    let source = match number(rng, 0..=3) {
        0 => ("emptyDir", json!({})),
        1 => ("emptyDir", json!({"sizeLimit": pick(rng, &["1Gi", "0", "512Mi"])})),
        2 => ("configMap", json!({"name": "settings"})),
        _ => ("persistentVolumeClaim", json!({"claimName": "data"})),
    };
    object([("name", format!("volume-{index}").into()), source])
}

/// A status for a pod with this spec.
pub fn pod_status(rng: &mut StdRng, spec: &Value) -> Value {
    let has_resources = spec.get("resources").is_some();
    let resources = spec.get("resources").cloned().unwrap_or_else(|| json!({}));
    object([
        (
            "phase",
            maybe(rng, 80, |rng| {
                pick(rng, &["Pending", "Running", "Running", "Running", "Succeeded", "Failed"])
            }),
        ),
        ("qosClass", maybe(rng, 10, |rng| pick(rng, &["Guaranteed", "Burstable", "BestEffort"]))),
        ("conditions", maybe(rng, 40, |rng| list(rng, 0..=3, |rng, _| condition(rng)))),
        ("containerStatuses", statuses(rng, spec.get("containers"))),
        ("initContainerStatuses", statuses(rng, spec.get("initContainers"))),
        (
            "resources",
            maybe(rng, if has_resources { 60 } else { 8 }, |rng| changed_requirements(rng, &resources)),
        ),
        (
            "allocatedResources",
            maybe(rng, if has_resources { 60 } else { 8 }, |rng| {
                resource_list(rng, 60, &["cpu", "memory", "hugepages-2Mi"])
            }),
        ),
    ])
}

fn condition(rng: &mut StdRng) -> Value {
    let (kind, reasons): (&str, &[&str]) = pick(
        rng,
        &[
            ("PodResizePending", &["Infeasible", "Deferred", "Other"]),
            ("PodResizeInProgress", &["", "Error"]),
            ("PodScheduled", &["", "Unschedulable", "SchedulingGated"]),
            ("Ready", &["", "ContainersNotReady"]),
        ],
    );
    json!({"type": kind, "status": pick(rng, &["True", "True", "False", "Unknown"]), "reason": pick(rng, reasons)})
}

/// The statuses of most of these containers. What is allocated and actual follows the spec, or lags behind it.
fn statuses(rng: &mut StdRng, containers: Option<&Value>) -> Value {
    let containers = containers.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let known: Vec<_> = containers.iter().filter(|_| chance(rng, 80)).collect();
    known.into_iter().map(|container| status(rng, container)).collect()
}

fn status(rng: &mut StdRng, container: &Value) -> Value {
    let wanted = container.get("resources").cloned().unwrap_or_else(|| json!({}));
    let allocated = changed_requirements(rng, &wanted);
    object([
        ("name", container["name"].clone()),
        ("image", container["image"].clone()),
        ("imageID", "".into()),
        ("ready", chance(rng, 70).into()),
        ("restartCount", number(rng, 0..=3).into()),
        ("resources", maybe(rng, 60, |rng| changed_requirements(rng, &wanted))),
        (
            "allocatedResources",
            maybe(rng, 60, |_| allocated.get("requests").cloned().unwrap_or_else(|| json!({}))),
        ),
    ])
}
