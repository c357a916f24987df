//! A cluster in memory: what has been stored so far, as far as later decisions look at it.

mod input;
pub mod made_up_nodes;
mod names;
mod object;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Namespace, Node, ServiceAccount};
use k8s_openapi::api::node::v1::RuntimeClass;
use k8s_openapi::api::resource::v1::DeviceClass;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;
use plimsoll_api::group::GroupResource;
use plimsoll_apiserver::admission::priority::PriorityClasses;
use plimsoll_quota::{DeviceClasses, Quota};
use plimsoll_webhook::limit_range::LimitRanges;
use rustc_hash::FxHashSet;

pub use input::{Input, InputKind, Inputs, read_inputs};
pub use names::{NameGenerator, uid_of};
pub use object::{Object, Untyped};

/// The namespaces that every cluster has.
pub const BUILT_IN_NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// What has been stored so far.
#[derive(Debug, Default)]
pub struct World {
    /// The namespaces by name, those that are only taken to exist among them.
    pub namespaces: BTreeMap<String, NamespaceState>,
    /// The nodes, in the order in which they became known.
    pub nodes: Vec<Node>,
    /// The priority classes.
    pub priority_classes: PriorityClasses,
    /// The priority classes as they were given.
    pub priority_class_objects: Vec<PriorityClass>,
    /// The runtime classes by name.
    pub runtime_classes: BTreeMap<String, RuntimeClass>,
    /// The storage classes.
    pub storage_classes: Vec<StorageClass>,
    /// The device classes as they were given.
    pub device_class_objects: Vec<DeviceClass>,
    /// The device classes, as quota reads them.
    pub device_classes: DeviceClasses,
    /// Chooses names and uids.
    pub names: NameGenerator,
    identities: FxHashSet<String>,
}

/// What a namespace holds that decides about other objects.
#[derive(Debug, Default)]
pub struct NamespaceState {
    /// The namespace itself; none if it is only taken to exist.
    pub object: Option<Namespace>,
    /// Its LimitRanges.
    pub limit_ranges: LimitRanges,
    /// Its quotas, in order of name.
    pub quotas: Vec<Quota>,
    /// Its service accounts by name.
    pub service_accounts: BTreeMap<String, ServiceAccount>,
}

impl World {
    /// A cluster with the namespaces that every cluster has.
    pub fn new() -> Self {
        let mut world = Self::default();
        for name in BUILT_IN_NAMESPACES {
            world.namespaces.insert(name.to_owned(), NamespaceState::default());
        }
        world
    }

    /// Takes note that an object exists; tells whether it is new.
    pub fn remember(&mut self, resource: &GroupResource, namespace: &str, name: &str) -> bool {
        self.identities.insert(identity(resource, namespace, name))
    }

    /// Whether an object exists.
    pub fn holds(&self, resource: &GroupResource, namespace: &str, name: &str) -> bool {
        self.identities.contains(&identity(resource, namespace, name))
    }

    /// The state of a namespace, which begins to exist if it does not yet.
    pub fn namespace_mut(&mut self, name: &str) -> &mut NamespaceState {
        self.namespaces.entry(name.to_owned()).or_default()
    }
}

fn identity(resource: &GroupResource, namespace: &str, name: &str) -> String {
    format!("{resource}/{namespace}/{name}")
}
