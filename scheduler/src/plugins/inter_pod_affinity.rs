//! InterPodAffinity: pods that have to be near each other, and pods that must not be. Asked at PreFilter, Filter, PreScore
//! and Score.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/interpodaffinity`

mod domain_counts;
mod filter;
mod queueing_hint;
mod resolved_term;
mod score;

use plimsoll_matching::label_selector::Labels;

use super::Registration;
use crate::affinity_term::AffinityTerm;
use crate::config::{InterPodAffinityArgs, PluginArgs};
use crate::framework::{ExtensionPoint, Plugin};
use crate::pod_info::PodInfo;

/// The plugin's name.
pub const NAME: &str = "InterPodAffinity";
/// No pod is near that the pod has to be near.
pub const REASON_AFFINITY: &str = "node(s) didn't match pod affinity rules";
/// A pod is near that the pod must not be near.
pub const REASON_ANTI_AFFINITY: &str = "node(s) didn't match pod anti-affinity rules";
/// A pod is near that must not be near this one.
pub const REASON_EXISTING_ANTI_AFFINITY: &str = "node(s) didn't satisfy existing pods anti-affinity rules";

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
    summary: "A node has to be near the pods that the pod's required affinity asks for, and not near those that its, or their, anti-affinity forbids; preferred terms make nodes better or worse.",
    new: |args| match args {
        Some(PluginArgs::InterPodAffinity(typed)) => Ok(new(&typed.args)),
        _ => Ok(new(&InterPodAffinityArgs::default())),
    },
};

/// What required affinity of a running pod counts if nobody says.
const DEFAULT_HARD_POD_AFFINITY_WEIGHT: i32 = 1;

/// The plugin.
pub fn new(args: &InterPodAffinityArgs) -> Plugin {
    let score = score::AffinityScorePlugin {
        hard_pod_affinity_weight: args.hard_pod_affinity_weight.unwrap_or(DEFAULT_HARD_POD_AFFINITY_WEIGHT),
        ignores_preferred_terms_of_existing_pods: args.ignore_preferred_terms_of_existing_pods,
    };
    Plugin {
        filter: Some(Box::new(filter::AffinityFilterPlugin)),
        score: Some(Box::new(score)),
        events: Some(queueing_hint::events()),
        ..Plugin::new(NAME)
    }
}

/// Whether a term of a running pod is about the pod to schedule, whose namespace has these labels.
fn is_about(term: &AffinityTerm, pod: &PodInfo<'_>, namespace_labels: &Labels) -> bool {
    term.matches(pod.namespace(), namespace_labels, pod.labels())
}
