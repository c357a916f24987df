//! A pod that waits, with what happened to it so far.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;

use crate::framework::QueuedPod;
use crate::pod_info::fields;
use crate::snapshot::pod_key;

/// What tells pods in the queue apart: `namespace/name`.
pub type PodKey = Arc<str>;

/// A pod that waits, with what happened to it so far.
///
/// # Source
/// `pkg/scheduler/framework/types.go` (`QueuedPodInfo`, `QueueingParams`)
#[derive(Clone, Debug)]
pub struct QueuedPodInfo {
    /// The pod.
    pub pod: Arc<Pod>,
    /// When it entered the queue, or came back after it was tried.
    pub queued_at_micros: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// How often it was turned away.
    pub unschedulable_count: u32,
    /// How often something went wrong since it was last turned away.
    pub consecutive_errors_count: u32,
    /// In which second its backoff ends; none if it has none.
    pub backoff_expiration_seconds: Option<i64>,
    /// When it was first ready to be tried.
    pub initial_attempt_at_micros: Option<i64>,
    /// Whether it is tried again only because it has waited for so long.
    pub was_flushed_from_unschedulable: bool,
    /// When that last happened.
    pub flushed_at_micros: Option<i64>,
    /// The plugins that turned it away when it was last tried.
    pub unschedulable_plugins: BTreeSet<&'static str>,
    /// The plugins that made it wait when it was last tried.
    pub pending_plugins: BTreeSet<&'static str>,
    /// The plugin that keeps it from entering the queue.
    pub gating_plugin: Option<&'static str>,
}

impl QueuedPodInfo {
    pub(super) fn new(pod: Arc<Pod>, now_micros: i64) -> Self {
        Self {
            pod,
            queued_at_micros: now_micros,
            attempts: 0,
            unschedulable_count: 0,
            consecutive_errors_count: 0,
            backoff_expiration_seconds: None,
            initial_attempt_at_micros: None,
            was_flushed_from_unschedulable: false,
            flushed_at_micros: None,
            unschedulable_plugins: BTreeSet::new(),
            pending_plugins: BTreeSet::new(),
            gating_plugin: None,
        }
    }

    /// Forgets which plugins turned the pod away, before it is told anew.
    pub fn clear_rejector_plugins(&mut self) {
        self.unschedulable_plugins.clear();
        self.pending_plugins.clear();
        self.gating_plugin = None;
    }

    /// Whether a plugin keeps it from entering the queue.
    pub fn is_gated(&self) -> bool {
        self.gating_plugin.is_some()
    }

    /// Whether no plugin turned it away, so that something went wrong.
    pub fn has_no_rejectors(&self) -> bool {
        self.unschedulable_plugins.is_empty() && self.pending_plugins.is_empty()
    }

    pub(super) fn rejectors(&self) -> impl Iterator<Item = &'static str> {
        self.unschedulable_plugins.union(&self.pending_plugins).copied()
    }

    pub(super) fn key(&self) -> PodKey {
        key(&self.pod)
    }

    pub(super) fn as_queued(&self) -> QueuedPod<'_> {
        QueuedPod { pod: &self.pod, queued_at_micros: self.queued_at_micros }
    }
}

/// What tells the pod apart from others in the queue.
pub fn key(pod: &Pod) -> PodKey {
    pod_key(fields::namespace(pod), fields::name(pod)).into()
}

/// What tells a pod from another of the same name that comes after it: its UID, or its key if it has none.
pub(super) fn identity(pod: &Pod) -> String {
    match pod.metadata.uid.as_deref() {
        Some(uid) if !uid.is_empty() => uid.to_owned(),
        _ => pod_key(fields::namespace(pod), fields::name(pod)),
    }
}
