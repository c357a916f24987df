//! The ResourceQuota object: defaults, validation as a new one, an update and a status update, warnings.

use k8s_openapi::api::core::v1::ResourceQuota;
use plimsoll_api::field::ErrorList;
use plimsoll_quota::Quota;
use plimsoll_quota::object;
use plimsoll_resource_math::Quantity;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::quota::amounts;
use super::{Family, decode};
use crate::oracle::generate::quantity::quantity;
use crate::oracle::generate::quota_request::scope_requirement;
use crate::oracle::generate::resource_quota::resource_quota;
use crate::oracle::generate::resources::any_resource_name;
use crate::oracle::generate::{chance, list};

pub(super) const FAMILY: Family = Family {
    name: "quota_object",
    generate,
    evaluate,
    known_difference: Some(known_difference),
    bench: None,
};

fn generate(rng: &mut StdRng) -> Value {
    let mut quota = resource_quota(rng, "quota", "team");
    for list in ["/spec/hard", "/status/hard", "/status/used"] {
        let Some(amounts) = quota.pointer_mut(list).and_then(Value::as_object_mut) else { continue };
        if chance(rng, 20) {
            amounts.insert(any_resource_name(rng).to_owned(), amount(rng).into());
        }
        for value in amounts.values_mut() {
            if chance(rng, 10) {
                *value = amount(rng).into();
            }
        }
    }
    if chance(rng, 15) {
        quota["spec"]["scopeSelector"] =
            json!({"matchExpressions": list(rng, 0..=3, |rng, _| scope_requirement(rng))});
    }
    if chance(rng, 80) {
        quota["metadata"]["resourceVersion"] = "7".into();
    }
    let mut old = if chance(rng, 70) { quota.clone() } else { resource_quota(rng, "quota", "team") };
    if chance(rng, 10)
        && let Some(scopes) = old.pointer_mut("/spec/scopes").and_then(Value::as_array_mut)
    {
        scopes.reverse();
    }
    // What exponents and huge numbers mean is another family's business.
    json!({"quota": crate::oracle::generate::quota_request::tamed(quota), "old": crate::oracle::generate::quota_request::tamed(old)})
}

fn amount(rng: &mut StdRng) -> String {
    let amount = quantity(rng);
    if chance(rng, 25) && !amount.starts_with('+') { format!("-{amount}") } else { amount }
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let mut quota: ResourceQuota = decode(&input["quota"])?;
    let mut old: ResourceQuota = decode(&input["old"])?;
    object::set_defaults(&mut quota)?;
    object::set_defaults(&mut old)?;
    let parsed = Quota::parse(&quota)?;
    Ok(json!({
        "defaulted": {
            "specHard": amounts(&parsed.spec_hard),
            "statusHard": amounts(&parsed.hard),
            "used": amounts(&parsed.used),
        },
        "create": texts(&object::validate(&quota)?),
        "update": texts(&object::validate_update(&quota, &old)?),
        "updateStatus": texts(&object::validate_status_update(&quota)?),
        "warnings": object::warnings_on_create(&quota)?,
    }))
}

/// Sorted, as upstream's order follows its maps.
fn texts(errors: &ErrorList) -> Vec<String> {
    let mut texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.sort();
    texts
}

/// Whole numbers from 2^63 thousandths on, which upstream calls broken.
fn known_difference(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let bound = Quantity::from_units(i64::MAX / 1000, plimsoll_resource_math::Format::DecimalSi);
    let is_huge = |text: &Value| {
        text.as_str()
            .and_then(|text| Quantity::parse(text).ok())
            .is_some_and(|amount| amount > bound || -amount > bound)
    };
    let lists = ["/quota/spec/hard", "/quota/status/hard", "/quota/status/used"];
    let mut amounts = lists.into_iter().filter_map(|list| input.pointer(list)?.as_object()).flatten();
    let only_integers = |side: &Value| {
        let mut side = side.clone();
        for list in ["create", "update", "updateStatus"] {
            if let Some(texts) = side[list].as_array_mut() {
                texts.retain(|text| !text.as_str().is_some_and(|text| text.ends_with("must be an integer")));
            }
        }
        side
    };
    (amounts.any(|(_, amount)| is_huge(amount)) && only_integers(ours) == only_integers(theirs))
        .then_some("D-quota-4")
}
