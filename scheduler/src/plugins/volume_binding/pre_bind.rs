//! Volumes and claims are written as they were reserved, and then the pod waits until its claims are bound.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/volumebinding/binder.go` (`BindPodVolumes`, `bindAPIUpdate`, `checkBindings`)

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::resource_version::Version;
use plimsoll_matching::label_selector::Labels;

use super::bound_volumes::BoundVolume;
use crate::framework::{Action, Assumed, BindingCycle, PreBindPlugin, Progress, Waiting, Write};
use crate::listers::not_found;
use crate::volume_claims::{BIND_COMPLETED, SELECTED_NODE, annotation, namespace_and_name};

/// What upstream says once the time is up.
const TIMED_OUT: &str = "context deadline exceeded";

pub(super) struct BindVolumes {
    pub(super) bind_timeout: SignedDuration,
}

impl PreBindPlugin for BindVolumes {
    fn pre_flight(&self, cycle: &BindingCycle<'_>) -> bool {
        cycle.taken.iter().any(|taken| !matches!(taken, Assumed::ResourceClaim(_)))
    }

    fn pre_bind(&self, cycle: &BindingCycle<'_>) -> Result<Vec<Write>, String> {
        let action = |taken: &Assumed| match taken {
            Assumed::PersistentVolume(volume) => Some(Action::UpdatePersistentVolume(volume.clone())),
            Assumed::PersistentVolumeClaim(claim) => Some(Action::UpdatePersistentVolumeClaim(claim.clone())),
            Assumed::ResourceClaim(_) => None,
        };
        Ok(cycle.taken.iter().filter_map(action).map(Write::new).collect())
    }

    fn progress(&self, cycle: &BindingCycle<'_>, waiting: &Waiting<'_>) -> Progress {
        if !self.pre_flight(cycle) {
            return Progress::Done;
        }
        let waited = cycle.now.duration_since(waiting.since);
        match are_bound(cycle, waiting) {
            Ok(true) => Progress::Done,
            Ok(false) if waited < self.bind_timeout => Progress::Wait,
            Ok(false) => Progress::Failed(format!("binding volumes: {TIMED_OUT}")),
            Err(message) => Progress::Failed(format!("binding volumes: {message}")),
        }
    }
}

/// Whether all claims of the pod have their volumes by now.
///
/// # Errors
/// They won't have them on the pod's node.
fn are_bound(cycle: &BindingCycle<'_>, waiting: &Waiting<'_>) -> Result<bool, String> {
    let labels = waiting
        .node_labels
        .ok_or_else(|| format!("failed to get node {:?}: {}", cycle.node, not_found("node", cycle.node)))?;
    if !waiting.is_pod_there {
        let pod = cycle.pod.name();
        return Err(format!("pod does not exist any more: {}", not_found("pod", pod)));
    }
    let check = Check { cycle, labels };
    for taken in cycle.taken {
        let is_bound = match taken {
            Assumed::PersistentVolume(volume) => check.chosen(volume)?,
            Assumed::PersistentVolumeClaim(claim) => check.provisioned(claim)?,
            Assumed::ResourceClaim(_) => true,
        };
        if !is_bound {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Check<'a> {
    cycle: &'a BindingCycle<'a>,
    labels: &'a Labels,
}

impl Check<'_> {
    /// Whether a volume that was chosen is bound to its claim.
    fn chosen(&self, written: &PersistentVolume) -> Result<bool, String> {
        let (_, name) = namespace_and_name(&written.metadata);
        let failed = |why: String| format!("failed to check binding: {why}");
        let volume = self.volume(name).ok_or_else(|| failed(not_found("persistentvolumes", name)))?;
        let reference = written.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
        let claim = self.claim(reference.map(of_reference).unwrap_or_default()).map_err(failed)?;
        if is_newer(&written.metadata, &volume.metadata) {
            return Ok(false);
        }
        self.check_node(volume)?;
        let reference = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
        if reference.and_then(|reference| reference.uid.as_deref()).is_none_or(str::is_empty) {
            return Err(format!("ClaimRef got reset for pv {name:?}"));
        }
        Ok(is_fully_bound(claim))
    }

    /// Whether a claim has the volume that is made for it.
    fn provisioned(&self, written: &PersistentVolumeClaim) -> Result<bool, String> {
        let claim = self
            .claim(namespace_and_name(&written.metadata))
            .map_err(|why| format!("failed to check provisioning pvc: {why}"))?;
        if is_newer(&written.metadata, &claim.metadata) {
            return Ok(false);
        }
        let (_, name) = namespace_and_name(&claim.metadata);
        if claim.metadata.annotations.is_none() {
            return Err(format!("selectedNode annotation reset for PVC {name:?}"));
        }
        if annotation(&claim.metadata, SELECTED_NODE).unwrap_or_default() != self.cycle.node {
            return Err(format!("provisioning failed for PVC {name:?}"));
        }
        let volume_name =
            claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).unwrap_or_default();
        if !volume_name.is_empty() {
            // It may not be known yet.
            let Some(volume) = self.volume(volume_name) else { return Ok(false) };
            self.check_node(volume)?;
        }
        Ok(is_fully_bound(claim))
    }

    fn volume(&self, name: &str) -> Option<&PersistentVolume> {
        self.cycle.stored.storage.volume(name)
    }

    fn claim(&self, (namespace, name): (&str, &str)) -> Result<&PersistentVolumeClaim, String> {
        let found = self.cycle.stored.storage.claim(namespace, name);
        found.ok_or_else(|| not_found("persistentvolumeclaims", &format!("{namespace}/{name}")))
    }

    fn check_node(&self, volume: &PersistentVolume) -> Result<(), String> {
        let node = self.cycle.node;
        if BoundVolume::new(volume).allows(self.labels, self.cycle.stored.storage.csi_node(node)) {
            return Ok(());
        }
        let (_, name) = namespace_and_name(&volume.metadata);
        Err(format!("pv {name:?} node affinity doesn't match node {node:?}: no matching NodeSelectorTerms"))
    }
}

/// The namespace and name that a reference holds.
fn of_reference(reference: &ObjectReference) -> (&str, &str) {
    (reference.namespace.as_deref().unwrap_or_default(), reference.name.as_deref().unwrap_or_default())
}

/// Whether what was written isn't seen yet.
fn is_newer(written: &ObjectMeta, stored: &ObjectMeta) -> bool {
    let version = |metadata: &ObjectMeta| metadata.resource_version.as_deref().and_then(Version::parse);
    version(written) > version(stored)
}

/// # Source
/// `binder.go` (`isPVCFullyBound`)
fn is_fully_bound(claim: &PersistentVolumeClaim) -> bool {
    let volume = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).unwrap_or_default();
    !volume.is_empty() && annotation(&claim.metadata, BIND_COMPLETED).is_some()
}

#[cfg(test)]
mod tests;
