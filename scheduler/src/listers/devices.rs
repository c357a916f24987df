//! The objects of dynamic resource allocation that plugins look up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::resource::v1::{
    AllocationResult, DeviceClass, DeviceTaintRule, ResourceClaim, ResourceSlice,
};

use super::allocated_devices::{Allocated, AllocatedDevices};
use super::name_index::NameIndex;
use super::slices::{ListedSlice, Slices};
use super::{ByName, name, unset};

/// What stands before the name of a device class in the name of the extended resource that it always serves.
pub const DEVICE_CLASS_RESOURCE_PREFIX: &str = "deviceclass.resource.kubernetes.io/";

/// Says of a claim that the scheduler has made it up for the extended resources of the pod that owns it.
///
/// # Source
/// k8s.io/api `resource/v1/types.go` (`ExtendedResourceClaimAnnotation`)
pub const EXTENDED_RESOURCE_CLAIM: &str = "resource.kubernetes.io/extended-resource-claim";

/// What plugins about devices look up.
#[derive(Clone, Debug, Default)]
pub struct DeviceListers {
    claims: ByName<ResourceClaim>,
    /// The namespaces and names of claims whose allocation isn't written yet.
    in_flight: BTreeSet<(String, String)>,
    allocated: Allocated,
    classes: BTreeMap<String, DeviceClass>,
    /// The names of classes by the extended resource that they say they serve.
    classes_by_resource: NameIndex,
    slices: Slices,
}

impl DeviceListers {
    /// Adds a claim or takes over its new state.
    pub fn set_claim(&mut self, claim: &ResourceClaim) {
        if is_for_extended_resources(claim) {
            // Until now it was there without a name.
            let (namespace, unnamed) = (namespace(claim), unnamed(claim));
            self.remove_claim(&namespace, &unnamed);
        }
        self.in_flight.remove(&key(claim));
        self.take_over(claim);
    }

    /// Takes a claim to be as it will be once that is written. If it had no devices before, pods that use it have to wait until it
    /// is set.
    ///
    /// # Source
    /// `pkg/scheduler/framework/plugins/dynamicresources/dra_manager.go` (`SignalClaimPendingAllocation`)
    pub(crate) fn assume_claim(&mut self, claim: &ResourceClaim) {
        let (namespace, name) = key(claim);
        if self.claim(&namespace, &name).and_then(allocation).is_none() {
            self.in_flight.insert((namespace, name));
        }
        self.take_over(claim);
    }

    /// Takes a claim that was assumed to be as it is stored again.
    pub(crate) fn restore_claim(&mut self, assumed: &ResourceClaim, stored: &Self) {
        let (namespace, name) = key(assumed);
        match stored.claim(&namespace, &name) {
            Some(claim) => self.set_claim(claim),
            None => self.remove_claim(&namespace, &name),
        }
    }

    /// Forgets a claim, and what it had.
    pub fn remove_claim(&mut self, namespace: &str, name: &str) {
        if let Some(claim) = unset(&mut self.claims, namespace, name) {
            self.in_flight.remove(&(namespace.to_owned(), name.to_owned()));
            self.allocated.count(&claim, false);
        }
    }

    fn take_over(&mut self, claim: &ResourceClaim) {
        let (namespace, claim_name) = key(claim);
        let old = self.claims.entry(namespace).or_default().insert(claim_name, claim.clone());
        if let Some(old) = old {
            self.allocated.count(&old, false);
        }
        self.allocated.count(claim, true);
    }

    /// Adds a device class or takes over its new state.
    pub fn set_class(&mut self, class: &DeviceClass) {
        let name = name(&class.metadata);
        self.remove_class(&name);
        if let Some(served) = extended_resource(class) {
            self.classes_by_resource.insert(served, &name);
        }
        self.classes.insert(name, class.clone());
    }

    /// Forgets a device class.
    pub fn remove_class(&mut self, name: &str) {
        let old = self.classes.remove(name);
        if let Some(served) = old.as_ref().and_then(extended_resource) {
            self.classes_by_resource.remove(served, name);
        }
    }

    /// Adds devices that a driver offers, or takes over their new state.
    pub fn set_slice(&mut self, slice: &ResourceSlice) {
        self.slices.set(slice);
    }

    /// Forgets devices that a driver offers no longer.
    pub fn remove_slice(&mut self, name: &str) {
        self.slices.remove(name);
    }

    /// Adds a rule that taints devices, or takes over its new state.
    pub fn set_taint_rule(&mut self, rule: &DeviceTaintRule) {
        self.slices.set_rule(rule);
    }

    /// Forgets a rule, and the taints that devices had by it.
    pub fn remove_taint_rule(&mut self, name: &str) {
        self.slices.remove_rule(name);
    }

    /// The claim of that namespace and name.
    pub fn claim(&self, namespace: &str, name: &str) -> Option<&ResourceClaim> {
        self.claims.get(namespace)?.get(name)
    }

    /// The claims of a namespace, in order of name.
    pub fn claims_in(&self, namespace: &str) -> impl Iterator<Item = &ResourceClaim> {
        self.claims.get(namespace).into_iter().flat_map(BTreeMap::values)
    }

    /// Whether the allocation of a claim isn't written yet.
    pub fn is_in_flight(&self, claim: &ResourceClaim) -> bool {
        !self.in_flight.is_empty() && self.in_flight.contains(&key(claim))
    }

    /// The devices of a pool that claims have; none if they have none.
    pub fn allocated_in(&self, driver: &str, pool: &str) -> Option<&AllocatedDevices> {
        self.allocated.of_pool(driver, pool)
    }

    /// The device class of that name.
    pub fn class(&self, name: &str) -> Option<&DeviceClass> {
        self.classes.get(name)
    }

    /// The device class whose devices serve an extended resource. If several classes name the resource, the newest does, and of
    /// those of the same age the first by name.
    ///
    /// # Source
    /// k8s.io/dynamic-resource-allocation `deviceclass/extendedresourcecache/extendedresourcecache.go` (`GetDeviceClass`)
    pub fn class_for_resource(&self, resource: &str) -> Option<&DeviceClass> {
        // DIFFERENCE: D-scheduler-34.
        if let Some(class) = resource.strip_prefix(DEVICE_CLASS_RESOURCE_PREFIX) {
            return self.class(class);
        }
        let serving = self.classes_by_resource.get(resource).filter_map(|name| self.class(name));
        let age = |class: &DeviceClass| class.metadata.creation_timestamp.as_ref().map(|time| time.0);
        serving.reduce(|best, class| if age(class) > age(best) { class } else { best })
    }

    /// The slices that may have devices for a node: those for no other node.
    pub fn slices_for(&self, node: &str) -> impl Iterator<Item = &ListedSlice> {
        self.slices.for_node(node)
    }

    /// All slices of a pool, in order of name.
    pub fn slices_of(&self, driver: &str, pool: &str) -> impl Iterator<Item = &ListedSlice> {
        self.slices.of_pool(driver, pool)
    }

    /// A slice as plugins hear of it: with the taints that rules give its devices.
    pub(crate) fn with_taints(&self, slice: &Arc<ResourceSlice>) -> Arc<ResourceSlice> {
        self.slices.with_taints(slice)
    }

    /// The slices whose devices have other taints now that this was done to a rule, each before and after.
    pub(crate) fn slices_changed_by(
        &self,
        old: Option<&DeviceTaintRule>,
        new: Option<&DeviceTaintRule>,
    ) -> Vec<(Arc<ResourceSlice>, Arc<ResourceSlice>)> {
        self.slices.changed_by_rule(old, new)
    }
}

/// What a claim has; none if nothing yet.
pub(crate) fn allocation(claim: &ResourceClaim) -> Option<&AllocationResult> {
    claim.status.as_ref()?.allocation.as_ref()
}

/// Whether the scheduler has made a claim up for the extended resources of the pod that owns it.
pub fn is_for_extended_resources(claim: &ResourceClaim) -> bool {
    let annotations = claim.metadata.annotations.as_ref();
    annotations
        .and_then(|annotations| annotations.get(EXTENDED_RESOURCE_CLAIM))
        .is_some_and(|value| value == "true")
}

/// The extended resource that a class says it serves.
fn extended_resource(class: &DeviceClass) -> Option<&str> {
    class.spec.as_ref()?.extended_resource_name.as_deref()
}

/// The namespace and name of a claim. One that was made up for a pod has a name only once it is written; till then the pod tells it
/// from others.
fn key(claim: &ResourceClaim) -> (String, String) {
    (namespace(claim), claim.metadata.name.clone().unwrap_or_else(|| unnamed(claim)))
}

fn namespace(claim: &ResourceClaim) -> String {
    claim.metadata.namespace.clone().unwrap_or_default()
}

fn unnamed(claim: &ResourceClaim) -> String {
    let owner = claim.metadata.owner_references.iter().flatten().next();
    owner.map(|owner| format!("<extended-resources>/{}/{}", owner.name, owner.uid)).unwrap_or_default()
}
