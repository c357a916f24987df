//! What the controllers of claims on devices would do in a cluster: they make claims of templates, and take back devices.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, PodResourceClaimStatus};
use k8s_openapi::api::resource::v1::{ResourceClaim, ResourceClaimConsumerReference, ResourceClaimTemplate};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::group::GroupResource;
use plimsoll_apiserver::defaults;
use plimsoll_scheduler::framework::{Change, Object};
use plimsoll_scheduler::listers::is_for_extended_resources;
use plimsoll_scheduler::volume_claims::namespace_and_name;
use plimsoll_scheduler::{Listers, Snapshot};
use rustc_hash::FxHashMap;

use super::volumes::owner_of_claim;
use crate::world::{NameGenerator, Object as WorldObject, uid_of};

/// The templates of claims, and the names of claims that were made.
#[derive(Debug, Default)]
pub(super) struct ClaimMaker {
    /// By namespace and name.
    templates: FxHashMap<(String, String), ResourceClaimTemplate>,
    /// Whether there is any class of devices.
    has_classes: bool,
    names: NameGenerator,
}

impl ClaimMaker {
    /// Takes note of what claims are made by.
    pub(super) fn take_note(&mut self, object: &WorldObject) {
        match object {
            WorldObject::ResourceClaimTemplate(template) => self.add_template(template),
            WorldObject::DeviceClass(_) => self.has_classes = true,
            _ => {}
        }
    }

    /// Gives a pod the uid by which claims know it, where there are devices: the one that it had in its manifest, or another.
    pub(super) fn identify(&self, pod: &mut Pod, given: Option<&str>) {
        let has_claims = pod.spec.as_ref().is_some_and(|spec| spec.resource_claims.is_some());
        if (self.has_classes || has_claims) && pod.metadata.uid.is_none() {
            let (namespace, name) = namespace_and_name(&pod.metadata);
            let made = || uid_of(&GroupResource::new("", "pods"), namespace, name);
            pod.metadata.uid = Some(given.map_or_else(made, str::to_owned));
        }
    }

    fn add_template(&mut self, template: &ResourceClaimTemplate) {
        let (namespace, name) = namespace_and_name(&template.metadata);
        self.templates.insert((namespace.to_owned(), name.to_owned()), template.clone());
    }

    /// Makes the claims that a pod has templates for, and tells in its status how they are called.
    ///
    /// # Source
    /// kube-controller-manager `pkg/controller/resourceclaim/controller.go` (`handlePodClaim`, `buildResourceClaim`)
    pub(super) fn make_claims(&mut self, pod: &mut Pod, listers: &mut Listers) {
        let entries = pod.spec.as_ref().and_then(|spec| spec.resource_claims.clone()).unwrap_or_default();
        for entry in entries {
            let Some(template) = &entry.resource_claim_template_name else { continue };
            let (namespace, pod_name) = namespace_and_name(&pod.metadata);
            let Some(template) = self.templates.get(&(namespace.to_owned(), template.clone())) else {
                continue;
            };
            let statuses =
                pod.status.iter().flat_map(|status| status.resource_claim_statuses.iter().flatten());
            if statuses.into_iter().any(|status| status.name == entry.name) {
                continue;
            }
            let name = self.names.generate(&format!("{pod_name}-{}-", entry.name));
            listers.devices.set_claim(&claim_of(template, &name, pod));
            let status = PodResourceClaimStatus { name: entry.name, resource_claim_name: Some(name) };
            let statuses = &mut pod.status.get_or_insert_default().resource_claim_statuses;
            statuses.get_or_insert_default().push(status);
        }
    }

    /// Creates a claim that has a `generateName` in place of a name.
    pub(super) fn create(&mut self, mut claim: ResourceClaim) -> ResourceClaim {
        let name = self.names.generate(claim.metadata.generate_name.as_deref().unwrap_or_default());
        let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
        claim.metadata.uid = Some(format!("{namespace}/{name}"));
        claim.metadata.name = Some(name);
        claim
    }
}

fn claim_of(template: &ResourceClaimTemplate, name: &str, pod: &Pod) -> ResourceClaim {
    let (namespace, _) = namespace_and_name(&pod.metadata);
    let from = template.spec.clone().unwrap_or_default();
    let metadata = from.metadata.unwrap_or_default();
    let mut claim = ResourceClaim {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            // Claims are told apart by it.
            uid: Some(format!("{namespace}/{name}")),
            annotations: metadata.annotations,
            labels: metadata.labels,
            owner_references: Some(vec![owner_of_claim(pod)]),
            ..ObjectMeta::default()
        },
        spec: from.spec,
        status: None,
    };
    defaults::resource_claim::resource_claim(&mut claim);
    claim
}

/// A pod that is gone uses its claims no longer; one that no pod uses gives back its devices. Tells what has changed.
///
/// # Source
/// kube-controller-manager `pkg/controller/resourceclaim/controller.go` (`syncClaim`)
pub(super) fn release(namespace: &str, pod: &str, snapshot: &mut Snapshot) -> Vec<Change> {
    let is_pod = |user: &ResourceClaimConsumerReference| user.resource == "pods" && user.name == pod;
    let uses = |claim: &&ResourceClaim| {
        let mut users = claim.status.iter().flat_map(|status| status.reserved_for.iter().flatten());
        users.any(is_pod)
    };
    let listers = snapshot.listers();
    let used: Vec<ResourceClaim> = listers.devices.claims_in(namespace).filter(uses).cloned().collect();
    let mut changes = Vec::new();
    for mut claim in used {
        let before = Object::ResourceClaim(Arc::new(claim.clone()));
        if is_for_extended_resources(&claim) {
            changes.extend(delete(namespace, claim.metadata.name.as_deref().unwrap_or_default(), snapshot));
            continue;
        }
        let status = claim.status.get_or_insert_default();
        let users = status.reserved_for.get_or_insert_default();
        users.retain(|user| !is_pod(user));
        if users.is_empty() {
            status.allocation = None;
        }
        snapshot.listers_mut().devices.set_claim(&claim);
        changes.push(Change::updated(before, Object::ResourceClaim(Arc::new(claim))));
    }
    changes
}

/// A claim is gone.
pub(super) fn delete(namespace: &str, name: &str, snapshot: &mut Snapshot) -> Option<Change> {
    let claim = snapshot.listers().devices.claim(namespace, name)?.clone();
    snapshot.listers_mut().devices.remove_claim(namespace, name);
    Some(Change::deleted(Object::ResourceClaim(Arc::new(claim))))
}
