//! What a pod costs in LimitRanges: filling in and checking, with everything of the request parsed anew.

use divan::{Bencher, black_box};
use k8s_openapi::api::core::v1::{LimitRange, Pod};
use plimsoll_fixtures::object;
use plimsoll_resource_math::pod_resources::PodResources;
use plimsoll_webhook::limit_range::{LimitRanges, Limits, default_pod, validate_pod};

fn main() {
    divan::main();
}

/// Three containers: one with nothing, one with requests, one with all amounts.
fn pod() -> Pod {
    object(
        "metadata: {name: web}
spec:
  containers:
  - {name: web, image: nginx}
  - name: cache
    image: redis
    resources: {requests: {cpu: 100m, memory: 64Mi}}
  - name: log
    image: fluent-bit
    resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {cpu: 200m, memory: 128Mi}}
",
    )
}

fn limit_ranges() -> LimitRanges {
    let limit_range: LimitRange = object(
        "metadata: {name: limits}
spec:
  limits:
  - type: Container
    min: {cpu: 10m, memory: 4Mi}
    max: {cpu: 2, memory: 2Gi}
    default: {cpu: 500m, memory: 256Mi}
    defaultRequest: {cpu: 100m, memory: 128Mi}
    maxLimitRequestRatio: {cpu: 10}
  - type: Pod
    max: {cpu: 4, memory: 4Gi}
",
    );
    [Limits::parse(&limit_range).expect("the amounts are quantities")].into_iter().collect()
}

/// The mutating request.
#[divan::bench]
fn default_pod_of_3_containers(bencher: Bencher<'_, '_>) {
    let (pod, limit_ranges) = (pod(), limit_ranges());
    bencher.with_inputs(|| pod.clone()).bench_local_refs(|pod| default_pod(pod, black_box(&limit_ranges)));
}

/// The validating request.
#[divan::bench]
fn validate_pod_of_3_containers(bencher: Bencher<'_, '_>) {
    let (mut pod, limit_ranges) = (pod(), limit_ranges());
    default_pod(&mut pod, &limit_ranges);
    bencher.bench_local(|| {
        let amounts = PodResources::parse(black_box(&pod)).expect("the amounts are quantities");
        validate_pod(&amounts, &limit_ranges)
    });
}

/// Both, as when a pod is created.
#[divan::bench]
fn default_and_validate_pod_of_3_containers(bencher: Bencher<'_, '_>) {
    let (pod, limit_ranges) = (pod(), limit_ranges());
    bencher.with_inputs(|| pod.clone()).bench_local_refs(|pod| {
        let changes = default_pod(pod, black_box(&limit_ranges));
        let amounts = PodResources::parse(pod).expect("the amounts are quantities");
        (changes, validate_pod(&amounts, &limit_ranges))
    });
}
