//! How many pods on nodes use each claim.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::pod_info::PodVolumes;

/// By namespace and name of a claim, how many volumes of pods on nodes are for it.
///
/// # Source
/// `pkg/scheduler/framework/types.go` (`PVCRefCounts`)
#[derive(Clone, Debug, Default)]
pub(super) struct ClaimUses {
    by_namespace: FxHashMap<Arc<str>, FxHashMap<Box<str>, usize>>,
}

impl ClaimUses {
    /// A pod with these volumes is on a node.
    pub(super) fn add(&mut self, namespace: &Arc<str>, volumes: &PodVolumes) {
        for claim in volumes.claims() {
            let uses = self.by_namespace.entry(Arc::clone(namespace)).or_default();
            *uses.entry(claim.into()).or_default() += 1;
        }
    }

    /// A pod with these volumes is no longer on a node.
    pub(super) fn remove(&mut self, namespace: &Arc<str>, volumes: &PodVolumes) {
        let Some(uses) = self.by_namespace.get_mut(namespace) else { return };
        for claim in volumes.claims() {
            if let Some(count) = uses.get_mut(claim) {
                *count -= 1;
                if *count == 0 {
                    uses.remove(claim);
                }
            }
        }
        if uses.is_empty() {
            self.by_namespace.remove(namespace);
        }
    }

    /// Whether any pod on a node uses the claim.
    pub(super) fn is_used(&self, namespace: &str, claim: &str) -> bool {
        self.by_namespace.get(namespace).is_some_and(|uses| uses.contains_key(claim))
    }
}
