use k8s_openapi::api::core::v1::{LimitRange, Pod};
use plimsoll_fixtures::object;

use super::*;

#[test]
fn the_first_by_name_that_is_broken_is_reported_alone() {
    let limit_ranges: LimitRanges = [
        "{metadata: {name: c}, spec: {limits: [{type: Container, max: {cpu: 1}}]}}",
        "{metadata: {name: b}, spec: {limits: [{type: Container, max: {cpu: 500m, memory: 1Gi}}]}}",
        "{metadata: {name: a}, spec: {limits: [{type: Pod, max: {cpu: 4}}]}}",
    ]
    .into_iter()
    .map(|yaml| Limits::parse(&object::<LimitRange>(yaml)).unwrap())
    .collect();
    let pod: Pod = object("{spec: {containers: [{name: web, resources: {limits: {cpu: 2, memory: 2Gi}}}]}}");
    let refusal = validate_pod(&PodResources::parse(&pod).unwrap(), &limit_ranges).unwrap_err();
    assert_eq!(refusal.limit_range, "b");
    assert_eq!(
        refusal.to_string(),
        "[maximum cpu usage per Container is 500m, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]"
    );
}
