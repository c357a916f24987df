//! What plugins look up beside nodes and pods.

mod allocated_devices;
mod devices;
mod name_index;
mod place;
mod slices;
mod storage;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::{ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{Namespace, ReplicationController, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use plimsoll_api::quote::go_quote;
use plimsoll_matching::label_selector::{Labels, Selector, labels_of};

pub use self::allocated_devices::{AllocatedDevices, DeviceUses};
pub(crate) use self::devices::allocation;
pub use self::devices::{
    DEVICE_CLASS_RESOURCE_PREFIX, DeviceListers, EXTENDED_RESOURCE_CLAIM, is_for_extended_resources,
};
pub(crate) use self::place::Place;
pub(crate) use self::slices::ListedDevice;
pub use self::slices::ListedSlice;
pub use self::storage::StorageListers;

/// Objects by namespace and name.
type ByName<T> = BTreeMap<String, BTreeMap<String, T>>;

/// The objects that plugins look up; of each kind what they read of it.
#[derive(Clone, Debug, Default)]
pub struct Listers {
    namespaces: BTreeMap<String, Labels>,
    services: ByName<Labels>,
    replication_controllers: ByName<Labels>,
    replica_sets: ByName<Selector>,
    stateful_sets: ByName<Selector>,
    disruption_budgets: ByName<DisruptionBudget>,
    /// Claims, volumes and what drivers say of them.
    pub storage: StorageListers,
    /// Claims on devices, and what drivers offer.
    pub devices: DeviceListers,
}

/// How many pods of a kind may be disrupted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisruptionBudget {
    /// Which pods it is about; those of its namespace.
    pub selector: Selector,
    /// How many more pods may be disrupted.
    pub disruptions_allowed: i32,
    /// The pods, by name, that are being disrupted and that `disruptions_allowed` counts already.
    pub disrupted_pods: BTreeSet<String>,
}

/// The labels of a namespace that isn't known.
static NO_LABELS: Labels = Labels::new();

impl Listers {
    /// Adds a namespace or takes over its new labels.
    pub fn set_namespace(&mut self, namespace: &Namespace) {
        self.namespaces.insert(name(&namespace.metadata), labels_of(&namespace.metadata).clone());
    }

    /// Forgets a namespace.
    pub fn remove_namespace(&mut self, name: &str) {
        self.namespaces.remove(name);
    }

    /// Adds a service or takes over its new state.
    pub fn set_service(&mut self, service: &Service) {
        match service.spec.as_ref().and_then(|spec| spec.selector.as_ref()) {
            Some(selector) => set(&mut self.services, &service.metadata, selector.clone()),
            // It selects nothing.
            None => unset_object(&mut self.services, &service.metadata),
        }
    }

    /// Forgets a service.
    pub fn remove_service(&mut self, namespace: &str, name: &str) {
        unset(&mut self.services, namespace, name);
    }

    /// Adds a replication controller or takes over its new state.
    pub fn set_replication_controller(&mut self, controller: &ReplicationController) {
        let selector = controller.spec.as_ref().and_then(|spec| spec.selector.clone()).unwrap_or_default();
        set(&mut self.replication_controllers, &controller.metadata, selector);
    }

    /// Forgets a replication controller.
    pub fn remove_replication_controller(&mut self, namespace: &str, name: &str) {
        unset(&mut self.replication_controllers, namespace, name);
    }

    /// Adds a replica set or takes over its new state.
    pub fn set_replica_set(&mut self, replica_set: &ReplicaSet) {
        let selector = Some(&replica_set.spec.selector);
        set_selector(&mut self.replica_sets, &replica_set.metadata, selector);
    }

    /// Forgets a replica set.
    pub fn remove_replica_set(&mut self, namespace: &str, name: &str) {
        unset(&mut self.replica_sets, namespace, name);
    }

    /// Adds a stateful set or takes over its new state.
    pub fn set_stateful_set(&mut self, stateful_set: &StatefulSet) {
        let selector = Some(&stateful_set.spec.selector);
        set_selector(&mut self.stateful_sets, &stateful_set.metadata, selector);
    }

    /// Forgets a stateful set.
    pub fn remove_stateful_set(&mut self, namespace: &str, name: &str) {
        unset(&mut self.stateful_sets, namespace, name);
    }

    /// Adds a disruption budget or takes over its new state. One whose selector is empty or malformed is about no pod.
    pub fn set_disruption_budget(&mut self, budget: &PodDisruptionBudget) {
        let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        let selector = Selector::from_label_selector(selector).unwrap_or_else(|_| Selector::nothing());
        let status = budget.status.as_ref();
        let disrupted = status.and_then(|status| status.disrupted_pods.as_ref());
        let budget_of = DisruptionBudget {
            selector: if selector.is_everything() { Selector::nothing() } else { selector },
            disruptions_allowed: status.and_then(|status| status.disruptions_allowed).unwrap_or(0),
            disrupted_pods: disrupted.map(|pods| pods.keys().cloned().collect()).unwrap_or_default(),
        };
        set(&mut self.disruption_budgets, &budget.metadata, budget_of);
    }

    /// Forgets a disruption budget.
    pub fn remove_disruption_budget(&mut self, namespace: &str, name: &str) {
        unset(&mut self.disruption_budgets, namespace, name);
    }

    /// All disruption budgets, each with its namespace, in order of namespace and name.
    pub fn disruption_budgets(&self) -> impl Iterator<Item = (&str, &DisruptionBudget)> {
        self.disruption_budgets
            .iter()
            .flat_map(|(namespace, budgets)| budgets.values().map(move |budget| (namespace.as_str(), budget)))
    }

    /// The labels of a namespace; none if it isn't known.
    ///
    /// # Source
    /// `pkg/scheduler/framework/plugins/interpodaffinity/plugin.go` (`GetNamespaceLabelsSnapshot`)
    pub fn namespace_labels(&self, namespace: &str) -> &Labels {
        self.namespaces.get(namespace).unwrap_or(&NO_LABELS)
    }

    /// The namespaces that a selector chooses.
    pub fn namespaces_matching(&self, selector: &Selector) -> impl Iterator<Item = &str> {
        let chosen = self.namespaces.iter().filter(|(_, labels)| selector.matches(labels));
        chosen.map(|(name, _)| name.as_str())
    }

    /// The selectors of a namespace's services, in order of name.
    pub fn service_selectors(&self, namespace: &str) -> impl Iterator<Item = &Labels> {
        self.services.get(namespace).into_iter().flat_map(BTreeMap::values)
    }

    /// What a replication controller selects.
    pub fn replication_controller(&self, namespace: &str, name: &str) -> Option<&Labels> {
        self.replication_controllers.get(namespace)?.get(name)
    }

    /// What a replica set selects; none if its selector is malformed.
    pub fn replica_set(&self, namespace: &str, name: &str) -> Option<&Selector> {
        self.replica_sets.get(namespace)?.get(name)
    }

    /// What a stateful set selects; none if its selector is malformed.
    pub fn stateful_set(&self, namespace: &str, name: &str) -> Option<&Selector> {
        self.stateful_sets.get(namespace)?.get(name)
    }
}

/// What is said of an object that isn't listed.
pub(crate) fn not_found(resource: &str, name: &str) -> String {
    format!("{resource} {} not found", go_quote(name))
}

/// Whether the controller of an object is that of the uid.
///
/// # Source
/// `k8s.io/apimachinery/pkg/apis/meta/v1` (`IsControlledBy`)
pub(crate) fn is_controlled_by(metadata: &ObjectMeta, uid: &str) -> bool {
    let owners = metadata.owner_references.iter().flatten();
    owners.filter(|owner| owner.controller == Some(true)).take(1).any(|owner| owner.uid == uid)
}

fn name(metadata: &ObjectMeta) -> String {
    metadata.name.clone().unwrap_or_default()
}

fn set<T>(objects: &mut ByName<T>, metadata: &ObjectMeta, object: T) {
    let namespace = metadata.namespace.clone().unwrap_or_default();
    objects.entry(namespace).or_default().insert(name(metadata), object);
}

fn unset<T>(objects: &mut ByName<T>, namespace: &str, name: &str) -> Option<T> {
    let of_namespace = objects.get_mut(namespace)?;
    let object = of_namespace.remove(name);
    if of_namespace.is_empty() {
        objects.remove(namespace);
    }
    object
}

fn unset_object<T>(objects: &mut ByName<T>, metadata: &ObjectMeta) {
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    unset(objects, namespace, metadata.name.as_deref().unwrap_or_default());
}

fn set_selector(objects: &mut ByName<Selector>, metadata: &ObjectMeta, selector: Option<&LabelSelector>) {
    match Selector::from_label_selector(selector) {
        Ok(selector) => set(objects, metadata, selector),
        Err(_) => unset_object(objects, metadata),
    }
}
