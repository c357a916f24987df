//! Nodes.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::matching::{NODE_LABELS, NODE_NAMES, labels_of, taint};
use super::{chance, list, maybe, object, pick};

/// A node with one of the [usual names](NODE_NAMES).
pub fn node(rng: &mut StdRng) -> Value {
    let name = pick(rng, NODE_NAMES);
    named_node(rng, name)
}

/// A node of that name.
pub fn named_node(rng: &mut StdRng, name: &str) -> Value {
    let mut labels = labels_of(rng, NODE_LABELS);
    if chance(rng, 90) {
        labels["kubernetes.io/hostname"] = name.into();
    }
    let allocatable = allocatable(rng);
    object([
        ("apiVersion", "v1".into()),
        ("kind", "Node".into()),
        ("metadata", json!({"name": name, "labels": labels})),
        (
            "spec",
            object([
                ("unschedulable", maybe(rng, 10, |_| true)),
                ("taints", maybe(rng, 35, |rng| list(rng, 0..=3, |rng, _| taint(rng)))),
            ]),
        ),
        ("status", json!({"capacity": allocatable.clone(), "allocatable": allocatable})),
    ])
}

fn allocatable(rng: &mut StdRng) -> Value {
    object([
        ("cpu", pick(rng, &["500m", "1", "2", "3920m", "8", "64"]).into()),
        ("memory", pick(rng, &["256Mi", "1Gi", "4Gi", "15842332Ki", "64Gi"]).into()),
        ("pods", pick(rng, &["0", "1", "3", "110", "110"]).into()),
        ("ephemeral-storage", maybe(rng, 60, |rng| pick(rng, &["1Gi", "95551679124", "0"]))),
        ("hugepages-2Mi", maybe(rng, 30, |rng| pick(rng, &["0", "8Mi", "1Gi"]))),
        ("example.com/gpu", maybe(rng, 30, |rng| pick(rng, &["0", "1", "8"]))),
    ])
}
