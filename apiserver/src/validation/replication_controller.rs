//! ReplicationControllers.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`, and the rules declared in `pkg/apis/core/v1`, which are reported last

use k8s_openapi::api::core::v1::{ReplicationController, ReplicationControllerSpec};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_matching::label_selector::{Labels, Selector};

use super::object_meta::{extend_invalid, name_is_dns_subdomain, validate_object_meta};
use super::{distinct, text, validate_nonnegative, workload};

/// What is wrong with a ReplicationController that is being created.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateReplicationController`)
pub fn validate_create(controller: &ReplicationController) -> ErrorList {
    let meta_path = Path::root("metadata");
    // The name is checked last, by a declared rule; the beginning of a generated one not at all.
    let any_name = |_: &str, _: bool| Vec::new();
    let mut errors = validate_object_meta(&controller.metadata, true, any_name, &meta_path);
    let no_spec = ReplicationControllerSpec::default();
    let (spec, path) = (controller.spec.as_ref().unwrap_or(&no_spec), Path::root("spec"));
    let selector = spec.selector.clone().unwrap_or_default();
    if selector.is_empty() {
        errors.push(Error::required(&path.child("selector"), ""));
    }
    validate_template(&mut errors, spec, &selector, &path.child("template"));

    let name = text(controller.metadata.name.as_ref());
    if !name.is_empty() {
        extend_invalid(&mut errors, &meta_path.child("name"), name, name_is_dns_subdomain(name, false));
    }
    match spec.replicas {
        None => errors.push(Error::required(&path.child("replicas"), "")),
        Some(replicas) => validate_nonnegative(&mut errors, replicas, &path.child("replicas")),
    }
    validate_nonnegative(&mut errors, spec.min_ready_seconds.unwrap_or(0), &path.child("minReadySeconds"));
    distinct(errors)
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidatePodTemplateSpecForRC`)
fn validate_template(
    errors: &mut ErrorList,
    spec: &ReplicationControllerSpec,
    selector: &Labels,
    path: &Path<'_>,
) {
    let Some(template) = &spec.template else {
        errors.push(Error::required(path, ""));
        return;
    };
    workload::validate_matches(errors, &Selector::from_labels(selector), template, path);
    workload::validate_always_running(errors, template, "ReplicationController", path);
}
