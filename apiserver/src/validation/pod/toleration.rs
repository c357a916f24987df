//! Tolerations.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`ValidateTolerations`)

use k8s_openapi::api::core::v1::Toleration;
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_api::quote::go_quote;

use super::options::PodValidationOptions;
use crate::validation::label_selector::validate_label_name;
use crate::validation::{named, text};

/// What is wrong with tolerations.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateTolerations`)
pub fn validate_tolerations(
    errors: &mut ErrorList,
    tolerations: &[Toleration],
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    for (index, toleration) in tolerations.iter().enumerate() {
        validate_toleration(errors, toleration, options, &path.index(index));
    }
}

fn validate_toleration(
    errors: &mut ErrorList,
    toleration: &Toleration,
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    let (key, operator) = (text(toleration.key.as_ref()), text(toleration.operator.as_ref()));
    let (value, effect) = (text(toleration.value.as_ref()), text(toleration.effect.as_ref()));
    let operator_path = path.child("operator");
    if !key.is_empty() {
        validate_label_name(errors, key, &path.child("key"));
    } else if operator != "Exists" {
        let detail =
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        errors.push(Error::invalid(&operator_path, named(operator), detail));
    }
    if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
        let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        errors.push(Error::invalid(&path.child("effect"), named(effect), detail));
    }
    match operator {
        "" | "Equal" => {
            let faults = names::label_value(value);
            if !faults.is_empty() {
                errors.push(Error::invalid(&operator_path, value, faults.join(";")));
            }
        }
        "Exists" => {
            if !value.is_empty() {
                let detail = "value must be empty when `operator` is 'Exists'";
                errors.push(Error::invalid(&operator_path, value, detail));
            }
        }
        "Lt" | "Gt" if options.allow_taint_toleration_comparison_operators => {
            validate_number(errors, value, &path.child("value"));
        }
        "Lt" | "Gt" => {
            let supported = ["Equal", "Exists", "Lt", "Gt"];
            errors.push(Error::not_supported(&operator_path, named(operator), &supported));
        }
        other => errors.push(Error::not_supported(&operator_path, named(other), &["Equal", "Exists"])),
    }
    if !matches!(effect, "" | "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
        let supported = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        errors.push(Error::not_supported(&path.child("effect"), named(effect), &supported));
    }
}

fn validate_number(errors: &mut ErrorList, value: &str, path: &Path<'_>) {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_canonical = value == "0"
        || (!digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()));
    if value.is_empty() {
        errors.push(Error::invalid(path, value, "must be non-empty"));
    } else if !is_canonical {
        errors.push(Error::invalid(path, value, "must be a valid decimal integer in canonical form"));
    }
    if value.parse::<i64>().is_err() {
        let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let why = if is_number { "value out of range" } else { "invalid syntax" };
        errors.push(Error::invalid(
            path,
            value,
            format!("strconv.ParseInt: parsing {}: {why}", go_quote(value)),
        ));
    }
}
