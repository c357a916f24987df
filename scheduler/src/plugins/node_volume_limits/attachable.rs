//! Which volumes of a pod CSI drivers have to attach.

use std::borrow::Cow;
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};

use super::NAME;
use super::csi_migration::{driver_of_provisioner, translate_disk, translate_volume};
use crate::framework::{Code, Status};
use crate::listers::{StorageListers, not_found};
use crate::pod_info::{PodVolume, PodVolumes};
use crate::volume_claims::{check_made_for, class_of_claim};

/// A volume that a driver has to attach.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AttachableVolume<'a> {
    /// The name of the driver.
    pub(super) driver: &'a str,
    /// Which of its volumes.
    pub(super) id: VolumeId<'a>,
}

/// A volume among those of a driver.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VolumeId<'a> {
    /// The volume of that handle.
    Handle(Cow<'a, str>),
    /// The volume that will be made for a claim.
    ToBeMade {
        /// The namespace of the claim.
        namespace: &'a str,
        /// Its name.
        claim: &'a str,
    },
}

/// The volumes of a pod.
pub(super) struct VolumesOf<'a> {
    /// The pod's namespace.
    pub(super) namespace: &'a str,
    /// The pod's name.
    pub(super) pod_name: &'a str,
    /// The volumes.
    pub(super) volumes: &'a PodVolumes,
    /// Whether the pod has no node yet, so that it needs each of its claims.
    pub(super) is_new: bool,
}

/// Adds the volumes of a pod that drivers have to attach. Disks of the tree are migrated to CSI only where there is a CSINode.
///
/// # Errors
/// A claim can't be used, or a disk can't be migrated.
///
/// # Source
/// `csi.go` (`filterAttachableVolumes`)
pub(super) fn attachable_volumes<'a>(
    pod: &VolumesOf<'a>,
    has_csi_node: bool,
    storage: &'a StorageListers,
    found: &mut BTreeSet<AttachableVolume<'a>>,
) -> Result<(), Status> {
    for volume in &pod.volumes.volumes {
        match volume {
            PodVolume::Claim(name) => {
                let claim = claim_of(pod, name, storage)?;
                found.extend(claim.and_then(|claim| volume_of_claim(claim, has_csi_node, storage)));
            }
            PodVolume::Ephemeral(name) => {
                let Some(claim) = claim_of(pod, name, storage)? else { continue };
                check_made_for(claim, pod.pod_name, &pod.volumes.pod_uid).map_err(error)?;
                found.extend(volume_of_claim(claim, has_csi_node, storage));
            }
            PodVolume::Disk { name, disk } if has_csi_node => {
                let volume = translate_disk(disk);
                found.extend(volume.map_err(|text| {
                    error(format!("converting volume({name}) from inline to csi: {text}"))
                })?);
            }
            PodVolume::Disk { .. } => {}
        }
    }
    Ok(())
}

fn error(text: String) -> Status {
    Status::new(Code::Error, NAME, text)
}

/// A claim of a pod; none if it isn't there and the pod has a node already.
fn claim_of<'a>(
    pod: &VolumesOf<'_>,
    name: &str,
    storage: &'a StorageListers,
) -> Result<Option<&'a PersistentVolumeClaim>, Status> {
    if name.is_empty() {
        return Err(error("PersistentVolumeClaim had no name".to_owned()));
    }
    let claim = storage.claim(pod.namespace, name);
    if claim.is_none() && pod.is_new {
        let cause = not_found("persistentvolumeclaim", name);
        let text = format!("looking up PVC {}/{name}: {cause}", pod.namespace);
        return Err(Status::new(Code::UnschedulableAndUnresolvable, NAME, text));
    }
    Ok(claim)
}

/// The volume of a claim; none if no driver has to attach it.
///
/// # Source
/// `csi.go` (`getCSIDriverInfo`)
fn volume_of_claim<'a>(
    claim: &'a PersistentVolumeClaim,
    has_csi_node: bool,
    storage: &'a StorageListers,
) -> Option<AttachableVolume<'a>> {
    let name = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).unwrap_or_default();
    match Some(name).filter(|name| !name.is_empty()).and_then(|name| storage.volume(name)) {
        Some(volume) => bound_volume(volume, has_csi_node),
        None => volume_to_be_made(claim, has_csi_node, storage),
    }
}

fn bound_volume(volume: &PersistentVolume, has_csi_node: bool) -> Option<AttachableVolume<'_>> {
    let csi = volume.spec.as_ref().and_then(|spec| spec.csi.as_ref());
    let (driver, handle) = match csi {
        Some(csi) => (csi.driver.as_str(), Cow::Borrowed(csi.volume_handle.as_str())),
        None => translate_volume(volume).filter(|_| has_csi_node)?,
    };
    let is_known = !driver.is_empty() && !handle.is_empty();
    is_known.then_some(AttachableVolume { driver, id: VolumeId::Handle(handle) })
}

/// # Source
/// `csi.go` (`getCSIDriverInfoFromSC`)
fn volume_to_be_made<'a>(
    claim: &'a PersistentVolumeClaim,
    has_csi_node: bool,
    storage: &'a StorageListers,
) -> Option<AttachableVolume<'a>> {
    let class_name = Some(class_of_claim(claim)).filter(|name| !name.is_empty())?;
    let provisioner = storage.class(class_name)?.provisioner.as_str();
    let driver = driver_of_provisioner(provisioner, has_csi_node)?;
    let id = VolumeId::ToBeMade {
        namespace: claim.metadata.namespace.as_deref().unwrap_or_default(),
        claim: claim.metadata.name.as_deref().unwrap_or_default(),
    };
    (!driver.is_empty()).then_some(AttachableVolume { driver, id })
}
