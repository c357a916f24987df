//! Usage, keys, scopes and constraints of each kind of object.

use k8s_openapi::api::core::v1::ScopedResourceSelectorRequirement;
use plimsoll_api::group::GroupResource;
use plimsoll_api::request::Operation;
use plimsoll_fixtures::{Case, cases};
use plimsoll_quota::refusal::must_specify;
use plimsoll_quota::{Evaluator, Request, ScopeRequirement};
use serde_json::{Value, json};

use crate::world::{Item, World, amounts, read_list, resource_of};

#[track_caller]
fn check(case: &Case) {
    let world = World::read(&case.given);
    let surroundings = world.surroundings();
    let resource = resource_of(&case.given["resource"]);
    let item = Item::read(&resource, &case.given["object"]);
    let object = item.object();
    let evaluator = Evaluator::of(&resource).unwrap();
    let namespace = object.metadata().namespace.as_deref().unwrap_or_default();
    let keys: Vec<String> = read_list(&case.given["keys"]);
    let mut matching = evaluator.matching(keys.iter().map(String::as_str), surroundings.device_classes);
    matching.sort_unstable();
    let missing = evaluator.constraints(&matching, object);
    let requirements: Vec<ScopedResourceSelectorRequirement> = read_list(&case.given["scopes"]);
    let requirements = requirements.iter().map(ScopeRequirement::selector);
    let matched: Vec<String> = requirements
        .filter(|requirement| evaluator.matches_scope(requirement, object).unwrap())
        .map(|requirement| requirement.to_string())
        .collect();
    let mut answer = json!({
        "usage": amounts(&evaluator.usage(object, namespace, &surroundings).unwrap()),
        "matching": matching,
        "scopes": format!("[{}]", matched.join(" ")),
    });
    if !missing.is_empty() {
        answer["constraints"] = must_specify(&missing).into();
    }
    assert_eq!(answer, case.expect, "{} ({})", case.name, case.source);
}

#[test]
fn pods() {
    cases("testdata/pods.yaml").iter().for_each(check);
}

#[test]
fn services() {
    cases("testdata/services.yaml").iter().for_each(check);
}

#[test]
fn persistent_volume_claims() {
    cases("testdata/persistent_volume_claims.yaml").iter().for_each(check);
}

#[test]
fn resource_claims() {
    cases("testdata/resource_claims.yaml").iter().for_each(check);
}

/// Upstream's `Test*EvaluatorHandles` of all evaluators: kubernetes `pkg/quota/v1/evaluator/core/*_test.go`.
#[test]
fn handles_what_can_change_usage() {
    let objects = |resource: &GroupResource, object: Value| Item::read(resource, &object);
    let check = |resource: (&str, &str),
                 operation,
                 subresource: &str,
                 object: Value,
                 old: Option<Value>,
                 expected| {
        let resource = GroupResource::new(resource.0, resource.1);
        let (item, old) = (objects(&resource, object), old.map(|old| objects(&resource, old)));
        let request = Request {
            operation,
            resource: &resource,
            subresource,
            namespace: "a",
            name: "b",
            object: item.object(),
            old_object: old.as_ref().map(Item::object),
        };
        let handles = Evaluator::of(&resource).is_some_and(|evaluator| evaluator.handles(&request));
        assert_eq!(handles, expected, "{resource} {operation:?} {subresource}");
    };
    let empty = || json!({"metadata": {}});
    let deadline =
        |seconds: i64| json!({"metadata": {}, "spec": {"activeDeadlineSeconds": seconds, "containers": []}});
    let all = [
        ("", "pods"),
        ("", "services"),
        ("", "persistentvolumeclaims"),
        ("resource.k8s.io", "resourceclaims"),
        ("apps", "deployments"),
    ];
    for resource in all {
        check(resource, Operation::Create, "", empty(), None, true);
        check(resource, Operation::Delete, "", empty(), None, false);
        check(resource, Operation::Connect, "", empty(), None, false);
        check(resource, Operation::Create, "subresource", empty(), None, false);
        check(resource, Operation::Update, "subresource", empty(), Some(empty()), false);
        let on_update = !matches!(resource.1, "pods" | "deployments");
        check(resource, Operation::Update, "", empty(), Some(empty()), on_update);
    }
    let pods = ("", "pods");
    check(pods, Operation::Update, "", empty(), Some(deadline(1)), true);
    check(pods, Operation::Update, "", deadline(1), Some(empty()), true);
    check(pods, Operation::Update, "", deadline(1), Some(deadline(2)), false);
    check(pods, Operation::Update, "", deadline(1), None, false);
    check(pods, Operation::Update, "resize", empty(), Some(empty()), true);
    check(("", "persistentvolumeclaims"), Operation::Update, "status", empty(), Some(empty()), true);
    check(("", "events"), Operation::Create, "", empty(), None, false);
}
