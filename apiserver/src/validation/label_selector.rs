//! Label selectors, wherever an object holds one.
//!
//! # Source
//! apimachinery `pkg/apis/meta/v1/validation`

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use super::named;
use super::object_meta::{extend_invalid, validate_labels};

/// What is wrong with a label selector. Values that no label can have are let pass if the object has had such before.
///
/// # Source
/// apimachinery `pkg/apis/meta/v1/validation` (`ValidateLabelSelector`)
pub fn validate_label_selector(
    errors: &mut ErrorList,
    selector: Option<&LabelSelector>,
    allow_invalid_values: bool,
    path: &Path<'_>,
) {
    let Some(selector) = selector else {
        return;
    };
    errors.extend(validate_labels(selector.match_labels.as_ref(), &path.child("matchLabels")));
    let path = path.child("matchExpressions");
    for (index, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        validate_requirement(errors, requirement, allow_invalid_values, &path.index(index));
    }
}

fn validate_requirement(
    errors: &mut ErrorList,
    requirement: &LabelSelectorRequirement,
    allow_invalid_values: bool,
    path: &Path<'_>,
) {
    let values = requirement.values.as_deref().unwrap_or_default();
    let values_path = path.child("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.is_empty() => {
            errors
                .push(Error::required(&values_path, "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.push(Error::forbidden(&values_path, detail));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => {
            errors.push(Error::invalid(
                &path.child("operator"),
                named(other),
                "not a valid selector operator",
            ));
        }
    }
    validate_label_name(errors, &requirement.key, &path.child("key"));
    if !allow_invalid_values {
        for (index, value) in values.iter().enumerate() {
            extend_invalid(errors, &values_path.index(index), value, names::label_value(value));
        }
    }
}

/// What is wrong with the key of a label.
///
/// # Source
/// apimachinery `pkg/apis/meta/v1/validation` (`ValidateLabelName`)
pub fn validate_label_name(errors: &mut ErrorList, key: &str, path: &Path<'_>) {
    if !names::is_qualified_name(key) {
        extend_invalid(errors, path, key, names::qualified_name(key));
    }
}
