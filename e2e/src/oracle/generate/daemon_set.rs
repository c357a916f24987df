//! DaemonSets.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::matching::{LABELS, NODE_NAMES, affinity, labels, labels_of};
use super::pod::pod_spec;
use super::{NAMESPACES, chance, list, maybe, object, pick};

const DEFAULT_TOLERATION_KEYS: &[&str] = &[
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/unschedulable",
    "node.kubernetes.io/network-unavailable",
];

/// A DaemonSet as the API server stores it, mostly one whose selector matches its template.
pub fn daemon_set(rng: &mut StdRng) -> Value {
    let app = json!({"app": "web"});
    let mut template = template(rng);
    if chance(rng, 90) {
        template["metadata"]["labels"]["app"] = "web".into();
    }
    object([
        ("apiVersion", "apps/v1".into()),
        ("kind", "DaemonSet".into()),
        (
            "metadata",
            object([
                ("name", pick(rng, &["exporter", "log.agent", "a", "Bad-Name", "ends-"]).into()),
                ("namespace", pick(rng, NAMESPACES).into()),
                ("uid", maybe(rng, 80, |_| "11111111-2222-3333-4444-555555555555")),
                ("annotations", maybe(rng, 70, annotations)),
            ]),
        ),
        ("spec", json!({"selector": {"matchLabels": app}, "template": template})),
    ])
}

fn annotations(rng: &mut StdRng) -> Value {
    let generation = pick(rng, &["1", "7", "-3", "+2", "many", "", "99999999999999999999"]);
    json!({"deprecated.daemonset.template.generation": generation})
}

fn template(rng: &mut StdRng) -> Value {
    let mut spec = pod_spec(rng);
    remove_amounts(&mut spec);
    if chance(rng, 40) {
        spec["affinity"] = affinity(rng);
    }
    if chance(rng, 40) {
        spec["tolerations"] = list(rng, 1..=3, |rng, _| near_default_toleration(rng));
    }
    if chance(rng, 95)
        && let Some(fields) = spec.as_object_mut()
    {
        fields.remove("nodeName");
    } else {
        spec["nodeName"] = pick(rng, NODE_NAMES).into();
    }
    json!({
        "metadata": object([
            ("labels", if chance(rng, 50) { labels(rng) } else { labels_of(rng, &LABELS[..1]) }),
            ("annotations", maybe(rng, 20, |_| json!({"example.com/note": "keep"}))),
            ("finalizers", maybe(rng, 10, |_| json!(["example.com/hold"]))),
            ("name", maybe(rng, 5, |_| "ignored")),
            ("namespace", maybe(rng, 5, |_| "ignored")),
        ]),
        "spec": spec,
    })
}

/// Removes the amounts from a pod's spec: reading a quantity may change its text, which is the business of other families.
fn remove_amounts(spec: &mut Value) {
    let Some(fields) = spec.as_object_mut() else {
        return;
    };
    for field in ["resources", "overhead", "volumes"] {
        fields.remove(field);
    }
    for list in ["containers", "initContainers"] {
        let containers = fields.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            container.remove("resources");
        }
    }
}

/// A toleration that is, or nearly is, one of those that the controller adds.
fn near_default_toleration(rng: &mut StdRng) -> Value {
    object([
        ("key", pick(rng, DEFAULT_TOLERATION_KEYS).into()),
        ("operator", pick(rng, &["Exists", "Exists", "Equal"]).into()),
        ("effect", maybe(rng, 90, |rng| pick(rng, &["NoSchedule", "NoExecute"]))),
        ("value", maybe(rng, 10, |_| "x")),
        ("tolerationSeconds", maybe(rng, 30, |_| 300)),
    ])
}
