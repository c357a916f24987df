//! Resource names, lists and requirements.

use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::quantity::{count, cpu, memory, quantity, steps};
use super::{chance, number, number_below, object, pick};

/// Resources that containers ask for.
pub const CONTAINER_RESOURCES: &[&str] = &[
    "cpu",
    "memory",
    "ephemeral-storage",
    "hugepages-2Mi",
    "hugepages-1Gi",
    "example.com/gpu",
    "example.com/nic",
];

/// Names that mean something else, or nothing.
const ODD_RESOURCES: &[&str] = &[
    "storage",
    "pods",
    "requests.cpu",
    "limits.memory",
    "requests.example.com/gpu",
    "hugepages-",
    "hugepages-3Mi",
    "hugepages-2M",
    "Cpu",
    "CPU",
    "kubernetes.io/thing",
    "example.com/",
    "/gpu",
    "a_b",
    "",
    "count/pods",
    "attachable-volumes-aws-ebs",
    "requests.hugepages-2Mi",
    "example.com/Gpu.v1",
];

/// A resource that a container may ask for: CPU and memory most of the time.
pub fn resource_name(rng: &mut StdRng) -> &'static str {
    if chance(rng, 65) { pick(rng, &["cpu", "memory"]) } else { pick(rng, CONTAINER_RESOURCES) }
}

/// Any name, junk included.
pub fn any_resource_name(rng: &mut StdRng) -> &'static str {
    if chance(rng, 85) { resource_name(rng) } else { pick(rng, ODD_RESOURCES) }
}

/// An amount that suits the resource, most of the time.
pub fn amount(rng: &mut StdRng, resource: &str) -> String {
    if chance(rng, 6) {
        return quantity(rng);
    }
    match resource {
        "cpu" => cpu(rng),
        "memory" | "ephemeral-storage" | "storage" => memory(rng),
        "hugepages-2Mi" => format!("{}Mi", 2 * number(rng, 0..=8)),
        "hugepages-1Gi" => format!("{}Gi", number(rng, 0..=3)),
        _ => count(rng),
    }
}

/// Amounts of some of these resources, each with that chance.
pub fn resource_list(rng: &mut StdRng, percent: u32, resources: &[&str]) -> Value {
    let chosen: Vec<_> = resources.iter().filter(|_| chance(rng, percent)).collect();
    let amounts = chosen.into_iter().map(|resource| ((*resource).to_owned(), amount(rng, resource).into()));
    Value::Object(amounts.collect::<Map<_, _>>())
}

/// The requests and limits of a container. Devices and huge pages have both alike, as they must; for CPU and memory they are given,
/// missing, equal or apart, and at times the wrong way round.
pub fn requirements(rng: &mut StdRng) -> Value {
    requirements_of(rng, CONTAINER_RESOURCES)
}

/// The requests and limits of a whole pod, which know only CPU, memory and huge pages.
pub fn pod_level_requirements(rng: &mut StdRng) -> Value {
    requirements_of(rng, &["cpu", "memory", "hugepages-2Mi"])
}

fn requirements_of(rng: &mut StdRng, resources: &[&str]) -> Value {
    let (mut requests, mut limits) = (Map::new(), Map::new());
    for resource in resources {
        let common = matches!(*resource, "cpu" | "memory");
        if !chance(rng, if common { 65 } else { 12 }) {
            continue;
        }
        let amount_of_it = amount(rng, resource);
        let overcommits = common || *resource == "ephemeral-storage";
        match number(rng, 0..=9) {
            0..=2 if overcommits => drop(requests.insert((*resource).to_owned(), amount_of_it.into())),
            3..=4 => drop(limits.insert((*resource).to_owned(), amount_of_it.into())),
            5 if chance(rng, 15) => {
                let request = amount(rng, resource);
                requests.insert((*resource).to_owned(), request.into());
                limits.insert((*resource).to_owned(), amount_of_it.into());
            }
            5..=6 if overcommits => {
                let (low, high) = ordered(rng, resource);
                requests.insert((*resource).to_owned(), low.into());
                limits.insert((*resource).to_owned(), high.into());
            }
            _ => {
                requests.insert((*resource).to_owned(), amount_of_it.clone().into());
                limits.insert((*resource).to_owned(), amount_of_it.into());
            }
        }
    }
    // Huge pages go with CPU or memory.
    let alone = limits.keys().any(|name| name.starts_with("hugepages-"))
        && !["cpu", "memory"]
            .iter()
            .any(|common| limits.contains_key(*common) || requests.contains_key(*common));
    if alone && !chance(rng, 10) {
        requests.insert("cpu".to_owned(), cpu(rng).into());
    }
    if chance(rng, 3) {
        let name = any_resource_name(rng);
        requests.insert(name.to_owned(), amount(rng, name).into());
    }
    let list = |map: Map<String, Value>, keep_empty: bool| {
        if map.is_empty() && !keep_empty { Value::Null } else { Value::Object(map) }
    };
    object([("requests", list(requests, chance(rng, 5))), ("limits", list(limits, chance(rng, 5)))])
}

/// Two amounts of the resource, the second no less than the first.
fn ordered(rng: &mut StdRng, resource: &str) -> (&'static str, &'static str) {
    let steps = steps(resource);
    let low = number_below(rng, steps.len());
    (steps[low], steps[low + number_below(rng, steps.len() - low)])
}

/// The same requirements with some amounts changed, as a resize or a status that lags would have them.
pub fn changed_requirements(rng: &mut StdRng, requirements: &Value) -> Value {
    let mut changed = requirements.clone();
    for side in ["requests", "limits"] {
        let Some(amounts) = changed.get_mut(side).and_then(Value::as_object_mut) else { continue };
        for (resource, value) in amounts.iter_mut() {
            if chance(rng, 30) {
                *value = json!(amount(rng, resource));
            }
        }
        if chance(rng, 10) {
            amounts.remove(pick(rng, &["cpu", "memory"]));
        }
    }
    changed
}
