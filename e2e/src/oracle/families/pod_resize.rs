//! A change to a pod that comes in through its resize subresource.

use k8s_openapi::api::core::v1::Pod;
use plimsoll_apiserver::{defaults, prepare, validation};
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::amounts::{any_text, explain_by_amount, wraps_in_thousandths};
use super::pod::{explain_integers, ordered, rich_pod, spoil};
use super::{Family, decode};
use crate::oracle::generate::pod::pod_status;
use crate::oracle::generate::resources::changed_requirements;
use crate::oracle::generate::{chance, number};

pub(super) const FAMILY: Family = Family {
    name: "pod_resize",
    generate,
    evaluate,
    known_difference: Some(|input, ours, theirs| {
        explain_by_amount(&input["old"])
            .or_else(|| explain_by_amount(&input["new"]))
            .or_else(|| explain_integers(ours, theirs))
            .or_else(|| explain_old(&input["old"], theirs))
    }),
    bench: None,
};

/// What both sides say of a pod that could not have been created.
const OLD_IS_INVALID: &str = "the old pod is invalid";

/// DIFFERENCE: D-Pod-1. Upstream takes a huge whole number in the old pod for a fraction.
fn explain_old(old: &Value, theirs: &Value) -> Option<&'static str> {
    let refused = theirs["errors"] == json!([OLD_IS_INVALID]);
    (refused && any_text(old, &wraps_in_thousandths)).then_some("D-Pod-1")
}

fn generate(rng: &mut StdRng) -> Value {
    let mut old = rich_pod(rng);
    old["metadata"]["resourceVersion"] = "1".into();
    let mut new = old.clone();
    for list in ["containers", "initContainers"] {
        for container in new["spec"][list].as_array_mut().into_iter().flatten() {
            if chance(rng, 50) {
                let resources = container.get("resources").cloned().unwrap_or_else(|| json!({}));
                container["resources"] = changed_requirements(rng, &resources);
            }
        }
    }
    if new["spec"]["initContainers"].is_null()
        && let Some(spec) = new["spec"].as_object_mut()
    {
        spec.remove("initContainers");
    }
    if let Some(resources) = new["spec"].get("resources").cloned()
        && chance(rng, 50)
    {
        new["spec"]["resources"] = changed_requirements(rng, &resources);
    }
    if chance(rng, 25) {
        for _ in 0..number(rng, 1..=2) {
            spoil(rng, &mut new["spec"]);
        }
    }
    if chance(rng, 40) {
        old["status"] = pod_status(rng, &old["spec"]);
    }
    json!({"old": old, "new": new})
}

#[derive(Deserialize)]
struct Input {
    old: Pod,
    new: Pod,
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let Input { mut old, mut new } = decode(input)?;
    let status = old.status.clone();
    defaults::pod(&mut old)?;
    defaults::pod(&mut new)?;
    prepare::pod_for_create(&mut old)?;
    if !validation::pod::validate_pod_create(&old).is_empty() {
        return Ok(json!({"errors": [OLD_IS_INVALID]}));
    }
    if let Some(mut status) = status {
        status.qos_class = old.status.and_then(|status| status.qos_class);
        old.status = Some(status);
    }
    prepare::pod_for_resize(&mut new, &old)?;
    let errors = validation::pod::validate_pod_resize(&new, &old);
    if errors.is_empty() {
        return Ok(json!({}));
    }
    Ok(json!({"errors": ordered(errors.iter().map(ToString::to_string).collect())}))
}
