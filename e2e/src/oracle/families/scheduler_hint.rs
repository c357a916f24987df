//! What plugins say about whether a change may let a pod in that was turned away.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use plimsoll_scheduler::Listers;
use plimsoll_scheduler::framework::{Change, EventRegistration, HintRequest, QueueingHint, Whose};
use plimsoll_scheduler::plugins::TABLE;
use serde::Deserialize;
use serde_json::{Value, json};

use super::scheduler::{self, differs_by_amounts};
use super::{Family, decode};
use crate::oracle::generate::scheduler_hint::scheduler_hint;

pub(super) const FAMILY: Family = Family {
    name: "scheduler_hint",
    generate: scheduler_hint,
    evaluate,
    known_difference: Some(differs_by_amounts),
    bench: None,
};

/// A pod that was turned away, and a change.
#[derive(Deserialize)]
struct Input {
    #[serde(flatten)]
    world: scheduler::Input,
    #[serde(default)]
    pod: Pod,
    #[serde(default)]
    change: Change,
    #[serde(default)]
    target: bool,
}

/// Tells of each event what each plugin says that hears of it.
fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let mut listers = Listers::default();
    input.world.add_objects(&mut listers);
    let Some(profile) = input.world.profile() else { return Ok(json!("no valid configuration")) };
    let change = &input.change;
    let request = HintRequest { pod: &input.pod, change, listers: &listers };
    let whose = if input.target { Whose::Target } else { Whose::Other };
    let mut hints: BTreeMap<String, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for event in change.events(whose) {
        let said = hints.entry(event.label()).or_default();
        for plugin in TABLE.iter().filter_map(|row| profile.plugin(row.name)) {
            let heard = plugin.registered_events().iter().filter(|heard| heard.event.covers(event));
            let all: Vec<&str> = heard.map(|heard| say(heard, &request)).collect();
            if !all.is_empty() {
                said.insert(plugin.name, all);
            }
        }
    }
    Ok(json!(hints))
}

fn say(registered: &EventRegistration, request: &HintRequest<'_>) -> &'static str {
    match registered.hint.as_ref().map(|hint| hint(request)) {
        None | Some(Ok(QueueingHint::Queue)) => "Queue",
        Some(Ok(QueueingHint::Skip)) => "QueueSkip",
        Some(Err(_)) => "error",
    }
}
