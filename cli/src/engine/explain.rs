//! What there is to say of one pod at the end of a run.

use k8s_openapi::api::core::v1::Pod;
use plimsoll_quota::{NoNeighbours, Surroundings};
use plimsoll_resource_math::pod_resources::ParsePodResourcesError;

use super::Engine;
use crate::explain::{Explanation, Fate, Subject, explain};
use crate::world::NamespaceState;

impl Engine<'_> {
    /// Explains the pod of a row.
    ///
    /// # Errors
    /// An amount in the pod that is no quantity.
    pub(super) fn explain(&self, index: usize) -> Result<Explanation, ParsePodResourcesError> {
        let row = &self.rows[index];
        let no_pod = Pod::default();
        let stored = row.pod().unwrap_or(&no_pod);
        let namespace = stored.metadata.namespace.as_deref().unwrap_or_default();
        let no_state = NamespaceState::default();
        let state = self.world.namespaces.get(namespace).unwrap_or(&no_state);
        let on_node =
            |name: &str| self.world.nodes.iter().find(|node| node.metadata.name.as_deref() == Some(name));
        let message = row.refusal.as_ref().map(|status| status.message.clone());
        explain(&Subject {
            given: row.given.as_deref().unwrap_or(stored),
            stored,
            changes: &row.changes,
            fate: Fate {
                outcome: row.outcome,
                message: message.or_else(|| row.waits.as_ref().map(|(_, message)| message.clone())),
            },
            limit_ranges: &state.limit_ranges,
            quotas: &state.quotas,
            node: row.node.as_deref().and_then(on_node).or_else(|| self.world.nodes.first()),
            surroundings: &Surroundings {
                now: self.settings.now,
                device_classes: &self.world.device_classes,
                neighbours: &NoNeighbours,
            },
        })
    }
}
