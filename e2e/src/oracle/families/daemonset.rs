//! DaemonSets: on which node a pod belongs, the pod that the controller sends for it, and the node that a pod is meant for.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_controller::daemon_set::node_affinity::target_node_name;
use plimsoll_controller::daemon_set::{Placement, PodMaker};
use plimsoll_fixtures::plain;
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Family, decode};
use crate::oracle::generate::daemon_set::daemon_set;
use crate::oracle::generate::node::node;
use crate::oracle::generate::pick;
use crate::oracle::generate::pod::pod;

pub(super) const FAMILY: Family =
    Family { name: "daemonset", generate, evaluate, known_difference: None, bench: None };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    daemon_set: DaemonSet,
    node: Node,
    hash: String,
    pod: Pod,
}

fn generate(rng: &mut StdRng) -> Value {
    json!({
        "daemonSet": daemon_set(rng),
        "node": node(rng),
        "hash": pick(rng, &["5d8c7b9f6", "5d8c7b9f6", ""]),
        "pod": pod(rng),
    })
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let decision = Placement::new(&input.daemon_set).on(&input.node);
    let uid = input.daemon_set.metadata.uid.as_deref().unwrap_or_default();
    let node = input.node.metadata.name.as_deref().unwrap_or_default();
    let created = PodMaker::new(&input.daemon_set, uid, &input.hash).pod_for(node);
    Ok(json!({
        "should_run": decision.should_run,
        "should_continue_running": decision.should_continue_running,
        "pod": plain(&created),
        "target_of_new": target(&created),
        "target_of_other": target(&input.pod),
    }))
}

fn target(pod: &Pod) -> String {
    target_node_name(pod).map_or_else(|error| format!("error: {error}"), ToOwned::to_owned)
}
