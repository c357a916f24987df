//! The creation of objects other than pods: defaults, preparation, validation, warnings, and the object as stored.

use anyhow::{anyhow, bail};
use plimsoll_apiserver::kinds::{Kinds, Lookup};
use plimsoll_cli::engine::create_alone;
use plimsoll_cli::world::{InputKind, Object};
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::Family;
use super::amounts::explain_by_amount;
use super::pod::{
    explain_fractions, explain_huge_pages, explain_integers, explain_secret, explain_wording, ordered,
    pruned, spoil,
};
use crate::oracle::generate::created::created;
use crate::oracle::generate::{chance, number};

pub(super) const FAMILY: Family =
    Family { name: "create", generate, evaluate, known_difference: Some(known_difference), bench: None };

/// The uid that both sides give a new object.
const NEW_UID: &str = "6b1cbd7c-0a5c-4b83-8bd1-0c1a5b6ef0a1";

fn known_difference(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    if theirs["panic"].as_str().is_some_and(|text| text.contains("validateSuccessPolicyRule")) {
        return Some("D-Validation-2");
    }
    if let Some(id) = explain_by_amount(input) {
        return Some(id);
    }
    let (ours, their_own) = (ours, without_labels_of_job(input, theirs));
    if *ours == their_own {
        return Some("D-Validation-3");
    }
    explain_integers(ours, &their_own)
        .or_else(|| explain_huge_pages(ours, &their_own))
        .or_else(|| explain_fractions(ours, &their_own))
        .or_else(|| explain_selector(ours, &their_own))
        .or_else(|| explain_empty_list(ours, &their_own))
        .or_else(|| explain_wording(ours, &their_own))
        .or_else(|| explain_secret(ours, &their_own))
}

/// DIFFERENCE: D-Validation-3. The labels that are generated for a Job's template show in the Job too, and are validated
/// there.
fn without_labels_of_job(input: &Value, theirs: &Value) -> Value {
    let mut theirs = theirs.clone();
    if input["kind"] != "Job" {
        return theirs;
    }
    if let Some(metadata) = theirs.pointer_mut("/stored/metadata").and_then(Value::as_object_mut) {
        if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
            labels.retain(|key, _| !GENERATED_LABELS.contains(&key.as_str()));
        }
        metadata.retain(|key, value| key != "labels" || *value != json!({}));
    }
    let name = input["metadata"]["name"].as_str().unwrap_or_default();
    let of_name = format!("metadata.labels: Invalid value: {name:?}: ");
    if let Some(errors) = theirs.get_mut("errors").and_then(Value::as_array_mut) {
        errors.retain(|error| !error.as_str().is_some_and(|text| text.starts_with(&of_name)));
    }
    theirs
}

/// DIFFERENCE: D-Validation-4. A list that is given and empty is shown as one that is not given.
fn explain_empty_list(ours: &Value, theirs: &Value) -> Option<&'static str> {
    let text = serde_json::to_string(&theirs["errors"]).unwrap_or_default();
    let text = text.replace("Invalid value: []: at least one", "Invalid value: null: at least one");
    let text = text.replace(r#"{\"Rules\":[]}"#, r#"{\"Rules\":null}"#);
    (serde_json::to_string(&ours["errors"]).is_ok_and(|ours| ours == text)).then_some("D-Validation-4")
}

/// DIFFERENCE: D-Validation-1. An empty selector counts as none.
fn explain_selector(ours: &Value, theirs: &Value) -> Option<&'static str> {
    let others = |side: &Value| {
        let errors = side["errors"].as_array().cloned().unwrap_or_default();
        errors
            .into_iter()
            .filter(|error| {
                let text = error.as_str().unwrap_or_default();
                !text.starts_with("spec.selector: ")
                    && !text.contains("`selector` does not match template `labels`")
                    // DIFFERENCE: D-Pod-1 may come along.
                    && !text.ends_with("\": must be an integer")
            })
            .collect::<Vec<_>>()
    };
    let is_about_it =
        |error: &Value| error.as_str().is_some_and(|text| text.contains(": empty selector is invalid"));
    let found = theirs["errors"].as_array().into_iter().flatten().any(is_about_it);
    (found && others(ours) == others(theirs)).then_some("D-Validation-1")
}

const GENERATED_LABELS: [&str; 4] =
    ["batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name"];

fn generate(rng: &mut StdRng) -> Value {
    let mut object = created(rng);
    if chance(rng, 60) {
        for _ in 0..number(rng, 1..=2) {
            spoil(rng, &mut object);
        }
    }
    // Upstream adds the volumes of several claim templates to the pod in the order of a map.
    if let Some(claims) = object.pointer_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut) {
        claims.truncate(1);
    }
    object
}

/// Addresses and ports that would be handed out, and selectors of which upstream can't tell whether they are there.
fn forget_what_is_not_compared(stored: &mut Value, input: &Value) {
    let is_service = input["kind"] == "Service";
    let Some(fields) = stored.as_object_mut() else { return };
    if is_service {
        fields.remove("status");
    }
    if let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) {
        if is_service {
            spec.retain(|key, _| {
                !matches!(key.as_str(), "ipFamilies" | "ipFamilyPolicy" | "healthCheckNodePort")
            });
        }
        if is_service || input["kind"] == "ReplicationController" {
            spec.retain(|key, value| key != "selector" || *value != json!({}));
        }
    }
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let text = |field: &str| input[field].as_str().unwrap_or_default();
    let (object, _) = Object::read(text("apiVersion"), text("kind"), input.clone())?;
    let Lookup::Known(kind) = Kinds::default().find(text("apiVersion"), text("kind")) else {
        bail!("no kind {:?}", text("kind"));
    };
    let kind = InputKind {
        kind: text("kind").to_owned(),
        resource: kind.group_resource(),
        namespaced: kind.namespaced,
        known: true,
    };
    let created = create_alone(object, &kind, NEW_UID).map_err(|status| anyhow!(status.message))?;
    if !created.errors.is_empty() {
        return Ok(json!({"errors": ordered(created.errors.iter().map(ToString::to_string).collect())}));
    }
    let mut stored = created.object.to_value();
    if let Some(metadata) = stored.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        metadata.remove("uid");
    }
    forget_what_is_not_compared(&mut stored, input);
    let mut outcome = json!({"stored": pruned(stored)});
    if !created.warnings.is_empty() {
        outcome["warnings"] = ordered(created.warnings).into();
    }
    Ok(outcome)
}
