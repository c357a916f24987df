//! NodeVolumeLimits: a node takes no more volumes than its CSI drivers can attach. Asked at PreFilter and Filter.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/nodevolumelimits/csi.go`

mod attachable;
mod csi_migration;
mod queueing_hint;

use std::collections::BTreeSet;

use k8s_openapi::api::storage::v1::CSINode;

use self::attachable::{AttachableVolume, VolumeId, VolumesOf, attachable_volumes};
use self::csi_migration::is_migratable;
use super::Registration;
use crate::framework::{Code, ExtensionPoint, Filter, FilterPlugin, Plugin, PodChanges, PreFilter, Status};
use crate::listers::StorageListers;
use crate::pod_info::{PodInfo, PodVolume};
use crate::snapshot::{NodeIndex, Snapshot};

/// The plugin's name.
pub const NAME: &str = "NodeVolumeLimits";
/// A driver can't attach that many.
pub const REASON: &str = "node(s) exceed max volume count";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreFilter, ExtensionPoint::Filter],
    weight: 1,
    summary: "A node takes a pod only if its CSI drivers can attach the pod's volumes beside those that it has.",
    new: |_| Ok(new()),
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin {
        filter: Some(Box::new(NodeVolumeLimits)),
        events: Some(queueing_hint::events()),
        ..Plugin::new(NAME)
    }
}

struct NodeVolumeLimits;

impl FilterPlugin for NodeVolumeLimits {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        let counts = |volume: &PodVolume| match volume {
            PodVolume::Claim(_) | PodVolume::Ephemeral(_) => true,
            PodVolume::Disk { disk, .. } => is_migratable(disk),
        };
        let Some(volumes) = pod.volumes.as_deref().filter(|volumes| volumes.volumes.iter().any(counts))
        else {
            return PreFilter::Skip;
        };
        let storage = &snapshot.listers().storage;
        let pod = VolumesOf { namespace: pod.namespace(), pod_name: pod.name(), volumes, is_new: true };
        let wanted = |has_csi_node| {
            let mut wanted = BTreeSet::new();
            attachable_volumes(&pod, has_csi_node, storage, &mut wanted).map(|()| wanted)
        };
        PreFilter::run(NodeVolumeLimitsFilter {
            wanted: wanted(true),
            wanted_without_csi_node: wanted(false),
            snapshot,
            storage,
        })
    }
}

type Wanted<'a> = Result<BTreeSet<AttachableVolume<'a>>, Status>;

struct NodeVolumeLimitsFilter<'a> {
    /// The pod's volumes on a node for which there is a CSINode, or why they can't be known.
    wanted: Wanted<'a>,
    /// The same for other nodes: there nothing of the tree is migrated.
    wanted_without_csi_node: Wanted<'a>,
    snapshot: &'a Snapshot,
    storage: &'a StorageListers,
}

impl<'a> NodeVolumeLimitsFilter<'a> {
    fn try_check(&self, node: NodeIndex, changes: PodChanges<'_>) -> Result<(), Status> {
        let csi_node = self.storage.csi_node(self.snapshot.name(node));
        let wanted = if csi_node.is_some() { &self.wanted } else { &self.wanted_without_csi_node };
        let wanted = wanted.as_ref().map_err(Clone::clone)?;
        // DIFFERENCE: D-scheduler-26.
        let drivers: BTreeSet<&str> = wanted.iter().map(|volume| volume.driver).collect();
        if let Some(missing) = drivers.iter().find(|driver| self.is_missing(driver, csi_node)) {
            let text = format!("{missing} CSI driver is not installed on the node");
            return Err(Status::new(Code::Unschedulable, NAME, text));
        }
        let Some(csi_node) = csi_node.filter(|_| !wanted.is_empty()) else { return Ok(()) };
        if csi_node.spec.drivers.iter().all(|driver| count_of(driver).is_none()) {
            return Ok(());
        }
        let attached = self.attached(node, changes)?;
        let by_attachments = self.by_attachments(node);
        for driver in drivers {
            let of_driver = |volume: &&AttachableVolume<'_>| volume.driver == driver;
            let new = wanted.difference(&attached).filter(of_driver).count();
            let current = attached.union(&by_attachments).filter(of_driver).count();
            if new > 0 && limit(csi_node, driver).is_some_and(|limit| current + new > limit) {
                return Err(Status::new(Code::Unschedulable, NAME, REASON));
            }
        }
        Ok(())
    }

    /// The volumes of the pods on a node.
    fn attached<'b>(
        &'b self,
        node: NodeIndex,
        changes: PodChanges<'b>,
    ) -> Result<BTreeSet<AttachableVolume<'b>>, Status> {
        let mut attached = BTreeSet::new();
        for pod in changes.apply_to(self.snapshot.pods(node)) {
            let Some(volumes) = pod.volumes.as_deref() else { continue };
            let pod = VolumesOf {
                namespace: &pod.identity.namespace,
                pod_name: pod.name(),
                volumes,
                is_new: false,
            };
            attachable_volumes(&pod, true, self.storage, &mut attached)?;
        }
        Ok(attached)
    }

    /// The volumes that are attached to a node, whether a pod there uses them or not.
    ///
    /// # Source
    /// `csi.go` (`getNodeVolumeAttachmentInfo`)
    fn by_attachments(&self, node: NodeIndex) -> BTreeSet<AttachableVolume<'a>> {
        let attachments = self.storage.attachments_to(self.snapshot.name(node));
        let volumes = attachments.filter(|attachment| !attachment.spec.attacher.is_empty());
        let volumes = volumes.filter_map(|attachment| {
            let volume = attachment.spec.source.persistent_volume_name.as_deref()?;
            let csi = self.storage.volume(volume)?.spec.as_ref()?.csi.as_ref()?;
            let id = VolumeId::Handle(csi.volume_handle.as_str().into());
            Some(AttachableVolume { driver: &attachment.spec.attacher, id })
        });
        volumes.collect()
    }

    /// Whether a driver keeps pods off nodes without it, and this is one.
    ///
    /// # Source
    /// `csi.go` (`checkCSIDriverOnNode`)
    fn is_missing(&self, driver: &str, csi_node: Option<&CSINode>) -> bool {
        let keeps_off =
            self.storage.csi_driver(driver).and_then(|driver| driver.spec.prevent_pod_scheduling_if_missing);
        let mut installed = csi_node.into_iter().flat_map(|node| &node.spec.drivers);
        keeps_off == Some(true) && !installed.any(|installed| installed.name == driver)
    }
}

impl Filter for NodeVolumeLimitsFilter<'_> {
    fn can_fail(&self) -> bool {
        true
    }

    fn check(&self, node: NodeIndex) -> Status {
        self.check_with(node, PodChanges::default())
    }

    fn check_with(&self, node: NodeIndex, changes: PodChanges<'_>) -> Status {
        self.try_check(node, changes).err().unwrap_or(Status::SUCCESS)
    }
}

/// How many volumes a driver can attach to a node; none if it doesn't say.
///
/// # Source
/// `csi.go` (`getVolumeLimits`)
fn limit(csi_node: &CSINode, driver: &str) -> Option<usize> {
    let of_driver = csi_node.spec.drivers.iter().filter(|known| known.name == driver);
    // A negative limit is as good as none that is left.
    of_driver.filter_map(count_of).next_back().map(|count| usize::try_from(count).unwrap_or(0))
}

fn count_of(driver: &k8s_openapi::api::storage::v1::CSINodeDriver) -> Option<i32> {
    driver.allocatable.as_ref()?.count
}
