//! What workloads have made already: pods, ReplicaSets, Jobs and claims that are there before an expansion.

use std::collections::{HashMap, HashSet};

use k8s_openapi::Metadata;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_controller::owner::{Claim, Owner, controller_of};
use plimsoll_matching::label_selector::Selector;

/// The objects that workloads may own or adopt, by owner. An orphan goes to the first workload that adopts it.
#[derive(Clone, Debug, Default)]
pub struct Children<'a> {
    pub(super) pods: Index<'a, Pod>,
    pub(super) replica_sets: Index<'a, ReplicaSet>,
    pub(super) jobs: Index<'a, Job>,
    claims: HashMap<&'a str, HashSet<&'a str>>,
}

impl<'a> Children<'a> {
    /// Takes pods into account.
    pub fn add_pods(&mut self, pods: impl IntoIterator<Item = &'a Pod>) {
        self.pods.add(pods);
    }

    /// Takes ReplicaSets into account.
    pub fn add_replica_sets(&mut self, replica_sets: impl IntoIterator<Item = &'a ReplicaSet>) {
        self.replica_sets.add(replica_sets);
    }

    /// Takes Jobs into account.
    pub fn add_jobs(&mut self, jobs: impl IntoIterator<Item = &'a Job>) {
        self.jobs.add(jobs);
    }

    /// Takes PersistentVolumeClaims into account.
    pub fn add_claims(&mut self, claims: impl IntoIterator<Item = &'a PersistentVolumeClaim>) {
        for claim in claims {
            let names = self.claims.entry(namespace_of(&claim.metadata)).or_default();
            names.insert(name_of(&claim.metadata));
        }
    }

    /// The names of the claims in a namespace.
    pub(super) fn claim_names(&self, namespace: &str) -> HashSet<&'a str> {
        self.claims.get(namespace).cloned().unwrap_or_default()
    }
}

/// Objects of one kind: those with a controller by namespace, kind and name of it, the others by namespace.
#[derive(Clone, Debug)]
pub(super) struct Index<'a, T> {
    controlled: HashMap<(&'a str, &'a str, &'a str), Vec<&'a T>>,
    orphans: HashMap<&'a str, Vec<&'a T>>,
}

impl<T> Default for Index<'_, T> {
    fn default() -> Self {
        Self { controlled: HashMap::new(), orphans: HashMap::new() }
    }
}

impl<'a, T: Metadata<Ty = ObjectMeta>> Index<'a, T> {
    fn add(&mut self, objects: impl IntoIterator<Item = &'a T>) {
        for object in objects {
            let metadata = object.metadata();
            let namespace = namespace_of(metadata);
            let owned =
                controller_of(metadata).map(|owner| (namespace, owner.kind.as_str(), owner.name.as_str()));
            match owned {
                Some(owner) => self.controlled.entry(owner).or_default().push(object),
                None => self.orphans.entry(namespace).or_default().push(object),
            }
        }
    }

    /// The objects that the owner has or adopts; adopted ones are no orphans any more.
    pub(super) fn claim(&mut self, owner: &Owner<'_>, selector: &Selector) -> Vec<&'a T> {
        let mut claimed: Vec<&T> = self
            .controlled_by(owner)
            .filter(|object| owner.claim(selector, object.metadata()) == Claim::Owned)
            .collect();
        if let Some(orphans) = self.orphans.get_mut(owner.namespace) {
            orphans.retain(|orphan| {
                let is_adopted = owner.claim(selector, orphan.metadata()) == Claim::Adopted;
                if is_adopted {
                    claimed.push(orphan);
                }
                !is_adopted
            });
        }
        claimed
    }

    /// The objects whose controller is the owner, whatever their labels.
    pub(super) fn controlled_by(&self, owner: &Owner<'_>) -> impl Iterator<Item = &'a T> {
        let key = (owner.namespace, owner.kind, owner.name);
        let objects = self.controlled.get(&key).into_iter().flatten().copied();
        let owner = owner.clone();
        let meant: Vec<&T> = objects
            .filter(|object| {
                controller_of(object.metadata()).is_some_and(|reference| owner.is_meant_by(reference))
            })
            .collect();
        meant.into_iter()
    }
}

pub(super) fn namespace_of(metadata: &ObjectMeta) -> &str {
    metadata.namespace.as_deref().unwrap_or_default()
}

pub(super) fn name_of(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}
