//! VolumeRestrictions: a disk, and a claim that only one pod may use, isn't used by a second pod. Asked at PreFilter and Filter.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go`

mod queueing_hint;

use std::collections::BTreeSet;

use super::Registration;
use crate::framework::{Code, ExtensionPoint, Filter, FilterPlugin, Plugin, PodChanges, PreFilter, Status};
use crate::listers::not_found;
use crate::pod_info::{Disk, PodInfo, PodVolumes};
use crate::snapshot::{NodeIndex, PlacedPod, Snapshot};

/// The plugin's name.
pub const NAME: &str = "VolumeRestrictions";
/// A pod on the node uses the disk.
pub const REASON_DISK: &str = "node(s) had no available disk";
/// A pod somewhere uses the claim.
pub const REASON_READ_WRITE_ONCE_POD: &str = "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";

const READ_WRITE_ONCE_POD: &str = "ReadWriteOncePod";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreFilter, ExtensionPoint::Filter],
    weight: 1,
    summary: "Two pods don't share a disk that can't be shared on a node, nor a `ReadWriteOncePod` claim anywhere.",
    new: |_| Ok(new()),
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin {
        filter: Some(Box::new(VolumeRestrictions)),
        events: Some(queueing_hint::events()),
        ..Plugin::new(NAME)
    }
}

struct VolumeRestrictions;

impl FilterPlugin for VolumeRestrictions {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        let Some(volumes) = pod.volumes.as_deref() else { return PreFilter::Skip };
        let exclusive_claims = match exclusive_claims(pod.namespace(), volumes, snapshot) {
            Ok(claims) => claims,
            Err(status) => return PreFilter::Reject(status),
        };
        let is_used = |claim: &&&str| snapshot.is_claim_used(pod.namespace(), claim);
        // There is at most one pod that uses such a claim.
        let uses = exclusive_claims.iter().filter(is_used).count();
        let filter = VolumeRestrictionsFilter {
            namespace: pod.namespace(),
            disks: volumes.disks().filter(|disk| is_restricted(disk)).collect(),
            exclusive_claims,
            uses: i64::try_from(uses).unwrap_or(i64::MAX),
            snapshot,
        };
        if filter.disks.is_empty() && filter.uses == 0 { PreFilter::Skip } else { PreFilter::run(filter) }
    }
}

/// The names of the pod's claims that only one pod may use.
fn exclusive_claims<'a>(
    namespace: &str,
    volumes: &'a PodVolumes,
    snapshot: &Snapshot,
) -> Result<BTreeSet<&'a str>, Status> {
    let mut exclusive = BTreeSet::new();
    for name in volumes.claims() {
        let Some(claim) = snapshot.listers().storage.claim(namespace, name) else {
            let text = not_found("persistentvolumeclaim", name);
            return Err(Status::new(Code::UnschedulableAndUnresolvable, NAME, text));
        };
        let modes = claim.spec.as_ref().and_then(|spec| spec.access_modes.as_ref());
        if modes.into_iter().flatten().any(|mode| mode == READ_WRITE_ONCE_POD) {
            exclusive.insert(name);
        }
    }
    Ok(exclusive)
}

struct VolumeRestrictionsFilter<'a> {
    namespace: &'a str,
    /// The pod's disks that others may keep it from.
    disks: Vec<&'a Disk>,
    /// The names of its claims that only one pod may use.
    exclusive_claims: BTreeSet<&'a str>,
    /// How many of them are in use.
    uses: i64,
    snapshot: &'a Snapshot,
}

impl VolumeRestrictionsFilter<'_> {
    fn has_disk_conflict(&self, node: NodeIndex, changes: PodChanges<'_>) -> bool {
        if self.disks.is_empty() {
            return false;
        }
        let volumes = changes.apply_to(self.snapshot.pods(node)).filter_map(|pod| pod.volumes.as_deref());
        let mut used = volumes.flat_map(PodVolumes::disks);
        used.any(|used| self.disks.iter().any(|disk| conflict(disk, used)))
    }

    /// How many of the pod's exclusive claims are in use.
    fn uses_with(&self, changes: PodChanges<'_>) -> i64 {
        let changed = changes.iter().map(|(pod, sign)| sign * self.uses_by(pod));
        self.uses + changed.sum::<i64>()
    }

    fn uses_by(&self, pod: &PlacedPod) -> i64 {
        // DIFFERENCE: D-scheduler-25.
        let Some(volumes) = pod.volumes.as_deref().filter(|_| *pod.identity.namespace == *self.namespace)
        else {
            return 0;
        };
        let uses = volumes.claims().filter(|claim| self.exclusive_claims.contains(claim)).count();
        i64::try_from(uses).unwrap_or(i64::MAX)
    }
}

impl Filter for VolumeRestrictionsFilter<'_> {
    fn check(&self, node: NodeIndex) -> Status {
        self.check_with(node, PodChanges::default())
    }

    fn check_with(&self, node: NodeIndex, changes: PodChanges<'_>) -> Status {
        if self.has_disk_conflict(node, changes) {
            return Status::new(Code::Unschedulable, NAME, REASON_DISK);
        }
        if self.uses_with(changes) > 0 {
            return Status::new(Code::Unschedulable, NAME, REASON_READ_WRITE_ONCE_POD);
        }
        Status::SUCCESS
    }
}

/// # Source
/// `volume_restrictions.go` (`needsRestrictionsCheck`)
fn is_restricted(disk: &Disk) -> bool {
    matches!(disk, Disk::Gce { .. } | Disk::Ebs(_) | Disk::Iscsi { .. } | Disk::Rbd(_))
}

/// Whether two pods on one node can't have both. Disks that are only read can be shared, but for those of AWS.
///
/// # Source
/// `volume_restrictions.go` (`isVolumeConflict`)
fn conflict(disk: &Disk, used: &Disk) -> bool {
    match (disk, used) {
        (Disk::Gce { name, read_only }, Disk::Gce { name: other, read_only: other_read_only }) => {
            name == other && !(*read_only && *other_read_only)
        }
        (Disk::Ebs(id), Disk::Ebs(other)) => id == other,
        (Disk::Iscsi { iqn, read_only }, Disk::Iscsi { iqn: other, read_only: other_read_only }) => {
            iqn == other && !(*read_only && *other_read_only)
        }
        (Disk::Rbd(image), Disk::Rbd(other)) => {
            image.monitors.iter().any(|monitor| other.monitors.contains(monitor))
                && image.pool == other.pool
                && image.image == other.image
                && !(image.read_only && other.read_only)
        }
        _ => false,
    }
}
