use k8s_openapi::api::core::v1::Pod;
use plimsoll_fixtures::object;

use super::{PodResources, PodResourcesOptions};

#[test]
fn sidecars_count_from_their_start_on() {
    let pod: Pod = object(
        "spec:
  initContainers:
  - {name: a, resources: {requests: {cpu: 3}}}
  - {name: b, restartPolicy: Always, resources: {requests: {cpu: 2}}}
  - {name: c, resources: {requests: {cpu: 4}}}
  containers:
  - {name: d, resources: {requests: {cpu: 1}}}
",
    );
    let requests = PodResources::parse(&pod).unwrap().requests(&PodResourcesOptions::default());
    assert_eq!(requests.amount("cpu").to_string(), "6");
}
