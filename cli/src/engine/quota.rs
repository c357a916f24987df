//! Quotas: what is counted before anything is applied, and what each object adds.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::ResourceClaim;
use plimsoll_api::group::GroupResource;
use plimsoll_api::status::Status;
use plimsoll_quota::{
    CountedObject, Decision, Neighbours, Object as Counted, Operation, Request, Seen, Surroundings, decide,
    payer, recount,
};
use plimsoll_resource_math::PodResources;

use super::{Engine, Row};
use crate::world::Object;

/// An object as quota reads it. `resources` are those of the object, if it is a pod.
fn counted<'a>(object: &'a Object, resources: &'a PodResources) -> Counted<'a> {
    match object {
        Object::Pod(pod) => Counted::Pod(pod, resources),
        Object::Service(service) => Counted::Service(service),
        Object::PersistentVolumeClaim(claim) => Counted::PersistentVolumeClaim(claim),
        Object::ResourceClaim(claim) => Counted::ResourceClaim(claim),
        other => Counted::Other(other.metadata()),
    }
}

/// What is stored, in the order in which it came.
struct Rows<'r>(&'r [Row]);

impl Rows<'_> {
    fn stored(&self, namespace: &str) -> impl Iterator<Item = &Object> {
        let is_there =
            move |row: &&Row| row.exists() && row.object.metadata().namespace.as_deref() == Some(namespace);
        self.0.iter().filter(is_there).map(|row| &row.object)
    }
}

impl Neighbours for Rows<'_> {
    fn pod(&self, namespace: &str, name: &str) -> Option<&Pod> {
        let mut pods = self.stored(namespace).filter_map(|object| match object {
            Object::Pod(pod) => Some(&**pod),
            _ => None,
        });
        pods.find(|pod| pod.metadata.name.as_deref() == Some(name))
    }

    fn extended_resource_claims(&self, namespace: &str, pod_uid: &str) -> Vec<&ResourceClaim> {
        let claims = self.stored(namespace).filter_map(|object| match object {
            Object::ResourceClaim(claim) => Some(&**claim),
            _ => None,
        });
        claims.filter(|claim| payer::is_for(claim, pod_uid)).collect()
    }
}

impl Engine<'_> {
    /// Counts what all that is stored uses of each quota.
    pub(super) fn count_usage(&mut self) {
        if self.world.namespaces.values().all(|namespace| namespace.quotas.is_empty()) {
            return;
        }
        let mut countable: Vec<GroupResource> = self.kinds.namespaced().collect();
        countable.extend(self.countable_unknown.iter().cloned());
        let surroundings = Surroundings {
            now: self.settings.now,
            device_classes: &self.world.device_classes,
            neighbours: &Rows(&self.rows),
        };
        let resources: Vec<PodResources> = self
            .rows
            .iter()
            .map(|row| row.pod().and_then(|pod| PodResources::parse(pod).ok()).unwrap_or_default())
            .collect();
        for (name, namespace) in &mut self.world.namespaces {
            if namespace.quotas.is_empty() {
                continue;
            }
            let in_namespace =
                |row: &Row| row.exists() && row.object.metadata().namespace.as_deref() == Some(name.as_str());
            let objects: Vec<CountedObject<'_>> = self
                .rows
                .iter()
                .zip(&resources)
                .filter(|(row, _)| in_namespace(row))
                .map(|(row, resources)| CountedObject {
                    resource: &row.kind.resource,
                    object: counted(&row.object, resources),
                    usage: None,
                })
                .collect();
            let seen = Seen { countable: &countable, objects: &objects, ..Seen::default() };
            for quota in &mut namespace.quotas {
                if let Err(error) = recount(quota, seen, &surroundings) {
                    self.notes.push(format!("quota {name}/{}: usage not counted: {error}", quota.name));
                }
            }
        }
    }

    /// Decides about a new object, and charges it.
    ///
    /// # Errors
    /// What the API server answers if some quota does not suffice.
    pub(super) fn charge(&mut self, row: &Row, resources: &PodResources) -> Result<(), Status> {
        let metadata = row.object.metadata();
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        let Some(state) = self.world.namespaces.get_mut(namespace) else { return Ok(()) };
        if state.quotas.is_empty() {
            return Ok(());
        }
        let request = Request {
            operation: Operation::Create,
            resource: &row.kind.resource,
            subresource: "",
            namespace,
            name: metadata.name.as_deref().unwrap_or_default(),
            object: counted(&row.object, resources),
            old_object: None,
        };
        let surroundings = Surroundings {
            now: self.settings.now,
            device_classes: &self.world.device_classes,
            neighbours: &Rows(&self.rows),
        };
        match decide(&request, &state.quotas, &[], &surroundings) {
            Ok(Decision::Admitted(charges)) => {
                for charge in &charges {
                    state.quotas[charge.quota].apply(charge);
                }
                Ok(())
            }
            Ok(Decision::Refused(refusal)) => Err(refusal.status()),
            Err(error) => Err(Status::plain_error(error.to_string())),
        }
    }
}
