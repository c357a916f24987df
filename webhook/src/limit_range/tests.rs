//! The case files, and what holds for any pod and any LimitRanges.

use k8s_openapi::api::core::v1::{Container, LimitRange, PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::field::Path;
use plimsoll_api::group::{GroupKind, GroupResource};
use plimsoll_api::request::{Operation, display_name};
use plimsoll_fixtures::{Case, cases};
use plimsoll_resource_math::ResourceList;
use plimsoll_resource_math::defaulting::round_pod_spec;
use plimsoll_resource_math::pod_resources::PodResources;
use serde_json::{Map, Value, json};

use super::*;

#[track_caller]
fn check_file(file: &str, answer: fn(&Value) -> Value) {
    for Case { name, source, given, expect, .. } in cases(&format!("testdata/limit_range/{file}.yaml")) {
        assert_eq!(answer(&given), expect, "{file}: {name} ({source})");
    }
}

#[test]
fn bounds_of_containers() {
    check_file("container", decide);
}

#[test]
fn bounds_of_pods() {
    check_file("pod", decide);
}

#[test]
fn bounds_of_claims() {
    check_file("claim", decide);
}

#[test]
fn defaults_of_pods() {
    check_file("defaults", decide);
}

#[test]
fn requests_looked_at() {
    check_file("requests", decide);
}

#[test]
fn objects() {
    check_file("object", |given| {
        let mut limit_range: LimitRange = parse(given);
        object::set_defaults(&mut limit_range).unwrap();
        let limits = Limits::parse(&limit_range).unwrap();
        let mut errors: Vec<String> = object::validate(&limits).iter().map(ToString::to_string).collect();
        errors.sort_unstable();
        json!({"spec": without_empty(serde_json::to_value(&limit_range.spec).unwrap()), "errors": errors})
    });
}

/// What becomes of a request: the pod's amounts and annotations, and the refusal.
fn decide(given: &Value) -> Value {
    let text = |field: &str| given[field].as_str().unwrap_or_default();
    let operation = match text("operation") {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        _ => Operation::Delete,
    };
    let old: Option<ObjectMeta> = given.get("old").map(|old| parse(&old["metadata"]));
    let kind = GroupKind::new("", text("kind"));
    let handling = applies(operation, &kind, text("subresource"), old.as_ref());
    let limit_ranges = limit_ranges(given);
    let (metadata, mutated, result) = if text("kind") == "Pod" {
        let mut pod: Pod = parse(&given["object"]);
        round_pod_spec(&Path::root("spec"), pod.spec.as_mut().unwrap()).unwrap();
        if handling.is_some_and(Handling::defaults) {
            default_pod(&mut pod, &limit_ranges);
        }
        let amounts = PodResources::parse(&pod).unwrap();
        let result = handling.map_or(Ok(()), |_| validate_pod(&amounts, &limit_ranges));
        (pod.metadata.clone(), describe(&pod), result)
    } else {
        let claim: PersistentVolumeClaim = parse(&given["object"]);
        let resources = claim.spec.and_then(|spec| spec.resources);
        let requests = resources.and_then(|resources| resources.requests);
        let requests = ResourceList::parse(requests.as_ref()).unwrap();
        let result = handling.map_or(Ok(()), |_| validate_persistent_volume_claim(&requests, &limit_ranges));
        (claim.metadata, Value::Null, result)
    };
    let name = display_name(text("name"), metadata.name.as_deref(), metadata.generate_name.as_deref());
    let refusal = result.err().map(|refusal| deny(refusal, &GroupResource::new("", text("resource")), name));
    without_empty(json!({"mutated": mutated, "refusal": refusal}))
}

fn limit_ranges(given: &Value) -> LimitRanges {
    let mut objects: Vec<LimitRange> = parse(&given["limit_ranges"]);
    if given["raw"] != true {
        for limit_range in &mut objects {
            object::set_defaults(limit_range).unwrap();
        }
    }
    objects.iter().map(|limit_range| Limits::parse(limit_range).unwrap()).collect()
}

/// The refusal with its sentences sorted, as the oracle sorts those of upstream.
fn deny(mut refusal: Refusal, resource: &GroupResource, name: &str) -> Value {
    refusal.violations.sort_by_cached_key(ToString::to_string);
    let status = refusal.status(resource, name);
    let details = status.details.unwrap();
    json!({
        "limit_range": refusal.limit_range,
        "code": status.code,
        "reason": status.reason.as_str(),
        "message": status.message,
        "group": details.group,
        "kind": details.kind,
        "name": details.name,
    })
}

fn describe(pod: &Pod) -> Value {
    let spec = pod.spec.clone().unwrap_or_default();
    let amounts = |containers: &[Container]| -> Value {
        containers.iter().map(|container| json!(container.resources.clone().unwrap_or_default())).collect()
    };
    json!({
        "containers": amounts(&spec.containers),
        "initContainers": amounts(&spec.init_containers.unwrap_or_default()),
        "annotations": pod.metadata.annotations,
    })
}

/// Go leaves out what is empty; but a container stays in its list, and empty text stays.
fn without_empty(value: Value) -> Value {
    let empty = |value: &Value| match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        other => other.is_null(),
    };
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (key, without_empty(value)));
            Value::Object(fields.filter(|(_, value)| !empty(value)).collect::<Map<_, _>>())
        }
        Value::Array(elements) => elements.into_iter().map(without_empty).collect(),
        other => other,
    }
}

fn parse<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

mod properties;
