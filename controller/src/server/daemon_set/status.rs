//! Writes the status of a DaemonSet.
//!
//! # Source
//! `pkg/controller/daemon/daemon_controller.go` (`storeDaemonSetStatus`)

use k8s_openapi::api::apps::v1::DaemonSet;
use serde_json::json;

use super::store::{CallError, Store, Stored};
use crate::daemon_set::Status;

/// Writes what has been counted, and with `observed` that the present generation has been looked at, unless that is what the
/// DaemonSet says already, or it is of a newer generation by now, whose news begins the next sync. Returns the DaemonSet as it has
/// become, if it was written.
pub(super) async fn write(
    store: &Store,
    daemon_set: &DaemonSet,
    status: Status,
    observed: bool,
) -> Result<Option<Stored>, CallError> {
    let is_written =
        if observed { status.is_written_in(daemon_set) } else { status.is_counted_in(daemon_set) };
    if is_written {
        return Ok(None);
    }
    let metadata = &daemon_set.metadata;
    let name = metadata.name.as_deref().unwrap_or_default();
    let mut written = json!({
        "desiredNumberScheduled": status.desired_number_scheduled,
        "currentNumberScheduled": status.current_number_scheduled,
        "numberMisscheduled": status.number_misscheduled,
        "numberReady": status.number_ready,
        "updatedNumberScheduled": status.updated_number_scheduled,
        "numberAvailable": status.number_available,
        "numberUnavailable": status.number_unavailable(),
    });
    if observed {
        written["observedGeneration"] = json!(metadata.generation);
    }
    let patch = |version: &Option<String>| {
        store.patch_status(name, json!({"metadata": {"resourceVersion": version}, "status": written}))
    };
    let refused = match patch(&metadata.resource_version).await {
        Ok(stored) => return Ok(Some(stored)),
        Err(refused) => refused,
    };
    // Most likely it has changed meanwhile, which takes nothing from what was counted, unless someone else has counted by a newer
    // template.
    let present: Stored = store.get(name).await?;
    if present.metadata.uid != metadata.uid {
        return Err(refused);
    }
    // DIFFERENCE: D-DaemonSet-8.
    if present.metadata.generation != metadata.generation {
        return Ok(None);
    }
    patch(&present.metadata.resource_version).await.map(Some)
}
