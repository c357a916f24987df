//! The creation of objects other than pods: defaults, preparation, validation, warnings, and the object as stored.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    Namespace, Node, PersistentVolumeClaim, PodTemplateSpec, ReplicationController, Service,
};
use k8s_openapi::api::node::v1::RuntimeClass;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;
use plimsoll_api::field::ErrorList;
use plimsoll_apiserver::template_generation::show_template_generation;
use plimsoll_apiserver::{defaults, prepare, validation, warnings};
use plimsoll_cli::manifests::decode::decode;
use rand::rngs::StdRng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Family;
use super::amounts::explain_by_amount;
use super::pod::{
    explain_fractions, explain_integers, explain_secret, explain_wording, ordered, pruned, spoil,
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

/// What is done to an object of one kind.
struct Steps<T> {
    default: fn(&mut T),
    template: fn(&mut T) -> Option<&mut PodTemplateSpec>,
    prepare: fn(&mut T),
    validate: fn(&T) -> ErrorList,
    warn: fn(&T) -> Vec<String>,
}

fn run<T: DeserializeOwned + Serialize>(input: &Value, steps: &Steps<T>) -> anyhow::Result<Value> {
    // As manifests are read: amounts in the text that Go gives them.
    let mut object: T = decode::<T>(input.clone())?.object;
    (steps.default)(&mut object);
    if let Some(template) = (steps.template)(&mut object) {
        defaults::pod_template(template)?;
    }
    (steps.prepare)(&mut object);
    let errors = (steps.validate)(&object);
    if !errors.is_empty() {
        return Ok(json!({"errors": ordered(errors.iter().map(ToString::to_string).collect())}));
    }
    let mut stored = serde_json::to_value(&object)?;
    if let Some(metadata) = stored.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        metadata.remove("uid");
    }
    forget_what_is_not_compared(&mut stored, input);
    let mut outcome = json!({"stored": pruned(stored)});
    let warnings = (steps.warn)(&object);
    if !warnings.is_empty() {
        outcome["warnings"] = ordered(warnings).into();
    }
    Ok(outcome)
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
    match input["kind"].as_str().unwrap_or_default() {
        "CronJob" => run::<CronJob>(
            input,
            &Steps {
                default: defaults::cron_job::cron_job,
                template: |object| object.spec.job_template.spec.as_mut().map(|spec| &mut spec.template),
                prepare: prepare::cron_job_for_create,
                validate: validation::cron_job::validate_create,
                warn: warnings::cron_job,
            },
        ),
        "DaemonSet" => run::<DaemonSet>(
            input,
            &Steps {
                default: defaults::daemon_set::daemon_set,
                template: |object| Some(&mut object.spec.template),
                prepare: |object| {
                    prepare::daemon_set_for_create(object);
                    show_template_generation(object);
                },
                validate: validation::daemon_set::validate_create,
                warn: warnings::daemon_set,
            },
        ),
        "Deployment" => run::<Deployment>(
            input,
            &Steps {
                default: defaults::deployment::deployment,
                template: |object| Some(&mut object.spec.template),
                prepare: prepare::deployment_for_create,
                validate: validation::deployment::validate_create,
                warn: warnings::deployment,
            },
        ),
        "Job" => run::<Job>(
            input,
            &Steps {
                default: defaults::job::job,
                template: |object| object.spec.as_mut().map(|spec| &mut spec.template),
                prepare: |object| prepare::job_for_create(object, NEW_UID),
                validate: validation::job::validate_create,
                warn: warnings::job,
            },
        ),
        "Namespace" => run::<Namespace>(
            input,
            &Steps {
                default: defaults::namespace::namespace,
                template: |_| None,
                prepare: prepare::namespace_for_create,
                validate: validation::namespace::validate_create,
                warn: |_| Vec::new(),
            },
        ),
        "Node" => run::<Node>(
            input,
            &Steps {
                default: |object| defaults::node::node(object).unwrap_or_default(),
                template: |_| None,
                prepare: prepare::node_for_create,
                validate: validation::node::validate_create,
                warn: warnings::node,
            },
        ),
        "PersistentVolumeClaim" => run::<PersistentVolumeClaim>(
            input,
            &Steps {
                default: |object| {
                    // What is no quantity has been refused when the object was read.
                    defaults::persistent_volume_claim::persistent_volume_claim(object).unwrap_or_default();
                },
                template: |_| None,
                prepare: prepare::persistent_volume_claim_for_create,
                validate: validation::persistent_volume_claim::validate_create,
                warn: warnings::persistent_volume_claim,
            },
        ),
        "PriorityClass" => run::<PriorityClass>(
            input,
            &Steps {
                default: defaults::priority_class::priority_class,
                template: |_| None,
                prepare: |object| object.metadata.generation = Some(1),
                validate: validation::priority_class::validate_create,
                warn: |_| Vec::new(),
            },
        ),
        "ReplicaSet" => run::<ReplicaSet>(
            input,
            &Steps {
                default: defaults::replica_set::replica_set,
                template: |object| object.spec.template.as_mut(),
                prepare: prepare::replica_set_for_create,
                validate: validation::replica_set::validate_create,
                warn: warnings::replica_set,
            },
        ),
        "ReplicationController" => run::<ReplicationController>(
            input,
            &Steps {
                default: defaults::replication_controller::replication_controller,
                template: |object| object.spec.as_mut()?.template.as_mut(),
                prepare: prepare::replication_controller_for_create,
                validate: validation::replication_controller::validate_create,
                warn: warnings::replication_controller,
            },
        ),
        "RuntimeClass" => run::<RuntimeClass>(
            input,
            &Steps {
                default: |_| {},
                template: |_| None,
                prepare: |_| {},
                validate: validation::runtime_class::validate_create,
                warn: warnings::runtime_class,
            },
        ),
        "Service" => run::<Service>(
            input,
            &Steps {
                default: defaults::service::service,
                template: |_| None,
                prepare: prepare::service_for_create,
                validate: validation::service::validate_create,
                warn: warnings::service,
            },
        ),
        "StatefulSet" => run::<StatefulSet>(
            input,
            &Steps {
                default: |object| defaults::stateful_set::stateful_set(object).unwrap_or_default(),
                template: |object| Some(&mut object.spec.template),
                prepare: prepare::stateful_set_for_create,
                validate: validation::stateful_set::validate_create,
                warn: warnings::stateful_set,
            },
        ),
        "StorageClass" => run::<StorageClass>(
            input,
            &Steps {
                default: defaults::storage_class::storage_class,
                template: |_| None,
                prepare: |_| {},
                validate: validation::storage_class::validate_create,
                warn: warnings::storage_class,
            },
        ),
        other => anyhow::bail!("no kind {other:?}"),
    }
}
