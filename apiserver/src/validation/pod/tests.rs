//! The creation of pods as case files, and what a resize may change.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, ResourceRequirements};
use plimsoll_fixtures::{Case, cases, object};
use serde_json::{Value, json};

use super::{Resizing, resize_rules, validate_pod_create, validate_pod_resize};
use crate::{defaults, prepare, warnings};

/// What the API server makes of a new pod. The order of messages is the oracle's business.
fn create(given: &Value) -> Value {
    let mut given = given.clone();
    given["apiVersion"] = "v1".into();
    given["kind"] = "Pod".into();
    let mut pod: Pod = serde_json::from_value(given).unwrap();
    defaults::pod(&mut pod).unwrap();
    let mut found = prepare::pod_for_create(&mut pod).unwrap();
    let errors: Vec<String> = validate_pod_create(&pod).iter().map(ToString::to_string).collect();
    if !errors.is_empty() {
        return json!({"errors": errors});
    }
    found.extend(warnings::pod(&pod));
    let mut stored = serde_json::to_value(&pod).unwrap();
    prune(&mut stored);
    let mut outcome = json!({"stored": stored});
    if !found.is_empty() {
        outcome["warnings"] = found.into();
    }
    outcome
}

fn sorted(mut outcome: Value) -> Value {
    for field in ["errors", "warnings"] {
        if let Some(texts) = outcome.get_mut(field).and_then(Value::as_array_mut) {
            texts.sort_by_key(Value::to_string);
        }
    }
    outcome
}

/// Leaves out what is absent, empty or zero.
fn prune(value: &mut Value) {
    const MAPS: [&str; 5] = ["limits", "metadata", "requests", "resources", "status"];
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(prune);
            fields.retain(|key, value| match value {
                Value::Null => false,
                Value::String(text) => !text.is_empty(),
                Value::Bool(flag) => *flag,
                Value::Number(number) => number.as_i64() != Some(0),
                Value::Array(list) => !list.is_empty(),
                Value::Object(fields) => !(fields.is_empty() && MAPS.contains(&key.as_str())),
            });
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}

#[test]
fn new_pods() {
    for Case { name, source, given, expect, .. } in cases("testdata/pod/create.yaml") {
        let mut outcome = create(&given);
        if let Some(stored) = outcome.get_mut("stored").and_then(Value::as_object_mut) {
            stored.remove("apiVersion");
            stored.remove("kind");
        }
        assert_eq!(sorted(outcome), sorted(expect), "{name} ({source})");
    }
}

const RUNNING: &str = "
metadata: {name: a, namespace: b, resourceVersion: '1'}
spec:
  initContainers:
  - {name: setup, image: i, resources: {requests: {cpu: 1}}}
  containers:
  - name: app
    image: i
    resources: {requests: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi}, limits: {cpu: 2}}
    resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]
";

fn running() -> Pod {
    let mut pod: Pod = object(&format!("apiVersion: v1\nkind: Pod\n{RUNNING}"));
    defaults::pod(&mut pod).unwrap();
    prepare::pod_for_create(&mut pod).unwrap();
    pod
}

#[track_caller]
fn check_resize(change: impl FnOnce(&mut Pod), expected: &[&str]) {
    let old = running();
    let mut new = old.clone();
    change(&mut new);
    prepare::pod_for_resize(&mut new, &old).unwrap();
    let errors: Vec<String> = validate_pod_resize(&new, &old).iter().map(ToString::to_string).collect();
    assert_eq!(errors, expected);
}

fn amount(pod: &mut Pod, list: &str, name: &str, amount: Option<&str>) {
    let resources = pod.spec.as_mut().unwrap().containers[0].resources.as_mut().unwrap();
    let list = if list == "limits" { &mut resources.limits } else { &mut resources.requests };
    let list = list.get_or_insert_default();
    match amount {
        Some(amount) => {
            let quantity = k8s_openapi::apimachinery::pkg::api::resource::Quantity(amount.to_owned());
            list.insert(name.to_owned(), quantity);
        }
        None => {
            list.remove(name);
        }
    }
}

#[test]
fn resizes_change_cpu_and_memory_only() {
    check_resize(|pod| amount(pod, "requests", "cpu", Some("1500m")), &[]);
    check_resize(|pod| pod.spec.as_mut().unwrap().hostname = Some("x".to_owned()), &[]);
    check_resize(
        |pod| amount(pod, "requests", "cpu", Some("3")),
        &[
            "spec.containers[0].resources.requests: Invalid value: \"3\": must be less than or equal to cpu limit of 2",
        ],
    );
    check_resize(
        |pod| amount(pod, "limits", "cpu", None),
        &["spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"],
    );
    check_resize(
        |pod| amount(pod, "requests", "ephemeral-storage", Some("2Gi")),
        &["spec: Forbidden: only cpu and memory resources are mutable"],
    );
    check_resize(
        |pod| pod.spec.as_mut().unwrap().containers[0].name = "other".to_owned(),
        &["spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize"],
    );
}

/// Found by the oracle: an empty list of amounts and none at all are the same to upstream.
#[test]
fn resizes_may_empty_what_is_empty() {
    let mut old = running();
    let empty = ResourceRequirements { requests: Some(BTreeMap::new()), ..ResourceRequirements::default() };
    old.spec.as_mut().unwrap().resources = Some(empty);
    let mut new = old.clone();
    new.spec.as_mut().unwrap().resources = Some(ResourceRequirements::default());
    assert_eq!(validate_pod_resize(&new, &old), vec![]);
}

#[test]
fn tells_what_can_be_resized() {
    let rules: Vec<_> =
        resize_rules(&running()).into_iter().map(|rule| (rule.path, rule.resource, rule.resizing)).collect();
    let refused = |message: &str| Resizing::Refused(message.to_owned());
    let rule = |path: &str, resource: &str, resizing| (path.to_owned(), resource.to_owned(), resizing);
    let expected = [
        rule("spec.initContainers[0]", "cpu", Resizing::InPlace),
        rule("spec.initContainers[0]", "memory", Resizing::InPlace),
        rule("spec.containers[0]", "cpu", Resizing::InPlace),
        rule(
            "spec.containers[0]",
            "ephemeral-storage",
            refused("spec: Forbidden: only cpu and memory resources are mutable"),
        ),
        rule("spec.containers[0]", "memory", Resizing::Restart),
    ];
    assert_eq!(rules, expected);
}
