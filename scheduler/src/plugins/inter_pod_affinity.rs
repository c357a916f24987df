//! InterPodAffinity: pods that have to be near each other, and pods that must not be. Asked at PreFilter, Filter, PreScore
//! and Score.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/interpodaffinity`

mod domain_counts;
mod filter;
mod resolved_term;
mod score;

use super::Registration;
use crate::framework::{ExtensionPoint, Plugin};

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
    new: || new(InterPodAffinityArgs::default()),
};

/// What the plugin can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterPodAffinityArgs {
    /// What required affinity of a running pod towards the new one counts; 0 to 100.
    pub hard_pod_affinity_weight: i32,
    /// Whether preferred terms of running pods don't count for a pod that prefers nothing itself.
    pub ignore_preferred_terms_of_existing_pods: bool,
}

impl Default for InterPodAffinityArgs {
    fn default() -> Self {
        Self { hard_pod_affinity_weight: 1, ignore_preferred_terms_of_existing_pods: false }
    }
}

/// The plugin.
pub fn new(args: InterPodAffinityArgs) -> Plugin {
    Plugin {
        filter: Some(Box::new(filter::AffinityFilterPlugin)),
        score: Some(Box::new(score::AffinityScorePlugin { args })),
        ..Plugin::new(NAME)
    }
}
