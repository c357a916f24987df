//! The state of the cluster that is there before anything is applied.

use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};
use plimsoll_api::status::Status;
use plimsoll_apiserver::admission::priority::PriorityClasses;
use plimsoll_apiserver::defaults;
use plimsoll_quota::{DeviceClasses, Quota};
use plimsoll_webhook::limit_range::Limits;

use super::admit::begin;
use super::{Engine, Row, existing};
use crate::report::Outcome;
use crate::world::{Input, Object};

/// Whether an object is there before anything is applied: what decides about others, and pods that are bound already.
pub(super) fn is_state(input: &Input) -> bool {
    match &input.object {
        Object::Namespace(_)
        | Object::Node(_)
        | Object::PriorityClass(_)
        | Object::RuntimeClass(_)
        | Object::StorageClass(_)
        | Object::PersistentVolume(_)
        | Object::CSINode(_)
        | Object::CSIDriver(_)
        | Object::CSIStorageCapacity(_)
        | Object::VolumeAttachment(_)
        | Object::DeviceClass(_)
        | Object::DeviceTaintRule(_)
        | Object::ResourceSlice(_)
        | Object::LimitRange(_)
        | Object::ResourceQuota(_)
        | Object::ServiceAccount(_) => true,
        Object::Pod(pod) => {
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
            !node.is_empty() && pod.status.is_some()
        }
        _ => false,
    }
}

/// The order in which state is taken in, so that each kind finds what it depends on.
fn rank(object: &Object) -> u8 {
    match object {
        Object::Namespace(_) => 0,
        Object::LimitRange(_) | Object::ResourceQuota(_) => 2,
        Object::Pod(_) => 3,
        _ => 1,
    }
}

impl Engine<'_> {
    /// Takes in the state, in the order of its dependencies.
    pub(super) fn take_state(&mut self, mut state: Vec<Input>) {
        state.sort_by_key(|input| rank(&input.object));
        for input in state {
            self.take(input);
        }
        self.world.priority_classes = PriorityClasses::new(self.world.priority_class_objects.clone());
        self.world.device_classes = DeviceClasses::new(&self.world.device_class_objects);
    }

    fn take(&mut self, input: Input) {
        if matches!(input.object, Object::Pod(_)) {
            return self.take_bound_pod(input);
        }
        let mut row = self.row(input);
        let answer = match row.refusal.take() {
            Some(status) => Err(status),
            None => self.admit_state(&mut row),
        };
        match answer {
            Ok(()) => self.keep(&row),
            Err(status) => row.refuse(status),
        }
        self.rows.push(row);
    }

    /// The checks that an object of the cluster's state passes: its fields, and that its name is new.
    fn admit_state(&mut self, row: &mut Row) -> Result<(), Status> {
        self.place_in_namespace(row)?;
        self.default_and_validate(row)?;
        self.reserve_name(row)
    }

    /// Keeps what later decisions read of an object.
    fn keep(&mut self, row: &Row) {
        let metadata = row.object.metadata();
        let name = metadata.name.clone().unwrap_or_default();
        let namespace = metadata.namespace.clone().unwrap_or_default();
        match &row.object {
            Object::Namespace(object) => {
                self.world.namespace_mut(&name).object = Some((**object).clone());
            }
            Object::Node(object) => self.world.nodes.push((**object).clone()),
            Object::PriorityClass(object) => self.world.priority_class_objects.push((**object).clone()),
            Object::RuntimeClass(object) => {
                self.world.runtime_classes.insert(name, (**object).clone());
            }
            Object::StorageClass(object) => self.world.storage_classes.push((**object).clone()),
            Object::DeviceClass(object) => self.world.device_class_objects.push((**object).clone()),
            Object::ServiceAccount(object) => {
                let accounts = &mut self.world.namespace_mut(&namespace).service_accounts;
                accounts.insert(name, (**object).clone());
            }
            Object::LimitRange(object) => self.keep_limit_range(&namespace, object),
            Object::ResourceQuota(object) => self.keep_quota(&namespace, object),
            _ => {}
        }
    }

    fn keep_limit_range(&mut self, namespace: &str, object: &LimitRange) {
        // It was read once already, when it was validated.
        let Ok(limits) = Limits::parse(object) else { return };
        let state = self.world.namespace_mut(namespace);
        state.limit_ranges = state.limit_ranges.iter().cloned().chain([limits]).collect();
    }

    fn keep_quota(&mut self, namespace: &str, object: &ResourceQuota) {
        let Ok(quota) = Quota::parse(object) else { return };
        let quotas = &mut self.world.namespace_mut(namespace).quotas;
        quotas.push(quota);
        quotas.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// A pod that is bound already: it is counted, and decided upon no more.
    fn take_bound_pod(&mut self, input: Input) {
        // It is stored already, so that unknown fields can't be refused any more.
        let mut row = begin(input, false);
        row.existing = true;
        let placed = self.place_in_namespace(&mut row).and_then(|()| {
            if let Some(pod) = row.object.pod_mut() {
                // A dump has its defaults; a pod written by hand may lack some.
                defaults::pod(pod).map_err(|error| Status::bad_request(error.to_string()))?;
            }
            self.reserve_name(&row)
        });
        match placed {
            Ok(()) => {
                row.node = row.pod().and_then(|pod| pod.spec.as_ref()?.node_name.clone());
                let ended = row.pod().is_some_and(existing::has_ended);
                row.outcome = if ended { Outcome::Admitted } else { Outcome::Placed };
            }
            Err(status) => row.refuse(status),
        }
        self.rows.push(row);
    }
}
