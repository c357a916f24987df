//! PodTopologySpread: pods of a kind spread over the domains of a topology, such as zones or nodes. Asked at PreFilter,
//! Filter, PreScore and Score.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/podtopologyspread`

mod constraint;
mod default_selector;
mod filter;
mod grouped_score;
mod queueing_hint;
mod score;

use self::constraint::Spreading;
use super::Registration;
use crate::config::{PluginArgs, PodTopologySpreadArgs};
use crate::framework::{ExtensionPoint, Plugin};

/// The plugin's name.
pub const NAME: &str = "PodTopologySpread";
/// The domain of the node has too many pods compared to the emptiest one.
pub const REASON: &str = "node(s) didn't match pod topology spread constraints";
/// The node is in no domain.
pub const REASON_MISSING_LABEL: &str =
    "node(s) didn't match pod topology spread constraints (missing required label)";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[
        ExtensionPoint::PreFilter,
        ExtensionPoint::Filter,
        ExtensionPoint::PreScore,
        ExtensionPoint::Score,
    ],
    weight: 2,
    summary: "The domains of each `topologySpreadConstraints` entry keep about the same number of pods; without entries, pods of a Service or workload spread softly over nodes and zones.",
    new: |args| match args {
        Some(PluginArgs::PodTopologySpread(typed)) => Ok(new(&typed.args)),
        _ => Ok(new(&PodTopologySpreadArgs::default())),
    },
};

/// The plugin.
pub fn new(args: &PodTopologySpreadArgs) -> Plugin {
    let spreading = Spreading::new(args);
    Plugin {
        filter: Some(Box::new(filter::SpreadFilterPlugin { spreading: spreading.clone() })),
        score: Some(Box::new(score::SpreadScorePlugin { spreading: spreading.clone() })),
        events: Some(queueing_hint::events(&spreading)),
        ..Plugin::new(NAME)
    }
}
