//! What the API server fills in when it reads an object.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use plimsoll_api::status::Status;
use plimsoll_apiserver::defaults;
use plimsoll_quota::object as quota_object;
use plimsoll_webhook::limit_range;

use super::bad_amount;
use crate::world::Object;

/// Fills in the defaults of an object that is no pod.
///
/// # Errors
/// 400 for an amount that is no quantity.
pub(super) fn default(object: &mut Object) -> Result<(), Status> {
    match object {
        Object::CronJob(object) => defaults::cron_job::cron_job(object),
        Object::DaemonSet(object) => defaults::daemon_set::daemon_set(object),
        Object::Deployment(object) => defaults::deployment::deployment(object),
        Object::Job(object) => defaults::job::job(object),
        Object::LimitRange(object) => limit_range::object::set_defaults(object).map_err(bad_amount)?,
        Object::Namespace(object) => defaults::namespace::namespace(object),
        Object::Node(object) => defaults::node::node(object).map_err(bad_amount)?,
        Object::PersistentVolumeClaim(object) => {
            defaults::persistent_volume_claim::persistent_volume_claim(object).map_err(bad_amount)?;
        }
        Object::PriorityClass(object) => defaults::priority_class::priority_class(object),
        Object::ReplicaSet(object) => defaults::replica_set::replica_set(object),
        Object::ReplicationController(object) => {
            defaults::replication_controller::replication_controller(object);
        }
        Object::ResourceClaim(object) => defaults::resource_claim::resource_claim(object),
        Object::ResourceQuota(object) => quota_object::set_defaults(object).map_err(bad_amount)?,
        Object::Service(object) => defaults::service::service(object),
        Object::StatefulSet(object) => {
            defaults::stateful_set::stateful_set(object).map_err(bad_amount)?;
        }
        Object::StorageClass(object) => defaults::storage_class::storage_class(object),
        _ => {}
    }
    template(object).map_or(Ok(()), |template| defaults::pod_template(template).map_err(bad_amount))
}

/// The template that a workload makes its pods from.
fn template(object: &mut Object) -> Option<&mut PodTemplateSpec> {
    match object {
        Object::CronJob(object) => Some(&mut object.spec.job_template.spec.as_mut()?.template),
        Object::DaemonSet(object) => Some(&mut object.spec.template),
        Object::Deployment(object) => Some(&mut object.spec.template),
        Object::Job(object) => Some(&mut object.spec.as_mut()?.template),
        Object::ReplicaSet(object) => object.spec.template.as_mut(),
        Object::ReplicationController(object) => object.spec.as_mut()?.template.as_mut(),
        Object::StatefulSet(object) => Some(&mut object.spec.template),
        _ => None,
    }
}
