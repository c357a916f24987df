//! How pods are to be spread.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`validateTopologySpreadConstraints`)

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use plimsoll_api::field::{Error, ErrorList, Path};

use super::affinity::validate_label_keys;
use super::options::PodValidationOptions;
use crate::validation::label_selector::{validate_label_name, validate_label_selector};
use crate::validation::{IS_NOT_POSITIVE, named};

/// What is wrong with the spread constraints of a pod.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateTopologySpreadConstraints`)
pub(super) fn validate_topology_spread_constraints(
    errors: &mut ErrorList,
    constraints: &[TopologySpreadConstraint],
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    for (index, constraint) in constraints.iter().enumerate() {
        let path = path.index(index);
        validate_shape(errors, constraint, &path);
        let (key, action) = (constraint.topology_key.as_str(), constraint.when_unsatisfiable.as_str());
        let is_repeated = constraints
            .iter()
            .skip(index + 1)
            .any(|other| other.topology_key == key && other.when_unsatisfiable == action);
        if is_repeated {
            let path = path.child("{topologyKey, whenUnsatisfiable}");
            errors.push(Error::duplicate(&path, format!("{{{key}, {action}}}")));
        }
        validate_min_domains(errors, constraint, &path.child("minDomains"));
        for (field, policy) in [
            ("nodeAffinityPolicy", &constraint.node_affinity_policy),
            ("nodeTaintsPolicy", &constraint.node_taints_policy),
        ] {
            if let Some(policy) = policy.as_deref().filter(|policy| !matches!(*policy, "Honor" | "Ignore")) {
                errors.push(Error::not_supported(&path.child(field), named(policy), &["Honor", "Ignore"]));
            }
        }
        let keys = constraint.match_label_keys.as_deref().unwrap_or_default();
        if options.old_pod_violates_match_label_keys_validation {
            validate_keys_as_before(errors, constraint, keys, &path.child("matchLabelKeys"));
        } else {
            validate_label_keys(errors, keys, &[], constraint.label_selector.as_ref(), &path);
        }
        if !options.allow_invalid_topology_spread_constraint_label_selector {
            validate_label_selector(
                errors,
                constraint.label_selector.as_ref(),
                false,
                &path.child("labelSelector"),
            );
        }
    }
}

fn validate_shape(errors: &mut ErrorList, constraint: &TopologySpreadConstraint, path: &Path<'_>) {
    if constraint.max_skew <= 0 {
        errors.push(Error::invalid(&path.child("maxSkew"), constraint.max_skew, IS_NOT_POSITIVE));
    }
    if constraint.topology_key.is_empty() {
        errors.push(Error::required(&path.child("topologyKey"), "can not be empty"));
    }
    let action = constraint.when_unsatisfiable.as_str();
    if !matches!(action, "DoNotSchedule" | "ScheduleAnyway") {
        let supported = ["DoNotSchedule", "ScheduleAnyway"];
        errors.push(Error::not_supported(&path.child("whenUnsatisfiable"), named(action), &supported));
    }
}

fn validate_min_domains(errors: &mut ErrorList, constraint: &TopologySpreadConstraint, path: &Path<'_>) {
    let Some(min_domains) = constraint.min_domains else {
        return;
    };
    if min_domains <= 0 {
        errors.push(Error::invalid(path, min_domains, IS_NOT_POSITIVE));
    }
    let action = &constraint.when_unsatisfiable;
    if action != "DoNotSchedule" {
        let detail = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
        errors.push(Error::invalid(path, min_domains, detail));
    }
}

/// The check from before keys were merged into the selector, for objects that fail today's.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateMatchLabelKeysInTopologySpread`)
fn validate_keys_as_before(
    errors: &mut ErrorList,
    constraint: &TopologySpreadConstraint,
    keys: &[String],
    path: &Path<'_>,
) {
    if keys.is_empty() {
        return;
    }
    let Some(selector) = &constraint.label_selector else {
        errors.push(Error::forbidden(path, "must not be specified when labelSelector is not set"));
        for (index, key) in keys.iter().enumerate() {
            validate_label_name(errors, key, &path.index(index));
        }
        return;
    };
    let labels = selector.match_labels.iter().flat_map(BTreeMap::keys);
    let expressions = selector.match_expressions.iter().flatten().map(|expression| &expression.key);
    let selected: BTreeSet<&String> = labels.chain(expressions).collect();
    for (index, key) in keys.iter().enumerate() {
        validate_label_name(errors, key, &path.index(index));
        if selected.contains(key) {
            let detail = "exists in both matchLabelKeys and labelSelector";
            errors.push(Error::invalid(&path.index(index), key, detail));
        }
    }
}
