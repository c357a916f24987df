//! StatefulSets: numbered pods, and for each its own claims.
//!
//! # Source
//! `pkg/controller/statefulset`

use std::collections::HashSet;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, Pod, Volume};
use plimsoll_controller::owner::Owner;
use plimsoll_controller::pod_from_template::pod_from_template;
use plimsoll_controller::template_hash::template_hash;
use plimsoll_matching::label_selector::Selector;

use super::children::{Children, name_of};
use super::{Created, Expansion, Skipped};

const POD_NAME_LABEL: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX_LABEL: &str = "apps.kubernetes.io/pod-index";
const REVISION_LABEL: &str = "controller-revision-hash";
/// The longest part of the set's name in the name of a revision.
const MAX_REVISION_PREFIX_LENGTH: usize = 223;

pub(super) fn expand(set: &StatefulSet, uid: &str, children: &mut Children<'_>) -> Expansion {
    if set.metadata.deletion_timestamp.is_some() {
        return Expansion::skipped(Skipped::Deleted);
    }
    let Ok(selector) = Selector::from_label_selector(Some(&set.spec.selector)) else {
        return Expansion::skipped(Skipped::UnusableSelector);
    };
    let owner = Owner::new("apps/v1", "StatefulSet", &set.metadata, uid);
    let pods = children.pods.claim(&owner, &selector);
    let existing: HashSet<String> = pods.iter().map(|pod| name_of(&pod.metadata).to_owned()).collect();
    let claims: HashSet<String> =
        children.claim_names(owner.namespace).into_iter().map(ToOwned::to_owned).collect();

    let start = i64::from(set.spec.ordinals.as_ref().and_then(|ordinals| ordinals.start).unwrap_or(0));
    let ordinals = start..start + i64::from(set.spec.replicas.unwrap_or(1));
    let (maker, set_name) = (Maker::new(set, &owner), owner.name.to_owned());
    let created = ordinals
        .filter(move |ordinal| !existing.contains(&format!("{set_name}-{ordinal}")))
        .flat_map(move |ordinal| maker.create(ordinal, &claims));
    let is_parallel = set.spec.pod_management_policy.as_deref() == Some("Parallel");
    Expansion { one_at_a_time: !is_parallel, ..Expansion::of(created) }
}

/// Makes the pods and claims of one set.
struct Maker {
    name: String,
    pod: Pod,
    claims: Vec<PersistentVolumeClaim>,
}

impl Maker {
    fn new(set: &StatefulSet, owner: &Owner<'_>) -> Self {
        let mut pod = pod_from_template(&set.spec.template, owner);
        let labels = pod.metadata.labels.get_or_insert_default();
        labels.insert(REVISION_LABEL.to_owned(), revision(set, owner.name));
        pod.spec.get_or_insert_default().subdomain =
            set.spec.service_name.clone().filter(|service| !service.is_empty());
        let mut claims: Vec<_> = set.spec.volume_claim_templates.clone().unwrap_or_default();
        for claim in &mut claims {
            complete_claim(claim, set, owner);
        }
        // Upstream puts the volumes of the claims in random order.
        claims.sort_by(|one, other| one.metadata.name.cmp(&other.metadata.name));
        Self { name: owner.name.to_owned(), pod, claims }
    }

    /// The claims of a pod that aren't there yet, and the pod.
    ///
    /// # Source
    /// `pkg/controller/statefulset/stateful_pod_control.go` (`CreateStatefulPod`)
    fn create(&self, ordinal: i64, existing_claims: &HashSet<String>) -> Vec<Created> {
        let claims = self.claims.iter().map(|claim| {
            let mut claim = claim.clone();
            claim.metadata.name = Some(self.claim_name(&claim, ordinal));
            claim
        });
        let mut created: Vec<Created> = claims
            .filter(|claim| !existing_claims.contains(name_of(&claim.metadata)))
            .map(|claim| Created::PersistentVolumeClaim(Box::new(claim)))
            .collect();
        created.push(Created::Pod(Box::new(self.pod(ordinal))));
        created
    }

    /// # Source
    /// `pkg/controller/statefulset/stateful_set_utils.go` (`newStatefulSetPod`)
    fn pod(&self, ordinal: i64) -> Pod {
        let mut pod = self.pod.clone();
        let name = format!("{}-{ordinal}", self.name);
        let labels = pod.metadata.labels.get_or_insert_default();
        labels.insert(POD_NAME_LABEL.to_owned(), name.clone());
        labels.insert(POD_INDEX_LABEL.to_owned(), ordinal.to_string());
        pod.metadata.name = Some(name.clone());
        let spec = pod.spec.get_or_insert_default();
        spec.hostname = Some(name);
        let templates: HashSet<&str> = self.claims.iter().map(|claim| name_of(&claim.metadata)).collect();
        let others = spec.volumes.take().unwrap_or_default();
        let others = others.into_iter().filter(|volume| !templates.contains(volume.name.as_str()));
        let volumes: Vec<Volume> =
            self.claims.iter().map(|claim| self.volume(claim, ordinal)).chain(others).collect();
        spec.volumes = (!volumes.is_empty()).then_some(volumes);
        pod
    }

    fn volume(&self, claim: &PersistentVolumeClaim, ordinal: i64) -> Volume {
        Volume {
            name: name_of(&claim.metadata).to_owned(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: self.claim_name(claim, ordinal),
                read_only: None,
            }),
            ..Volume::default()
        }
    }

    /// # Source
    /// `pkg/controller/statefulset/stateful_set_utils.go` (`getPersistentVolumeClaimName`)
    fn claim_name(&self, claim: &PersistentVolumeClaim, ordinal: i64) -> String {
        format!("{}-{}-{ordinal}", name_of(&claim.metadata), self.name)
    }
}

/// Gives a claim the set's namespace and the labels of its selector, and makes the set its owner where the claim is to go
/// with it.
///
/// # Source
/// `pkg/controller/statefulset/stateful_set_utils.go` (`getPersistentVolumeClaims`, `updateClaimOwnerRefForSetAndPod`)
fn complete_claim(claim: &mut PersistentVolumeClaim, set: &StatefulSet, owner: &Owner<'_>) {
    claim.status = None;
    let metadata = &mut claim.metadata;
    metadata.namespace = Some(owner.namespace.to_owned());
    if let Some(labels) = &set.spec.selector.match_labels {
        metadata.labels.get_or_insert_default().extend(labels.clone());
    }
    let policy = set.spec.persistent_volume_claim_retention_policy.as_ref();
    if policy.is_some_and(|policy| policy.when_deleted.as_deref() == Some("Delete")) {
        metadata.owner_references.get_or_insert_default().push(owner.reference());
    }
}

/// The name of the set's current revision; one that the status tells stays.
///
/// DIFFERENCE: D-DaemonSet-1. The hash in it is ours.
///
/// # Source
/// `pkg/controller/history/controller_history.go` (`ControllerRevisionName`)
fn revision(set: &StatefulSet, name: &str) -> String {
    let status = set.status.as_ref();
    if let Some(revision) = status.and_then(|status| status.update_revision.clone()) {
        return revision;
    }
    let collisions = status.and_then(|status| status.collision_count);
    let hash = template_hash(&set.spec.template, collisions);
    format!("{}-{hash}", name.get(..MAX_REVISION_PREFIX_LENGTH).unwrap_or(name))
}
