//! Label selectors: whether they are well-formed, and which labels they match.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use plimsoll_matching::label_selector::{Labels, Selector};
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Family, decode};
use crate::oracle::generate::matching::{labels, odd_label_selector};
use crate::oracle::generate::{list, maybe, object};

pub(super) const FAMILY: Family =
    Family { name: "label_selector", generate, evaluate, known_difference: None, bench: None };

#[derive(Deserialize)]
struct Input {
    selector: Option<LabelSelector>,
    #[serde(default)]
    labels: Vec<Labels>,
}

fn generate(rng: &mut StdRng) -> Value {
    object([
        ("selector", maybe(rng, 98, odd_label_selector)),
        ("labels", list(rng, 1..=4, |rng, _| labels(rng))),
    ])
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    Ok(match Selector::from_label_selector(input.selector.as_ref()) {
        Ok(selector) => input.labels.iter().map(|labels| selector.matches(labels)).collect(),
        Err(error) => json!(error.to_string()),
    })
}
