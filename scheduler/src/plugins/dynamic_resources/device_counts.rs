//! How many devices of a class a node has, and how many of them claims have: what a node is scored by as to extended resources.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/noderesources/resource_allocation.go` (`calculateDRAResourceTotals`)

use std::cell::RefCell;

use k8s_openapi::api::resource::v1::DeviceClass;
use rustc_hash::FxHashMap;

use super::matching::SelectorAnswers;
use super::pools::NodeView;
use super::requests::Candidate;
use super::selector::CompiledSelectors;
use crate::listers::{ListedDevice, ListedSlice, Place};
use crate::snapshot::{NodeIndex, Snapshot};

/// What a plugin that counts devices keeps from one pod to the next.
#[derive(Debug, Default)]
pub(in crate::plugins) struct DeviceCounter {
    compiled: CompiledSelectors,
}

/// Devices of nodes, and how many of them claims have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::plugins) struct DeviceCount {
    pub(in crate::plugins) all: i64,
    pub(in crate::plugins) allocated: i64,
}

/// The devices of a class on each node, counted once for a pod.
pub(in crate::plugins) struct ClassDevices<'a> {
    class: &'a DeviceClass,
    snapshot: &'a Snapshot,
    answers: SelectorAnswers<'a>,
    counted: RefCell<FxHashMap<NodeIndex, DeviceCount>>,
}

impl DeviceCounter {
    /// The devices that serve an extended resource; none if no class says that its devices do.
    pub(in crate::plugins) fn serving<'a>(
        &'a self,
        resource: &str,
        snapshot: &'a Snapshot,
    ) -> Option<ClassDevices<'a>> {
        let class = snapshot.listers().devices.class_for_resource(resource)?;
        let answers = SelectorAnswers::new(&self.compiled);
        Some(ClassDevices { class, snapshot, answers, counted: RefCell::default() })
    }
}

impl ClassDevices<'_> {
    /// The devices on a node; as if there were none if a selector makes no sense.
    pub(in crate::plugins) fn on(&self, node: NodeIndex) -> DeviceCount {
        let count = || self.count(node).unwrap_or_default();
        *self.counted.borrow_mut().entry(node).or_insert_with(count)
    }

    /// Pools may be out of date, incomplete or invalid, and devices tainted: all count.
    fn count(&self, node: NodeIndex) -> Result<DeviceCount, String> {
        let view = NodeView { name: self.snapshot.name(node), labels: self.snapshot.labels(node) };
        let listers = &self.snapshot.listers().devices;
        let mut count = DeviceCount::default();
        for slice in listers.slices_for(view.name) {
            let spec = &slice.object().spec;
            let allocated = listers.allocated_in(&spec.driver, &spec.pool.name);
            if !has_devices_for(slice, view)? {
                continue;
            }
            for device in slice.devices() {
                if is_usable_on(device, view)? && self.chooses(slice, device)? {
                    let is_allocated =
                        allocated.is_some_and(|allocated| allocated.contains_key(&device.device.name));
                    count.all += 1;
                    count.allocated += i64::from(is_allocated);
                }
            }
        }
        Ok(count)
    }

    fn chooses(&self, slice: &ListedSlice, device: ListedDevice<'_>) -> Result<bool, String> {
        let candidate = Candidate::new(0, slice, device);
        for selector in self.class.spec.iter().flat_map(|spec| spec.selectors.iter().flatten()) {
            let Some(cel) = &selector.cel else { continue };
            // DIFFERENCE: D-scheduler-36.
            let matches = self.answers.matches(&cel.expression, candidate);
            if !matches.map_err(|error| format!("{error:?}"))? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a slice may have devices for a node. One that says nothing of nodes has.
fn has_devices_for(slice: &ListedSlice, node: NodeView<'_>) -> Result<bool, String> {
    let spec = &slice.object().spec;
    let are_for_all = spec.per_device_node_selection == Some(true) || spec.all_nodes == Some(true);
    match slice.place() {
        _ if are_for_all => Ok(true),
        Place::Unsaid => Ok(true),
        place => place.includes(node.name, node.labels),
    }
}

fn is_usable_on(device: ListedDevice<'_>, node: NodeView<'_>) -> Result<bool, String> {
    device.place.map_or(Ok(true), |place| place.includes(node.name, node.labels))
}
