//! Whether volumes that a pod has already can be used on a node.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/volumebinding/binder.go` (`checkBoundClaims`)

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

struct BoundVolume<'a> {
    affinity: VolumeAffinity<'a>,
    migrated: Option<MigratedVolume>,
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
            let affinity = VolumeAffinity::new(volume);
            let migrated = MigratedVolume::of(volume);
            if !affinity.is_everywhere() || migrated.is_some() {
                bound.volumes.push(BoundVolume { affinity, migrated });
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
        let allows = |volume: &BoundVolume<'_>| match &volume.migrated {
            Some(migrated) if self.is_migrated(migrated, node) => migrated.allows(labels),
            _ => volume.affinity.allows(labels),
        };
        if !self.volumes.iter().all(allows) {
            return Err(BoundConflict::OtherNode);
        }
        if self.is_any_missing { Err(BoundConflict::Missing) } else { Ok(()) }
    }

    fn is_migrated(&self, volume: &MigratedVolume, node: NodeIndex) -> bool {
        let csi_node = self.snapshot.listers().storage.csi_node(self.snapshot.name(node));
        csi_node.is_some_and(|csi_node| volume.is_migrated_on(csi_node))
    }
}
