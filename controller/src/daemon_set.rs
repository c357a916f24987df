//! DaemonSets: on which nodes their pods belong, and the pods as the controller makes them.
//!
//! Everything here is pure: a DaemonSet, nodes and pods in, decisions out.
//!
//! # Source
//! `pkg/controller/daemon`

pub mod failed_pods;
pub mod history;
pub mod new_pod;
pub mod node_affinity;
pub mod placement;
pub mod plan;
pub mod pod;
mod pods_by_node;
pub mod received;
pub mod revision_hash;
mod rolling_update;
pub mod strategy;
pub mod tolerations;

pub use failed_pods::FailedPods;
pub use history::{History, Revision};
pub use new_pod::{PodMaker, template_generation};
pub use placement::{NodeDecision, Placement};
pub use plan::{Actions, Plan, Situation, Status, plan, selector_in_use};
pub use pod::DaemonPod;
pub use received::ReceivedDaemonSet;
pub use revision_hash::revision_hash;

/// The group and version of DaemonSets.
pub const API_VERSION: &str = "apps/v1";
/// The kind.
pub const KIND: &str = "DaemonSet";

/// The label by which a pod tells which revision of the template it was made of.
pub const CONTROLLER_REVISION_HASH_LABEL: &str = "controller-revision-hash";
/// The older label of the same meaning: the number of the template's generation.
pub const POD_TEMPLATE_GENERATION_LABEL: &str = "pod-template-generation";
/// The annotation in which the API server shows the generation of a DaemonSet's template.
pub const TEMPLATE_GENERATION_ANNOTATION: &str = "deprecated.daemonset.template.generation";

#[cfg(test)]
mod tests;
