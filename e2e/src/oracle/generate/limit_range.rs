//! LimitRanges.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::resources::{any_resource_name, resource_list};
use super::{chance, list, maybe, object, pick};

/// Amounts from the least to the largest, so that an item can keep min <= defaultRequest <= default <= max.
const CPU_STEPS: &[&str] = &["0", "10m", "100m", "250m", "0.5", "1", "1500m", "2", "4"];
const MEMORY_STEPS: &[&str] = &["0", "1Mi", "64Mi", "100M", "128Mi", "0.5Gi", "1G", "1Gi", "2Gi"];
const COUNT_STEPS: &[&str] = &["0", "1", "2", "3", "4", "5", "8", "10", "1k"];

/// A LimitRange of that name.
pub fn limit_range(rng: &mut StdRng, name: &str, namespace: &str) -> Value {
    object([
        ("apiVersion", "v1".into()),
        ("kind", "LimitRange".into()),
        ("metadata", json!({"name": name, "namespace": namespace})),
        ("spec", json!({"limits": list(rng, 1..=3, |rng, _| limit_range_item(rng))})),
    ])
}

/// One item. Most keep the order that validation asks for; the others are drawn without it.
pub fn limit_range_item(rng: &mut StdRng) -> Value {
    let kind = match pick(rng, &[0, 0, 0, 0, 0, 1, 1, 1, 2, 3]) {
        0 => "Container",
        1 => "Pod",
        2 => "PersistentVolumeClaim",
        _ => pick(rng, &["Container", "example.com/Thing", "Deployment", ""]),
    };
    if chance(rng, 10) {
        return disordered(rng, kind);
    }
    let resources: &[&str] = match kind {
        "PersistentVolumeClaim" => &["storage"],
        _ => &["cpu", "memory", "ephemeral-storage", "example.com/gpu"],
    };
    let mut item = json!({"type": kind});
    for resource in resources {
        if chance(rng, if matches!(*resource, "cpu" | "memory" | "storage") { 70 } else { 15 }) {
            constrain(rng, kind, resource, &mut item);
        }
    }
    item
}

/// Adds constraints on one resource.
fn constrain(rng: &mut StdRng, kind: &str, resource: &str, item: &mut Value) {
    let steps = match resource {
        "cpu" => CPU_STEPS,
        "example.com/gpu" => COUNT_STEPS,
        _ => MEMORY_STEPS,
    };
    let mut chosen = [pick(rng, STEPS), pick(rng, STEPS), pick(rng, STEPS), pick(rng, STEPS)];
    chosen.sort_unstable();
    let defaults = kind != "Pod" || chance(rng, 3);
    for (field, step, percent) in [
        ("min", chosen[0], 50),
        ("max", chosen[3], 50),
        ("defaultRequest", chosen[1], 45),
        ("default", chosen[2], 45),
    ] {
        if chance(rng, percent) && (defaults || !field.starts_with("default")) {
            item[field][resource] = steps[step].into();
        }
    }
    if chance(rng, 20) {
        item["maxLimitRequestRatio"][resource] =
            pick(rng, &["1", "1.5", "2", "2", "4", "10", "1500m"]).into();
    }
}

/// The indexes of the steps.
const STEPS: &[usize] = &[0, 1, 2, 3, 4, 5, 6, 7, 8];

fn disordered(rng: &mut StdRng, kind: &str) -> Value {
    let names = [any_resource_name(rng), any_resource_name(rng), "cpu", "memory"];
    object([
        ("type", kind.into()),
        ("min", maybe(rng, 40, |rng| resource_list(rng, 50, &names))),
        ("max", maybe(rng, 40, |rng| resource_list(rng, 50, &names))),
        ("defaultRequest", maybe(rng, 40, |rng| resource_list(rng, 50, &names))),
        ("default", maybe(rng, 40, |rng| resource_list(rng, 50, &names))),
        ("maxLimitRequestRatio", maybe(rng, 30, |rng| resource_list(rng, 50, &names))),
    ])
}
