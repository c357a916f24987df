//! What the kubelet makes of a pod's amounts: its cgroup and the order in which containers are killed.

use k8s_openapi::api::core::v1::Pod;
use plimsoll_resource_math::kubelet::{
    Kubelet, PodCgroup, PodStanding, container_cpu_weight, cpu_quota, cpu_shares, oom_score_adj,
};
use plimsoll_resource_math::{PodResources, Quantity};
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::amounts::{explain_by_amount, may_count_overhead_twice};
use super::{Family, decode};
use crate::oracle::generate::pod::pod_with_status;
use crate::oracle::generate::{chance, maybe, number, object, pick};

pub(super) const FAMILY: Family =
    Family { name: "kubelet", generate, evaluate, known_difference: Some(known_difference), bench: None };

#[derive(Deserialize)]
struct Input {
    pod: Pod,
    enforce_cpu_limits: bool,
    cpu_period: i64,
    reserve_memory: bool,
    #[serde(default)]
    throttling_factor: Option<f64>,
    memory_capacity: i64,
    milli_cpu: i64,
    shares: i64,
}

fn generate(rng: &mut StdRng) -> Value {
    let mut pod = pod_with_status(rng);
    if chance(rng, 10) {
        let annotation = pick(rng, &["kubernetes.io/config.mirror", "kubernetes.io/config.source"]);
        pod["metadata"]["annotations"] = json!({annotation: pick(rng, &["api", "file", ""])});
    }
    if chance(rng, 15) {
        pod["spec"]["priorityClassName"] = "system-node-critical".into();
        pod["spec"]["priority"] = pick(rng, &[2_000_001_000, 1_999_999_999, 0]).into();
    }
    object([
        ("pod", pod),
        ("enforce_cpu_limits", chance(rng, 80).into()),
        ("cpu_period", pick(rng, &[100_000, 100_000, 5000, 1000]).into()),
        ("reserve_memory", chance(rng, 50).into()),
        ("throttling_factor", maybe(rng, 70, |rng| pick(rng, &[0.9, 0.0, 1.0, 0.33, 0.123_456_789]))),
        (
            "memory_capacity",
            pick(rng, &[1_i64 << 30, 4_000_000_000, 16_486_612_992, 64 << 30, 1 << 20, 1]).into(),
        ),
        ("milli_cpu", number(rng, 0..=300_000).into()),
        ("shares", if chance(rng, 30) { number(rng, 0..=3000) } else { number(rng, 0..=270_000) }.into()),
    ])
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let pod = PodResources::parse(&input.pod)?;
    let standing = PodStanding::of(&input.pod, &pod);
    let kubelet = Kubelet {
        enforce_cpu_limits: input.enforce_cpu_limits,
        cpu_period: input.cpu_period,
        reserve_memory: input.reserve_memory,
        memory_throttling_factor: input.throttling_factor,
        ..Kubelet::default()
    };
    let cgroup = PodCgroup::new(&pod, standing, &kubelet);
    let mut scores = Map::new();
    for container in pod.all_containers() {
        let score = oom_score_adj(&pod, container, standing, input.memory_capacity);
        scores.insert(container.name.clone(), score.into());
    }
    let text = |bytes: Option<i64>| bytes.map(|bytes| bytes.to_string());
    Ok(json!({
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
        "weight": container_cpu_weight(input.shares),
        "milli_to_shares": cpu_shares(input.milli_cpu),
        "milli_to_quota": cpu_quota(input.milli_cpu, input.cpu_period),
    }))
}

fn known_difference(input: &Value, _ours: &Value, theirs: &Value) -> Option<&'static str> {
    let wraps = may_wrap(input, "") || theirs.get("panic").is_some();
    explain_by_amount(input)
        .or(wraps.then_some("D-Kubelet-1"))
        .or(may_count_overhead_twice(&input["pod"]).then_some("D-PodResources-1"))
}

/// Whether an amount stands somewhere of which ten (containers have sums) don't fit into 64 bits when they are multiplied:
/// thousandths of a CPU with a period of 100,000 microseconds, other amounts with 1000.
fn may_wrap(value: &Value, key: &str) -> bool {
    match value {
        Value::String(text) => {
            let factor = if key == "cpu" { 100_000_000 } else { 1000 };
            Quantity::parse(text)
                .is_ok_and(|amount| amount.value().unsigned_abs() > i64::MAX.unsigned_abs() / factor / 10)
        }
        Value::Array(elements) => elements.iter().any(|element| may_wrap(element, key)),
        Value::Object(fields) => fields.iter().any(|(key, field)| may_wrap(field, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
