use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_fixtures::{Case, cases, object};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{default_pod, default_pod_level_resources, normalize_quantity};

#[track_caller]
fn check(case: &Case) {
    let mut pod = Pod::deserialize(&case.given).unwrap();
    default_pod(&mut pod).unwrap();
    let decoded = &case.expect["decoded"];
    assert_eq!(&amounts(&pod), decoded, "{}: decoded", case.name);
    default_pod_level_resources(pod.spec.as_mut().unwrap()).unwrap();
    let created = case.expect.get("created").unwrap_or(decoded);
    assert_eq!(&amounts(&pod), created, "{}: created", case.name);
}

fn amounts(pod: &Pod) -> Value {
    let spec = pod.spec.as_ref().unwrap();
    let all = |containers: &[Container]| {
        containers.iter().map(|container| lists(container.resources.as_ref())).collect::<Value>()
    };
    json!({
        "containers": all(&spec.containers),
        "initContainers": all(spec.init_containers.as_deref().unwrap_or_default()),
        "pod": lists(spec.resources.as_ref()),
        "overhead": spec.overhead.clone().unwrap_or_default(),
    })
}

fn lists(resources: Option<&ResourceRequirements>) -> Value {
    let lists = resources
        .into_iter()
        .flat_map(|resources| [("limits", &resources.limits), ("requests", &resources.requests)]);
    let named = lists.filter_map(|(name, list)| {
        Some((name.to_owned(), json!(list.as_ref().filter(|list| !list.is_empty())?)))
    });
    Value::Object(named.collect::<Map<_, _>>())
}

#[test]
fn amounts_are_filled_in_as_upstream_does() {
    cases("testdata/defaulting.yaml").iter().for_each(check);
}

#[test]
fn an_amount_that_is_none_is_named_with_its_field() {
    let mut pod: Pod = object("spec: {containers: [{name: a, resources: {limits: {memory: 1K}}}]}");
    assert_eq!(
        default_pod(&mut pod).unwrap_err().to_string(),
        "spec.containers[0].resources.limits: memory: \"1K\": unable to parse quantity's suffix"
    );
}

#[test]
fn statuses_are_rounded_too() {
    let mut pod: Pod = object(
        "spec: {containers: []}
status: {allocatedResources: {cpu: 1u}, containerStatuses: [{name: a, resources: {limits: {cpu: 1n}}}]}",
    );
    default_pod(&mut pod).unwrap();
    let status = pod.status.unwrap();
    let limits = status.container_statuses.unwrap().remove(0).resources.unwrap().limits.unwrap();
    assert_eq!([&status.allocated_resources.unwrap()["cpu"].0, &limits["cpu"].0], ["1m", "1m"]);
}

#[test]
fn single_amounts_are_written_as_they_are_stored() {
    let mut quantity = ApiQuantity(" 1024Mi ".to_owned());
    normalize_quantity(&mut quantity).unwrap();
    assert_eq!(quantity.0, "1Gi");
}
