//! Single requirements on a label, as quota scopes and node selectors use them.

use plimsoll_matching::label_selector::{Labels, Operator, Requirement};
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Family, decode};
use crate::oracle::generate::matching::{odd_label_key, odd_label_value};
use crate::oracle::generate::{chance, list, maybe, pick};

pub(super) const FAMILY: Family =
    Family { name: "label_requirement", generate, evaluate, known_difference: None, bench: None };

#[derive(Deserialize)]
struct Input {
    key: String,
    operator: String,
    values: Option<Vec<String>>,
    labels: Vec<Labels>,
}

fn generate(rng: &mut StdRng) -> Value {
    let key = odd_label_key(rng);
    let operator = pick(rng, &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]);
    let few = if matches!(operator, "Exists" | "DoesNotExist") == chance(rng, 90) { 0..=0 } else { 0..=2 };
    let labels = list(rng, 1..=3, |rng, _| {
        if chance(rng, 80) { json!({ key.clone(): odd_label_value(rng) }) } else { json!({}) }
    });
    let values = maybe(rng, 80, |rng| list(rng, few, |rng, _| odd_label_value(rng)));
    json!({"key": key, "operator": operator, "values": values, "labels": labels})
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let operator = Operator::from_node_operator(&input.operator)
        .ok_or_else(|| anyhow::anyhow!("no operator {:?}", input.operator))?;
    Ok(match Requirement::new(&input.key, operator, input.values) {
        Ok(requirement) => input.labels.iter().map(|labels| requirement.matches(labels)).collect(),
        Err(error) => json!(error.to_string()),
    })
}
