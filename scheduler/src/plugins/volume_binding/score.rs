//! The fuller or emptier the storage of a node would be, the better it is, as the profile has it.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/volumebinding/volume_binding.go` (`Score`), `scorer.go`

use std::collections::BTreeMap;

use super::binder::{Binder, Binding, PodVolumes, Provision};
use crate::framework::Score;
use crate::plugins::function_shape::{FunctionShape, rounded_mean};
use crate::snapshot::NodeIndex;
use crate::volume_claims::class_of_claim;

/// Compares nodes by the storage that the pod would take of them.
pub(super) struct CapacityScore<'a> {
    pub(super) binder: Binder<'a>,
    pub(super) shape: &'a FunctionShape,
}

impl Score for CapacityScore<'_> {
    fn score(&self, node: NodeIndex) -> i64 {
        let Ok(volumes) = self.binder.find(node) else { return 0 };
        let classes = classes_of(&volumes);
        let Some(count) = i64::try_from(classes.len()).ok().filter(|count| *count > 0) else { return 0 };
        let scores = classes.values().map(|class| self.shape.score(class.requested, class.capacity));
        rounded_mean(scores.sum(), count)
    }
}

/// What a pod asks a class for, and what there is, in bytes.
#[derive(Debug, Default)]
struct ClassAmounts {
    requested: i64,
    capacity: i64,
}

/// What the pod takes of each class: of volumes that exist if it gets any, else of those that are made.
fn classes_of<'a>(volumes: &PodVolumes<'a>) -> BTreeMap<&'a str, ClassAmounts> {
    let mut classes: BTreeMap<&str, ClassAmounts> = BTreeMap::new();
    for binding in &volumes.bindings {
        let class = classes.entry(class_of_binding(binding)).or_default();
        class.requested = class.requested.wrapping_add(binding.requested_bytes);
        class.capacity = class.capacity.wrapping_add(binding.capacity_bytes);
    }
    if !volumes.bindings.is_empty() {
        return classes;
    }
    for provision in &volumes.provisions {
        // DIFFERENCE: D-scheduler-21.
        let Some(capacity) = provision.capacity_bytes else { continue };
        let class = classes.entry(class_of_provision(provision)).or_default();
        class.requested = class.requested.wrapping_add(provision.requested_bytes);
        // All volumes of a class come from the same storage.
        class.capacity = capacity;
    }
    classes
}

/// The annotation doesn't count here.
fn class_of_binding<'a>(binding: &Binding<'a>) -> &'a str {
    let spec = binding.volume.spec.as_ref();
    spec.and_then(|spec| spec.storage_class_name.as_deref()).unwrap_or_default()
}

/// The annotation counts only where the field isn't set.
fn class_of_provision<'a>(provision: &Provision<'a>) -> &'a str {
    let spec = provision.claim.spec.as_ref();
    spec.and_then(|spec| spec.storage_class_name.as_deref())
        .unwrap_or_else(|| class_of_claim(provision.claim))
}
