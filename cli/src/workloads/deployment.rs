//! Deployments: one ReplicaSet for the current template. Of a rollout only the next step is taken, and no ReplicaSet of an
//! older template shrinks.
//!
//! # Source
//! `pkg/controller/deployment`

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use plimsoll_api::names::DNS_1123_SUBDOMAIN_MAX_LENGTH;
use plimsoll_controller::int_or_percent::rounded_up;
use plimsoll_controller::owner::Owner;
use plimsoll_controller::template_hash::template_hash;
use plimsoll_matching::label_selector::Selector;

use super::children::{Children, name_of};
use super::{Created, Expansion, Scaled, Skipped};

/// The label that tells the ReplicaSets of a Deployment apart.
const POD_TEMPLATE_HASH_LABEL: &str = "pod-template-hash";
const REVISION_ANNOTATION: &str = "deployment.kubernetes.io/revision";
const DESIRED_REPLICAS_ANNOTATION: &str = "deployment.kubernetes.io/desired-replicas";
const MAX_REPLICAS_ANNOTATION: &str = "deployment.kubernetes.io/max-replicas";
/// Annotations of a Deployment that its ReplicaSets don't take over.
///
/// # Source
/// `pkg/controller/deployment/util/deployment_util.go` (`annotationsToSkip`)
const ANNOTATIONS_TO_SKIP: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION_ANNOTATION,
    "deployment.kubernetes.io/revision-history",
    DESIRED_REPLICAS_ANNOTATION,
    MAX_REPLICAS_ANNOTATION,
    "deprecated.deployment.rollback.to",
];

pub(super) fn expand(deployment: &Deployment, uid: &str, children: &mut Children<'_>) -> Expansion {
    if deployment.metadata.deletion_timestamp.is_some() {
        return Expansion::skipped(Skipped::Deleted);
    }
    let selector = Selector::from_label_selector(Some(&deployment.spec.selector)).ok();
    let Some(selector) = selector.filter(|selector| !selector.is_everything()) else {
        return Expansion::skipped(Skipped::UnusableSelector);
    };
    let owner = Owner::new("apps/v1", "Deployment", &deployment.metadata, uid);
    let mut owned = children.replica_sets.claim(&owner, &selector);
    owned.sort_by_key(|set| (set.metadata.creation_timestamp.clone(), set.metadata.name.clone()));

    let current = owned.iter().find(|set| is_of_template(set, &deployment.spec.template));
    let old_pods: i64 = owned
        .iter()
        .filter(|set| current.is_none_or(|current| !std::ptr::eq(**set, *current)))
        .map(|set| i64::from(replicas_of(set)))
        .sum();
    let size = current.map_or(0, |set| replicas_of(set));
    let wanted = if is_rolling(deployment) {
        rolled_out(deployment, size, old_pods)
    } else if old_pods > 0 {
        return Expansion::skipped(Skipped::OldPodsRunning);
    } else {
        desired(deployment)
    };
    match current {
        Some(set) if wanted != size => Expansion {
            scaled: Some(Scaled { name: name_of(&set.metadata).to_owned(), replicas: wanted }),
            ..Expansion::nothing()
        },
        Some(_) => Expansion::nothing(),
        None if deployment.spec.paused == Some(true) => Expansion::skipped(Skipped::Paused),
        None => {
            let revision = owned.iter().map(|set| revision_of(set)).max().unwrap_or(0).saturating_add(1);
            let set = new_replica_set(deployment, &owner, wanted, revision);
            Expansion::of(std::iter::once(Created::ReplicaSet(Box::new(set))))
        }
    }
}

/// The ReplicaSet for the current template, with a name that depends on the template.
///
/// # Source
/// `pkg/controller/deployment/sync.go` (`getNewReplicaSet`)
fn new_replica_set(deployment: &Deployment, owner: &Owner<'_>, replicas: i32, revision: i64) -> ReplicaSet {
    let spec = &deployment.spec;
    let collisions = deployment.status.as_ref().and_then(|status| status.collision_count);
    let hash = template_hash(&spec.template, collisions);
    let hash_label = (POD_TEMPLATE_HASH_LABEL.to_owned(), hash.clone());

    let mut template = spec.template.clone();
    template.metadata.get_or_insert_default().labels.get_or_insert_default().extend([hash_label.clone()]);
    let mut match_labels = spec.selector.match_labels.clone().unwrap_or_default();
    match_labels.extend([hash_label]);
    ReplicaSet {
        metadata: ObjectMeta {
            name: Some(replica_set_name(owner.name, &hash)),
            namespace: Some(owner.namespace.to_owned()),
            labels: template.metadata.as_ref().and_then(|metadata| metadata.labels.clone()),
            annotations: Some(annotations(deployment, revision)),
            owner_references: Some(vec![owner.reference()]),
            ..ObjectMeta::default()
        },
        spec: ReplicaSetSpec {
            min_ready_seconds: spec.min_ready_seconds.filter(|seconds| *seconds != 0),
            replicas: Some(replicas),
            selector: LabelSelector {
                match_labels: Some(match_labels),
                match_expressions: spec.selector.match_expressions.clone(),
            },
            template: Some(template),
        },
        status: None,
    }
}

/// # Source
/// `pkg/controller/deployment/sync.go` (`generateReplicaSetName`)
fn replica_set_name(deployment: &str, hash: &str) -> String {
    let longest = DNS_1123_SUBDOMAIN_MAX_LENGTH.saturating_sub(1 + hash.len());
    format!("{}-{hash}", deployment.get(..longest).unwrap_or(deployment))
}

/// # Source
/// `pkg/controller/deployment/util/deployment_util.go` (`SetNewReplicaSetAnnotations`)
fn annotations(deployment: &Deployment, revision: i64) -> BTreeMap<String, String> {
    let given = deployment.metadata.annotations.iter().flatten();
    let mut annotations: BTreeMap<String, String> = given
        .filter(|(key, _)| !ANNOTATIONS_TO_SKIP.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let surge = if is_rolling(deployment) { max_surge(deployment) } else { 0 };
    let most = i64::from(desired(deployment)).saturating_add(surge);
    annotations.insert(REVISION_ANNOTATION.to_owned(), revision.to_string());
    annotations.insert(DESIRED_REPLICAS_ANNOTATION.to_owned(), desired(deployment).to_string());
    annotations.insert(MAX_REPLICAS_ANNOTATION.to_owned(), most.to_string());
    annotations
}

/// How many pods the current ReplicaSet may have now, if it has `size` and older ones have `old_pods`.
///
/// # Source
/// `pkg/controller/deployment/util/deployment_util.go` (`NewRSNewReplicas`)
fn rolled_out(deployment: &Deployment, size: i32, old_pods: i64) -> i32 {
    let desired = desired(deployment);
    if size >= desired {
        return desired;
    }
    let most = i64::from(desired).saturating_add(max_surge(deployment));
    let room = most.saturating_sub(old_pods).saturating_sub(i64::from(size)).max(0);
    let growth = room.min(i64::from(desired) - i64::from(size));
    i32::try_from(i64::from(size) + growth).unwrap_or(desired)
}

fn desired(deployment: &Deployment) -> i32 {
    deployment.spec.replicas.unwrap_or(1)
}

fn replicas_of(set: &ReplicaSet) -> i32 {
    set.spec.replicas.unwrap_or(1)
}

fn is_rolling(deployment: &Deployment) -> bool {
    let strategy = deployment.spec.strategy.as_ref().and_then(|strategy| strategy.type_.as_deref());
    strategy != Some("Recreate")
}

/// How many pods more than desired there may be; a quarter where nothing is said, none where it can't be read.
fn max_surge(deployment: &Deployment) -> i64 {
    let rolling_update =
        deployment.spec.strategy.as_ref().and_then(|strategy| strategy.rolling_update.as_ref());
    let surge = rolling_update.and_then(|rolling_update| rolling_update.max_surge.clone());
    let surge = surge.unwrap_or_else(|| IntOrString::String("25%".to_owned()));
    rounded_up(&surge, desired(deployment)).unwrap_or(0)
}

fn revision_of(set: &ReplicaSet) -> i64 {
    let annotations = set.metadata.annotations.as_ref();
    annotations.and_then(|annotations| annotations.get(REVISION_ANNOTATION)?.parse().ok()).unwrap_or(0)
}

/// # Source
/// `pkg/controller/deployment/util/deployment_util.go` (`EqualIgnoreHash`)
fn is_of_template(set: &ReplicaSet, template: &PodTemplateSpec) -> bool {
    let Some(own) = set.spec.template.as_ref().filter(|own| own.spec == template.spec) else {
        return false;
    };
    without_hash(own) == without_hash(template)
}

fn without_hash(template: &PodTemplateSpec) -> ObjectMeta {
    let mut metadata = template.metadata.clone().unwrap_or_default();
    if let Some(labels) = metadata.labels.as_mut() {
        labels.remove(POD_TEMPLATE_HASH_LABEL);
    }
    metadata.labels = metadata.labels.filter(|labels| !labels.is_empty());
    metadata.annotations = metadata.annotations.filter(|annotations| !annotations.is_empty());
    metadata
}
