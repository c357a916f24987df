//! Whether volumes that a pod has already can be used on a node.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/volumebinding/binder.go` (`checkBoundClaims`)

use k8s_openapi::api::core::v1::PersistentVolume;
use k8s_openapi::api::storage::v1::CSINode;
use plimsoll_matching::label_selector::Labels;

use super::csi_migration::MigratedVolume;
use super::volume_search::VolumeAffinity;
use crate::snapshot::{NodeIndex, Snapshot};

/// The volumes that a pod's claims are bound to, as far as not every node will do.
pub(super) struct BoundVolumes<'a> {
    snapshot: &'a Snapshot,
    /// Those before the first that doesn't exist.
    volumes: Vec<BoundVolume<'a>>,
    is_any_missing: bool,
}

/// A volume that exists, as to where it can be used.
pub(super) struct BoundVolume<'a> {
    affinity: VolumeAffinity<'a>,
    migrated: Option<MigratedVolume>,
}

impl<'a> BoundVolume<'a> {
    pub(super) fn new(volume: &'a PersistentVolume) -> Self {
        Self { affinity: VolumeAffinity::new(volume), migrated: MigratedVolume::of(volume) }
    }

    fn is_everywhere(&self) -> bool {
        self.affinity.is_everywhere() && self.migrated.is_none()
    }

    /// Whether a node with these labels will do, of which CSI drivers say this.
    pub(super) fn allows(&self, labels: &Labels, csi_node: Option<&CSINode>) -> bool {
        match (&self.migrated, csi_node) {
            (Some(migrated), Some(csi_node)) if migrated.is_migrated_on(csi_node) => migrated.allows(labels),
            _ => self.affinity.allows(labels),
        }
    }
}

/// Why a pod's volumes keep it off a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BoundConflict {
    /// One can't be used there.
    OtherNode,
    /// One doesn't exist.
    Missing,
}

impl<'a> BoundVolumes<'a> {
    /// The volumes of these names.
    pub(super) fn new(names: &[&str], snapshot: &'a Snapshot) -> Self {
        let mut bound = Self { snapshot, volumes: Vec::new(), is_any_missing: false };
        for name in names {
            let Some(volume) = snapshot.listers().storage.volume(name) else {
                bound.is_any_missing = true;
                break;
            };
            let volume = BoundVolume::new(volume);
            if !volume.is_everywhere() {
                bound.volumes.push(volume);
            }
        }
        bound
    }

    /// Whether every node will do.
    pub(super) fn are_everywhere(&self) -> bool {
        self.volumes.is_empty() && !self.is_any_missing
    }

    /// Whether the volumes can be used on a node.
    pub(super) fn check(&self, node: NodeIndex) -> Result<(), BoundConflict> {
        let labels = self.snapshot.labels(node);
        let csi_node = self.snapshot.listers().storage.csi_node(self.snapshot.name(node));
        if !self.volumes.iter().all(|volume| volume.allows(labels, csi_node)) {
            return Err(BoundConflict::OtherNode);
        }
        if self.is_any_missing { Err(BoundConflict::Missing) } else { Ok(()) }
    }
}
