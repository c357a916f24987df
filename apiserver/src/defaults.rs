//! What the API server fills into an object when it reads it.
//!
//! # Source
//! kubernetes `pkg/apis/*/v1/defaults.go`

mod container;
pub mod cron_job;
pub mod daemon_set;
pub mod deployment;
mod image;
pub mod job;
pub mod namespace;
pub mod node;
pub mod persistent_volume_claim;
mod pod;
pub mod priority_class;
pub mod replica_set;
pub mod replication_controller;
pub mod resource_claim;
pub mod service;
pub mod stateful_set;
pub mod storage_class;
mod volume;

pub use pod::{pod, pod_template};

/// The update strategy that replaces pods step by step.
const ROLLING_UPDATE: &str = "RollingUpdate";

/// Sets a text that is absent or empty; upstream does not tell the two apart.
pub(crate) fn fill(field: &mut Option<String>, value: &str) {
    if field.as_deref().unwrap_or_default().is_empty() {
        *field = Some(value.to_owned());
    }
}

/// Sets a number that is absent or zero; upstream does not tell the two apart.
fn fill_number(field: &mut Option<i32>, value: i32) {
    if field.unwrap_or(0) == 0 {
        *field = Some(value);
    }
}
