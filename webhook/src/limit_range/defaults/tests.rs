use k8s_openapi::api::core::v1::{LimitRange, Pod};
use plimsoll_fixtures::object;

use super::*;
use crate::limit_range::object::set_defaults;

fn limit_ranges(yaml: &[&str]) -> LimitRanges {
    let parse = |yaml: &&str| {
        let mut limit_range: LimitRange = object(yaml);
        set_defaults(&mut limit_range).unwrap();
        Limits::parse(&limit_range).unwrap()
    };
    yaml.iter().map(parse).collect()
}

#[test]
fn the_first_by_name_wins_and_the_last_writes_the_annotation() {
    let limit_ranges = limit_ranges(&[
        "{metadata: {name: b}, spec: {limits: [{type: Container, default: {cpu: 2, memory: 1Gi}}]}}",
        "{metadata: {name: a}, spec: {limits: [{type: Container, default: {cpu: 1}}]}}",
    ]);
    let mut pod: Pod = object("{spec: {containers: [{name: web}], initContainers: [{name: wait}]}}");
    let changes = default_pod(&mut pod, &limit_ranges);
    let told: Vec<_> = changes
        .iter()
        .map(|change| format!("{} = {} ({})", change.target.path(), change.value, change.limit_range))
        .collect();
    assert_eq!(
        told,
        [
            "spec.containers[0].resources.requests[cpu] = 1 (a)",
            "spec.containers[0].resources.limits[cpu] = 1 (a)",
            "spec.initContainers[0].resources.requests[cpu] = 1 (a)",
            "spec.initContainers[0].resources.limits[cpu] = 1 (a)",
            "spec.containers[0].resources.requests[memory] = 1Gi (b)",
            "spec.containers[0].resources.limits[memory] = 1Gi (b)",
            "spec.initContainers[0].resources.requests[memory] = 1Gi (b)",
            "spec.initContainers[0].resources.limits[memory] = 1Gi (b)",
            "metadata.annotations[kubernetes.io/limit-ranger] = LimitRanger plugin set: memory request for container web; memory limit for container web; memory request for init container wait; memory limit for init container wait (b)",
        ]
    );
    assert_eq!(default_pod(&mut pod, &limit_ranges), []);
}
