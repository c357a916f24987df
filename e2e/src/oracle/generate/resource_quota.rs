//! ResourceQuotas.

use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::pod::PRIORITY_CLASSES;
use super::resources::amount;
use super::{chance, list, maybe, number, object, pick, some_of};

/// Resources that a quota of pods may count, scoped or not.
const POD_RESOURCES: &[&str] = &[
    "pods",
    "count/pods",
    "cpu",
    "memory",
    "requests.cpu",
    "requests.memory",
    "limits.cpu",
    "limits.memory",
    "ephemeral-storage",
    "requests.ephemeral-storage",
    "limits.ephemeral-storage",
    "requests.example.com/gpu",
    "hugepages-2Mi",
    "requests.hugepages-2Mi",
];

/// Resources of other objects.
const OTHER_RESOURCES: &[&str] = &[
    "services",
    "services.nodeports",
    "services.loadbalancers",
    "persistentvolumeclaims",
    "requests.storage",
    "configmaps",
    "secrets",
    "replicationcontrollers",
    "resourcequotas",
    "count/services",
    "count/deployments.apps",
    "count/widgets.example.com",
    "gold.storageclass.storage.k8s.io/requests.storage",
    "gold.storageclass.storage.k8s.io/persistentvolumeclaims",
    "gpu.deviceclass.resource.k8s.io/devices",
    "count/persistentvolumeclaims",
];

/// Names that are no quota resources, or only look like it.
const ODD_RESOURCES: &[&str] = &[
    "example.com/gpu",
    "limits.example.com/gpu",
    "requests.pods",
    "count/",
    "storage",
    "",
    "CPU",
    "kubernetes.io/x",
    "limits.hugepages-2Mi",
];

const SCOPES: &[&str] = &[
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

/// A quota of that name, with its status as if it had been counted before, in part.
pub fn resource_quota(rng: &mut StdRng, name: &str, namespace: &str) -> Value {
    let spec = resource_quota_spec(rng);
    let hard = spec["hard"].clone();
    let mut counted = Map::new();
    for (resource, hard) in hard.as_object().into_iter().flatten() {
        match number(rng, 0..=19) {
            0 => {}
            1 => drop(counted.insert(resource.clone(), hard.clone())),
            _ => drop(counted.insert(resource.clone(), used(rng, resource).into())),
        }
    }
    object([
        ("apiVersion", "v1".into()),
        ("kind", "ResourceQuota".into()),
        ("metadata", json!({"name": name, "namespace": namespace})),
        ("spec", spec),
        ("status", maybe(rng, 95, |_| json!({"hard": hard, "used": counted}))),
    ])
}

/// The spec of a quota: the resources suit its scopes, most of the time.
pub fn resource_quota_spec(rng: &mut StdRng) -> Value {
    let plain = maybe(rng, 25, |rng| list(rng, 0..=2, |rng, _| scope(rng)));
    let selector =
        maybe(rng, 20, |rng| json!({"matchExpressions": list(rng, 0..=2, |rng, _| scope_requirement(rng))}));
    let scoped = !plain.is_null() || !selector.is_null();
    let all_scopes = format!("{plain}{selector}");
    let mut names = if scoped && !chance(rng, 8) {
        some_of(rng, 40, allowed(&all_scopes))
    } else {
        let mut names = some_of(rng, 25, POD_RESOURCES);
        names.extend(some_of(rng, 15, OTHER_RESOURCES));
        names
    };
    if chance(rng, 4) {
        names.push(pick(rng, ODD_RESOURCES));
    }
    let hard: Map<_, _> = names.into_iter().map(|name| (name.to_owned(), hard(rng, name).into())).collect();
    object([("hard", Value::Object(hard)), ("scopes", plain), ("scopeSelector", selector)])
}

/// The resources that a quota with these scopes may name.
fn allowed(scopes: &str) -> &'static [&'static str] {
    let names = |scope: &str| scopes.contains(&format!("\"{scope}\""));
    if names("VolumeAttributesClass") {
        &["persistentvolumeclaims", "requests.storage"]
    } else if names("BestEffort") {
        &["pods"]
    } else {
        &["pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]
    }
}

fn scope(rng: &mut StdRng) -> &'static str {
    if chance(rng, 2) { "Bogus" } else { pick(rng, SCOPES) }
}

/// One requirement of a scope selector. Only PriorityClass takes values.
pub fn scope_requirement(rng: &mut StdRng) -> Value {
    let scope = if chance(rng, 50) { "PriorityClass" } else { scope(rng) };
    let takes_values = matches!(scope, "PriorityClass" | "VolumeAttributesClass");
    let operator = if takes_values || chance(rng, 3) {
        pick(rng, &["In", "NotIn", "Exists", "DoesNotExist"])
    } else {
        "Exists"
    };
    let values = matches!(operator, "In" | "NotIn") != chance(rng, 3);
    object([
        ("scopeName", scope.into()),
        ("operator", operator.into()),
        ("values", if values { list(rng, 1..=2, |rng, _| pick(rng, PRIORITY_CLASSES)) } else { Value::Null }),
    ])
}

fn hard(rng: &mut StdRng, resource: &str) -> String {
    match unit(resource) {
        "cpu" => pick(rng, &["0", "500m", "1", "2", "4", "100"]).to_owned(),
        "memory" => pick(rng, &["0", "512Mi", "1Gi", "2G", "8Gi", "1Ti"]).to_owned(),
        _ => number(rng, 0..=6).to_string(),
    }
}

fn used(rng: &mut StdRng, resource: &str) -> String {
    match unit(resource) {
        "count" => number(rng, 0..=3).to_string(),
        unit => {
            if chance(rng, 30) {
                "0".to_owned()
            } else {
                amount(rng, unit)
            }
        }
    }
}

/// What a quota resource is measured in: as CPU, as memory, or by the piece.
fn unit(resource: &str) -> &'static str {
    if resource.ends_with("cpu") {
        "cpu"
    } else if ["memory", "storage", "hugepages-2Mi"].iter().any(|ending| resource.ends_with(ending)) {
        "memory"
    } else {
        "count"
    }
}
