//! The rules of a Job for when its pods fail, when it has succeeded, and when pods are replaced.
//!
//! # Source
//! kubernetes `pkg/apis/batch/validation`

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::{
    JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule, SuccessPolicy, SuccessPolicyRule,
};
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_api::quote::{go_json_string, go_quote};

use super::job::INDEXED;
use super::object_meta::extend_invalid;
use super::{job_indexes, named, text, validate_nonnegative, workload};

const MAX_FAILURE_RULES: usize = 20;
const MAX_EXIT_CODES: usize = 255;
const MAX_CONDITIONS: usize = 20;
const MAX_SUCCESS_RULES: usize = 20;
const MAX_INDEXES_LENGTH: usize = 64 * 1024;

const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS: [&str; 2] = ["In", "NotIn"];
const STATUSES: [&str; 3] = ["False", "True", "Unknown"];

/// # Source
/// kubernetes `pkg/apis/batch/validation` (`validatePodFailurePolicy`)
pub(super) fn validate_pod_failure_policy(
    errors: &mut ErrorList,
    spec: &JobSpec,
    policy: &PodFailurePolicy,
    path: &Path<'_>,
) {
    let path = path.child("rules");
    if policy.rules.len() > MAX_FAILURE_RULES {
        errors.push(Error::too_many(&path, policy.rules.len(), MAX_FAILURE_RULES));
    }
    let pod = workload::spec_of(&spec.template);
    let containers =
        pod.into_iter().flat_map(|pod| pod.containers.iter().chain(pod.init_containers.iter().flatten()));
    let container_names: BTreeSet<&str> = containers.map(|container| container.name.as_str()).collect();
    for (index, rule) in policy.rules.iter().enumerate() {
        validate_failure_rule(errors, spec, rule, &container_names, &path.index(index));
    }
}

fn validate_failure_rule(
    errors: &mut ErrorList,
    spec: &JobSpec,
    rule: &PodFailurePolicyRule,
    container_names: &BTreeSet<&str>,
    path: &Path<'_>,
) {
    let action_path = path.child("action");
    if rule.action != "FailIndex" {
        validate_choice(errors, &rule.action, &ACTIONS, &action_path);
    } else if spec.backoff_limit_per_index.is_none() {
        let detail = "requires the backoffLimitPerIndex to be set";
        errors.push(Error::invalid(&action_path, named(&rule.action), detail));
    }
    let conditions = rule.on_pod_conditions.as_deref().unwrap_or_default();
    if let Some(exit_codes) = &rule.on_exit_codes {
        validate_exit_codes(errors, exit_codes, container_names, &path.child("onExitCodes"));
    }
    validate_conditions(errors, conditions, &path.child("onPodConditions"));
    let detail = match (&rule.on_exit_codes, conditions) {
        (Some(_), [_, ..]) => "specifying both OnExitCodes and OnPodConditions is not supported",
        (None, []) => "specifying one of OnExitCodes and OnPodConditions is required",
        _ => return,
    };
    errors.push(Error::invalid(path, BadValue::Omitted, detail));
}

fn validate_exit_codes(
    errors: &mut ErrorList,
    requirement: &PodFailurePolicyOnExitCodesRequirement,
    container_names: &BTreeSet<&str>,
    path: &Path<'_>,
) {
    validate_choice(errors, &requirement.operator, &OPERATORS, &path.child("operator"));
    if let Some(name) =
        requirement.container_name.as_ref().filter(|name| !container_names.contains(name.as_str()))
    {
        let detail = "must be one of the container or initContainer names in the pod template";
        errors.push(Error::invalid(&path.child("containerName"), name, detail));
    }
    let (path, values) = (path.child("values"), &requirement.values);
    if values.is_empty() {
        let none = BadValue::Verbatim("null".to_owned());
        errors.push(Error::invalid(&path, none, "at least one value is required"));
    } else if values.len() > MAX_EXIT_CODES {
        errors.push(Error::too_many(&path, values.len(), MAX_EXIT_CODES));
    }
    let mut seen = BTreeSet::new();
    for (index, value) in values.iter().enumerate() {
        let path = path.index(index);
        if requirement.operator == "In" && *value == 0 {
            errors.push(Error::invalid(&path, *value, "must not be 0 for the In operator"));
        }
        if !seen.insert(*value) {
            errors.push(Error::duplicate(&path, *value));
        }
    }
    if !values.is_sorted() {
        errors.push(Error::invalid(&path, shown_numbers(values), "must be ordered"));
    }
}

fn validate_conditions(
    errors: &mut ErrorList,
    conditions: &[PodFailurePolicyOnPodConditionsPattern],
    path: &Path<'_>,
) {
    if conditions.len() > MAX_CONDITIONS {
        errors.push(Error::too_many(path, conditions.len(), MAX_CONDITIONS));
    }
    for (index, pattern) in conditions.iter().enumerate() {
        let path = path.index(index);
        extend_invalid(errors, &path.child("type"), &pattern.type_, names::qualified_name(&pattern.type_));
        validate_choice(errors, text(pattern.status.as_ref()), &STATUSES, &path.child("status"));
    }
}

/// Adds an error for a word that is missing or none of the choices.
fn validate_choice(errors: &mut ErrorList, word: &str, choices: &[&str], path: &Path<'_>) {
    if word.is_empty() {
        let quoted: Vec<String> = choices.iter().map(|choice| go_quote(choice)).collect();
        errors.push(Error::required(path, format!("valid values: [{}]", quoted.join(" "))));
    } else if !choices.contains(&word) {
        errors.push(Error::not_supported(path, named(word), choices));
    }
}

fn shown_numbers(numbers: &[i32]) -> BadValue {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    BadValue::Verbatim(format!("[{}]", numbers.join(",")))
}

/// # Source
/// kubernetes `pkg/apis/batch/validation` (`validateSuccessPolicy`)
pub(super) fn validate_success_policy(
    errors: &mut ErrorList,
    spec: &JobSpec,
    policy: &SuccessPolicy,
    path: &Path<'_>,
) {
    if spec.completion_mode.as_deref() != Some(INDEXED) {
        let detail = "requires indexed completion mode";
        errors.push(Error::invalid(path, shown_policy(policy), detail));
        return;
    }
    let path = path.child("rules");
    if policy.rules.is_empty() {
        let detail = "at least one rules must be specified when the successPolicy is specified";
        errors.push(Error::required(&path, detail));
    }
    if policy.rules.len() > MAX_SUCCESS_RULES {
        errors.push(Error::too_many(&path, policy.rules.len(), MAX_SUCCESS_RULES));
    }
    for (index, rule) in policy.rules.iter().enumerate() {
        validate_success_rule(errors, rule, spec.completions, &path.index(index));
    }
}

/// DIFFERENCE: D-Validation-2. Without `completions` upstream crashes here; we leave it at the error that says so.
fn validate_success_rule(
    errors: &mut ErrorList,
    rule: &SuccessPolicyRule,
    completions: Option<i32>,
    path: &Path<'_>,
) {
    if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
        let detail = "at least one of succeededCount or succeededIndexes must be specified";
        errors.push(Error::required(path, detail));
    }
    let Some(completions) = completions else {
        return;
    };
    let mut total = None;
    if let Some(indexes) = &rule.succeeded_indexes {
        let path = path.child("succeededIndexes");
        if indexes.len() > MAX_INDEXES_LENGTH {
            errors.push(Error::too_long(&path, MAX_INDEXES_LENGTH));
        }
        let counted = job_indexes::count(indexes, completions);
        if let Err(fault) = &counted {
            errors.push(Error::invalid(&path, indexes, format!("error parsing succeededIndexes: {fault}")));
        }
        total = Some(counted.unwrap_or(0));
    }
    let Some(count) = rule.succeeded_count else {
        return;
    };
    let path = path.child("succeededCount");
    validate_nonnegative(errors, count, &path);
    if count > completions {
        let detail =
            format!("must be less than or equal to {completions} (the number of specified completions)");
        errors.push(Error::invalid(&path, count, detail));
    }
    if let Some(total) = total.filter(|total| i64::from(count) > *total) {
        let detail = format!(
            "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        );
        errors.push(Error::invalid(&path, count, detail));
    }
}

/// A policy as Go marshals upstream's internal type.
fn shown_policy(policy: &SuccessPolicy) -> BadValue {
    let rules = policy.rules.iter().map(|rule| {
        let null = || "null".to_owned();
        let indexes = rule.succeeded_indexes.as_ref().map_or_else(null, |indexes| go_json_string(indexes));
        let count = rule.succeeded_count.map_or_else(null, |count| count.to_string());
        format!("{{\"SucceededIndexes\":{indexes},\"SucceededCount\":{count}}}")
    });
    if policy.rules.is_empty() {
        return BadValue::Verbatim("{\"Rules\":null}".to_owned());
    }
    BadValue::Verbatim(format!("{{\"Rules\":[{}]}}", rules.collect::<Vec<_>>().join(",")))
}

/// # Source
/// kubernetes `pkg/apis/batch/validation` (`validatePodReplacementPolicy`)
pub(super) fn validate_pod_replacement_policy(errors: &mut ErrorList, spec: &JobSpec, path: &Path<'_>) {
    let Some(policy) = &spec.pod_replacement_policy else {
        return;
    };
    let supported: &[&str] =
        if spec.pod_failure_policy.is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
    if !supported.contains(&policy.as_str()) {
        errors.push(Error::not_supported(path, named(policy), supported));
    }
}
