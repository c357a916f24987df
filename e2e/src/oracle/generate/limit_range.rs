//! LimitRanges.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::quantity::steps;
use super::resources::{any_resource_name, resource_list};
use super::{chance, list, maybe, number, object, pick};

/// The kinds of item, those that are most common more than once.
const KINDS: &[&str] =
    &["Container", "Container", "Pod", "PersistentVolumeClaim", "Container", "Pod", "PersistentVolumeClaim"];

/// A LimitRange of that name. A kind of item comes once, as it must, most of the time.
pub fn limit_range(rng: &mut StdRng, name: &str, namespace: &str) -> Value {
    let first = pick(rng, &[0, 1, 2, 3]);
    let repeats = chance(rng, 3);
    let items = list(rng, 1..=3, |rng, index| {
        let kind = match number(rng, 0..=49) {
            0 => pick(rng, &["example.com/Thing", "Deployment", ""]),
            _ if repeats => pick(rng, KINDS),
            _ => KINDS[1 + (first + index) % 3],
        };
        limit_range_item(rng, kind)
    });
    object([
        ("apiVersion", "v1".into()),
        ("kind", "LimitRange".into()),
        ("metadata", json!({"name": name, "namespace": namespace})),
        ("spec", json!({"limits": items})),
    ])
}

/// One item of that kind. Most keep the order that validation asks for; the others are drawn without it.
pub fn limit_range_item(rng: &mut StdRng, kind: &str) -> Value {
    if chance(rng, 8) {
        return disordered(rng, kind);
    }
    let claim = kind == "PersistentVolumeClaim";
    let resources: &[&str] =
        if claim { &["storage"] } else { &["cpu", "memory", "ephemeral-storage", "example.com/gpu"] };
    let mut item = json!({"type": kind});
    for resource in resources {
        let percent = match *resource {
            "storage" => 98,
            "cpu" | "memory" => 70,
            _ => 12,
        };
        if chance(rng, percent) {
            constrain(rng, kind, resource, &mut item);
        }
    }
    item
}

/// Adds constraints on one resource.
fn constrain(rng: &mut StdRng, kind: &str, resource: &str, item: &mut Value) {
    let steps = steps(resource);
    let mut chosen = [pick(rng, STEPS), pick(rng, STEPS), pick(rng, STEPS), pick(rng, STEPS)];
    chosen.sort_unstable();
    let devices = resource == "example.com/gpu";
    if devices && !chance(rng, 10) {
        chosen[2] = chosen[1];
    }
    let defaults = kind != "Pod" || chance(rng, 2);
    // A claim must have one of the two.
    let only = if kind == "PersistentVolumeClaim" { pick(rng, &["min", "max"]) } else { "" };
    for (field, step, percent) in [
        ("min", chosen[0], 50),
        ("max", chosen[3], 50),
        ("defaultRequest", chosen[1], 45),
        ("default", chosen[2], 45),
    ] {
        if (field == only || chance(rng, percent)) && (defaults || !field.starts_with("default")) {
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
