use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_fixtures::{Case, cases, object};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

use super::{PodResources, PodResourcesOptions, StatusResources};
use crate::resource_list::ResourceList;

#[derive(Deserialize)]
struct Given {
    pod: Pod,
    #[serde(default)]
    options: Options,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Options {
    status: String,
    exclude_overhead: bool,
    skip_pod_level: bool,
    skip_containers: bool,
    missing: BTreeMap<String, ApiQuantity>,
}

impl Options {
    fn parse(&self) -> PodResourcesOptions {
        PodResourcesOptions {
            status: match self.status.as_str() {
                "" => StatusResources::Ignored,
                "containers" => StatusResources::Containers,
                _ => StatusResources::ContainersAndPod,
            },
            exclude_overhead: self.exclude_overhead,
            skip_pod_level: self.skip_pod_level,
            skip_containers: self.skip_containers,
            missing_container_requests: ResourceList::parse(Some(&self.missing)).unwrap(),
        }
    }
}

#[track_caller]
fn check(case: &Case) {
    let given = Given::deserialize(&case.given).unwrap();
    let (pod, options) = (PodResources::parse(&given.pod).unwrap(), given.options.parse());
    for (total, expect) in case.expect.as_object().unwrap() {
        let ours = match total.as_str() {
            "requests" => pod.requests(&options),
            "limits" => pod.limits(&options),
            "container_requests" => pod.container_requests(&options),
            _ => pod.container_limits(&options),
        };
        assert_eq!(&json!(ours.to_api()), expect, "{}: {total}", case.name);
    }
}

#[test]
fn totals_are_upstreams() {
    cases("testdata/pod_resources.yaml").iter().for_each(check);
}

#[test]
fn an_amount_that_is_none_is_refused_with_its_field() {
    let pod: Pod =
        object("spec: {containers: [{name: a}, {name: b, resources: {limits: {cpu: 1, memory: 1K}}}]}");
    assert_eq!(
        PodResources::parse(&pod).unwrap_err().to_string(),
        "spec.containers[1].resources.limits: memory: \"1K\": unable to parse quantity's suffix"
    );
}

#[test]
fn an_amount_in_the_status_is_refused_too() {
    let pod: Pod = object(
        "spec: {containers: [{name: a}]}
status: {containerStatuses: [{name: a, allocatedResources: {cpu: x}}]}",
    );
    assert!(PodResources::parse(&pod).unwrap_err().field.starts_with("status.containerStatuses[0]"));
}
