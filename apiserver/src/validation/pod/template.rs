//! The pod in the template of a workload.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`ValidatePodTemplateSpec`)

use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::field::{Error, ErrorList, Path};

use super::annotations::{validate_app_armor_agreement, validate_pod_annotations};
use super::options::PodValidationOptions;
use super::seccomp;
use super::spec::validate_pod_spec;
use crate::validation::object_meta::{validate_annotations, validate_labels};

/// What is wrong with the template of a workload that has been defaulted.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidatePodTemplateSpec`)
pub fn validate_pod_template_spec(
    errors: &mut ErrorList,
    template: &PodTemplateSpec,
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    let (no_meta, no_spec) = (ObjectMeta::default(), PodSpec::default());
    let meta = template.metadata.as_ref().unwrap_or(&no_meta);
    let spec = template.spec.as_ref().unwrap_or(&no_spec);
    let annotations = meta.annotations.as_ref();
    errors.extend(validate_labels(meta.labels.as_ref(), &path.child("labels")));
    errors.extend(validate_annotations(annotations, &path.child("annotations")));
    validate_pod_annotations(errors, annotations, spec, options, &path.child("annotations"));
    let path = path.child("spec");
    validate_pod_spec(errors, spec, None, options, &path);
    seccomp::validate_agreement(errors, annotations, spec, &path);
    validate_app_armor_agreement(errors, annotations, spec, &path);
    if spec.ephemeral_containers.as_ref().is_some_and(|containers| !containers.is_empty()) {
        let detail = "ephemeral containers not allowed in pod template";
        errors.push(Error::forbidden(&path.child("ephemeralContainers"), detail));
    }
}
