//! A LimitRange: what the API server fills in, and what it finds wrong.

use k8s_openapi::api::core::v1::LimitRange;
use plimsoll_resource_math::Quantity;
use plimsoll_webhook::limit_range::{Limits, object};
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{Family, decode};
use crate::oracle::generate::limit_range::limit_range;

pub(super) const FAMILY: Family = Family {
    name: "limit_range_object",
    generate,
    evaluate,
    known_difference: Some(known_difference),
    bench: None,
};

fn generate(rng: &mut StdRng) -> Value {
    limit_range(rng, "limits", "default")
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let mut limit_range: LimitRange = decode(input)?;
    object::set_defaults(&mut limit_range)?;
    let limits = Limits::parse(&limit_range)?;
    let mut errors: Vec<String> = object::validate(&limits).iter().map(ToString::to_string).collect();
    errors.sort_unstable();
    let mut spec = serde_json::to_value(&limit_range.spec)?;
    drop_empty_maps(&mut spec);
    Ok(json!({"spec": spec, "errors": errors}))
}

/// Go leaves empty maps out.
fn drop_empty_maps(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(drop_empty_maps);
            fields.retain(|_, value| value.as_object().is_none_or(|fields| !fields.is_empty()));
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_empty_maps),
        _ => {}
    }
}

fn known_difference(input: &Value, ours: &Value, _theirs: &Value) -> Option<&'static str> {
    known_amount_difference(input, ours)
}

/// The difference that an amount somewhere in the input explains.
pub(super) fn known_amount_difference(input: &Value, ours: &Value) -> Option<&'static str> {
    if ours["error"].as_str().is_some_and(|error| error.contains("quantity is out of range")) {
        return Some("D-Quantity-2");
    }
    let mut found = None;
    visit_texts(input, &mut |text| {
        let Ok(amount) = Quantity::parse(text.trim()) else { return };
        let magnitude = if amount.sign().is_lt() { -amount } else { amount };
        if magnitude >= exactly("1000E") {
            found = Some("D-Quantity-1");
        } else if magnitude > exactly("576460752303423") && found.is_none() {
            found = Some("D-LimitRange-2");
        }
    });
    found
}

fn exactly(text: &str) -> Quantity {
    Quantity::parse(text).unwrap_or_default()
}

/// Visits every text in a JSON value.
pub(super) fn visit_texts(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(elements) => elements.iter().for_each(|element| visit_texts(element, visit)),
        Value::Object(fields) => fields.values().for_each(|value| visit_texts(value, visit)),
        _ => {}
    }
}
