//! The devices that drivers offer, with the taints that rules give them.
//!
//! # Source
//! k8s.io/dynamic-resource-allocation `resourceslice/tracker/tracker.go`

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::resource::v1::{Device, DeviceTaint, DeviceTaintRule, ResourceSlice};

use super::name;
use super::name_index::NameIndex;
use super::place::Place;

/// Devices that a driver offers, as plugins see them. What depends on nothing else is read once.
#[derive(Clone, Debug)]
pub struct ListedSlice {
    /// As the driver has published them.
    published: Arc<ResourceSlice>,
    /// With the taints of rules.
    tainted: Arc<ResourceSlice>,
    place: Place,
    /// The place of each device, if each has its own.
    device_places: Vec<Place>,
    uses_compatibility_groups: bool,
}

/// A device of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListedDevice<'s> {
    pub(crate) device: &'s Device,
    /// Where it can be used, if that isn't said of the slice as a whole.
    pub(crate) place: Option<&'s Place>,
}

impl ListedSlice {
    fn new(published: Arc<ResourceSlice>, rules: &TaintRules) -> Self {
        let devices = || published.spec.devices.iter().flatten();
        let has_device_places = published.spec.per_device_node_selection == Some(true);
        Self {
            tainted: tainted(&published, rules.values()),
            place: Place::of_slice(&published),
            device_places: devices().filter(|_| has_device_places).map(Place::of_device).collect(),
            uses_compatibility_groups: devices().any(uses_compatibility_groups),
            published,
        }
    }

    /// The slice, its devices with the taints that rules give them.
    pub fn object(&self) -> &ResourceSlice {
        &self.tainted
    }

    pub(crate) fn name(&self) -> &str {
        self.published.metadata.name.as_deref().unwrap_or_default()
    }

    /// Where its devices can be used, if each hasn't its own place.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether upstream leaves it out while that feature is off, which it is by default; its pool is incomplete then.
    ///
    /// # Source
    /// k8s.io/dynamic-resource-allocation `structured/internal/incubating/compatibility_groups.go` (`sliceUsesCompatibilityGroups`)
    pub(crate) fn uses_compatibility_groups(&self) -> bool {
        self.uses_compatibility_groups
    }

    pub(crate) fn devices(&self) -> impl Iterator<Item = ListedDevice<'_>> {
        let devices = self.tainted.spec.devices.iter().flatten().enumerate();
        devices.map(|(index, device)| ListedDevice { device, place: self.device_places.get(index) })
    }
}

fn uses_compatibility_groups(device: &Device) -> bool {
    let mut consumed = device.consumes_counters.iter().flatten();
    consumed.any(|consumed| consumed.compatibility_groups.as_ref().is_some_and(|groups| !groups.is_empty()))
}

/// The rules that taint devices, by their names.
type TaintRules = BTreeMap<String, DeviceTaintRule>;

/// All slices, and the rules that taint their devices.
#[derive(Clone, Debug, Default)]
pub(super) struct Slices {
    by_name: BTreeMap<String, ListedSlice>,
    /// The names of slices by the node that they are for; those that aren't for one node stand under no name.
    by_node: NameIndex,
    /// The names of slices by driver and pool.
    by_pool: BTreeMap<String, NameIndex>,
    rules: TaintRules,
}

impl Slices {
    pub(super) fn set(&mut self, slice: &ResourceSlice) {
        let name = name(&slice.metadata);
        self.remove(&name);
        self.by_node.insert(node_name(slice), &name);
        let pools = self.by_pool.entry(slice.spec.driver.clone()).or_default();
        pools.insert(&slice.spec.pool.name, &name);
        self.by_name.insert(name, ListedSlice::new(Arc::new(slice.clone()), &self.rules));
    }

    pub(super) fn remove(&mut self, name: &str) {
        let Some(old) = self.by_name.remove(name) else { return };
        self.by_node.remove(node_name(&old.published), name);
        if let Some(pools) = self.by_pool.get_mut(&old.published.spec.driver) {
            pools.remove(&old.published.spec.pool.name, name);
        }
    }

    pub(super) fn set_rule(&mut self, rule: &DeviceTaintRule) {
        let old = self.rules.insert(name(&rule.metadata), rule.clone());
        self.taint_anew(&[old.as_ref(), Some(rule)]);
    }

    pub(super) fn remove_rule(&mut self, name: &str) {
        let old = self.rules.remove(name);
        self.taint_anew(&[old.as_ref()]);
    }

    /// Gives the devices that any of these rules is about the taints that they have now.
    fn taint_anew(&mut self, changed: &[Option<&DeviceTaintRule>]) {
        for slice in self.by_name.values_mut() {
            if changed.iter().flatten().any(|rule| concerns(rule, &slice.published)) {
                slice.tainted = tainted(&slice.published, self.rules.values());
            }
        }
    }

    pub(super) fn for_node(&self, node: &str) -> impl Iterator<Item = &ListedSlice> {
        let own = Some(node).filter(|node| !node.is_empty());
        let names = own.into_iter().chain([""]).flat_map(|node| self.by_node.get(node));
        names.filter_map(|name| self.by_name.get(name))
    }

    pub(super) fn of_pool(&self, driver: &str, pool: &str) -> impl Iterator<Item = &ListedSlice> {
        let names = self.by_pool.get(driver).into_iter().flat_map(move |pools| pools.get(pool));
        names.filter_map(|name| self.by_name.get(name))
    }

    /// A slice as plugins hear of it.
    pub(super) fn with_taints(&self, slice: &Arc<ResourceSlice>) -> Arc<ResourceSlice> {
        tainted(slice, self.rules.values())
    }

    /// What has become of slices whose devices have other taints now, as a rule was `old` before the last change: each before and after,
    /// in order of name.
    ///
    /// # Source
    /// `tracker.go` (`syncSlice`)
    pub(super) fn changed_by_rule(
        &self,
        old: Option<&DeviceTaintRule>,
        new: Option<&DeviceTaintRule>,
    ) -> Vec<(Arc<ResourceSlice>, Arc<ResourceSlice>)> {
        let mut rules: BTreeMap<&str, &DeviceTaintRule> =
            self.rules.iter().map(|(name, rule)| (name.as_str(), rule)).collect();
        for rule in new.into_iter().chain(old) {
            rules.remove(rule.metadata.name.as_deref().unwrap_or_default());
        }
        rules.extend(old.map(|rule| (rule.metadata.name.as_deref().unwrap_or_default(), rule)));
        let is_concerned =
            |slice: &&ListedSlice| old.into_iter().chain(new).any(|rule| concerns(rule, &slice.published));
        let change = |slice: &ListedSlice| {
            let before = tainted(&slice.published, rules.values().copied());
            (!have_same_taints(&before, &slice.tainted)).then(|| (before, Arc::clone(&slice.tainted)))
        };
        self.by_name.values().filter(is_concerned).filter_map(change).collect()
    }
}

/// Whether a rule is about any device of a slice.
fn concerns(rule: &DeviceTaintRule, slice: &ResourceSlice) -> bool {
    // Without a selector it is about no device.
    rule.spec.device_selector.as_ref().is_some_and(|selector| {
        let mut devices = slice.spec.devices.iter().flatten();
        selector.driver.as_ref().is_none_or(|driver| *driver == slice.spec.driver)
            && selector.pool.as_ref().is_none_or(|pool| *pool == slice.spec.pool.name)
            && devices.any(|device| is_about(rule, device))
    })
}

/// Whether a rule that is about devices of a slice is about this one.
fn is_about(rule: &DeviceTaintRule, device: &Device) -> bool {
    let wanted = rule.spec.device_selector.as_ref().and_then(|selector| selector.device.as_ref());
    wanted.is_none_or(|wanted| *wanted == device.name)
}

/// A slice whose devices have the taints that rules give them, after their own.
///
/// # Source
/// `tracker.go` (`applyPatches`)
fn tainted<'r>(
    slice: &Arc<ResourceSlice>,
    rules: impl Iterator<Item = &'r DeviceTaintRule>,
) -> Arc<ResourceSlice> {
    let mut tainted = Arc::clone(slice);
    for rule in rules.filter(|rule| concerns(rule, slice)) {
        let devices = Arc::make_mut(&mut tainted).spec.devices.iter_mut().flatten();
        for device in devices.filter(|device| is_about(rule, device)) {
            device.taints.get_or_insert_default().push(rule.spec.taint.clone());
        }
    }
    tainted
}

/// Whether the devices of two states of a slice have the same taints.
fn have_same_taints(first: &ResourceSlice, second: &ResourceSlice) -> bool {
    // An empty text and none are the same in Go.
    let read = |taint: &DeviceTaint| {
        let value = taint.value.clone().unwrap_or_default();
        (taint.key.clone(), taint.effect.clone(), value, taint.time_added.clone())
    };
    let taints = |slice: &ResourceSlice| -> Vec<Vec<_>> {
        let devices = slice.spec.devices.iter().flatten();
        devices.map(|device| device.taints.iter().flatten().map(read).collect()).collect()
    };
    taints(first) == taints(second)
}

/// The node that a slice is for; empty if it isn't for one node.
fn node_name(slice: &ResourceSlice) -> &str {
    slice.spec.node_name.as_deref().unwrap_or_default()
}
