//! What the framework makes of what plugins say: upstream's tables with made-up plugins, and the answers that they expect.
//!
//! # Source
//! `pkg/scheduler/framework/runtime/framework_test.go`

mod judging;
mod scoring;

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::object;

use super::*;
use crate::config::{PluginRef, PluginSet, Plugins};
use crate::framework::{
    Assumed, Filter, FilterPlugin, Plugin, PostFilterPlugin, PreFilter, PreScore, ReservePlugin, Score,
    ScorePlugin, Status,
};
use crate::plugins::Registration;

/// Upstream's `injectReason`.
const REASON: &str = "injected status";

/// What a made-up plugin does at each point where it does anything.
#[derive(Clone, Copy, Default)]
struct MadeUp {
    pre_filter: Option<Code>,
    filter: Option<Code>,
    post_filter: Option<Code>,
    score: Option<Scoring>,
    reserve: Option<Code>,
}

#[derive(Clone, Copy)]
enum Scoring {
    Skip,
    Fail,
    /// The score of every node, and what normalizing makes of it.
    Give(i64, Option<i64>),
}

fn status(code: Code) -> Status {
    if code == Code::Success { Status::SUCCESS } else { Status::new(code, "", REASON) }
}

impl FilterPlugin for MadeUp {
    fn pre_filter<'a>(&'a self, _pod: &'a PodInfo<'a>, _snapshot: &'a Snapshot) -> PreFilter<'a> {
        match self.pre_filter.unwrap_or_default() {
            Code::Success => PreFilter::run(*self),
            Code::Skip => PreFilter::Skip,
            code => PreFilter::Reject(status(code)),
        }
    }
}

impl Filter for MadeUp {
    fn check(&self, _node: NodeIndex) -> Status {
        status(self.filter.unwrap_or_default())
    }

    fn can_fail(&self) -> bool {
        true
    }
}

impl PostFilterPlugin for MadeUp {
    fn post_filter(&self, _failed: &FailedCycle<'_>) -> PostFiltered {
        let code = self.post_filter.unwrap_or_default();
        PostFiltered {
            status: Status::new(code, "", REASON),
            nomination: Nomination::Keep,
            writes: Vec::new(),
        }
    }
}

impl ReservePlugin for MadeUp {
    fn reserve(&self, _: &PodInfo<'_>, _: &Snapshot, _: NodeIndex) -> Result<Vec<Assumed>, Status> {
        let said = status(self.reserve.unwrap_or_default());
        if said.is_success() { Ok(Vec::new()) } else { Err(said) }
    }
}

impl ScorePlugin for MadeUp {
    fn pre_score<'a>(&'a self, _: &'a PodInfo<'a>, _: &'a Snapshot, _: &'a [NodeIndex]) -> PreScore<'a> {
        match self.score {
            Some(Scoring::Give(..)) => PreScore::run(*self),
            Some(Scoring::Fail) => PreScore::Error(REASON.to_owned()),
            Some(Scoring::Skip) | None => PreScore::Skip,
        }
    }
}

impl Score for MadeUp {
    fn score(&self, _node: NodeIndex) -> i64 {
        if let Some(Scoring::Give(score, _)) = self.score { score } else { 0 }
    }

    fn normalize(&self, scores: &mut [i64]) {
        if let Some(Scoring::Give(_, Some(normalized))) = self.score {
            scores.fill(normalized);
        }
    }
}

/// Plugins that do nothing yet.
macro_rules! rows {
    ($($name:literal),*) => {
        [$(Registration {
            name: $name,
            points: &[
                ExtensionPoint::PreFilter,
                ExtensionPoint::Filter,
                ExtensionPoint::PostFilter,
                ExtensionPoint::PreScore,
                ExtensionPoint::Score,
                ExtensionPoint::Reserve,
            ],
            weight: 1,
            summary: "",
            new: |_| Ok(Plugin::new($name)),
        }),*]
    };
}
const ROWS: [Registration; 4] = rows!("plugin-1", "plugin-2", "plugin-3", "plugin-4");

/// A profile of made-up plugins, each with what its score counts, and of those without which there is no profile.
fn profile(made_up: &[(MadeUp, i32)]) -> Profile {
    let named: Vec<&str> = ROWS[..made_up.len()].iter().map(|row| row.name).collect();
    let weighted = named.iter().zip(made_up);
    let score =
        weighted.map(|(name, (_, weight))| PluginRef { weight: Some(*weight), ..PluginRef::new(name) });
    let needed = ["PrioritySort", "DefaultBinder"];
    let plugins = Plugins {
        multi_point: PluginSet {
            enabled: needed.iter().chain(&named).map(|name| PluginRef::new(name)).collect(),
            disabled: vec![PluginRef::new("*")],
        },
        score: PluginSet { enabled: score.collect(), ..PluginSet::default() },
        ..Plugins::default()
    };
    let mut profile = Profile::with(plugins, &ROWS);
    for plugin in profile.plugins_mut() {
        let Some(place) = ROWS.iter().position(|row| row.name == plugin.name) else { continue };
        let does = made_up[place].0;
        plugin.filter = Some(Box::new(does));
        plugin.post_filter = does.post_filter.map(|_| Box::new(does) as Box<dyn PostFilterPlugin>);
        plugin.reserve = does.reserve.map(|_| Box::new(does) as Box<dyn ReservePlugin>);
        plugin.score = does.score.map(|_| Box::new(does) as Box<dyn ScorePlugin>);
    }
    profile
}

fn with_nodes<T>(names: &[&str], ask: impl FnOnce(&PodInfo<'_>, &Snapshot) -> T) -> T {
    let node = |name: &&str| object(&format!("{{metadata: {{name: {name}}}}}"));
    let nodes: Vec<Node> = names.iter().map(node).collect();
    let pod: Pod = object("{metadata: {name: testPod, namespace: default}, spec: {containers: []}}");
    ask(&PodInfo::new(&pod).unwrap(), &Snapshot::new(&nodes).unwrap())
}
