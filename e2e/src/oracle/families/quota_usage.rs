//! What an object uses, which keys and scopes of a quota it falls under, and what it must set.

use k8s_openapi::api::core::v1::ScopedResourceSelectorRequirement;
use plimsoll_quota::refusal::must_specify;
use plimsoll_quota::{Evaluator, ScopeRequirement};
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::amounts::may_count_overhead_twice;
use super::quota::{Item, Resource, World, amounts, shares_extended_resource};
use super::{Family, decode};
use crate::oracle::generate::list;
use crate::oracle::generate::quota_request::{any_object, keys, resource, scope_requirement, tamed, world};

pub(super) const FAMILY: Family =
    Family { name: "quota_usage", generate, evaluate, known_difference: Some(known_difference), bench: None };

fn generate(rng: &mut StdRng) -> Value {
    let (group, name) = loop {
        let resource = resource(rng);
        if !matches!(resource.1, "events" | "bindings" | "subjectaccessreviews") {
            break resource;
        }
    };
    let mut input = world(rng);
    input.insert("resource".to_owned(), json!({"group": group, "resource": name}));
    input.insert("object".to_owned(), any_object(rng, name));
    input.insert("keys".to_owned(), keys(rng, 50).into());
    input.insert("scopes".to_owned(), list(rng, 0..=3, |rng, _| scope_requirement(rng)));
    tamed(Value::Object(input))
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let world = World::read(input)?;
    let surroundings = world.surroundings();
    let resource = decode::<Resource>(&input["resource"])?.group_resource();
    let item = Item::read(&resource, &input["object"])?;
    let object = item.object();
    let keys: Vec<String> = decode(&input["keys"])?;
    let requirements: Vec<ScopedResourceSelectorRequirement> = decode(&input["scopes"])?;
    let evaluator = Evaluator::of(&resource).ok_or_else(|| anyhow::anyhow!("an ignored resource"))?;
    let namespace = object.metadata().namespace.as_deref().unwrap_or_default();
    let usage = evaluator.usage(object, namespace, &surroundings)?;
    let mut matching = evaluator.matching(keys.iter().map(String::as_str), surroundings.device_classes);
    matching.sort_unstable();
    let missing = evaluator.constraints(&matching, object);
    let constraints = if missing.is_empty() { Value::Null } else { must_specify(&missing).into() };
    Ok(json!({
        "usage": amounts(&usage),
        "matching": matching,
        "constraints": constraints,
        "scopes": scopes(&evaluator, &requirements, object),
    }))
}

fn scopes(
    evaluator: &Evaluator,
    requirements: &[ScopedResourceSelectorRequirement],
    object: plimsoll_quota::Object<'_>,
) -> String {
    let mut matched = Vec::new();
    for requirement in requirements.iter().map(ScopeRequirement::selector) {
        match evaluator.matches_scope(&requirement, object) {
            Ok(true) => matched.push(requirement.to_string()),
            Ok(false) => {}
            Err(problem) => return format!("error on matching scope {requirement}: {problem}"),
        }
    }
    format!("[{}]", matched.join(" "))
}

fn known_difference(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let rest_agrees = ["constraints", "matching", "scopes"].iter().all(|part| ours[part] == theirs[part]);
    if !rest_agrees {
        return None;
    }
    let grows = may_count_overhead_twice(&input["object"]).then_some("D-PodResources-1");
    shares_extended_resource(input).then_some("D-quota-2").or(grows)
}
