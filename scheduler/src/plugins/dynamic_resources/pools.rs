//! The pools whose devices a node can use.
//!
//! # Source
//! k8s.io/dynamic-resource-allocation `structured/internal/incubating/pools_incubating.go`

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::resource::v1::{CounterSet, Device};
use plimsoll_matching::label_selector::Labels;

use crate::listers::{AllocatedDevices, DeviceListers, ListedDevice, ListedSlice, Place};

/// A node, as far as devices ask for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeView<'a> {
    pub(super) name: &'a str,
    pub(super) labels: &'a Labels,
}

/// Devices that a driver offers under one name.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    pub(super) driver: &'a str,
    pub(super) name: &'a str,
    pub(super) state: PoolState,
    /// The slices that have devices for the node, in order of name; none unless the pool is usable.
    pub(super) slices: Vec<&'a ListedSlice>,
    /// Which of its devices claims have.
    pub(super) allocated: Option<&'a AllocatedDevices>,
}

/// Whether devices may be taken from a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PoolState {
    Usable,
    /// The driver hasn't published all of it yet.
    Incomplete,
    /// It contradicts itself.
    Invalid,
}

impl Pool<'_> {
    pub(super) fn is_allocated(&self, device: &str) -> bool {
        self.allocated.is_some_and(|allocated| allocated.get(device).is_some_and(|uses| uses.whole > 0))
    }

    fn has_binding_conditions(&self) -> bool {
        devices_of(&self.slices).any(|device| device.binding_conditions.is_some())
    }
}

/// The pools with slices for a node, in order of driver and name; those with devices that have to be made ready come last.
///
/// # Errors
/// The node selector of a slice is malformed.
///
/// # Source
/// `pools_incubating.go` (`GatherPools`)
pub(super) fn gather<'a>(listers: &'a DeviceListers, node: NodeView<'_>) -> Result<Vec<Pool<'a>>, String> {
    let mut slices_by_pool: BTreeMap<(&str, &str), Vec<&ListedSlice>> = BTreeMap::new();
    for slice in listers.slices_for(node.name).filter(|slice| !slice.uses_compatibility_groups()) {
        if is_for_node(slice, node)? {
            let spec = &slice.object().spec;
            let id = (spec.driver.as_str(), spec.pool.name.as_str());
            add_if_current(slices_by_pool.entry(id).or_default(), slice);
        }
    }
    let (mut pools, mut last) = (Vec::new(), Vec::new());
    for ((driver, name), slices) in slices_by_pool {
        let Some((state, slices)) = checked(listers, driver, name, slices) else { continue };
        let allocated = listers.allocated_in(driver, name);
        let pool = Pool { driver, name, state, slices, allocated };
        if pool.has_binding_conditions() { last.push(pool) } else { pools.push(pool) }
    }
    pools.append(&mut last);
    Ok(pools)
}

/// Keeps the slices of the latest generation.
fn add_if_current<'a>(slices: &mut Vec<&'a ListedSlice>, slice: &'a ListedSlice) {
    let generation = |slice: &ListedSlice| slice.object().spec.pool.generation;
    match slices.first().map(|first| generation(first)) {
        Some(current) if generation(slice) < current => return,
        Some(current) if generation(slice) > current => slices.clear(),
        _ => {}
    }
    slices.push(slice);
}

/// The state of a pool, and its slices with devices for the node; none if the node's slices are out of date.
fn checked<'a>(
    listers: &'a DeviceListers,
    driver: &str,
    name: &str,
    mut slices: Vec<&'a ListedSlice>,
) -> Option<(PoolState, Vec<&'a ListedSlice>)> {
    let first = &slices.first()?.object().spec.pool;
    let is_complete =
        |count: usize| i64::try_from(count).is_ok_and(|count| count == first.resource_slice_count);
    let mut others = Vec::new();
    if !is_complete(slices.len()) {
        let mut count = 0;
        for slice in listers.slices_of(driver, name) {
            let generation = slice.object().spec.pool.generation;
            if generation > first.generation {
                return None;
            }
            if generation == first.generation && !slice.uses_compatibility_groups() {
                count += 1;
                let is_among = slices.iter().any(|of_node| std::ptr::eq(*of_node, slice));
                others.extend((!is_among).then_some(slice));
            }
        }
        if !is_complete(count) {
            return Some((PoolState::Incomplete, Vec::new()));
        }
    }
    slices.sort_by_key(|slice| slice.name());
    let has_counters = |slice: &&ListedSlice| {
        slice.object().spec.shared_counters.as_ref().is_some_and(|counters| !counters.is_empty())
    };
    let (counters, slices): (Vec<_>, Vec<_>) = slices.into_iter().partition(has_counters);
    let (more_counters, others): (Vec<_>, Vec<_>) = others.into_iter().partition(has_counters);
    let all_counters = counters.into_iter().chain(more_counters);
    let sets = all_counters.flat_map(|slice| slice.object().spec.shared_counters.iter().flatten());
    let is_valid = are_device_names_unique(&slices)
        && counter_sets(sets).is_some_and(|sets| {
            devices_of(&slices).chain(devices_of(&others)).all(|device| knows_counters(&sets, device))
        });
    Some(if is_valid { (PoolState::Usable, slices) } else { (PoolState::Invalid, Vec::new()) })
}

fn devices_of<'s>(slices: &'s [&'s ListedSlice]) -> impl Iterator<Item = &'s Device> {
    slices.iter().flat_map(|slice| slice.object().spec.devices.iter().flatten())
}

fn are_device_names_unique(slices: &[&ListedSlice]) -> bool {
    let mut names = BTreeSet::new();
    devices_of(slices).all(|device| names.insert(device.name.as_str()))
}

/// Counter sets by name; none if two have the same name.
fn counter_sets<'a>(sets: impl Iterator<Item = &'a CounterSet>) -> Option<BTreeMap<&'a str, &'a CounterSet>> {
    let mut by_name = BTreeMap::new();
    for set in sets {
        if by_name.insert(set.name.as_str(), set).is_some() {
            return None;
        }
    }
    Some(by_name)
}

fn knows_counters(sets: &BTreeMap<&str, &CounterSet>, device: &Device) -> bool {
    device.consumes_counters.iter().flatten().all(|consumption| {
        let set = sets.get(consumption.counter_set.as_str());
        set.is_some_and(|set| consumption.counters.keys().all(|name| set.counters.contains_key(name)))
    })
}

/// # Errors
/// A node selector is malformed.
fn is_for_node(slice: &ListedSlice, node: NodeView<'_>) -> Result<bool, String> {
    let failed = |whose: String, problem: String| {
        format!("gather pool information: failed to perform node selection for {whose}: {problem}")
    };
    let slice_name = slice.name();
    if !matches!(slice.place(), Place::Unsaid) {
        let includes = slice.place().includes(node.name, node.labels);
        return includes.map_err(|problem| failed(format!("slice {slice_name}"), problem));
    }
    for ListedDevice { device, place } in slice.devices() {
        let Some(place) = place else { continue };
        // DIFFERENCE: D-scheduler-31.
        let includes = place
            .includes(node.name, node.labels)
            .map_err(|problem| failed(format!("device {} in slice {slice_name}", device.name), problem))?;
        if includes {
            return Ok(true);
        }
    }
    Ok(false)
}
