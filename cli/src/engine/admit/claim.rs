//! Claims on persistent volumes.

use plimsoll_api::status::Status;
use plimsoll_apiserver::admission::{default_storage_class, storage_object_in_use_protection};
use plimsoll_apiserver::defaults;
use plimsoll_resource_math::{PodResources, ResourceList};
use plimsoll_webhook::limit_range;

use super::bad_amount;
use crate::engine::{Engine, Row};
use crate::report::Change;
use crate::world::Object;

impl Engine<'_> {
    pub(super) fn store_claim(&mut self, row: &mut Row) -> Result<(), Status> {
        let Object::PersistentVolumeClaim(claim) = &mut row.object else { return Ok(()) };
        defaults::persistent_volume_claim::persistent_volume_claim(claim).map_err(bad_amount)?;
        let given = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.clone());
        default_storage_class::admit(claim, &self.world.storage_classes);
        let chosen = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.clone());
        if let (None, Some(class)) = (given, chosen) {
            let from = format!("StorageClass/{class}");
            row.changes.push(Change { path: "spec.storageClassName".to_owned(), value: class, from });
        }
        storage_object_in_use_protection::admit(claim);
        self.prepare_and_validate(row)?;
        let Object::PersistentVolumeClaim(claim) = &row.object else { return Ok(()) };
        let spec = claim.spec.as_ref();
        let requests = spec.and_then(|spec| spec.resources.as_ref()).and_then(|r| r.requests.as_ref());
        let requests = ResourceList::parse(requests).map_err(bad_amount)?;
        let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
        if let Some(state) = self.world.namespaces.get(namespace) {
            let name = claim.metadata.name.as_deref().unwrap_or_default();
            limit_range::validate_persistent_volume_claim(&requests, &state.limit_ranges)
                .map_err(|refusal| refusal.status(&row.kind.resource, name))?;
        }
        self.charge_and_reserve(row, &PodResources::default())
    }
}
