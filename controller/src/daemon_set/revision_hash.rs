//! The hash of the current revision where there are no ControllerRevisions to tell it.

use k8s_openapi::api::apps::v1::DaemonSet;

use super::new_pod::template_generation;
use super::pod::DaemonPod;
use crate::template_hash::template_hash;

/// The hash that pods of the current template's generation carry already, else one of our own.
///
/// DIFFERENCE: D-DaemonSet-1. A hash that no pod tells is ours.
pub fn revision_hash<'a>(daemon_set: &DaemonSet, pods: impl IntoIterator<Item = &'a DaemonPod>) -> String {
    let generation = template_generation(&daemon_set.metadata).map(|number| number.to_string());
    let current = pods.into_iter().filter(|pod| pod.is_updated("", generation.as_deref()));
    let collisions = daemon_set.status.as_ref().and_then(|status| status.collision_count);
    let known = current.filter_map(DaemonPod::revision_hash).min();
    known.map_or_else(|| template_hash(&daemon_set.spec.template, collisions), str::to_owned)
}
