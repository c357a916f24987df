//! Requests against the quotas of their namespace.

use k8s_openapi::api::core::v1::{ResourceQuota, ScopedResourceSelectorRequirement};
use plimsoll_api::request::Operation;
use plimsoll_fixtures::{Case, cases};
use plimsoll_quota::{Decision, LimitedResource, Quota, Request, ScopeRequirement, decide};
use serde_json::{Map, Value, json};

use crate::world::{Item, World, amounts, read_list, resource_of};

#[track_caller]
fn check(case: &Case) {
    let given = &case.given;
    let world = World::read(given);
    let resource = resource_of(&given["resource"]);
    let object = Item::read(&resource, &given["object"]);
    let old_object = given.get("oldObject").map(|old| Item::read(&resource, old));
    let objects: Vec<ResourceQuota> = read_list(&given["quotas"]);
    let mut quotas: Vec<Quota> = objects.iter().map(|quota| Quota::parse(quota).unwrap()).collect();
    let limited: Vec<Value> = read_list(&given["limited"]);
    let request = Request {
        operation: if given["operation"] == "UPDATE" { Operation::Update } else { Operation::Create },
        resource: &resource,
        subresource: given["subresource"].as_str().unwrap(),
        namespace: "team",
        name: given["name"].as_str().unwrap_or_default(),
        object: object.object(),
        old_object: old_object.as_ref().map(Item::object),
    };
    let limited: Vec<_> = limited.iter().map(limited_resource).collect();
    let mut answer = json!({});
    match decide(&request, &quotas, &limited, &world.surroundings()).unwrap() {
        Decision::Admitted(charges) => charges.iter().for_each(|charge| quotas[charge.quota].apply(charge)),
        Decision::Refused(refusal) => {
            let status = refusal.status();
            answer["refused"] =
                json!({"code": status.code, "reason": status.reason.as_str(), "message": status.message});
        }
    }
    let used: Map<_, _> = quotas.iter().map(|quota| (quota.name.clone(), amounts(&quota.used))).collect();
    answer["used"] = used.into();
    assert_eq!(answer, case.expect, "{} ({})", case.name, case.source);
}

fn limited_resource(value: &Value) -> LimitedResource {
    let scopes: Vec<ScopedResourceSelectorRequirement> = read_list(&value["matchScopes"]);
    LimitedResource {
        resource: resource_of(value),
        match_contains: read_list(&value["matchContains"]),
        match_scopes: scopes.iter().map(ScopeRequirement::selector).collect(),
    }
}

#[test]
fn requests() {
    cases("testdata/admission.yaml").iter().for_each(check);
}
