//! The objects of storage that plugins look up.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};

use super::name_index::NameIndex;
use super::{ByName, name, set, unset};

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
    attachments_to: NameIndex,
}

impl StorageListers {
    /// Adds a claim or takes over its new state.
    pub fn set_claim(&mut self, claim: &PersistentVolumeClaim) {
        set(&mut self.claims, &claim.metadata, claim.clone());
    }

    /// Forgets a claim.
    pub fn remove_claim(&mut self, namespace: &str, name: &str) {
        unset(&mut self.claims, namespace, name);
    }

    /// Adds a volume or takes over its new state.
    pub fn set_volume(&mut self, volume: &PersistentVolume) {
        self.volumes.insert(name(&volume.metadata), volume.clone());
    }

    /// Forgets a volume.
    pub fn remove_volume(&mut self, name: &str) {
        self.volumes.remove(name);
    }

    /// Adds a storage class or takes over its new state.
    pub fn set_class(&mut self, class: &StorageClass) {
        self.classes.insert(name(&class.metadata), class.clone());
    }

    /// Forgets a storage class.
    pub fn remove_class(&mut self, name: &str) {
        self.classes.remove(name);
    }

    /// Adds what CSI drivers say of a node, or takes over its new state.
    pub fn set_csi_node(&mut self, node: &CSINode) {
        self.csi_nodes.insert(name(&node.metadata), node.clone());
    }

    /// Forgets what CSI drivers say of a node.
    pub fn remove_csi_node(&mut self, name: &str) {
        self.csi_nodes.remove(name);
    }

    /// Adds a CSI driver or takes over its new state.
    pub fn set_csi_driver(&mut self, driver: &CSIDriver) {
        self.csi_drivers.insert(name(&driver.metadata), driver.clone());
    }

    /// Forgets a CSI driver.
    pub fn remove_csi_driver(&mut self, name: &str) {
        self.csi_drivers.remove(name);
    }

    /// Adds what a driver has left somewhere, or takes over its new state.
    pub fn set_capacity(&mut self, capacity: &CSIStorageCapacity) {
        set(&mut self.capacities, &capacity.metadata, capacity.clone());
    }

    /// Forgets what a driver has left somewhere.
    pub fn remove_capacity(&mut self, namespace: &str, name: &str) {
        unset(&mut self.capacities, namespace, name);
    }

    /// Adds an attachment of a volume to a node or takes over its new state.
    pub fn set_attachment(&mut self, attachment: &VolumeAttachment) {
        let name = name(&attachment.metadata);
        self.remove_attachment(&name);
        self.attachments_to.insert(&attachment.spec.node_name, &name);
        self.attachments.insert(name, attachment.clone());
    }

    /// Forgets an attachment.
    pub fn remove_attachment(&mut self, name: &str) {
        if let Some(old) = self.attachments.remove(name) {
            self.attachments_to.remove(&old.spec.node_name, name);
        }
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
        self.attachments_to.get(node).filter_map(|name| self.attachments.get(name))
    }
}
