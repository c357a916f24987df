//! The volume plugins that were once built in, and the CSI drivers that have taken their places.
//!
//! # Source
//! `k8s.io/csi-translation-lib` (`translate.go`, `plugins`)

use k8s_openapi::api::core::v1::Volume;

/// A plugin that was once built in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InTreePlugin {
    /// Its name, which is that of its provisioner too.
    pub(crate) name: &'static str,
    /// The name of the driver that has taken its place.
    pub(crate) driver: &'static str,
}

pub(crate) const AWS_EBS: InTreePlugin =
    InTreePlugin { name: "kubernetes.io/aws-ebs", driver: "ebs.csi.aws.com" };
pub(crate) const GCE_PD: InTreePlugin =
    InTreePlugin { name: "kubernetes.io/gce-pd", driver: "pd.csi.storage.gke.io" };
pub(crate) const AZURE_DISK: InTreePlugin =
    InTreePlugin { name: "kubernetes.io/azure-disk", driver: "disk.csi.azure.com" };
pub(crate) const AZURE_FILE: InTreePlugin =
    InTreePlugin { name: "kubernetes.io/azure-file", driver: "file.csi.azure.com" };
pub(crate) const CINDER: InTreePlugin =
    InTreePlugin { name: "kubernetes.io/cinder", driver: "cinder.csi.openstack.org" };
pub(crate) const PORTWORX: InTreePlugin =
    InTreePlugin { name: "kubernetes.io/portworx-volume", driver: "pxd.portworx.com" };
pub(crate) const VSPHERE: InTreePlugin =
    InTreePlugin { name: "kubernetes.io/vsphere-volume", driver: "csi.vsphere.vmware.com" };

const ALL: [InTreePlugin; 7] = [AWS_EBS, GCE_PD, AZURE_DISK, AZURE_FILE, CINDER, PORTWORX, VSPHERE];

impl InTreePlugin {
    /// The plugin that makes the volumes of a provisioner; none if none was ever built in for it.
    pub(crate) fn of_provisioner(provisioner: &str) -> Option<&'static Self> {
        ALL.iter().find(|plugin| plugin.name == provisioner)
    }

    /// The plugin whose volume a pod names itself.
    ///
    /// # Source
    /// `translate.go` (`IsInlineMigratable`)
    pub(crate) fn of_inline(volume: &Volume) -> Option<&'static Self> {
        let is_of = [
            (volume.aws_elastic_block_store.is_some(), &AWS_EBS),
            (volume.gce_persistent_disk.is_some(), &GCE_PD),
            (volume.azure_disk.is_some(), &AZURE_DISK),
            (volume.azure_file.is_some(), &AZURE_FILE),
            (volume.cinder.is_some(), &CINDER),
            (volume.portworx_volume.is_some(), &PORTWORX),
            (volume.vsphere_volume.is_some(), &VSPHERE),
        ];
        is_of.into_iter().find(|(is_of, _)| *is_of).map(|(_, plugin)| plugin)
    }
}
