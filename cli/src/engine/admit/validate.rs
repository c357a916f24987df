//! What the API server finds wrong with a new object.

use plimsoll_api::field::{ErrorList, Path};
use plimsoll_api::status::Status;
use plimsoll_apiserver::validation;
use plimsoll_apiserver::validation::object_meta::validate_object_meta;
use plimsoll_quota::object as quota_object;
use plimsoll_webhook::limit_range;

use super::{bad_amount, text};
use crate::engine::Row;
use crate::engine::names_of_kinds::name_rule;
use crate::world::{InputKind, Object};

/// Validates an object.
///
/// # Errors
/// 422 with every bad field.
pub(super) fn check(row: &Row) -> Result<(), Status> {
    let errors = errors(&row.object, &row.kind)?;
    if errors.is_empty() {
        return Ok(());
    }
    let name = text(row.object.metadata().name.as_ref());
    Err(Status::invalid(&row.kind.group_kind(), name, &errors))
}

/// Everything that is wrong with an object, in the API server's order.
///
/// # Errors
/// 400 for an amount that is no quantity.
pub(super) fn errors(object: &Object, kind: &InputKind) -> Result<ErrorList, Status> {
    let of_metadata = || of_metadata(object, kind);
    Ok(match object {
        Object::CronJob(object) => validation::cron_job::validate_create(object),
        Object::DaemonSet(object) => validation::daemon_set::validate_create(object),
        Object::Deployment(object) => validation::deployment::validate_create(object),
        Object::Job(object) => validation::job::validate_create(object),
        Object::LimitRange(object) => {
            let mut errors = of_metadata();
            let limits = limit_range::Limits::parse(object).map_err(bad_amount)?;
            errors.extend(limit_range::object::validate(&limits));
            errors
        }
        Object::Namespace(object) => validation::namespace::validate_create(object),
        Object::Node(object) => validation::node::validate_create(object),
        Object::PersistentVolumeClaim(object) => validation::persistent_volume_claim::validate_create(object),
        Object::Pod(object) => validation::pod::validate_pod_create(object),
        Object::PriorityClass(object) => validation::priority_class::validate_create(object),
        Object::ReplicaSet(object) => validation::replica_set::validate_create(object),
        Object::ReplicationController(object) => validation::replication_controller::validate_create(object),
        Object::ResourceQuota(object) => {
            let mut errors = of_metadata();
            errors.extend(quota_object::validate(object).map_err(bad_amount)?);
            errors
        }
        Object::RuntimeClass(object) => validation::runtime_class::validate_create(object),
        Object::Service(object) => validation::service::validate_create(object),
        Object::StatefulSet(object) => validation::stateful_set::validate_create(object),
        Object::StorageClass(object) => validation::storage_class::validate_create(object),
        Object::CSIDriver(_)
        | Object::CSINode(_)
        | Object::CSIStorageCapacity(_)
        | Object::DeviceClass(_)
        | Object::DeviceTaintRule(_)
        | Object::PersistentVolume(_)
        | Object::PodDisruptionBudget(_)
        | Object::ResourceClaim(_)
        | Object::ResourceClaimTemplate(_)
        | Object::ResourceSlice(_)
        | Object::ServiceAccount(_)
        | Object::VolumeAttachment(_)
        | Object::Untyped(_) => of_metadata(),
    })
}

/// What is wrong with the metadata, for kinds of which nothing else is validated here.
fn of_metadata(object: &Object, kind: &InputKind) -> ErrorList {
    let rule = name_rule(&kind.resource);
    validate_object_meta(object.metadata(), kind.namespaced, rule, &Path::root("metadata"))
}
