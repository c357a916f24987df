//! What a pod requires and prefers of its node.

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_api::{aggregate::aggregate, field};
use plimsoll_matching::label_selector::labels_of;
use plimsoll_matching::node_affinity::{PreferredSchedulingTerms, RequiredNodeAffinity, node_affinity};
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{Family, decode};
use crate::oracle::generate::matching::{
    NODE_LABELS, NODE_NAMES, labels_of as some_labels, node_affinity as some_affinity, odd_label_key,
    odd_label_value,
};
use crate::oracle::generate::{chance, list, maybe, number, object, pick};

pub(super) const FAMILY: Family =
    Family { name: "node_affinity", generate, evaluate, known_difference: None, bench: None };

fn generate(rng: &mut StdRng) -> Value {
    let mut affinity = some_affinity(rng);
    if chance(rng, 15) {
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] =
            json!({"nodeSelectorTerms": list(rng, 0..=3, |rng, _| odd_term(rng))});
    }
    if chance(rng, 15) {
        affinity["preferredDuringSchedulingIgnoredDuringExecution"] =
            list(rng, 0..=3, |rng, _| json!({"weight": number(rng, -1..=2), "preference": odd_term(rng)}));
    }
    let selector = maybe(rng, 30, |rng| some_labels(rng, NODE_LABELS));
    let spec = object([
        ("nodeSelector", selector),
        ("affinity", json!({"nodeAffinity": affinity})),
        ("containers", json!([])),
    ]);
    let mut labels = some_labels(rng, NODE_LABELS);
    if chance(rng, 20) {
        labels[odd_label_key(rng)] = odd_label_value(rng).into();
    }
    let name = if chance(rng, 95) { pick(rng, NODE_NAMES) } else { "" };
    json!({"pod": {"spec": spec}, "node": {"metadata": {"name": name, "labels": labels}}})
}

fn odd_term(rng: &mut StdRng) -> Value {
    json!({
        "matchExpressions": maybe(rng, 80, |rng| list(rng, 0..=2, |rng, _| odd_requirement(rng))),
        "matchFields": maybe(rng, 50, |rng| list(rng, 0..=2, |rng, _| odd_field(rng))),
    })
}

fn odd_requirement(rng: &mut StdRng) -> Value {
    let operator = pick(rng, &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "in", "", "<>"]);
    json!({"key": odd_label_key(rng), "operator": operator, "values": maybe(rng, 80, |rng| list(rng, 0..=2, |rng, _| odd_label_value(rng)))})
}

fn odd_field(rng: &mut StdRng) -> Value {
    let key = pick(rng, &["metadata.name", "metadata.name", "metadata.namespace", ""]);
    let operator = pick(rng, &["In", "NotIn", "In", "NotIn", "Exists", "Gt"]);
    let names = ["node-1", "node-2", "", "a b"];
    json!({"key": key, "operator": operator, "values": maybe(rng, 90, |rng| list(rng, 0..=2, |rng, _| pick(rng, &names)))})
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let pod: Pod = decode(&input["pod"])?;
    let node: Node = decode(&input["node"])?;
    let spec = pod.spec.unwrap_or_default();
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let labels = labels_of(&node.metadata);

    let affinity = RequiredNodeAffinity::new(&spec);
    let matches = affinity.matches(labels, name);
    let mut required = json!({ "matches": matches });
    if !matches && affinity.matches_labels(labels) && !affinity.parse_errors().is_empty() {
        required["error"] = aggregate(affinity.parse_errors()).into();
    }
    let terms = node_affinity(&spec)
        .and_then(|affinity| affinity.preferred_during_scheduling_ignored_during_execution.as_deref());
    let preferred = match PreferredSchedulingTerms::new(terms.unwrap_or_default()) {
        Ok(terms) => json!({ "score": terms.score(labels, name) }),
        Err(errors) => json!({ "error": field::aggregate(&errors) }),
    };
    Ok(json!({ "required": required, "preferred": preferred }))
}
