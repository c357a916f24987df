//! Pods that are being created.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`ValidatePodCreate`)

use k8s_openapi::api::core::v1::{Pod, PodSpec};
use plimsoll_api::field::{Error, ErrorList, Path};

use super::annotations::{validate_app_armor_agreement, validate_pod_annotations};
use super::container::validate_only_for_pod;
use super::options::PodValidationOptions;
use super::seccomp;
use super::spec::validate_pod_spec;
use crate::validation::object_meta::{name_is_dns_subdomain, validate_object_meta};
use crate::validation::{IS_NEGATIVE, distinct, text};

/// What is wrong with a new pod that has been defaulted and prepared.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidatePodCreate`)
pub fn validate_pod_create(pod: &Pod) -> ErrorList {
    let mut errors = ErrorList::new();
    let no_spec = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&no_spec);
    validate_metadata_and_spec(&mut errors, pod, spec, &PodValidationOptions::for_pod());
    let path = Path::root("spec");
    if spec.ephemeral_containers.as_ref().is_some_and(|containers| !containers.is_empty()) {
        errors.push(Error::forbidden(&path.child("ephemeralContainers"), "cannot be set on create"));
    }
    let is_gated = spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty());
    if is_gated && !text(spec.node_name.as_ref()).is_empty() {
        let detail = "cannot be set until all schedulingGates have been cleared";
        errors.push(Error::forbidden(&path.child("nodeName"), detail));
    }
    let annotations = pod.metadata.annotations.as_ref();
    seccomp::validate_agreement(&mut errors, annotations, spec, &path);
    validate_app_armor_agreement(&mut errors, annotations, spec, &path);
    distinct(errors)
}

/// What is wrong with a pod, new or changed.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePodMetadataAndSpec`)
pub(super) fn validate_metadata_and_spec(
    errors: &mut ErrorList,
    pod: &Pod,
    spec: &PodSpec,
    options: &PodValidationOptions,
) {
    let (meta_path, path) = (Path::root("metadata"), Path::root("spec"));
    let meta = &pod.metadata;
    errors.extend(validate_object_meta(meta, true, name_is_dns_subdomain, &meta_path));
    let annotations_path = meta_path.child("annotations");
    validate_pod_annotations(errors, meta.annotations.as_ref(), spec, options, &annotations_path);
    validate_pod_spec(errors, spec, Some(meta), options, &path);
    if text(spec.service_account_name.as_ref()).is_empty() {
        forbid_tokens(errors, spec, &path.child("volumes"));
    }
    if let Some(seconds) = spec.termination_grace_period_seconds.filter(|seconds| *seconds < 0) {
        errors.push(Error::invalid(&path.child("terminationGracePeriodSeconds"), seconds, IS_NEGATIVE));
    }
    let containers = path.child("containers");
    for (index, container) in spec.containers.iter().enumerate() {
        validate_only_for_pod(errors, container, &containers.index(index));
    }
    let init_containers = path.child("initContainers");
    for (index, container) in spec.init_containers.iter().flatten().enumerate() {
        validate_only_for_pod(errors, container, &init_containers.index(index));
    }
}

/// There is no token without an account.
fn forbid_tokens(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    for (index, volume) in spec.volumes.iter().flatten().enumerate() {
        let sources = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
        for (source_index, source) in sources.enumerate() {
            if source.service_account_token.is_some() {
                errors.push(Error::forbidden(
                    &path
                        .index(index)
                        .child("projected")
                        .child("sources")
                        .index(source_index)
                        .child("serviceAccountToken"),
                    "must not be specified when serviceAccountName is not set",
                ));
            }
        }
    }
}
