//! Annotations that mean something to the API server.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`ValidatePodSpecificAnnotations`)

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodSpec, Toleration};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::quote::go_quote;

use super::options::PodValidationOptions;
use super::seccomp;
use super::toleration::validate_tolerations;
use crate::app_armor;
use crate::containers::visit_with_path;
use crate::mirror_pod::CONFIG_MIRROR_ANNOTATION;
use crate::validation::text;

const TOLERATIONS_ANNOTATION: &str = "scheduler.alpha.kubernetes.io/tolerations";
const DELETION_COST_ANNOTATION: &str = "controller.kubernetes.io/pod-deletion-cost";

/// What is wrong with the annotations of a pod, or of a template, that mean something.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidatePodSpecificAnnotations`)
pub(crate) fn validate_pod_annotations(
    errors: &mut ErrorList,
    annotations: Option<&BTreeMap<String, String>>,
    spec: &PodSpec,
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    let Some(annotations) = annotations.filter(|annotations| !annotations.is_empty()) else {
        return;
    };
    if let Some(value) = annotations.get(CONFIG_MIRROR_ANNOTATION)
        && text(spec.node_name.as_ref()).is_empty()
    {
        let detail = "must set spec.nodeName if mirror pod annotation is set";
        errors.push(Error::invalid(&path.key(CONFIG_MIRROR_ANNOTATION), value, detail));
    }
    if let Some(json) = annotations.get(TOLERATIONS_ANNOTATION).filter(|json| !json.is_empty()) {
        // Upstream words what is wrong with the text as its JSON library does; only well-formed lists are looked at.
        if let Ok(tolerations) = serde_json::from_str::<Vec<Toleration>>(json) {
            validate_tolerations(errors, &tolerations, options, &path.child(TOLERATIONS_ANNOTATION));
        }
    }
    if let Some(cost) = annotations.get(DELETION_COST_ANNOTATION)
        && !options.allow_invalid_pod_deletion_cost
        && !is_deletion_cost(cost)
    {
        errors.push(Error::invalid(&path.key(DELETION_COST_ANNOTATION), cost, "must be a 32bit integer"));
    }
    seccomp::validate_annotations(errors, annotations, path);
    validate_app_armor(errors, annotations, spec, path);
}

/// # Source
/// kubernetes `pkg/apis/core/helper` (`GetDeletionCostFromPodAnnotations`)
fn is_deletion_cost(cost: &str) -> bool {
    let starts_well = cost == "0" || cost.starts_with('-') || cost.starts_with(|c| matches!(c, '1'..='9'));
    starts_well && cost.parse::<i32>().is_ok()
}

fn validate_app_armor(
    errors: &mut ErrorList,
    annotations: &BTreeMap<String, String>,
    spec: &PodSpec,
    path: &Path<'_>,
) {
    for (key, profile) in annotations {
        let Some(name) = key.strip_prefix(app_armor::ANNOTATION_PREFIX) else {
            continue;
        };
        let mut is_container = false;
        visit_with_path(spec, path, |container, _| is_container |= container.name == name);
        if !is_container {
            errors.push(Error::invalid(&path.key(key), name, "container not found"));
        }
        let is_profile = matches!(profile.as_str(), "" | app_armor::RUNTIME_DEFAULT | app_armor::UNCONFINED)
            || profile.starts_with(app_armor::LOCALHOST_PREFIX);
        if !is_profile {
            let detail = format!("invalid AppArmor profile name: {}", go_quote(profile));
            errors.push(Error::invalid(&path.key(key), profile, detail));
        }
    }
}

/// Where a profile stands both in its field and in an annotation, the two have to agree.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateAppArmorAnnotationsAndFieldsMatchOnCreate`)
pub(super) fn validate_app_armor_agreement(
    errors: &mut ErrorList,
    annotations: Option<&BTreeMap<String, String>>,
    spec: &PodSpec,
    path: &Path<'_>,
) {
    let Some(annotations) = annotations.filter(|annotations| !annotations.is_empty()) else {
        return;
    };
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        return;
    }
    let of_pod = spec.security_context.as_ref().and_then(|context| context.app_armor_profile.as_ref());
    visit_with_path(spec, path, |container, path| {
        let own = container.security_context.as_ref().and_then(|context| context.app_armor_profile.as_ref());
        let key = format!("{}{}", app_armor::ANNOTATION_PREFIX, container.name);
        let (Some(profile), Some(annotation)) = (own.or(of_pod), annotations.get(&key)) else {
            return;
        };
        let kinds_match = match profile.type_.as_str() {
            "Unconfined" => annotation == app_armor::UNCONFINED,
            "RuntimeDefault" => annotation == app_armor::RUNTIME_DEFAULT,
            "Localhost" => annotation.starts_with(app_armor::LOCALHOST_PREFIX),
            _ => return,
        };
        let field = if !kinds_match {
            ("type", "apparmor type in annotation and field must match")
        } else if profile.type_ == "Localhost"
            && annotation.strip_prefix(app_armor::LOCALHOST_PREFIX) != profile.localhost_profile.as_deref()
        {
            ("localhostProfile", "apparmor profile in annotation and field must match")
        } else {
            return;
        };
        let (field, detail) = field;
        errors.push(Error::forbidden(
            &path.child("securityContext").child("appArmorProfile").child(field),
            detail,
        ));
    });
}
