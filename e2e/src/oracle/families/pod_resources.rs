//! The requests and limits of a pod in total, counted in all ways that upstream offers.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_resource_math::pod_resources::{PodResources, PodResourcesOptions, StatusResources};
use plimsoll_resource_math::{Quantity, ResourceList};
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::amounts::{explain_by_amount, is_above_letters};
use super::{Family, decode};
use crate::oracle::generate::pod::{pod, pod_with_status};
use crate::oracle::generate::resources::resource_list;
use crate::oracle::generate::{chance, maybe, object, pick};

pub(super) const FAMILY: Family = Family {
    name: "pod_resources",
    generate,
    evaluate,
    known_difference: Some(known_difference),
    bench: None,
};

#[derive(Deserialize)]
struct Input {
    pod: Pod,
    options: Options,
}

#[derive(Deserialize)]
struct Options {
    status: String,
    exclude_overhead: bool,
    skip_pod_level: bool,
    skip_containers: bool,
    #[serde(default)]
    missing: Option<BTreeMap<String, ApiQuantity>>,
}

fn generate(rng: &mut StdRng) -> Value {
    let options = object([
        ("status", pick(rng, &["ignored", "containers", "containers-and-pod"]).into()),
        ("exclude_overhead", chance(rng, 20).into()),
        ("skip_pod_level", chance(rng, 20).into()),
        ("skip_containers", chance(rng, 10).into()),
        ("missing", maybe(rng, 30, |rng| resource_list(rng, 60, &["cpu", "memory", "example.com/gpu"]))),
    ]);
    json!({"pod": if chance(rng, 80) { pod_with_status(rng) } else { pod(rng) }, "options": options})
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let pod = PodResources::parse(&input.pod)?;
    let options = PodResourcesOptions {
        status: match input.options.status.as_str() {
            "ignored" => StatusResources::Ignored,
            "containers" => StatusResources::Containers,
            _ => StatusResources::ContainersAndPod,
        },
        exclude_overhead: input.options.exclude_overhead,
        skip_pod_level: input.options.skip_pod_level,
        skip_containers: input.options.skip_containers,
        missing_container_requests: ResourceList::parse(input.options.missing.as_ref())?,
    };
    Ok(json!({
        "requests": pod.requests(&options).to_api(),
        "limits": pod.limits(&options).to_api(),
        "container_requests": pod.container_requests(&options).to_api(),
        "container_limits": pod.container_limits(&options).to_api(),
        "pod_level_set": pod.is_pod_level_set(),
        "resize_infeasible": pod.status.resize_infeasible,
    }))
}

fn known_difference(input: &Value, ours: &Value, _theirs: &Value) -> Option<&'static str> {
    let above = |text: &str| Quantity::parse(text).is_ok_and(|amount| is_above_letters(&amount));
    let sum_above = super::amounts::any_text(ours, &above).then_some("D-Quantity-1");
    explain_by_amount(input).or(sum_above)
}
