//! What became of a rolling update.

use serde::Serialize;

/// How the pods of a DaemonSet followed a change of its template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutReport {
    /// The namespace of the DaemonSet.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How it ended.
    pub outcome: RolloutOutcome,
    /// What is to be said of that: why it stands still, or why there was nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How many nodes should run a pod.
    pub desired: i32,
    /// The lowest number of these that had a pod which was Ready, before, at any step and after.
    pub lowest_ready: i32,
    /// What was done, one look of the controller after the other.
    pub steps: Vec<RolloutStep>,
}

/// How a rolling update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RolloutOutcome {
    /// Every pod is of the new template, and available.
    Complete,
    /// It does not go on by itself.
    Stalled,
    /// There was nothing to do.
    Unchanged,
    /// The API server does not take the change.
    Refused,
}

/// What the controller does at one look; the pods that it has made are Ready at the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStep {
    /// The nodes that lose a pod.
    pub deleted_from: Vec<String>,
    /// The nodes that get one.
    pub created_on: Vec<String>,
    /// How many nodes have a Ready pod right after that.
    pub ready: i32,
    /// How many nodes have a pod of the new template right after that.
    pub updated: i32,
}
