//! Which CSI volumes stand behind volumes of the tree's own kinds. That of vSphere and Azure files isn't looked at by the scheduler.
//!
//! # Source
//! `k8s.io/csi-translation-lib/plugins`, `pkg/scheduler/framework/plugins/nodevolumelimits/utils.go` (`isCSIMigrationOn`)

use std::borrow::Cow;
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::PersistentVolume;
use plimsoll_matching::label_selector::labels_of;

use super::attachable::{AttachableVolume, VolumeId};
use crate::csi_migration::{
    AWS_EBS, AZURE_DISK, AZURE_FILE, CINDER, GCE_PD, InTreePlugin, PORTWORX, VSPHERE,
};
use crate::pod_info::Disk;
use crate::well_known_labels::{BETA_ZONE, ZONE, ZONE_DELIMITER};

/// What stands for a project or zone that isn't known.
const UNSPECIFIED: &str = "UNSPECIFIED";

/// The driver that makes the volumes of a provisioner: itself, or the one that a plugin of the tree is migrated to. None where that
/// isn't migrated.
pub(super) fn driver_of_provisioner(provisioner: &str, has_csi_node: bool) -> Option<&str> {
    let Some(plugin) = InTreePlugin::of_provisioner(provisioner) else { return Some(provisioner) };
    (has_csi_node && ![AZURE_FILE, VSPHERE].contains(plugin)).then_some(plugin.driver)
}

/// Whether a CSI volume stands behind a disk.
pub(super) fn is_migratable(disk: &Disk) -> bool {
    !matches!(disk, Disk::Iscsi { .. } | Disk::Rbd(_))
}

/// The CSI volume behind a disk that a pod names; none if there is none. The error says what is wrong with the disk.
pub(super) fn translate_disk(disk: &Disk) -> Result<Option<AttachableVolume<'_>>, String> {
    let (driver, handle) = match disk {
        Disk::Gce { name, .. } => (GCE_PD.driver, zonal_disk(UNSPECIFIED, name).into()),
        Disk::Ebs(id) => (AWS_EBS.driver, ebs_handle(id)?.into()),
        Disk::Azure { uri, kind } => (AZURE_DISK.driver, azure_handle(uri, kind.as_deref())?.into()),
        Disk::Cinder(id) => (CINDER.driver, Cow::Borrowed(&**id)),
        Disk::Portworx(id) => (PORTWORX.driver, Cow::Borrowed(&**id)),
        Disk::Iscsi { .. } | Disk::Rbd(_) => return Ok(None),
    };
    Ok(Some(AttachableVolume { driver, id: VolumeId::Handle(handle) }))
}

/// The driver and the handle of the CSI volume behind a volume; none if there is none, or if something is wrong with it.
pub(super) fn translate_volume(volume: &PersistentVolume) -> Option<(&str, Cow<'_, str>)> {
    let spec = volume.spec.as_ref()?;
    if let Some(disk) = &spec.gce_persistent_disk {
        return Some((GCE_PD.driver, gce_handle(volume, &disk.pd_name)?.into()));
    }
    if let Some(disk) = &spec.aws_elastic_block_store {
        return Some((AWS_EBS.driver, ebs_handle(&disk.volume_id).ok()?.into()));
    }
    if let Some(disk) = &spec.azure_disk {
        return Some((AZURE_DISK.driver, azure_handle(&disk.disk_uri, disk.kind.as_deref()).ok()?.into()));
    }
    if let Some(disk) = &spec.cinder {
        return Some((CINDER.driver, disk.volume_id.as_str().into()));
    }
    spec.portworx_volume.as_ref().map(|disk| (PORTWORX.driver, disk.volume_id.as_str().into()))
}

/// # Source
/// `plugins/gce_pd.go` (`TranslateInTreePVToCSI`)
fn gce_handle(volume: &PersistentVolume, disk: &str) -> Option<String> {
    let labels = labels_of(&volume.metadata);
    let label = |key| labels.get(key).map(String::as_str).filter(|zones| !zones.is_empty());
    let zones = label(BETA_ZONE).or_else(|| label(ZONE));
    let Some(zones) = zones else { return Some(zonal_disk(UNSPECIFIED, disk)) };
    let zones: Vec<&str> = zones.split(ZONE_DELIMITER).collect();
    if let [zone] = zones.as_slice() {
        return Some(zonal_disk(zone, disk));
    }
    let region = gce_region(&zones)?;
    Some(format!("projects/{UNSPECIFIED}/regions/{region}/disks/{disk}"))
}

fn zonal_disk(zone: &str, disk: &str) -> String {
    format!("projects/{UNSPECIFIED}/zones/{zone}/disks/{disk}")
}

/// The one region that all zones are in, which are named locale, region, zone.
///
/// # Source
/// `plugins/gce_pd.go` (`gceGetRegionFromZones`)
fn gce_region<'a>(zones: &[&'a str]) -> Option<&'a str> {
    let region_of = |zone: &&'a str| {
        let (region, _) = zone.rsplit_once('-')?;
        (region.matches('-').count() == 1).then_some(region)
    };
    let regions: Option<BTreeSet<&str>> = zones.iter().map(region_of).collect();
    regions.filter(|regions| regions.len() == 1)?.pop_first()
}

/// # Source
/// `plugins/aws_ebs.go` (`KubernetesVolumeIDToEBSVolumeID`)
fn ebs_handle(id: &str) -> Result<&str, String> {
    let Some(rest) = id.strip_prefix("aws://") else { return Ok(id) };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (_zone, path) = rest.split_once('/').unwrap_or((rest, ""));
    let volume = path.trim_matches('/');
    if volume.starts_with("vol-") && !volume.contains('/') {
        return Ok(volume);
    }
    Err(format!("failed to translate Kubernetes ID to EBS Volume ID Invalid format for AWS volume ({id})"))
}

/// # Source
/// `plugins/azure_disk.go` (`TranslateInTreeInlineVolumeToCSI`)
fn azure_handle<'a>(uri: &'a str, kind: Option<&str>) -> Result<&'a str, String> {
    match kind {
        Some(kind) if !kind.eq_ignore_ascii_case("Managed") => {
            Err(format!("kind({kind}) is not supported in csi migration"))
        }
        _ => Ok(uri),
    }
}
