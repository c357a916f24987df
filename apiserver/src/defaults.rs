//! What the API server fills into an object when it reads it.
//!
//! # Source
//! kubernetes `pkg/apis/*/v1/defaults.go`

pub mod cron_job;
pub mod daemon_set;
pub mod deployment;
pub mod job;
pub mod namespace;
pub mod node;
pub mod persistent_volume_claim;
pub mod replica_set;
pub mod replication_controller;
pub mod service;
pub mod stateful_set;

/// The update strategy that replaces pods step by step.
const ROLLING_UPDATE: &str = "RollingUpdate";

/// Sets a text that is absent or empty; upstream does not tell the two apart.
pub(crate) fn fill(field: &mut Option<String>, value: &str) {
    if field.as_deref().unwrap_or_default().is_empty() {
        *field = Some(value.to_owned());
    }
}
