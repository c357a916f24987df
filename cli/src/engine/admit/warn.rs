//! What the API server warns of although it stores the object.

use plimsoll_api::status::Status;
use plimsoll_apiserver::warnings;
use plimsoll_quota::object as quota_object;

use super::bad_amount;
use crate::world::Object;

/// The warnings that a new object calls for; none for one that a controller makes, as nobody would read them.
///
/// # Errors
/// 400 for an amount that is no quantity.
pub(super) fn warnings(object: &Object) -> Result<Vec<String>, Status> {
    let owners = object.metadata().owner_references.as_deref().unwrap_or_default();
    if owners.iter().any(|owner| owner.controller == Some(true)) {
        return Ok(Vec::new());
    }
    Ok(match object {
        Object::CronJob(object) => warnings::cron_job(object),
        Object::DaemonSet(object) => warnings::daemon_set(object),
        Object::Deployment(object) => warnings::deployment(object),
        Object::Job(object) => warnings::job(object),
        Object::Node(object) => warnings::node(object),
        Object::PersistentVolumeClaim(object) => warnings::persistent_volume_claim(object),
        Object::Pod(object) => warnings::pod(object),
        Object::ReplicaSet(object) => warnings::replica_set(object),
        Object::ReplicationController(object) => warnings::replication_controller(object),
        Object::ResourceQuota(object) => quota_object::warnings_on_create(object).map_err(bad_amount)?,
        Object::RuntimeClass(object) => warnings::runtime_class(object),
        Object::Service(object) => warnings::service(object),
        Object::StatefulSet(object) => warnings::stateful_set(object),
        Object::StorageClass(object) => warnings::storage_class(object),
        _ => Vec::new(),
    })
}
