//! One request against the quotas of its namespace, as the admission plugin decides it.

use k8s_openapi::api::core::v1::{ResourceQuota, ScopedResourceSelectorRequirement};
use k8s_openapi::api::resource::v1::ResourceClaim;
use plimsoll_api::request::Operation;
use plimsoll_quota::{Decision, LimitedResource, Quota, Request, ScopeRequirement, decide, payer};
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::amounts::may_count_overhead_twice;
use super::quota::{Item, Resource, World, amounts, shares_extended_resource};
use super::{Family, decode};
use crate::oracle::generate::quota_request::{
    KEYS, NAMESPACE, any_object, quota, resource, scope_requirement, tamed, world,
};
use crate::oracle::generate::{chance, list, maybe, object, pick, some_of};

pub(super) const FAMILY: Family = Family {
    name: "quota_admission",
    generate,
    evaluate,
    known_difference: Some(known_difference),
    bench: None,
};

#[derive(Deserialize)]
struct Limited {
    #[serde(flatten)]
    resource: Resource,
    #[serde(rename = "matchContains", default)]
    match_contains: Vec<String>,
    #[serde(rename = "matchScopes", default)]
    match_scopes: Vec<ScopedResourceSelectorRequirement>,
}

fn generate(rng: &mut StdRng) -> Value {
    let (group, name) = resource(rng);
    let object_of_it = any_object(rng, name);
    let updates = chance(rng, 45);
    let subresource = match name {
        "pods" if updates => pick(rng, &["resize", "resize", "resize", "resize", "", "status"]),
        "persistentvolumeclaims" if updates => pick(rng, &["", "", "status"]),
        _ if chance(rng, 3) => "status",
        _ => "",
    };
    let old_object = if updates && chance(rng, 98) {
        old_object(rng, name, &object_of_it, subresource)
    } else {
        Value::Null
    };
    let mut names = ["quota-a", "quota-b", "quota-c"].to_vec();
    names.truncate(pick(rng, &[0, 1, 1, 1, 2, 2, 3]));
    if chance(rng, 20) {
        names.reverse();
    }
    let quotas: Vec<_> = names.into_iter().map(|called| relevant_quota(rng, called, name)).collect();
    let mut input = world(rng);
    let fields: [(&str, Value); 8] = [
        ("quotas", quotas.into()),
        ("limited", maybe(rng, 20, |rng| list(rng, 0..=2, |rng, _| limited(rng, (group, name))))),
        ("operation", if updates { "UPDATE" } else { "CREATE" }.into()),
        ("resource", json!({"group": group, "resource": name})),
        ("subresource", subresource.into()),
        ("name", maybe(rng, 80, |_| "called-so")),
        ("object", object_of_it),
        ("oldObject", old_object),
    ];
    input.extend(fields.map(|(key, value)| (key.to_owned(), value)));
    tamed(Value::Object(input))
}

/// The object before the update: with another spec, or another altogether; a resize leaves the status alone.
fn old_object(rng: &mut StdRng, name: &str, object: &Value, subresource: &str) -> Value {
    let mut old = any_object(rng, name);
    match number_of(rng) {
        0..=4 => old["metadata"] = object["metadata"].clone(),
        5..=8 => {
            let other = old;
            old = object.clone();
            let containers = object["spec"]["containers"].as_array().map_or(0, Vec::len);
            for index in 0..containers {
                let resources = other["spec"]["containers"][index].get("resources").cloned();
                if let Some(resources) = resources {
                    old["spec"]["containers"][index]["resources"] = resources;
                }
            }
            if containers == 0 && subresource.is_empty() {
                old["spec"] = other["spec"].clone();
            }
        }
        _ => {}
    }
    old
}

fn number_of(rng: &mut StdRng) -> i64 {
    crate::oracle::generate::number(rng, 0..=9)
}

/// A quota that often counts objects of the resource.
fn relevant_quota(rng: &mut StdRng, called: &str, name: &str) -> Value {
    let range = match name {
        "pods" => 0..19,
        "resourceclaims" => 14..24,
        "services" => 24..28,
        "persistentvolumeclaims" => 28..34,
        _ => 34..KEYS.len(),
    };
    let relevant = if name == "pods" { 30 } else { 60 };
    let mut keys = some_of(rng, relevant, &KEYS[range]);
    for key in some_of(rng, 5, KEYS) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    quota(rng, called, &keys)
}

fn limited(rng: &mut StdRng, (group, name): (&str, &str)) -> Value {
    let (group, name) = if chance(rng, 80) { (group, name) } else { ("", "pods") };
    object([
        ("group", group.into()),
        ("resource", name.into()),
        (
            "matchContains",
            maybe(rng, 70, |rng| {
                list(rng, 1..=2, |rng, _| {
                    pick(rng, &["cpu", "pods", "storageclass", "requests.", "nodeports", "count/", ""])
                })
            }),
        ),
        ("matchScopes", maybe(rng, 40, |rng| list(rng, 1..=2, |rng, _| scope_requirement(rng)))),
    ])
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let world = World::read(input)?;
    let resource = decode::<Resource>(&input["resource"])?.group_resource();
    let object = Item::read(&resource, &input["object"])?;
    let old_object = match &input["oldObject"] {
        Value::Null => None,
        value => Some(Item::read(&resource, value)?),
    };
    let objects: Vec<ResourceQuota> = decode(&input["quotas"])?;
    let mut quotas = objects.iter().map(Quota::parse).collect::<Result<Vec<_>, _>>()?;
    let limited: Option<Vec<Limited>> = decode(&input["limited"])?;
    let limited: Vec<_> = limited.into_iter().flatten().map(limited_resource).collect();
    let request = Request {
        operation: if input["operation"] == "UPDATE" { Operation::Update } else { Operation::Create },
        resource: &resource,
        subresource: input["subresource"].as_str().unwrap_or_default(),
        namespace: NAMESPACE,
        name: input["name"].as_str().unwrap_or_default(),
        object: object.object(),
        old_object: old_object.as_ref().map(Item::object),
    };
    let mut refused = Value::Null;
    match decide(&request, &quotas, &limited, &world.surroundings())? {
        Decision::Admitted(charges) => charges.iter().for_each(|charge| quotas[charge.quota].apply(charge)),
        Decision::Refused(refusal) => {
            let status = refusal.status();
            refused =
                json!({"code": status.code, "reason": status.reason.as_str(), "message": status.message});
        }
    }
    let used: Map<_, _> = quotas.iter().map(|quota| (quota.name.clone(), amounts(&quota.used))).collect();
    Ok(json!({"refused": refused, "used": used}))
}

fn limited_resource(limited: Limited) -> LimitedResource {
    LimitedResource {
        resource: limited.resource.group_resource(),
        match_contains: limited.match_contains,
        match_scopes: limited.match_scopes.iter().map(ScopeRequirement::selector).collect(),
    }
}

fn known_difference(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let text = |side: &Value| side["refused"]["message"].as_str().unwrap_or_default().to_owned();
    let (our_text, their_text) = (text(ours), text(theirs));
    if their_text.starts_with("insufficient quota to match these scopes")
        && our_text.ends_with(&format!(" is forbidden: {their_text}"))
    {
        return Some("D-quota-1");
    }
    if shares_extended_resource(input) && input["resource"]["resource"] == "resourceclaims" {
        return Some("D-quota-2");
    }
    if has_stored_rival(input) {
        return Some("D-quota-8");
    }
    let conditions =
        input["object"]["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let infeasible = conditions
        .iter()
        .any(|condition| condition["type"] == "PodResizePending" && condition["reason"] == "Infeasible");
    if infeasible && input["subresource"] == "resize" {
        return Some("D-quota-3");
    }
    let grows = [&input["object"], &input["oldObject"]].into_iter().any(may_count_overhead_twice);
    grows.then_some("D-PodResources-1")
}

/// Whether a claim with another name is stored for the pod that this one is made for.
fn has_stored_rival(input: &Value) -> bool {
    let metadata = &input["object"]["metadata"];
    let owners = metadata["ownerReferences"].as_array().map(Vec::as_slice).unwrap_or_default();
    let claims: Vec<ResourceClaim> = decode(&input["claims"]).unwrap_or_default();
    input["resource"]["resource"] == "resourceclaims"
        && owners.iter().filter_map(|owner| owner["uid"].as_str()).any(|uid| {
            let other = |claim: &ResourceClaim| claim.metadata.name.as_deref() != metadata["name"].as_str();
            claims.iter().any(|claim| payer::is_for(claim, uid) && other(claim))
        })
}
