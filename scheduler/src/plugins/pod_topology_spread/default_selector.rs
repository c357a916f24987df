//! Which pods are of one kind with a pod that has no constraints of its own: those of its services and of its owner.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/helper/spread.go`

use k8s_openapi::api::core::v1::Pod;
use plimsoll_matching::label_selector::{Labels, Selector, labels_of};

use crate::listers::Listers;
use crate::pod_info::fields;

/// The pods that belong to all services of a pod and to its owner; everything if it has neither.
pub(super) fn default_selector(pod: &Pod, listers: &Listers) -> Selector {
    let namespace = fields::namespace(pod);
    let mut labels = service_labels(pod, listers);
    let controller =
        pod.metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
    let Some(owner) = controller else { return Selector::from_labels(&labels) };
    let of_owner = match (owner.api_version.as_str(), owner.kind.as_str()) {
        ("v1", "ReplicationController") => {
            let selected = listers.replication_controller(namespace, &owner.name);
            labels.extend(selected.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
            None
        }
        ("apps/v1", "ReplicaSet") => listers.replica_set(namespace, &owner.name),
        ("apps/v1", "StatefulSet") => listers.stateful_set(namespace, &owner.name),
        _ => None,
    };
    let of_services = Selector::from_labels(&labels);
    let of_owner = of_owner.map(Selector::requirements).unwrap_or_default();
    Selector::new(of_services.requirements().iter().chain(of_owner).cloned().collect())
}

/// The labels that the services of a pod ask for; where two ask for the same, the later in order of name wins.
fn service_labels(pod: &Pod, listers: &Listers) -> Labels {
    let is_met = |selector: &&Labels| {
        selector
            .iter()
            .all(|(key, value)| labels_of(&pod.metadata).get(key).is_some_and(|found| found == value))
    };
    let selectors = listers.service_selectors(fields::namespace(pod)).filter(is_met);
    selectors.flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}
