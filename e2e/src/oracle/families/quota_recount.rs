//! What a quota has used once all objects of its namespace have been counted.

use k8s_openapi::api::core::v1::ResourceQuota;
use plimsoll_quota::{CountedObject, Evaluator, Quota, Seen, recount};
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::amounts::may_count_overhead_twice;
use super::quota::{Item, Resource, World, amounts, shares_extended_resource};
use super::{Family, decode};
use crate::oracle::generate::quota_request::{any_object, keys, quota, resource, tamed, world};
use crate::oracle::generate::{chance, list};

pub(super) const FAMILY: Family = Family {
    name: "quota_recount",
    generate,
    evaluate,
    known_difference: Some(known_difference),
    bench: None,
};

fn generate(rng: &mut StdRng) -> Value {
    let objects = list(rng, 0..=6, |rng, _| {
        let (group, name) = resource(rng);
        json!({"resource": {"group": group, "resource": name}, "object": any_object(rng, name)})
    });
    let keys = keys(rng, 30);
    let countable: Vec<_> =
        [("apps", "deployments"), ("example.com", "widgets"), ("", "endpoints"), ("", "pods")]
            .into_iter()
            .filter(|_| chance(rng, 70))
            .map(|(group, name)| json!({"group": group, "resource": name}))
            .collect();
    let mut input = world(rng);
    input.insert("quota".to_owned(), quota(rng, "quota", &keys));
    input.insert("countable".to_owned(), countable.into());
    input.insert("objects".to_owned(), objects);
    tamed(Value::Object(input))
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let world = World::read(input)?;
    let mut quota = Quota::parse(&decode::<ResourceQuota>(&input["quota"])?)?;
    let countable: Vec<Resource> = decode(&input["countable"])?;
    let countable: Vec<_> = countable.iter().map(Resource::group_resource).collect();
    let mut items = Vec::new();
    for value in input["objects"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let resource = decode::<Resource>(&value["resource"])?.group_resource();
        let item = Item::read(&resource, &value["object"])?;
        // As the controller does, which measures an object when it changes.
        let usage = Evaluator::of(&resource).and_then(|evaluator| evaluator.lasting_usage(item.object()));
        items.push((resource, item, usage));
    }
    let objects: Vec<_> = items
        .iter()
        .map(|(resource, item, usage)| CountedObject {
            resource,
            object: item.object(),
            usage: usage.as_ref(),
        })
        .collect();
    let seen = Seen { countable: &countable, objects: &objects, ..Seen::default() };
    recount(&mut quota, seen, &world.surroundings())?;
    Ok(amounts(&quota.used))
}

fn known_difference(input: &Value, _ours: &Value, _theirs: &Value) -> Option<&'static str> {
    let mut objects = input["objects"].as_array().into_iter().flatten();
    let grows = objects.any(|counted| may_count_overhead_twice(&counted["object"]));
    shares_extended_resource(input).then_some("D-quota-2").or(grows.then_some("D-PodResources-1"))
}
