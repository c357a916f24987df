//! What controllers make of workloads.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Pod;
use plimsoll_api::group::GroupResource;
use plimsoll_controller::daemon_set::{PodMaker, plan};
use plimsoll_controller::template_hash::template_hash;

use super::schedule::Scheduling;
use super::{Engine, Progress, Row};
use crate::world::{InputKind, Object, uid_of};

impl Engine<'_> {
    /// Creates the pods of all DaemonSets.
    pub(super) fn run_daemon_sets(&mut self) {
        let mut wanted: Vec<Pod> = Vec::new();
        for row in self.rows.iter().filter(|row| row.is_stored()) {
            if let Object::DaemonSet(daemon_set) = &row.object {
                self.pods_of_daemon_set(daemon_set, &row.kind.resource, &mut wanted);
            }
        }
        for pod in wanted {
            let row = created("v1", "Pod", "pods", pod.into());
            self.create(row);
        }
    }

    fn pods_of_daemon_set(&self, daemon_set: &DaemonSet, resource: &GroupResource, wanted: &mut Vec<Pod>) {
        let metadata = &daemon_set.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        let uid = uid_of(resource, namespace, metadata.name.as_deref().unwrap_or_default());
        let pods = self.rows.iter().filter(|row| row.is_stored()).filter_map(Row::pod);
        let plan = plan(daemon_set, &uid, &self.world.nodes, pods);
        let maker = PodMaker::new(daemon_set, &uid, &template_hash(&daemon_set.spec.template, None));
        wanted.extend(plan.create_on.iter().map(|node| maker.pod_for(node)));
    }

    /// Creates what all other workloads ask for, level by level.
    pub(super) fn run_workloads(&mut self, scheduling: &mut Scheduling, progress: &mut dyn FnMut(Progress)) {
        self.schedule_waiting(scheduling);
        let total = self.rows.len();
        progress(Progress { done: total, total });
    }
}

/// An object that a controller sends.
fn created(api_version: &str, kind: &str, resource: &str, object: Object) -> Row {
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let kind = InputKind {
        kind: kind.to_owned(),
        resource: GroupResource::new(group, resource),
        namespaced: true,
        known: true,
    };
    Row::new(api_version.to_owned(), Arc::new(kind), object)
}
