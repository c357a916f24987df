//! What of a pod's volumes keeps other pods off, or counts on its node.

use k8s_openapi::api::core::v1::{
    AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, GCEPersistentDiskVolumeSource,
    ISCSIVolumeSource, Pod, RBDVolumeSource, Volume,
};

/// The volumes of a pod that plugins look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodVolumes {
    /// The volumes, in the pod's order; never empty.
    pub volumes: Box<[PodVolume]>,
    /// The pod's uid, by which it owns the claims of its ephemeral volumes.
    pub pod_uid: Box<str>,
}

/// A volume of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodVolume {
    /// The claim of that name.
    Claim(Box<str>),
    /// The claim of that name, which is made for the pod.
    Ephemeral(Box<str>),
    /// A disk.
    Disk {
        /// The name of the volume.
        name: Box<str>,
        /// The disk.
        disk: Disk,
    },
}

/// A disk that a pod names itself, without a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disk {
    /// GCE persistent disk.
    Gce {
        /// Its name.
        name: Box<str>,
        /// Whether it is only read.
        read_only: bool,
    },
    /// AWS elastic block store.
    Ebs(
        /// Its id.
        Box<str>,
    ),
    /// iSCSI.
    Iscsi {
        /// The name of the target.
        iqn: Box<str>,
        /// Whether it is only read.
        read_only: bool,
    },
    /// Ceph RBD.
    Rbd(Box<RbdImage>),
    /// Azure disk.
    Azure {
        /// Its URI.
        uri: Box<str>,
        /// Its kind; none if it isn't given.
        kind: Option<Box<str>>,
    },
    /// OpenStack Cinder.
    Cinder(
        /// Its id.
        Box<str>,
    ),
    /// Portworx.
    Portworx(
        /// Its id.
        Box<str>,
    ),
}

/// An image of Ceph RBD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RbdImage {
    /// The monitors that know it.
    pub monitors: Vec<String>,
    /// The pool it is in.
    pub pool: String,
    /// Its name.
    pub image: String,
    /// Whether it is only read.
    pub read_only: bool,
}

impl PodVolumes {
    /// Reads the volumes of a pod; none if it has none that plugins look at.
    pub(crate) fn new(pod: &Pod) -> Option<Self> {
        let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
        let volumes = pod.spec.as_ref()?.volumes.as_ref()?;
        let volumes: Box<[PodVolume]> =
            volumes.iter().filter_map(|volume| PodVolume::new(volume, pod_name)).collect();
        let pod_uid = pod.metadata.uid.as_deref().unwrap_or_default();
        (!volumes.is_empty()).then(|| Self { volumes, pod_uid: pod_uid.into() })
    }

    /// The names of the claims that the pod names, once for each volume.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        self.volumes.iter().filter_map(|volume| match volume {
            PodVolume::Claim(name) => Some(&**name),
            _ => None,
        })
    }

    /// The names of all its claims, and whether each is made for the pod and goes with it.
    pub fn all_claims(&self) -> impl Iterator<Item = (&str, bool)> {
        self.volumes.iter().filter_map(|volume| match volume {
            PodVolume::Claim(name) => Some((&**name, false)),
            PodVolume::Ephemeral(name) => Some((&**name, true)),
            PodVolume::Disk { .. } => None,
        })
    }

    /// The disks that the pod names.
    pub fn disks(&self) -> impl Iterator<Item = &Disk> {
        self.volumes.iter().filter_map(|volume| match volume {
            PodVolume::Disk { disk, .. } => Some(disk),
            _ => None,
        })
    }
}

impl PodVolume {
    /// # Source
    /// `k8s.io/component-helpers/storage/ephemeral` (`VolumeClaimName`)
    fn new(volume: &Volume, pod_name: &str) -> Option<Self> {
        if let Some(claim) = &volume.persistent_volume_claim {
            return Some(Self::Claim(claim.claim_name.as_str().into()));
        }
        if volume.ephemeral.is_some() {
            return Some(Self::Ephemeral(format!("{pod_name}-{}", volume.name).into()));
        }
        Disk::new(volume).map(|disk| Self::Disk { name: volume.name.as_str().into(), disk })
    }
}

impl Disk {
    /// The disk that a pod names; none if the volume is none that plugins look at.
    pub(crate) fn new(volume: &Volume) -> Option<Self> {
        if let Some(GCEPersistentDiskVolumeSource { pd_name, read_only, .. }) = &volume.gce_persistent_disk {
            return Some(Self::Gce { name: pd_name.as_str().into(), read_only: read_only.unwrap_or(false) });
        }
        if let Some(AWSElasticBlockStoreVolumeSource { volume_id, .. }) = &volume.aws_elastic_block_store {
            return Some(Self::Ebs(volume_id.as_str().into()));
        }
        if let Some(ISCSIVolumeSource { iqn, read_only, .. }) = &volume.iscsi {
            return Some(Self::Iscsi { iqn: iqn.as_str().into(), read_only: read_only.unwrap_or(false) });
        }
        if let Some(RBDVolumeSource { monitors, pool, image, read_only, .. }) = &volume.rbd {
            return Some(Self::Rbd(Box::new(RbdImage {
                monitors: monitors.clone(),
                pool: pool.clone().unwrap_or_default(),
                image: image.clone(),
                read_only: read_only.unwrap_or(false),
            })));
        }
        if let Some(AzureDiskVolumeSource { disk_uri, kind, .. }) = &volume.azure_disk {
            return Some(Self::Azure {
                uri: disk_uri.as_str().into(),
                kind: kind.as_deref().map(Into::into),
            });
        }
        let cinder = volume.cinder.as_ref().map(|cinder| Self::Cinder(cinder.volume_id.as_str().into()));
        cinder.or_else(|| {
            let portworx = volume.portworx_volume.as_ref()?;
            Some(Self::Portworx(portworx.volume_id.as_str().into()))
        })
    }
}
