//! Affinity to nodes and pods, and node selectors.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm,
    WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use super::options::PodValidationOptions;
use crate::validation::label_selector::{validate_label_name, validate_label_selector};
use crate::validation::named;
use crate::validation::object_meta::{extend_invalid, name_is_dns_label, name_is_dns_subdomain};

const NOT_AN_OPERATOR: &str = "not a valid selector operator";

/// What is wrong with the affinity of a pod.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateAffinity`)
pub(super) fn validate_affinity(
    errors: &mut ErrorList,
    affinity: &Affinity,
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    if let Some(node_affinity) = &affinity.node_affinity {
        validate_node_affinity(errors, node_affinity, options, &path.child("nodeAffinity"));
    }
    let allow_invalid = options.allow_invalid_label_value_in_selector;
    if let Some(affinity) = &affinity.pod_affinity {
        validate_pod_affinity(
            errors,
            affinity.required_during_scheduling_ignored_during_execution.as_deref(),
            affinity.preferred_during_scheduling_ignored_during_execution.as_deref(),
            allow_invalid,
            &path.child("podAffinity"),
        );
    }
    if let Some(affinity) = &affinity.pod_anti_affinity {
        validate_pod_affinity(
            errors,
            affinity.required_during_scheduling_ignored_during_execution.as_deref(),
            affinity.preferred_during_scheduling_ignored_during_execution.as_deref(),
            allow_invalid,
            &path.child("podAntiAffinity"),
        );
    }
}

fn validate_node_affinity(
    errors: &mut ErrorList,
    affinity: &NodeAffinity,
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    if let Some(required) = &affinity.required_during_scheduling_ignored_during_execution {
        let allow_invalid = options.allow_invalid_label_value_in_required_node_affinity;
        let path = path.child("requiredDuringSchedulingIgnoredDuringExecution");
        validate_node_selector(errors, required, allow_invalid, &path);
    }
    let path = path.child("preferredDuringSchedulingIgnoredDuringExecution");
    let preferred =
        affinity.preferred_during_scheduling_ignored_during_execution.as_deref().unwrap_or_default();
    for (index, term) in preferred.iter().enumerate() {
        let path = path.index(index);
        validate_weight(errors, term.weight, &path);
        // A value that no node can have does no harm to a preference.
        validate_node_selector_term(errors, &term.preference, true, &path.child("preference"));
    }
}

fn validate_weight(errors: &mut ErrorList, weight: i32, path: &Path<'_>) {
    if !(1..=100).contains(&weight) {
        errors.push(Error::invalid(&path.child("weight"), weight, "must be in the range 1-100"));
    }
}

/// What is wrong with a node selector.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateNodeSelector`)
pub fn validate_node_selector(
    errors: &mut ErrorList,
    selector: &NodeSelector,
    allow_invalid_values: bool,
    path: &Path<'_>,
) {
    let path = path.child("nodeSelectorTerms");
    if selector.node_selector_terms.is_empty() {
        errors.push(Error::required(&path, "must have at least one node selector term"));
    }
    for (index, term) in selector.node_selector_terms.iter().enumerate() {
        validate_node_selector_term(errors, term, allow_invalid_values, &path.index(index));
    }
}

/// What is wrong with one term of a node selector.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateNodeSelectorTerm`)
pub fn validate_node_selector_term(
    errors: &mut ErrorList,
    term: &NodeSelectorTerm,
    allow_invalid_values: bool,
    path: &Path<'_>,
) {
    let expressions = path.child("matchExpressions");
    for (index, requirement) in term.match_expressions.iter().flatten().enumerate() {
        validate_requirement(errors, requirement, allow_invalid_values, &expressions.index(index));
    }
    let fields = path.child("matchFields");
    for (index, requirement) in term.match_fields.iter().flatten().enumerate() {
        validate_field_requirement(errors, requirement, &fields.index(index));
    }
}

fn validate_requirement(
    errors: &mut ErrorList,
    requirement: &NodeSelectorRequirement,
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
        "Gt" | "Lt" if values.len() != 1 => {
            let detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
            errors.push(Error::required(&values_path, detail));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => errors.push(Error::invalid(&path.child("operator"), named(other), NOT_AN_OPERATOR)),
    }
    validate_label_name(errors, &requirement.key, &path.child("key"));
    if !allow_invalid_values {
        for (index, value) in values.iter().enumerate() {
            extend_invalid(errors, &values_path.index(index), value, names::label_value(value));
        }
    }
}

fn validate_field_requirement(
    errors: &mut ErrorList,
    requirement: &NodeSelectorRequirement,
    path: &Path<'_>,
) {
    let values = requirement.values.as_deref().unwrap_or_default();
    let values_path = path.child("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" => {
            if values.len() != 1 {
                let detail =
                    "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                errors.push(Error::required(&values_path, detail));
            }
        }
        other => errors.push(Error::invalid(&path.child("operator"), named(other), NOT_AN_OPERATOR)),
    }
    if requirement.key == "metadata.name" {
        for (index, value) in values.iter().enumerate() {
            extend_invalid(errors, &values_path.index(index), value, name_is_dns_subdomain(value, false));
        }
    } else {
        let detail = "not a valid field selector key";
        errors.push(Error::invalid(&path.child("key"), &requirement.key, detail));
    }
}

fn validate_pod_affinity(
    errors: &mut ErrorList,
    required: Option<&[PodAffinityTerm]>,
    preferred: Option<&[WeightedPodAffinityTerm]>,
    allow_invalid_values: bool,
    path: &Path<'_>,
) {
    let required_path = path.child("requiredDuringSchedulingIgnoredDuringExecution");
    for (index, term) in required.unwrap_or_default().iter().enumerate() {
        validate_pod_affinity_term(errors, term, allow_invalid_values, &required_path.index(index));
    }
    let preferred_path = path.child("preferredDuringSchedulingIgnoredDuringExecution");
    for (index, weighted) in preferred.unwrap_or_default().iter().enumerate() {
        let path = preferred_path.index(index);
        validate_weight(errors, weighted.weight, &path);
        let term = &weighted.pod_affinity_term;
        validate_pod_affinity_term(errors, term, allow_invalid_values, &path.child("podAffinityTerm"));
    }
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePodAffinityTerm`)
fn validate_pod_affinity_term(
    errors: &mut ErrorList,
    term: &PodAffinityTerm,
    allow_invalid_values: bool,
    path: &Path<'_>,
) {
    for (field, selector) in
        [("labelSelector", &term.label_selector), ("namespaceSelector", &term.namespace_selector)]
    {
        validate_label_selector(errors, selector.as_ref(), allow_invalid_values, &path.child(field));
    }
    for name in term.namespaces.iter().flatten() {
        extend_invalid(errors, &path.child("namespace"), name, name_is_dns_label(name, false));
    }
    validate_label_keys(
        errors,
        term.match_label_keys.as_deref().unwrap_or_default(),
        term.mismatch_label_keys.as_deref().unwrap_or_default(),
        term.label_selector.as_ref(),
        path,
    );
    if term.topology_key.is_empty() {
        errors.push(Error::required(&path.child("topologyKey"), "can not be empty"));
    }
    validate_label_name(errors, &term.topology_key, &path.child("topologyKey"));
}

/// What is wrong with the labels whose values a pod's own labels give. The keys have been merged into the selector
/// before, so that a key that stands there twice was there already.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateMatchLabelKeysAndMismatchLabelKeys`)
pub(super) fn validate_label_keys(
    errors: &mut ErrorList,
    match_keys: &[String],
    mismatch_keys: &[String],
    selector: Option<&LabelSelector>,
    path: &Path<'_>,
) {
    for (field, keys) in [("matchLabelKeys", match_keys), ("mismatchLabelKeys", mismatch_keys)] {
        let path = path.child(field);
        if !keys.is_empty() && selector.is_none() {
            errors.push(Error::forbidden(&path, "must not be specified when labelSelector is not set"));
            continue;
        }
        for (index, key) in keys.iter().enumerate() {
            validate_label_name(errors, key, &path.index(index));
        }
    }
    if let Some(selector) = selector {
        let indexes: BTreeMap<&String, usize> =
            match_keys.iter().enumerate().map(|(index, key)| (key, index)).collect();
        let mut seen: BTreeSet<&String> = selector.match_labels.iter().flat_map(BTreeMap::keys).collect();
        for expression in selector.match_expressions.iter().flatten() {
            let key = &expression.key;
            if let Some(index) = indexes.get(key)
                && seen.contains(key)
            {
                let detail = "exists in both matchLabelKeys and labelSelector";
                errors.push(Error::invalid(&path.index(*index), key, detail));
            }
            seen.insert(key);
        }
    }
    let match_path = path.child("matchLabelKeys");
    for (index, key) in match_keys.iter().enumerate().filter(|(_, key)| mismatch_keys.contains(key)) {
        let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
        errors.push(Error::invalid(&match_path.index(index), key, detail));
    }
}
