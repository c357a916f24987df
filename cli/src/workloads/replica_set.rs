//! ReplicaSets and ReplicationControllers: as many pods as they ask for.
//!
//! # Source
//! `pkg/controller/replicaset/replica_set.go` (`manageReplicas`)

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{PodTemplateSpec, ReplicationController};
use plimsoll_controller::owner::Owner;
use plimsoll_controller::pod_from_template::pod_from_template;
use plimsoll_matching::label_selector::{Labels, Selector};

use super::children::{Children, name_of};
use super::pod_batch::PodBatch;
use super::{Expansion, Skipped, is_active};

pub(super) fn expand(set: &ReplicaSet, uid: &str, children: &mut Children<'_>, seed: u64) -> Expansion {
    if set.metadata.deletion_timestamp.is_some() {
        return Expansion::skipped(Skipped::Deleted);
    }
    let Ok(selector) = Selector::from_label_selector(Some(&set.spec.selector)) else {
        return Expansion::skipped(Skipped::UnusableSelector);
    };
    let owner = Owner::new("apps/v1", "ReplicaSet", &set.metadata, uid);
    let wanted = set.spec.replicas.unwrap_or(1);
    missing_pods(&owner, &selector, wanted, set.spec.template.as_ref(), children, seed)
}

/// # Source
/// `pkg/controller/replication/replication_controller.go`
pub(super) fn expand_controller(
    controller: &ReplicationController,
    uid: &str,
    children: &mut Children<'_>,
    seed: u64,
) -> Expansion {
    if controller.metadata.deletion_timestamp.is_some() {
        return Expansion::skipped(Skipped::Deleted);
    }
    let Some(spec) = controller.spec.as_ref() else {
        return Expansion::nothing();
    };
    let none = Labels::new();
    let selector = Selector::from_labels(spec.selector.as_ref().unwrap_or(&none));
    let owner = Owner::new("v1", "ReplicationController", &controller.metadata, uid);
    missing_pods(&owner, &selector, spec.replicas.unwrap_or(1), spec.template.as_ref(), children, seed)
}

fn missing_pods(
    owner: &Owner<'_>,
    selector: &Selector,
    wanted: i32,
    template: Option<&PodTemplateSpec>,
    children: &mut Children<'_>,
    seed: u64,
) -> Expansion {
    let claimed = children.pods.claim(owner, selector);
    let active = claimed.iter().filter(|pod| is_active(pod)).count() as u64;
    let missing = u64::try_from(wanted).unwrap_or_default().saturating_sub(active);
    let Some(template) = template.filter(|_| missing > 0) else {
        return Expansion::nothing();
    };
    let taken = claimed.iter().map(|pod| name_of(&pod.metadata).to_owned()).collect();
    Expansion::pods(PodBatch::new(pod_from_template(template, owner), missing, seed, taken))
}
