//! What all workloads have: a selector, and a template that it must match.

use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::quote::go_json_string;
use plimsoll_matching::label_selector::{Labels, Selector};

use super::label_selector::validate_label_selector;
use super::pod::{PodValidationOptions, go_json, validate_pod_template_spec};
use super::{named, text};

/// The selector of a workload whose type can't tell an absent selector from an empty one.
///
/// DIFFERENCE: D-Validation-1. Both count as absent, which is what people forget.
pub(super) fn given(selector: &LabelSelector) -> Option<&LabelSelector> {
    (*selector != LabelSelector::default()).then_some(selector)
}

/// Whether a selector asks for nothing.
pub(super) fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.as_ref().is_none_or(Labels::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

/// What is wrong with a selector that has to be there and to ask for something; `kind` is how upstream calls the
/// workload.
pub(super) fn validate_required_selector(
    errors: &mut ErrorList,
    selector: Option<&LabelSelector>,
    kind: &str,
    path: &Path<'_>,
) {
    let Some(selector) = selector else {
        errors.push(Error::required(path, ""));
        return;
    };
    validate_label_selector(errors, Some(selector), false, path);
    if is_empty(selector) {
        let detail = format!("empty selector is invalid for {kind}");
        errors.push(Error::invalid(path, go_json::label_selector(selector), detail));
    }
}

/// What is wrong with a selector and the template of a workload that keeps a number of like pods running.
///
/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidateReplicaSetSpec`, `ValidatePodTemplateSpecForReplicaSet`)
pub(super) fn validate_replicated(
    errors: &mut ErrorList,
    selector: &LabelSelector,
    template: &PodTemplateSpec,
    path: &Path<'_>,
) {
    let selector = given(selector);
    let selector_path = path.child("selector");
    validate_required_selector(errors, selector, "deployment", &selector_path);
    if let Ok(parsed) = Selector::from_label_selector(selector) {
        let path = path.child("template");
        validate_matches(errors, &parsed, template, &path);
        validate_always_running(errors, template, "ReplicaSet", &path);
    } else {
        let shown = selector.map_or(BadValue::Verbatim("null".to_owned()), go_json::label_selector);
        errors.push(Error::invalid(&selector_path, shown, "invalid label selector"));
    }
}

/// What is wrong with the template of a workload whose pods always run.
pub(super) fn validate_always_running(
    errors: &mut ErrorList,
    template: &PodTemplateSpec,
    kind: &str,
    path: &Path<'_>,
) {
    validate_pod_template_spec(errors, template, &PodValidationOptions::default(), path);
    validate_restart_always(errors, template, kind, path);
}

/// Adds errors if the pods of a workload would end.
pub(super) fn validate_restart_always(
    errors: &mut ErrorList,
    template: &PodTemplateSpec,
    kind: &str,
    path: &Path<'_>,
) {
    let path = path.child("spec");
    let restart_policy = text(spec_of(template).and_then(|spec| spec.restart_policy.as_ref()));
    if restart_policy != "Always" {
        errors.push(Error::not_supported(&path.child("restartPolicy"), named(restart_policy), &["Always"]));
    }
    if spec_of(template).is_some_and(|spec| spec.active_deadline_seconds.is_some()) {
        let detail = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.push(Error::forbidden(&path.child("activeDeadlineSeconds"), detail));
    }
}

/// Adds an error if a selector does not choose the pods of a template; `path` is that of the template.
pub(super) fn validate_matches(
    errors: &mut ErrorList,
    selector: &Selector,
    template: &PodTemplateSpec,
    path: &Path<'_>,
) {
    let labels = labels_of(template);
    if !selector.matches(labels.unwrap_or(&Labels::new())) {
        let path = path.child("metadata");
        let detail = "`selector` does not match template `labels`";
        errors.push(Error::invalid(&path.child("labels"), shown_labels(labels), detail));
    }
}

/// Labels as messages show them.
pub(super) fn shown_labels(labels: Option<&Labels>) -> BadValue {
    let Some(labels) = labels else {
        return BadValue::Verbatim("null".to_owned());
    };
    let pairs =
        labels.iter().map(|(key, value)| format!("{}:{}", go_json_string(key), go_json_string(value)));
    BadValue::Verbatim(format!("{{{}}}", pairs.collect::<Vec<_>>().join(",")))
}

/// The labels of a template's pods.
pub(super) fn labels_of(template: &PodTemplateSpec) -> Option<&Labels> {
    metadata_of(template).and_then(|metadata| metadata.labels.as_ref())
}

/// The metadata of a template's pods.
pub(super) fn metadata_of(template: &PodTemplateSpec) -> Option<&ObjectMeta> {
    template.metadata.as_ref()
}

/// The spec of a template's pods.
pub(super) fn spec_of(template: &PodTemplateSpec) -> Option<&PodSpec> {
    template.spec.as_ref()
}
