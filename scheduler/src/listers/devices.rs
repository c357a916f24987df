//! The objects of dynamic resource allocation that plugins look up.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::resource::v1::{
    AllocationResult, DeviceClass, DeviceTaintRule, ResourceClaim, ResourceSlice,
};

use super::{ByName, name};

/// What stands before the name of a device class in the name of the extended resource that it always serves.
pub const DEVICE_CLASS_RESOURCE_PREFIX: &str = "deviceclass.resource.kubernetes.io/";

/// Says of a claim that the scheduler has made it up for the extended resources of the pod that owns it.
///
/// # Source
/// k8s.io/api `resource/v1/types.go` (`ExtendedResourceClaimAnnotation`)
pub const EXTENDED_RESOURCE_CLAIM: &str = "resource.kubernetes.io/extended-resource-claim";

/// How often each device of a pool is allocated, by its name; devices that aren't are left out.
pub type AllocatedDevices = BTreeMap<String, usize>;

/// What plugins about devices look up.
#[derive(Clone, Debug, Default)]
pub struct DeviceListers {
    claims: ByName<ResourceClaim>,
    /// The namespaces and names of claims whose allocation isn't written yet.
    in_flight: BTreeSet<(String, String)>,
    /// What all claims have together: by driver and pool.
    allocated: BTreeMap<String, BTreeMap<String, AllocatedDevices>>,
    classes: BTreeMap<String, DeviceClass>,
    /// The names of classes by the extended resource that they say they serve.
    classes_by_resource: BTreeMap<String, BTreeSet<String>>,
    slices: BTreeMap<String, ResourceSlice>,
    /// The names of slices by the node that they are for; those that aren't for one node stand under no name.
    slices_on: BTreeMap<String, BTreeSet<String>>,
    /// The names of slices by driver and pool.
    slices_of: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    taint_rules: BTreeMap<String, DeviceTaintRule>,
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
        let Some(claims) = self.claims.get_mut(namespace) else { return };
        if let Some(claim) = claims.remove(name) {
            self.in_flight.remove(&(namespace.to_owned(), name.to_owned()));
            self.count_devices(&claim, false);
        }
    }

    fn take_over(&mut self, claim: &ResourceClaim) {
        let (namespace, claim_name) = key(claim);
        let old = self.claims.get_mut(&namespace).and_then(|claims| claims.remove(&claim_name));
        if let Some(old) = old {
            self.count_devices(&old, false);
        }
        self.count_devices(claim, true);
        self.claims.entry(namespace).or_default().insert(claim_name, claim.clone());
    }

    /// # Source
    /// `pkg/scheduler/framework/plugins/dynamicresources/allocateddevices.go` (`foreachAllocatedDevice`)
    fn count_devices(&mut self, claim: &ResourceClaim, is_added: bool) {
        let devices = allocation(claim).and_then(|allocation| allocation.devices.as_ref());
        for result in devices.and_then(|devices| devices.results.as_ref()).into_iter().flatten() {
            // Administrators take nothing away from others, and a share leaves the rest of the device.
            if result.admin_access == Some(true) || result.share_id.is_some() {
                continue;
            }
            let pools = self.allocated.entry(result.driver.clone()).or_default();
            let devices = pools.entry(result.pool.clone()).or_default();
            let count = devices.entry(result.device.clone()).or_default();
            *count = if is_added { *count + 1 } else { count.saturating_sub(1) };
            if *count == 0 {
                devices.remove(&result.device);
            }
        }
    }

    /// Adds a device class or takes over its new state.
    pub fn set_class(&mut self, class: &DeviceClass) {
        let name = name(&class.metadata);
        if let Some(served) = extended_resource(class) {
            self.classes_by_resource.entry(served.to_owned()).or_default().insert(name.clone());
        }
        let old = self.classes.insert(name.clone(), class.clone());
        let no_longer = old.as_ref().and_then(extended_resource);
        if let Some(no_longer) = no_longer.filter(|resource| extended_resource(class) != Some(resource))
            && let Some(names) = self.classes_by_resource.get_mut(no_longer)
        {
            names.remove(&name);
        }
    }

    /// Adds devices that a driver offers, or takes over their new state.
    pub fn set_slice(&mut self, slice: &ResourceSlice) {
        let name = name(&slice.metadata);
        if let Some(old) = self.slices.insert(name.clone(), slice.clone()) {
            let pool =
                self.slices_of.get_mut(&old.spec.driver).and_then(|pools| pools.get_mut(&old.spec.pool.name));
            let lists = [self.slices_on.get_mut(node_name(&old)), pool];
            lists.into_iter().flatten().for_each(|names| {
                names.remove(&name);
            });
        }
        self.slices_on.entry(node_name(slice).to_owned()).or_default().insert(name.clone());
        let pools = self.slices_of.entry(slice.spec.driver.clone()).or_default();
        pools.entry(slice.spec.pool.name.clone()).or_default().insert(name);
    }

    /// Adds a rule that taints devices, or takes over its new state.
    pub fn set_taint_rule(&mut self, rule: &DeviceTaintRule) {
        self.taint_rules.insert(name(&rule.metadata), rule.clone());
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
        self.allocated.get(driver)?.get(pool)
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
        let serving = self.classes_by_resource.get(resource)?.iter().filter_map(|name| self.class(name));
        let age = |class: &DeviceClass| class.metadata.creation_timestamp.as_ref().map(|time| time.0);
        serving.reduce(|best, class| if age(class) > age(best) { class } else { best })
    }

    /// The slices that may have devices for a node: those for no other node.
    pub fn slices_for(&self, node: &str) -> impl Iterator<Item = &ResourceSlice> {
        let own = self.slices_on.get(node).filter(|_| !node.is_empty());
        self.named(own.into_iter().chain(self.slices_on.get("")).flatten())
    }

    /// All slices of a pool, in order of name.
    pub fn slices_of(&self, driver: &str, pool: &str) -> impl Iterator<Item = &ResourceSlice> {
        let names = self.slices_of.get(driver).and_then(|pools| pools.get(pool));
        self.named(names.into_iter().flatten())
    }

    fn named<'a>(
        &'a self,
        names: impl Iterator<Item = &'a String>,
    ) -> impl Iterator<Item = &'a ResourceSlice> {
        names.filter_map(|name| self.slices.get(name))
    }

    /// The rules that taint devices, in order of name.
    pub fn taint_rules(&self) -> impl Iterator<Item = &DeviceTaintRule> {
        self.taint_rules.values()
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

/// The node that a slice is for; empty if it isn't for one node.
fn node_name(slice: &ResourceSlice) -> &str {
    slice.spec.node_name.as_deref().unwrap_or_default()
}
