//! How long decisions take beside upstream's: pods of one kind on 5,000 nodes, all of them looked at.

use std::hint::black_box;

use k8s_openapi::api::core::v1::Pod;
use plimsoll_fixtures::{SCHEDULING_LOADS, SchedulingLoad};
use plimsoll_scheduler::{CycleState, Nomination, Outcome, PodInfo, Profile, Snapshot, TieBreak, schedule};
use serde_json::{Value, json};

use super::Input;
use crate::oracle::families::{Bench, NamedCase, Pass, decode};

pub(super) const BENCH: Bench = Bench { cases: Some(cases), prepare };

const NODES: usize = 5_000;
/// How many pods a pass places, and takes away again.
const PODS: usize = 200;

fn cases() -> Vec<NamedCase> {
    let case = |load: SchedulingLoad| (load.name, json!(load.cluster(NODES, PODS)));
    SCHEDULING_LOADS.into_iter().map(case).collect()
}

fn prepare(inputs: &[Value]) -> anyhow::Result<Pass> {
    let [input] = inputs else { anyhow::bail!("{} clusters where one is timed", inputs.len()) };
    let mut input: Input = decode(input)?;
    input.identify_pods();
    let mut snapshot = input.snapshot()?;
    let mut profile = Profile::default();
    profile.percentage_of_nodes_to_score = input.percentage;
    profile.tie_break = TieBreak::Seeded { seed: 7 };
    let mut state = CycleState::default();
    let pods = input.pods;
    Ok(Pass {
        operations: pods.len(),
        run: Box::new(move || {
            let mut placed = Vec::with_capacity(pods.len());
            let mut with_node = 0;
            for pod in &pods {
                let node = decide(pod, &mut snapshot, &profile, &mut state)?;
                with_node += usize::from(node != Node::None);
                if node == Node::Placed {
                    placed.push(pod);
                }
            }
            for pod in placed {
                let info = PodInfo::new(pod)?;
                snapshot.remove_pod(info.namespace(), info.name());
            }
            Ok(with_node)
        }),
    })
}

/// What a decision comes to.
#[derive(PartialEq, Eq)]
enum Node {
    Placed,
    Nominated,
    None,
}

/// Decides about one pod, reads why if it gets no node, and counts it on its node if it does.
fn decide(
    pod: &Pod,
    snapshot: &mut Snapshot,
    profile: &Profile,
    state: &mut CycleState,
) -> anyhow::Result<Node> {
    let info = PodInfo::new(pod)?;
    match schedule(&info, snapshot, profile, state) {
        Outcome::Placed(placement) => {
            snapshot.add_pod(&info, &placement.node);
            Ok(Node::Placed)
        }
        Outcome::Unschedulable(error) => {
            black_box(error.message());
            Ok(if matches!(error.nomination, Nomination::Set(_)) { Node::Nominated } else { Node::None })
        }
        failed @ (Outcome::NoNodes | Outcome::Error(_)) => {
            anyhow::bail!("no decision: {:?}", failed.message())
        }
    }
}
