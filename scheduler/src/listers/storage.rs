//! The objects of storage that plugins look up.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};

use super::{ByName, name, set};

/// What plugins about volumes look up.
#[derive(Clone, Debug, Default)]
pub struct StorageListers {
    claims: ByName<PersistentVolumeClaim>,
    volumes: BTreeMap<String, PersistentVolume>,
    classes: BTreeMap<String, StorageClass>,
    csi_nodes: BTreeMap<String, CSINode>,
    csi_drivers: BTreeMap<String, CSIDriver>,
    capacities: ByName<CSIStorageCapacity>,
    attachments: BTreeMap<String, VolumeAttachment>,
    /// The names of the attachments to each node.
    attachments_to: BTreeMap<String, BTreeSet<String>>,
}

impl StorageListers {
    /// Adds a claim or takes over its new state.
    pub fn set_claim(&mut self, claim: &PersistentVolumeClaim) {
        set(&mut self.claims, &claim.metadata, claim.clone());
    }

    /// Adds a volume or takes over its new state.
    pub fn set_volume(&mut self, volume: &PersistentVolume) {
        self.volumes.insert(name(&volume.metadata), volume.clone());
    }

    /// Adds a storage class or takes over its new state.
    pub fn set_class(&mut self, class: &StorageClass) {
        self.classes.insert(name(&class.metadata), class.clone());
    }

    /// Adds what CSI drivers say of a node, or takes over its new state.
    pub fn set_csi_node(&mut self, node: &CSINode) {
        self.csi_nodes.insert(name(&node.metadata), node.clone());
    }

    /// Adds a CSI driver or takes over its new state.
    pub fn set_csi_driver(&mut self, driver: &CSIDriver) {
        self.csi_drivers.insert(name(&driver.metadata), driver.clone());
    }

    /// Adds what a driver has left somewhere, or takes over its new state.
    pub fn set_capacity(&mut self, capacity: &CSIStorageCapacity) {
        set(&mut self.capacities, &capacity.metadata, capacity.clone());
    }

    /// Adds an attachment of a volume to a node or takes over its new state.
    pub fn set_attachment(&mut self, attachment: &VolumeAttachment) {
        let name = name(&attachment.metadata);
        if let Some(old) = self.attachments.insert(name.clone(), attachment.clone())
            && let Some(names) = self.attachments_to.get_mut(&old.spec.node_name)
        {
            names.remove(&name);
        }
        self.attachments_to.entry(attachment.spec.node_name.clone()).or_default().insert(name);
    }

    /// The claim of that namespace and name.
    pub fn claim(&self, namespace: &str, name: &str) -> Option<&PersistentVolumeClaim> {
        self.claims.get(namespace)?.get(name)
    }

    /// The volume of that name.
    pub fn volume(&self, name: &str) -> Option<&PersistentVolume> {
        self.volumes.get(name)
    }

    /// All volumes, in order of name.
    pub fn volumes(&self) -> impl Iterator<Item = &PersistentVolume> {
        self.volumes.values()
    }

    /// The storage class of that name.
    pub fn class(&self, name: &str) -> Option<&StorageClass> {
        self.classes.get(name)
    }

    /// Whether there is any storage class.
    pub fn has_classes(&self) -> bool {
        !self.classes.is_empty()
    }

    /// What CSI drivers say of the node of that name.
    pub fn csi_node(&self, name: &str) -> Option<&CSINode> {
        self.csi_nodes.get(name)
    }

    /// The CSI driver of that name.
    pub fn csi_driver(&self, name: &str) -> Option<&CSIDriver> {
        self.csi_drivers.get(name)
    }

    /// What drivers have left, in order of namespace and name.
    pub fn capacities(&self) -> impl Iterator<Item = &CSIStorageCapacity> {
        self.capacities.values().flat_map(BTreeMap::values)
    }

    /// The attachments of volumes to a node, in order of name.
    pub fn attachments_to(&self, node: &str) -> impl Iterator<Item = &VolumeAttachment> {
        let names = self.attachments_to.get(node).into_iter().flatten();
        names.filter_map(|name| self.attachments.get(name))
    }
}
