//! A DaemonSet amid its nodes, pods and revisions, at some moment.

use plimsoll_controller::daemon_set::history::write_data;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::matching::NODE_NAMES;
use super::node::named_node;
use super::{chance, maybe, number, object, pick};

const NOW: &str = "2026-01-01T01:00:00Z";
const UID: &str = "11111111-2222-3333-4444-555555555555";
/// The hash of the revision that stands for the present template, where there is one.
const CURRENT: &str = "current";
/// A node that pods are meant for, and that is gone.
const GONE: &str = "gone";

/// What one sync of the controller looks at.
pub fn situation(rng: &mut StdRng) -> Value {
    let template = template(rng, "app:2");
    let present: Vec<&str> = NODE_NAMES.iter().copied().filter(|_| chance(rng, 85)).collect();
    let nodes: Vec<Value> = present.into_iter().map(|name| plain_node(rng, name)).collect();
    let min_ready_seconds = pick(rng, &[0, 0, 0, 30]);
    let daemon_set = object([
        ("apiVersion", "apps/v1".into()),
        ("kind", "DaemonSet".into()),
        ("metadata", metadata(rng)),
        (
            "spec",
            object([
                (
                    "selector",
                    if chance(rng, 98) { json!({"matchLabels": {"app": "web"}}) } else { json!({}) },
                ),
                ("template", template.clone()),
                ("minReadySeconds", min_ready_seconds.into()),
                ("revisionHistoryLimit", pick(rng, &[0, 1, 2, 10]).into()),
                ("updateStrategy", strategy(rng)),
            ]),
        ),
        ("status", status(rng, nodes.len())),
    ]);
    json!({
        "daemonSet": daemon_set,
        "nodes": nodes,
        "pods": pods(rng),
        "revisions": revisions(rng, &template),
        "now": NOW,
        "expecting": chance(rng, 10),
    })
}

fn metadata(rng: &mut StdRng) -> Value {
    object([
        ("name", "web".into()),
        ("namespace", "default".into()),
        ("uid", UID.into()),
        ("generation", pick(rng, &[1, 2, 3]).into()),
        ("deletionTimestamp", maybe(rng, 3, |_| NOW)),
        (
            "annotations",
            maybe(
                rng,
                80,
                |rng| json!({"deprecated.daemonset.template.generation": pick(rng, &["2", "2", "many"])}),
            ),
        ),
    ])
}

/// A template as the API server sends it.
fn template(rng: &mut StdRng, image: &str) -> Value {
    let environment = maybe(
        rng,
        30,
        |rng| json!([{"name": "A", "value": pick(rng, &["<a> & b", "\u{2028}\u{1f}\"", "é\t\u{7f}"])}]),
    );
    let spec = object([
        (
            "containers",
            json!([object([
                ("name", "app".into()),
                ("image", image.into()),
                ("resources", json!({})),
                ("env", environment),
            ])]),
        ),
        ("hostNetwork", maybe(rng, 20, |_| true)),
        ("securityContext", json!({"runAsUser": pick(rng, &[1000, 9_007_199_254_740_993_i64])})),
        (
            "tolerations",
            maybe(rng, 40, |rng| {
                json!([object([
                    ("key", maybe(rng, 50, |_| "dedicated")),
                    ("operator", "Exists".into()),
                    ("effect", maybe(rng, 50, |rng| pick(rng, &["NoSchedule", "NoExecute"]))),
                ])])
            }),
        ),
        ("nodeSelector", maybe(rng, 20, |_| json!({"kubernetes.io/hostname": NODE_NAMES[0]}))),
    ]);
    json!({"metadata": {"labels": {"app": "web"}}, "spec": spec})
}

/// A node that mostly has no taints.
fn plain_node(rng: &mut StdRng, name: &str) -> Value {
    let mut node = named_node(rng, name);
    if chance(rng, 70) {
        node["spec"] = json!({});
    }
    node
}

fn strategy(rng: &mut StdRng) -> Value {
    if chance(rng, 15) {
        return json!({"type": "OnDelete"});
    }
    let amount = |rng: &mut StdRng| -> Value {
        match number(rng, 0..=9) {
            0 => pick(rng, &["30%", "100%", "1%", "0%"]).into(),
            1 => pick(rng, &["many", "x%"]).into(),
            _ => pick(rng, &[1, 1, 2, 3]).into(),
        }
    };
    let limits = if chance(rng, 50) {
        json!({"maxUnavailable": amount(rng), "maxSurge": 0})
    } else if chance(rng, 95) {
        json!({"maxUnavailable": 0, "maxSurge": amount(rng)})
    } else {
        json!({"maxUnavailable": 0, "maxSurge": 0})
    };
    json!({"type": "RollingUpdate", "rollingUpdate": limits})
}

fn status(rng: &mut StdRng, nodes: usize) -> Value {
    let zero = json!({
        "desiredNumberScheduled": 0, "currentNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0,
    });
    if chance(rng, 60) {
        return zero;
    }
    json!({
        "desiredNumberScheduled": nodes, "currentNumberScheduled": nodes, "numberMisscheduled": 0,
        "numberReady": nodes, "numberAvailable": nodes, "updatedNumberScheduled": nodes,
        "observedGeneration": pick(rng, &[1, 2, 3]),
    })
}

/// Up to three pods for each node, of which at most one has failed.
fn pods(rng: &mut StdRng) -> Vec<Value> {
    let mut pods = Vec::new();
    let usual = pick(rng, &["old", CURRENT, "either"]);
    for node in NODE_NAMES.iter().chain([&GONE]) {
        let count = if *node == GONE { number(rng, -6..=1) } else { pick(rng, &[0, 1, 1, 1, 1, 1, 2, 3]) };
        let mut failed = false;
        for place in 0..count.max(0) {
            let hash = if usual == "either" { pick(rng, &["old", CURRENT, "older"]) } else { usual };
            let name = format!("web-{node}-{place}");
            pods.push(pod(rng, &name, node, hash, &mut failed));
        }
    }
    if chance(rng, 10) {
        let mut nowhere = pod(rng, "web-nowhere", "a", "old", &mut true);
        nowhere["spec"] = json!({"containers": []});
        pods.push(nowhere);
    }
    pods
}

fn pod(rng: &mut StdRng, name: &str, node: &str, hash: &str, failed: &mut bool) -> Value {
    let labels = object([
        ("app", if chance(rng, 97) { "web" } else { "other" }.into()),
        ("controller-revision-hash", maybe(rng, 97, |_| hash)),
        ("pod-template-generation", maybe(rng, 20, |rng| pick(rng, &["1", "2"]))),
    ]);
    let owner = |uid: &str, name: &str| json!([{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": name, "uid": uid, "controller": true}]);
    let owners = match number(rng, 0..=29) {
        0 => Value::Null,
        1 => owner("99999999-2222-3333-4444-555555555555", "web"),
        2 => owner("99999999-2222-3333-4444-555555555555", "other"),
        _ => owner(UID, "web"),
    };
    let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]},
    ]}}});
    let phase = match number(rng, 0..=19) {
        0 if !*failed => {
            *failed = true;
            "Failed"
        }
        1 => "Succeeded",
        2 => "Pending",
        _ => "Running",
    };
    let ready = json!([object([
        ("type", "Ready".into()),
        ("status", pick(rng, &["True", "True", "True", "False"]).into()),
        (
            "lastTransitionTime",
            maybe(rng, 90, |rng| pick(rng, &["2026-01-01T00:59:30Z", "2026-01-01T00:59:31Z"])),
        ),
    ])]);
    json!({
        "metadata": object([
            ("name", name.into()),
            ("namespace", "default".into()),
            ("uid", name.into()),
            ("labels", labels),
            ("ownerReferences", owners),
            ("creationTimestamp", pick(rng, &["2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"]).into()),
            ("deletionTimestamp", maybe(rng, 8, |_| NOW)),
        ]),
        "spec": object([
            ("containers", json!([{"name": "app"}])),
            ("nodeName", maybe(rng, 85, |_| node)),
            ("affinity", affinity),
        ]),
        "status": {"phase": phase, "conditions": ready},
    })
}

/// Revisions with numbers of their own, mostly one among them that stands for the template.
fn revisions(rng: &mut StdRng, template: &Value) -> Vec<Value> {
    let present = write_data(template);
    let mut revisions = Vec::new();
    let mut add = |rng: &mut StdRng, hash: &str, revision: i64, data: &str| {
        let data: Value = serde_json::from_str(data).unwrap_or_default();
        let owners = json!([
            {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "web", "uid": UID, "controller": true},
        ]);
        let labels = object([
            ("app", if chance(rng, 98) { "web" } else { "other" }.into()),
            ("controller-revision-hash", maybe(rng, 95, |_| hash)),
        ]);
        revisions.push(json!({
            "metadata": object([
                ("name", format!("web-{hash}").into()),
                ("namespace", "default".into()),
                ("uid", hash.into()),
                ("labels", labels),
                ("ownerReferences", if chance(rng, 95) { owners } else { Value::Null }),
            ]),
            "data": data,
            "revision": revision,
        }));
    };
    if chance(rng, 90) {
        let number = pick(rng, &[1, 5, 9]);
        add(rng, CURRENT, number, &present);
    }
    if chance(rng, 10) {
        let number = pick(rng, &[2, 6]);
        add(rng, "again", number, &present);
    }
    for (hash, number) in [("old", 3), ("older", 4), ("oldest", 8)] {
        if chance(rng, 40) {
            add(rng, hash, number, &present.replace("app:2", hash));
        }
    }
    revisions
}
