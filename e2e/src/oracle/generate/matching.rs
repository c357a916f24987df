//! Labels, selectors, affinity, taints and tolerations.

use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::{NAMESPACES, chance, list, maybe, number, object, pick, some_of};

/// Label keys of pods, and their values.
pub const LABELS: &[(&str, &[&str])] = &[
    ("app", &["web", "db", "cache"]),
    ("tier", &["front", "back"]),
    ("example.com/stage", &["prod", "test", ""]),
];

/// Label keys of nodes, and their values.
pub const NODE_LABELS: &[(&str, &[&str])] = &[
    ("topology.kubernetes.io/zone", &["a", "b", "c"]),
    ("kubernetes.io/arch", &["amd64", "arm64"]),
    ("kubernetes.io/os", &["linux", "windows"]),
    ("disk", &["ssd", "hdd"]),
    ("cores", &["4", "16", "64", "many"]),
    ("node-role.kubernetes.io/control-plane", &[""]),
];

/// Names of nodes.
pub const NODE_NAMES: &[&str] = &["node-1", "node-2", "node-3", "node-4"];

const TAINT_KEYS: &[&str] =
    &["dedicated", "node.kubernetes.io/not-ready", "node.kubernetes.io/unschedulable", "example.com/gpu"];
const TAINT_VALUES: &[&str] = &["", "db", "web", "5", "10"];
const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// Labels of a pod.
pub fn labels(rng: &mut StdRng) -> Value {
    labels_of(rng, LABELS)
}

/// Labels drawn from such a table.
pub fn labels_of(rng: &mut StdRng, table: &[(&str, &[&str])]) -> Value {
    let keys = some_of(rng, 55, table);
    Value::Object(
        keys.into_iter()
            .map(|(key, values)| (key.to_owned(), pick(rng, values).into()))
            .collect::<Map<_, _>>(),
    )
}

/// A label selector over pod labels.
pub fn label_selector(rng: &mut StdRng) -> Value {
    object([
        ("matchLabels", maybe(rng, 50, |rng| labels_of(rng, LABELS))),
        ("matchExpressions", maybe(rng, 50, |rng| list(rng, 0..=2, |rng, _| label_requirement(rng)))),
    ])
}

fn label_requirement(rng: &mut StdRng) -> Value {
    let (key, values) = pick(rng, LABELS);
    let operator = pick(rng, &["In", "NotIn", "Exists", "DoesNotExist"]);
    requirement(rng, key, operator, values)
}

/// A requirement with values where its operator takes them, and rarely the other way round.
fn requirement(rng: &mut StdRng, key: &str, operator: &str, values: &[&str]) -> Value {
    let takes_values = !matches!(operator, "Exists" | "DoesNotExist");
    let wrong = chance(rng, 3);
    let values = match operator {
        _ if takes_values == wrong => Value::Null,
        "Gt" | "Lt" => json!([pick(rng, &["4", "8", "16", "x"])]),
        _ => list(rng, 1..=2, |rng, _| pick(rng, values)),
    };
    object([("key", key.into()), ("operator", operator.into()), ("values", values)])
}

/// A node selector term, with expressions over labels and at times over the name.
pub fn node_selector_term(rng: &mut StdRng) -> Value {
    object([
        ("matchExpressions", maybe(rng, 80, |rng| list(rng, 0..=3, |rng, _| node_requirement(rng)))),
        (
            "matchFields",
            maybe(rng, 20, |rng| {
                let operator = pick(rng, &["In", "NotIn"]);
                let length = if chance(rng, 95) { 1..=1 } else { 0..=2 };
                let names = list(rng, length, |rng, _| pick(rng, NODE_NAMES));
                json!([{"key": "metadata.name", "operator": operator, "values": names}])
            }),
        ),
    ])
}

fn node_requirement(rng: &mut StdRng) -> Value {
    let (key, values) = pick(rng, NODE_LABELS);
    let operator = pick(rng, &["In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]);
    let operator = if chance(rng, 2) { "Near" } else { operator };
    requirement(rng, key, operator, values)
}

/// Affinity of all three kinds.
pub fn affinity(rng: &mut StdRng) -> Value {
    object([
        ("nodeAffinity", maybe(rng, 70, node_affinity)),
        ("podAffinity", maybe(rng, 25, pod_affinity)),
        ("podAntiAffinity", maybe(rng, 25, pod_affinity)),
    ])
}

/// Affinity to nodes.
pub fn node_affinity(rng: &mut StdRng) -> Value {
    object([
        (
            "requiredDuringSchedulingIgnoredDuringExecution",
            maybe(
                rng,
                60,
                |rng| json!({"nodeSelectorTerms": list(rng, 1..=2, |rng, _| node_selector_term(rng))}),
            ),
        ),
        (
            "preferredDuringSchedulingIgnoredDuringExecution",
            maybe(rng, 50, |rng| {
                list(
                    rng,
                    0..=3,
                    |rng, _| json!({"weight": number(rng, 1..=100), "preference": node_selector_term(rng)}),
                )
            }),
        ),
    ])
}

/// Affinity to pods, or away from them.
pub fn pod_affinity(rng: &mut StdRng) -> Value {
    object([
        (
            "requiredDuringSchedulingIgnoredDuringExecution",
            maybe(rng, 60, |rng| list(rng, 0..=2, |rng, _| pod_affinity_term(rng))),
        ),
        (
            "preferredDuringSchedulingIgnoredDuringExecution",
            maybe(rng, 50, |rng| {
                list(
                    rng,
                    0..=2,
                    |rng, _| json!({"weight": number(rng, 1..=100), "podAffinityTerm": pod_affinity_term(rng)}),
                )
            }),
        ),
    ])
}

fn pod_affinity_term(rng: &mut StdRng) -> Value {
    object([
        ("labelSelector", maybe(rng, 90, label_selector)),
        ("topologyKey", pick(rng, &["topology.kubernetes.io/zone", "kubernetes.io/hostname"]).into()),
        ("namespaces", maybe(rng, 20, |rng| json!(some_of(rng, 40, NAMESPACES)))),
        ("namespaceSelector", maybe(rng, 15, label_selector)),
    ])
}

/// A spread constraint.
pub fn topology_spread_constraint(rng: &mut StdRng) -> Value {
    object([
        ("maxSkew", number(rng, 1..=3).into()),
        ("topologyKey", pick(rng, &["topology.kubernetes.io/zone", "kubernetes.io/hostname"]).into()),
        ("whenUnsatisfiable", pick(rng, &["DoNotSchedule", "ScheduleAnyway"]).into()),
        ("labelSelector", maybe(rng, 90, label_selector)),
    ])
}

/// A taint.
pub fn taint(rng: &mut StdRng) -> Value {
    object([
        ("key", pick(rng, TAINT_KEYS).into()),
        ("value", maybe(rng, 60, |rng| pick(rng, TAINT_VALUES))),
        ("effect", pick(rng, EFFECTS).into()),
    ])
}

/// A toleration, valid most of the time.
pub fn toleration(rng: &mut StdRng) -> Value {
    let keyless = chance(rng, 10);
    let operator = match number(rng, 0..=99) {
        0..=1 => "Near",
        // Compare numbers, and are off by default.
        2..=5 => pick(rng, &["Lt", "Gt"]),
        _ if keyless && !chance(rng, 10) => "Exists",
        _ => pick(rng, &["", "Equal", "Exists"]),
    };
    let valueless = operator == "Exists" && !chance(rng, 3);
    let effect = if chance(rng, 60) { pick(rng, EFFECTS) } else { "" };
    let given = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let timed = effect == "NoExecute" || chance(rng, 1);
    object([
        ("key", if keyless { Value::Null } else { pick(rng, TAINT_KEYS).into() }),
        ("operator", given(operator)),
        ("value", maybe(rng, if valueless { 0 } else { 70 }, |rng| pick(rng, TAINT_VALUES))),
        ("effect", given(effect)),
        ("tolerationSeconds", maybe(rng, if timed { 40 } else { 0 }, |rng| number(rng, -1..=300))),
    ])
}

/// A label selector with a tail of malformed ones. At most one label of it is malformed, since upstream reports any.
pub fn odd_label_selector(rng: &mut StdRng) -> Value {
    let mut selector = label_selector(rng);
    if chance(rng, 10) {
        let (key, value) = (odd_label_key(rng), odd_label_value(rng));
        selector["matchLabels"] = json!({ key: value });
    }
    if chance(rng, 20) {
        selector["matchExpressions"] = list(rng, 0..=3, |rng, _| odd_label_requirement(rng));
    }
    selector
}

fn odd_label_requirement(rng: &mut StdRng) -> Value {
    let operator = pick(rng, &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "in", "", "\"quoted\""]);
    let key = odd_label_key(rng);
    json!({"key": key, "operator": operator, "values": maybe(rng, 70, |rng| list(rng, 0..=3, |rng, _| odd_label_value(rng)))})
}

/// A label key, half of them malformed.
pub fn odd_label_key(rng: &mut StdRng) -> String {
    let (usual, _) = pick(rng, LABELS);
    let odd = pick(
        rng,
        &[
            "",
            "-app",
            "app_",
            "a b",
            "x/y/z",
            "/app",
            "example.com/",
            "Example.com/app",
            "é",
            "a..b/c",
            "A.b-C_d",
        ],
    );
    match number(rng, 0..=9) {
        0..=4 => usual.to_owned(),
        5 => "k".repeat(64),
        6 => format!("{}/name", "p".repeat(254)),
        _ => odd.to_owned(),
    }
}

/// A label value, some of them malformed, some of them integers.
pub fn odd_label_value(rng: &mut StdRng) -> String {
    match number(rng, 0..=12) {
        0 => "v".repeat(64),
        1..=8 => pick(rng, &["web", "db", "prod", "test", "", "4", "16"]).to_owned(),
        _ => pick(
            rng,
            &[
                "a b",
                "-x",
                "x-",
                "<tag>",
                "\"",
                "\\",
                "é",
                "-5",
                "+5",
                "9223372036854775807",
                "9223372036854775808",
                "007",
            ],
        )
        .to_owned(),
    }
}
