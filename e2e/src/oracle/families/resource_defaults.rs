//! The amounts of a pod after decoding and after creation.

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodSpec, PodStatus, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_resource_math::defaulting::{default_pod, default_pod_level_resources};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::amounts::{explain_by_amount, is_same_amount};
use super::{Family, decode};
use crate::oracle::generate::pod::pod_with_status;

pub(super) const FAMILY: Family = Family {
    name: "resource_defaults",
    generate: pod_with_status,
    evaluate,
    known_difference: Some(known_difference),
    bench: None,
};

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let mut pod: Pod = decode(input)?;
    default_pod(&mut pod)?;
    let decoded = amounts(&pod);
    if let Some(spec) = &mut pod.spec {
        default_pod_level_resources(spec)?;
    }
    Ok(json!({"decoded": decoded, "created": amounts(&pod)}))
}

fn known_difference(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let other_format = same_amounts(ours, theirs).then_some("D-PodResources-2");
    explain_by_amount(input).or(other_format)
}

/// Whether two answers differ in how amounts are written, and in nothing else.
fn same_amounts(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::String(ours), Value::String(theirs)) => ours == theirs || is_same_amount(ours, theirs),
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| same_amounts(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            let same = |(key, ours): (&String, &Value)| {
                theirs.get(key).is_some_and(|theirs| same_amounts(ours, theirs))
            };
            ours.len() == theirs.len() && ours.iter().all(same)
        }
        (ours, theirs) => ours == theirs,
    }
}

/// All resource lists of a pod, but for those of volumes.
fn amounts(pod: &Pod) -> Value {
    let (no_spec, no_status) = (PodSpec::default(), PodStatus::default());
    let (spec, status) = (pod.spec.as_ref().unwrap_or(&no_spec), pod.status.as_ref().unwrap_or(&no_status));
    let of_containers = |list: &[Container]| {
        list.iter().map(|container| requirements(container.resources.as_ref())).collect::<Value>()
    };
    let of_statuses = |list: &Option<Vec<ContainerStatus>>| {
        let one = |status: &ContainerStatus| {
            json!({
                "allocated": status.allocated_resources.clone().unwrap_or_default(),
                "resources": requirements(status.resources.as_ref()),
            })
        };
        list.iter().flatten().map(one).collect::<Value>()
    };
    json!({
        "containers": of_containers(&spec.containers),
        "init_containers": of_containers(spec.init_containers.as_deref().unwrap_or_default()),
        "pod": requirements(spec.resources.as_ref()),
        "overhead": spec.overhead.clone().unwrap_or_default(),
        "statuses": of_statuses(&status.container_statuses),
        "init_statuses": of_statuses(&status.init_container_statuses),
        "allocated": status.allocated_resources.clone().unwrap_or_default(),
        "actual": requirements(status.resources.as_ref()),
    })
}

/// Go leaves empty lists out.
fn requirements(resources: Option<&ResourceRequirements>) -> Value {
    let mut lists = Map::new();
    let mut insert = |name: &str, list: &Option<BTreeMap<String, ApiQuantity>>| {
        if let Some(list) = list.as_ref().filter(|list| !list.is_empty()) {
            lists.insert(name.to_owned(), json!(list));
        }
    };
    if let Some(resources) = resources {
        insert("limits", &resources.limits);
        insert("requests", &resources.requests);
    }
    Value::Object(lists)
}
