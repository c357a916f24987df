//! The scheduling framework, its plugins and decisions.
//!
//! [`schedule()`] takes a pod, the [`Snapshot`] of the nodes with what runs on them, and a [`Profile`] (which plugins, with
//! which weights), and says where the pod goes, or for each node why it can't go there. It reads no clock, draws no random
//! number and calls nobody; what has to be remembered from one pod to the next is in [`CycleState`].

pub mod affinity_term;
pub mod config;
mod csi_migration;
pub mod extender;
pub mod fit_error;
pub mod framework;
pub mod host_port;
pub mod listers;
pub mod plugins;
pub mod pod_info;
pub mod profile;
pub mod queue;
pub mod schedule;
pub mod select_node;
pub mod snapshot;
pub mod volume_claims;
pub mod well_known_labels;

pub use extender::{Extender, ExtenderClient, Extenders};
pub use fit_error::{FitError, NodeStatuses};
pub use framework::{Code, Nomination, Preemption, Status};
pub use listers::Listers;
pub use pod_info::PodInfo;
pub use profile::{Profile, TieBreak};
pub use queue::SchedulingQueue;
pub use schedule::{CycleState, Outcome, Placement, schedule};
pub use snapshot::Snapshot;
