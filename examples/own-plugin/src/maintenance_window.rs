//! MaintenanceWindow: pods that must not be interrupted stay off nodes that will soon be worked on, and all others rather go
//! elsewhere. Asked at PreFilter, Filter, PreScore and Score.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use plimsoll_matching::label_selector::Selector;
use plimsoll_scheduler::config::PluginArgs;
use plimsoll_scheduler::framework::{
    Code, ExtensionPoint, Filter, FilterPlugin, MAX_NODE_SCORE, MIN_NODE_SCORE, Plugin, PreFilter, PreScore,
    Score, ScorePlugin, Status,
};
use plimsoll_scheduler::plugins::Registration;
use plimsoll_scheduler::snapshot::NodeIndex;
use plimsoll_scheduler::{PodInfo, Snapshot};
use serde::Deserialize;

const NAME: &str = "MaintenanceWindow";
const REASON: &str = "node(s) had a maintenance window ahead";

/// The plugin's row for the table.
pub(crate) const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[
        ExtensionPoint::PreFilter,
        ExtensionPoint::Filter,
        ExtensionPoint::PreScore,
        ExtensionPoint::Score,
    ],
    weight: 1,
    summary: "Pods of `keepOff` don't go to nodes that are labelled with a maintenance window; others rather go elsewhere.",
    new,
};

/// What the configuration tells the plugin.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct MaintenanceWindowArgs {
    /// The label that a node with a window has, whatever its value; `maintenance-window` if it isn't given.
    node_label: Option<String>,
    /// Which pods stay off such nodes; none if it isn't given.
    keep_off: Option<LabelSelector>,
}

/// Arguments of a plugin that isn't upstream's come as they were written.
fn new(args: Option<&PluginArgs>) -> Result<Plugin, String> {
    let args = match args {
        Some(PluginArgs::Other(given)) => {
            MaintenanceWindowArgs::deserialize(given).map_err(|error| format!("decoding args: {error}"))?
        }
        _ => MaintenanceWindowArgs::default(),
    };
    let keep_off =
        Selector::from_label_selector(args.keep_off.as_ref()).map_err(|error| format!("keepOff: {error}"))?;
    let label = args.node_label.unwrap_or_else(|| "maintenance-window".to_owned());
    Ok(Plugin {
        filter: Some(Box::new(KeepOff { label: label.clone(), pods: keep_off })),
        score: Some(Box::new(RatherElsewhere { label })),
        ..Plugin::new(NAME)
    })
}

/// Keeps some pods off nodes with the label.
struct KeepOff {
    label: String,
    pods: Selector,
}

impl FilterPlugin for KeepOff {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        if !self.pods.matches(pod.labels()) {
            return PreFilter::Skip;
        }
        PreFilter::run(Nodes { label: &self.label, snapshot })
    }
}

/// Makes nodes with the label less welcome to all pods.
struct RatherElsewhere {
    label: String,
}

impl ScorePlugin for RatherElsewhere {
    fn pre_score<'a>(
        &'a self,
        _pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        _nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        PreScore::run(Nodes { label: &self.label, snapshot })
    }
}

/// The nodes, for one pod.
struct Nodes<'a> {
    label: &'a str,
    snapshot: &'a Snapshot,
}

impl Nodes<'_> {
    fn has_window(&self, node: NodeIndex) -> bool {
        self.snapshot.labels(node).contains_key(self.label)
    }
}

impl Filter for Nodes<'_> {
    fn check(&self, node: NodeIndex) -> Status {
        if self.has_window(node) {
            // Removing other pods from the node wouldn't help.
            Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON)
        } else {
            Status::SUCCESS
        }
    }
}

impl Score for Nodes<'_> {
    fn score(&self, node: NodeIndex) -> i64 {
        if self.has_window(node) { MIN_NODE_SCORE } else { MAX_NODE_SCORE }
    }
}
