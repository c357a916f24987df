//! Seccomp profiles, in their fields and in the annotations that once held them.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodSpec, SeccompProfile};
use plimsoll_api::field::{Error, ErrorList, Path};

use super::go_json;
use super::paths::validate_local_descending;
use crate::containers::visit_with_path;
use crate::validation::named;

/// The annotation that held the profile of a pod.
pub(crate) const POD_ANNOTATION: &str = "seccomp.security.alpha.kubernetes.io/pod";
/// The annotation that held the profile of a container, followed by the container's name.
pub(crate) const CONTAINER_ANNOTATION_PREFIX: &str = "container.seccomp.security.alpha.kubernetes.io/";

const LOCALHOST_PREFIX: &str = "localhost/";
const RUNTIME_DEFAULT: [&str; 2] = ["runtime/default", "docker/default"];
const UNCONFINED: &str = "unconfined";

/// What is wrong with a profile.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateSeccompProfileField`)
pub(super) fn validate_profile(errors: &mut ErrorList, profile: Option<&SeccompProfile>, path: &Path<'_>) {
    let Some(profile) = profile else {
        return;
    };
    match profile.type_.as_str() {
        "Localhost" | "RuntimeDefault" | "Unconfined" => {}
        "" => {
            errors.push(Error::required(&path.child("type"), "type is required when seccompProfile is set"));
        }
        other => {
            let supported = ["Localhost", "RuntimeDefault", "Unconfined"];
            errors.push(Error::not_supported(&path.child("type"), named(other), &supported));
        }
    }
    let path = path.child("localhostProfile");
    match (profile.type_ == "Localhost", &profile.localhost_profile) {
        (true, None) => errors.push(Error::required(&path, "must be set when seccomp type is Localhost")),
        (true, Some(name)) => validate_local_descending(errors, name, &path),
        (false, Some(_)) => {
            let detail = "can only be set when seccomp type is Localhost";
            errors.push(Error::invalid(&path, go_json::seccomp_profile(profile), detail));
        }
        (false, None) => {}
    }
}

/// What is wrong with profiles in annotations.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateSeccompPodAnnotations`)
pub(super) fn validate_annotations(
    errors: &mut ErrorList,
    annotations: &BTreeMap<String, String>,
    path: &Path<'_>,
) {
    if let Some(profile) = annotations.get(POD_ANNOTATION) {
        validate_annotation(errors, profile, &path.child(POD_ANNOTATION));
    }
    for (key, profile) in annotations.iter().filter(|(key, _)| key.starts_with(CONTAINER_ANNOTATION_PREFIX)) {
        validate_annotation(errors, profile, &path.child(key));
    }
}

fn validate_annotation(errors: &mut ErrorList, profile: &str, path: &Path<'_>) {
    if RUNTIME_DEFAULT.contains(&profile) || profile == UNCONFINED {
        return;
    }
    match profile.strip_prefix(LOCALHOST_PREFIX) {
        Some(name) => validate_local_descending(errors, name, path),
        None => errors.push(Error::invalid(path, profile, "must be a valid seccomp profile")),
    }
}

/// Where a profile stands both in its field and in an annotation, the two have to agree.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateSeccompAnnotationsAndFields`)
pub(super) fn validate_agreement(
    errors: &mut ErrorList,
    annotations: Option<&BTreeMap<String, String>>,
    spec: &PodSpec,
    path: &Path<'_>,
) {
    let Some(annotations) = annotations.filter(|annotations| !annotations.is_empty()) else {
        return;
    };
    let of_pod = spec.security_context.as_ref().and_then(|context| context.seccomp_profile.as_ref());
    if let (Some(profile), Some(annotation)) = (of_pod, annotations.get(POD_ANNOTATION)) {
        let path = path.child("securityContext");
        validate_match(errors, annotation, profile, &path.child("seccompProfile"));
    }
    visit_with_path(spec, path, |container, path| {
        let field = container.security_context.as_ref().and_then(|context| context.seccomp_profile.as_ref());
        let Some(profile) = field else {
            return;
        };
        if let Some(annotation) = annotations.get(&format!("{CONTAINER_ANNOTATION_PREFIX}{}", container.name))
        {
            validate_match(
                errors,
                annotation,
                profile,
                &path.child("securityContext").child("seccompProfile"),
            );
        }
    });
}

fn validate_match(errors: &mut ErrorList, annotation: &str, profile: &SeccompProfile, path: &Path<'_>) {
    let kinds_match = match profile.type_.as_str() {
        "Unconfined" => annotation == UNCONFINED,
        "RuntimeDefault" => RUNTIME_DEFAULT.contains(&annotation),
        "Localhost" => match annotation.strip_prefix(LOCALHOST_PREFIX) {
            Some(name) if profile.localhost_profile.as_deref() != Some(name) => {
                let detail = "seccomp profile in annotation and field must match";
                errors.push(Error::forbidden(&path.child("localhostProfile"), detail));
                true
            }
            Some(_) => true,
            None => false,
        },
        _ => true,
    };
    if !kinds_match {
        errors.push(Error::forbidden(&path.child("type"), "seccomp type in annotation and field must match"));
    }
}
