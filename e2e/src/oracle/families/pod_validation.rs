//! The creation of a pod: defaults, preparation, validation, warnings, and the pod as stored.

use k8s_openapi::api::core::v1::Pod;
use plimsoll_apiserver::{defaults, prepare, validation, warnings};
use serde_json::{Value, json};

use super::amounts::explain_by_amount;
use super::pod::{
    explain_fractions, explain_huge_pages, explain_integers, explain_secret, explain_wording, mistaken_pod,
    ordered, pruned,
};
use super::{Family, decode};

pub(super) const FAMILY: Family = Family {
    name: "pod_validation",
    generate: mistaken_pod,
    evaluate,
    known_difference: Some(|input, ours, theirs| {
        explain_by_amount(input)
            .or_else(|| explain_integers(ours, theirs))
            .or_else(|| explain_huge_pages(ours, theirs))
            .or_else(|| explain_fractions(ours, theirs))
            .or_else(|| explain_wording(ours, theirs))
            .or_else(|| explain_secret(ours, theirs))
    }),
    bench: None,
};

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let mut pod: Pod = decode(input)?;
    defaults::pod(&mut pod)?;
    let mut found = prepare::pod_for_create(&mut pod)?;
    let errors = validation::pod::validate_pod_create(&pod);
    if !errors.is_empty() {
        return Ok(json!({"errors": ordered(errors.iter().map(ToString::to_string).collect())}));
    }
    found.extend(warnings::pod(&pod));
    let mut outcome = json!({"stored": pruned(serde_json::to_value(&pod)?)});
    if !found.is_empty() {
        outcome["warnings"] = ordered(found).into();
    }
    Ok(outcome)
}
