//! Where pods wait after each of many steps, and in which order they are tried.

use anyhow::anyhow;
use plimsoll_scheduler::Listers;
use plimsoll_scheduler::queue::replay::{Replay, Step};
use serde::Deserialize;
use serde_json::{Value, json};

use super::scheduler::{self, differs_by_amounts};
use super::{Family, decode};
use crate::oracle::generate::scheduler_queue::{PLUGINS, scheduler_queue};

pub(super) const FAMILY: Family = Family {
    name: "scheduler_queue",
    generate: scheduler_queue,
    evaluate,
    known_difference: Some(differs_by_amounts),
    bench: None,
};

/// A queue and what is done to it.
#[derive(Deserialize)]
struct Input {
    #[serde(flatten)]
    world: scheduler::Input,
    #[serde(default)]
    steps: Vec<Step>,
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let Some(profile) = input.world.profile() else { return Ok(json!("no valid configuration")) };
    let mut listers = Listers::default();
    input.world.add_objects(&mut listers);
    let plugin = |name: &str| PLUGINS.iter().copied().find(|known| *known == name);
    let mut replay = Replay::new(profile, listers, plugin);
    let mut states = Vec::new();
    for step in &input.steps {
        replay.take(step).map_err(|message| anyhow!(message))?;
        states.push(replay.state());
    }
    Ok(json!({"states": states, "order": replay.order()}))
}
