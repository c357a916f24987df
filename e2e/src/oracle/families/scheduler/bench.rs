//! How long decisions take beside upstream's: pods of one kind on 5,000 nodes, all of them looked at.

use std::hint::black_box;

use anyhow::bail;
use plimsoll_fixtures::{SCHEDULING_LOADS, SchedulingLoad};
use plimsoll_scheduler::{CycleState, Nomination, Outcome, PodInfo, Profile, TieBreak, schedule};
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
    let [input] = inputs else { bail!("{} clusters where one is timed", inputs.len()) };
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
            let mut nominated = 0;
            for pod in &pods {
                let info = PodInfo::new(pod)?;
                match schedule(&info, &snapshot, &profile, &mut state) {
                    Outcome::Placed(placement) => {
                        snapshot.add_pod(&info, &placement.node);
                        placed.push(info);
                    }
                    Outcome::Unschedulable(error) => {
                        // What is told of the pod is part of the work.
                        black_box(error.message());
                        nominated += usize::from(matches!(error.nomination, Nomination::Set(_)));
                    }
                    failed @ (Outcome::NoNodes | Outcome::Error(_)) => {
                        bail!("no decision: {:?}", failed.message())
                    }
                }
            }
            for pod in &placed {
                snapshot.remove_pod(pod.namespace(), pod.name());
            }
            Ok(placed.len() + nominated)
        }),
    })
}
