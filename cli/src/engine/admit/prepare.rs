//! What the API server changes in a new object between mutating admission and validation.

use plimsoll_api::group::GroupResource;
use plimsoll_apiserver::{prepare, template_generation};
use plimsoll_quota::object as quota_object;

use super::text;
use crate::world::{Object, uid_of};

/// Prepares an object that is no pod.
///
/// A Job from a dump carries the selector that was generated for `given_uid`; it keeps that, as it stands there and in its
/// pods.
pub(super) fn prepare(object: &mut Object, resource: &GroupResource, given_uid: Option<&str>) {
    match object {
        Object::CronJob(object) => prepare::cron_job_for_create(object),
        Object::DaemonSet(object) => {
            prepare::daemon_set_for_create(object);
            template_generation::show_template_generation(object);
        }
        Object::Deployment(object) => prepare::deployment_for_create(object),
        Object::Job(object) => {
            let metadata = &object.metadata;
            let (namespace, name) = (text(metadata.namespace.as_ref()), text(metadata.name.as_ref()));
            let uid = given_uid.map_or_else(|| uid_of(resource, namespace, name), str::to_owned);
            prepare::job_for_create(object, &uid);
        }
        Object::Namespace(object) => prepare::namespace_for_create(object),
        Object::Node(object) => prepare::node_for_create(object),
        Object::PersistentVolumeClaim(object) => prepare::persistent_volume_claim_for_create(object),
        Object::PriorityClass(object) => object.metadata.generation = Some(1),
        Object::ReplicaSet(object) => prepare::replica_set_for_create(object),
        Object::ReplicationController(object) => prepare::replication_controller_for_create(object),
        Object::ResourceQuota(object) => quota_object::prepare_for_create(object),
        Object::Service(object) => prepare::service_for_create(object),
        Object::StatefulSet(object) => prepare::stateful_set_for_create(object),
        _ => {}
    }
}
