//! Where pods go: what each plugin says of each node, which node is taken, and the message if none is.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_resource_math::Quantity;
use plimsoll_scheduler::framework::Status;
use plimsoll_scheduler::pod_info::ResourceAmounts;
use plimsoll_scheduler::schedule::{Filters, Outcome, PreFiltered, pre_filter, score_nodes};
use plimsoll_scheduler::{CycleState, PodInfo, Profile, Snapshot, schedule};
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::amounts::may_be_big_decimal;
use super::{Family, decode};
use crate::oracle::generate::matching::NODE_NAMES;
use crate::oracle::generate::node::named_node;
use crate::oracle::generate::pod::{pod, pod_with_status};
use crate::oracle::generate::{chance, list, number, pick};

pub(super) const FAMILY: Family =
    Family { name: "scheduler", generate, evaluate, known_difference: Some(known_difference), bench: None };

/// A cluster, and pods to schedule one after the other.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Input {
    nodes: Vec<Node>,
    running: Vec<Pod>,
    pods: Vec<Pod>,
    percentage: u8,
}

fn generate(rng: &mut StdRng) -> Value {
    let node_count = match number(rng, 0..=99) {
        0 => 0,
        1..=95 => number(rng, 1..=8),
        _ => number(rng, 100..=140),
    };
    let is_large = node_count >= 100;
    let nodes: Vec<Value> = (1..=node_count).map(|index| named_node(rng, &format!("node-{index}"))).collect();
    let running = list(rng, 0..=8, |rng, index| {
        let mut running = placeable(pod_with_status(rng), rng, &format!("running-{index}"));
        running["spec"]["nodeName"] = format!("node-{}", number(rng, 1..=node_count.max(1))).into();
        running
    });
    let pods = list(rng, 1..=3, |rng, index| {
        let mut pending = placeable(pod(rng), rng, &format!("pending-{index}"));
        if is_large {
            // A pod that most nodes take, so that only a part of them is looked at.
            pending["spec"]["containers"] = json!([{"name": "app"}]);
        }
        if chance(rng, 5) {
            pending["status"] = json!({"nominatedNodeName": pick(rng, NODE_NAMES)});
        }
        pending
    });
    let percentage = pick(rng, &[0, 1, 50, 80, 100]);
    json!({"nodes": nodes, "running": running, "pods": pods, "percentage": percentage})
}

/// A pod of that name, with a priority more often than not, and without what plugins that aren't compared look at.
fn placeable(mut pod: Value, rng: &mut StdRng, name: &str) -> Value {
    pod["metadata"]["name"] = name.into();
    if chance(rng, 60) {
        pod["spec"]["priority"] = pick(rng, &[-1, 0, 1, 1000]).into();
    }
    if let Some(affinity) = pod["spec"].get_mut("affinity").and_then(Value::as_object_mut) {
        affinity.retain(|kind, _| kind == "nodeAffinity");
    }
    pod
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let mut snapshot = Snapshot::new(&input.nodes)?;
    for pod in &input.running {
        let info = PodInfo::new(pod)?;
        snapshot.add_pod(&info, info.node_name());
    }
    let profile = Profile { percentage_of_nodes_to_score: input.percentage, ..Profile::default() };
    let mut state = CycleState::default();
    input.pods.iter().map(|pod| decide(pod, &mut snapshot, &profile, &mut state)).collect()
}

fn decide(
    pod: &Pod,
    snapshot: &mut Snapshot,
    profile: &Profile,
    state: &mut CycleState,
) -> anyhow::Result<Value> {
    let info = PodInfo::new(pod)?;
    let gate = profile.pre_enqueue(&info);
    if !gate.is_success() {
        return Ok(json!({ "gated": status_output(&gate) }));
    }
    let mut output = explain(&info, snapshot, profile);
    match schedule(&info, snapshot, profile, state) {
        Outcome::Placed(placement) => {
            output["node"] = placement.node.as_str().into();
            output["evaluated"] = placement.evaluated_nodes.into();
            output["feasible"] = placement.feasible_nodes.into();
            snapshot.add_pod(&info, &placement.node);
        }
        Outcome::Unschedulable(error) => output["message"] = error.message().into(),
        failed @ (Outcome::NoNodes | Outcome::Error(_)) => output["error"] = failed.message().into(),
    }
    Ok(output)
}

fn explain(pod: &PodInfo<'_>, snapshot: &Snapshot, profile: &Profile) -> Value {
    match pre_filter(pod, snapshot, profile) {
        PreFiltered::Run(filters) => explain_nodes(pod, snapshot, profile, &filters),
        PreFiltered::Rejected(status) => json!({ "preFilter": status_output(&status) }),
    }
}

fn explain_nodes(pod: &PodInfo<'_>, snapshot: &Snapshot, profile: &Profile, filters: &Filters<'_>) -> Value {
    let order = snapshot.order();
    let mut verdicts = BTreeMap::new();
    let mut feasible = Vec::new();
    for node in order {
        let status = filters.check(*node);
        if status.is_success() {
            feasible.push(*node);
        } else {
            verdicts.insert(snapshot.name(*node), status_output(&status));
        }
    }
    let names: Vec<&str> = order.iter().map(|node| snapshot.name(*node)).collect();
    let mut output = json!({ "order": names, "verdicts": verdicts });
    if !feasible.is_empty() {
        output["scores"] = match score_nodes(pod, snapshot, profile, &feasible) {
            Ok(scores) => scores
                .into_iter()
                .map(|scores| {
                    (scores.plugin.to_owned(), json!({"raw": scores.raw, "weighted": scores.weighted}))
                })
                .collect(),
            Err(message) => message.into(),
        };
    }
    output
}

fn status_output(status: &Status) -> Value {
    let mut reasons: Vec<&str> = status.reasons.iter().map(|reason| reason.text.as_ref()).collect();
    reasons.sort_unstable();
    json!({"code": status.code.as_str(), "plugin": status.plugin, "reasons": reasons})
}

fn known_difference(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let refused = ours.get("error").and_then(Value::as_str);
    if refused.is_some_and(|error| error.contains("quantity is out of range")) {
        return Some("D-Quantity-2");
    }
    if has_absurd_amount(input) {
        return Some("D-scheduler-4");
    }
    let pods = ["running", "pods"].into_iter().filter_map(|field| input[field].as_array()).flatten();
    if pods.map(|pod| &pod["spec"]).any(grows_by_overhead) {
        return Some("D-scheduler-5");
    }
    let differ_in_messages = without_messages(ours) == without_messages(theirs);
    (differ_in_messages && shares_host_port(input)).then_some("D-scheduler-2")
}

/// What is said of each pod, but for the message, which tells of preemption.
fn without_messages(answers: &Value) -> Value {
    let mut answers = answers.clone();
    for answer in answers.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        answer.remove("message");
    }
    answers
}

/// Whether two running pods have the same port of the same node, so that removing one of them frees it for upstream.
fn shares_host_port(input: &Value) -> bool {
    let mut taken = BTreeSet::new();
    let running = input["running"].as_array().into_iter().flatten();
    running
        .flat_map(|pod| {
            let spec = &pod["spec"];
            let containers =
                ["containers", "initContainers"].into_iter().filter_map(|list| spec[list].as_array());
            let ports = containers.flatten().filter_map(|container| container["ports"].as_array()).flatten();
            let numbers: BTreeSet<(String, u64)> = ports
                .filter_map(|port| Some((spec["nodeName"].as_str()?.to_owned(), port["hostPort"].as_u64()?)))
                .collect();
            numbers
        })
        .any(|port| !taken.insert(port))
}

/// Whether upstream may hold what the pod as a whole asks for of a resource as a big decimal, and the overhead has that resource too.
fn grows_by_overhead(spec: &Value) -> bool {
    let requests = spec["resources"]["requests"].as_object();
    let is_big_decimal = |amount: &Value| amount.as_str().is_some_and(may_be_big_decimal);
    requests
        .into_iter()
        .flatten()
        .any(|(name, amount)| is_big_decimal(amount) && spec["overhead"].get(name).is_some())
}

fn has_absurd_amount(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(has_absurd_amount),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| is_absurd_amount(name, value) || has_absurd_amount(value))
        }
        _ => false,
    }
}

fn is_absurd_amount(name: &str, value: &Value) -> bool {
    let Some(quantity) = value.as_str().and_then(|text| Quantity::parse(text).ok()) else { return false };
    let amount = if name == "cpu" { quantity.milli_value() } else { quantity.value() };
    amount.unsigned_abs() >= ResourceAmounts::MAX.unsigned_abs()
}
