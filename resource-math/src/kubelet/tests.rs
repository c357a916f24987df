use k8s_openapi::api::core::v1::Pod;
use plimsoll_fixtures::{Case, cases, object};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    ContainerCgroup, Kubelet, PodCgroup, PodStanding, container_cpu_weight, cpu_quota, cpu_shares,
    linear_cpu_weight, oom_score_adj,
};
use crate::pod_resources::PodResources;

#[derive(Deserialize)]
struct Given {
    pod: Pod,
    #[serde(default = "enforced")]
    enforce_cpu_limits: bool,
    #[serde(default = "period")]
    cpu_period: i64,
    #[serde(default)]
    reserve_memory: bool,
    throttling_factor: Option<f64>,
}

fn enforced() -> bool {
    true
}

fn period() -> i64 {
    100_000
}

#[track_caller]
fn check(case: &Case) {
    let given = Given::deserialize(&case.given).unwrap();
    let pod = PodResources::parse(&given.pod).unwrap();
    let standing = PodStanding::of(&given.pod, &pod);
    let kubelet = Kubelet {
        enforce_cpu_limits: given.enforce_cpu_limits,
        cpu_period: given.cpu_period,
        reserve_memory: given.reserve_memory,
        memory_throttling_factor: given.throttling_factor,
        ..Kubelet::default()
    };
    let cgroup = PodCgroup::new(&pod, standing, &kubelet);
    let score = |container| oom_score_adj(&pod, container, standing, 8_000_000_000);
    let scores: Map<_, _> = pod.all_containers().map(|c| (c.name.clone(), score(c).into())).collect();
    let text = |bytes: Option<i64>| bytes.map(|bytes| bytes.to_string());
    let mut ours = json!({
        "cpu_shares": cgroup.cpu_shares,
        "cpu_quota": cgroup.cpu_quota,
        "cpu_period": cgroup.cpu_period,
        "memory": cgroup.memory,
        "hugepages": cgroup.hugepages,
        "memory_min": text(cgroup.memory_min),
        "memory_low": text(cgroup.memory_low),
        "memory_high": text(cgroup.memory_high),
        "scores": scores,
        "critical": standing.node_critical,
    });
    let absent = |value: &Value| value.is_null() || *value == json!({}) || *value == json!(false);
    ours.as_object_mut().unwrap().retain(|_, value| !absent(value));
    assert_eq!(ours, case.expect, "{}", case.name);
}

#[test]
fn pods_get_the_cgroup_and_scores_that_the_kubelet_gives_them() {
    cases("testdata/kubelet.yaml").iter().for_each(check);
}

fn container(yaml: &str, kubelet: &Kubelet) -> ContainerCgroup {
    let pod: Pod = object(yaml);
    let resources = PodResources::parse(&pod).unwrap();
    let standing = PodStanding::of(&pod, &resources);
    ContainerCgroup::new(&resources, &resources.containers[0], standing, kubelet)
}

// kubernetes pkg/kubelet/kuberuntime/kuberuntime_container_linux_test.go TestCalculateLinuxResources
#[test]
fn containers_get_shares_from_requests_and_quotas_from_limits() {
    let yaml =
        "spec: {containers: [{name: a, resources: {requests: {cpu: 1}, limits: {cpu: 2, memory: 128Mi}}}]}";
    let cgroup = container(yaml, &Kubelet::default());
    assert_eq!(
        (cgroup.cpu_shares, cgroup.cpu_quota, cgroup.memory),
        (1024, Some(200_000), Some(134_217_728))
    );
    assert_eq!((cgroup.cpu_weight(), cgroup.older_cpu_weight()), (100, 39));
    assert_eq!(cgroup.cpu_max().unwrap(), "200000 100000");
    assert_eq!((cgroup.memory_min, cgroup.memory_low, cgroup.memory_high), (Some(0), Some(0), None));
}

#[test]
fn containers_without_amounts_get_the_least_shares_and_no_limits() {
    let cgroup = container("spec: {containers: [{name: a}]}", &Kubelet::default());
    assert_eq!((cgroup.cpu_shares, cgroup.cpu_weight(), cgroup.memory), (2, 1, None));
    assert_eq!(cgroup.cpu_max().unwrap(), "max 100000");
    let relaxed = Kubelet { enforce_cpu_limits: false, ..Kubelet::default() };
    assert_eq!(container("spec: {containers: [{name: a}]}", &relaxed).cpu_max(), None);
}

#[test]
fn a_container_without_a_limit_takes_that_of_its_pod() {
    let yaml = "spec: {resources: {limits: {cpu: 2, memory: 1Gi}}, containers: [{name: a}]}";
    let cgroup = container(yaml, &Kubelet::default());
    assert_eq!((cgroup.cpu_shares, cgroup.cpu_quota, cgroup.memory), (2048, Some(200_000), Some(1 << 30)));
}

// kubernetes pkg/kubelet/kuberuntime/kuberuntime_container_linux_test.go TestGenerateContainerConfigWithMemoryQoSEnforced
#[test]
fn memory_is_reserved_and_throttled_where_the_kubelet_is_told_to() {
    let kubelet = Kubelet {
        reserve_memory: true,
        memory_throttling_factor: Some(0.9),
        memory_allocatable: Some(500 << 20),
        ..Kubelet::default()
    };
    let limited =
        "spec: {containers: [{name: a, resources: {requests: {memory: 128Mi}, limits: {memory: 256Mi}}}]}";
    let cgroup = container(limited, &kubelet);
    assert_eq!((cgroup.memory_min, cgroup.memory_low), (None, Some(128 << 20)));
    assert_eq!(cgroup.memory_high, Some(255_012_864));
    let unlimited = "spec: {containers: [{name: a, resources: {requests: {memory: 128Mi}}}]}";
    assert_eq!(container(unlimited, &kubelet).memory_high, Some(485_277_696));
    let equal = "spec: {containers: [{name: a, resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1, memory: 1Gi}}}]}";
    let cgroup = container(equal, &kubelet);
    assert_eq!((cgroup.memory_min, cgroup.memory_low, cgroup.memory_high), (Some(1 << 30), None, None));
}

// opencontainers/cgroups v0.0.7 utils_test.go TestConvertCPUSharesToCgroupV2Value
#[test]
fn weights_meet_the_ends_and_the_curve_meets_the_default() {
    assert_eq!([2, 1024, 262_144].map(linear_cpu_weight), [1, 39, 10_000]);
    let shares = [0, 1, 2, 3, 1024, 262_143, 262_144, 262_145];
    assert_eq!(shares.map(container_cpu_weight), [0, 1, 1, 2, 100, 10_000, 10_000, 10_000]);
}

// kubernetes pkg/kubelet/cm/helpers_linux_test.go TestMilliCPUToQuota
#[test]
fn shares_and_quotas_stay_in_the_kernels_range() {
    assert_eq!([i64::MIN, 0, 1, 100, 1000, i64::MAX].map(cpu_shares), [2, 2, 2, 102, 1024, 262_144]);
    let quotas = [0, 1, 9, 10, 100, 1500, i64::MAX].map(|millis| cpu_quota(millis, 100_000));
    assert_eq!(quotas, [0, 1000, 1000, 1000, 10_000, 150_000, i64::MAX]);
}
