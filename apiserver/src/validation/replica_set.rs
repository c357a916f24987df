//! ReplicaSets.
//!
//! # Source
//! kubernetes `pkg/apis/apps/validation`

use k8s_openapi::api::apps::v1::ReplicaSet;
use plimsoll_api::field::{ErrorList, Path};

use super::object_meta::{name_is_dns_subdomain, validate_object_meta};
use super::{distinct, validate_nonnegative, workload};

/// What is wrong with a ReplicaSet that is being created.
///
/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidateReplicaSet`)
pub fn validate_create(replica_set: &ReplicaSet) -> ErrorList {
    let mut errors =
        validate_object_meta(&replica_set.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    let (spec, path) = (&replica_set.spec, Path::root("spec"));
    validate_nonnegative(&mut errors, spec.replicas.unwrap_or(0), &path.child("replicas"));
    validate_nonnegative(&mut errors, spec.min_ready_seconds.unwrap_or(0), &path.child("minReadySeconds"));
    let template = spec.template.clone().unwrap_or_default();
    workload::validate_replicated(&mut errors, &spec.selector, &template, &path);
    distinct(errors)
}
