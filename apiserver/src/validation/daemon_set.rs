//! DaemonSets.
//!
//! # Source
//! kubernetes `pkg/apis/apps/validation`

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy, RollingUpdateDaemonSet};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::quote::go_json_string;
use plimsoll_matching::label_selector::Selector;

use super::label_selector::validate_label_selector;
use super::object_meta::{name_is_dns_subdomain, validate_object_meta};
use super::pod::go_json;
use super::{distinct, int_or_percent, text, validate_nonnegative, workload};

/// What is wrong with a DaemonSet that is being created.
///
/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidateDaemonSet`)
pub fn validate_create(daemon_set: &DaemonSet) -> ErrorList {
    let mut errors =
        validate_object_meta(&daemon_set.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    validate_spec(&mut errors, &daemon_set.spec, &Path::root("spec"));
    distinct(errors)
}

/// What is wrong with the new form of a DaemonSet, beyond [what is wrong with it by itself](validate_create).
///
/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidateDaemonSetSpecUpdate`)
pub fn validate_update(new: &DaemonSet, old: &DaemonSet) -> ErrorList {
    let mut errors = ErrorList::new();
    if new.spec.selector != old.spec.selector {
        let path = Path::root("spec");
        let selector = go_json::label_selector(&new.spec.selector);
        errors.push(Error::invalid(&path.child("selector"), selector, super::FIELD_IMMUTABLE));
    }
    errors
}

/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidateDaemonSetSpec`)
fn validate_spec(errors: &mut ErrorList, spec: &DaemonSetSpec, path: &Path<'_>) {
    let (selector_path, template_path) = (path.child("selector"), path.child("template"));
    let selector = workload::given(&spec.selector);
    validate_label_selector(errors, selector, false, &selector_path);
    if let Ok(parsed) = Selector::from_label_selector(selector) {
        workload::validate_matches(errors, &parsed, &spec.template, &template_path);
    }
    if let Some(selector) = selector.filter(|selector| workload::is_empty(selector)) {
        let detail = "empty selector is invalid for daemonset";
        errors.push(Error::invalid(&selector_path, go_json::label_selector(selector), detail));
    }
    workload::validate_always_running(errors, &spec.template, "DaemonSet", &template_path);
    validate_nonnegative(errors, spec.min_ready_seconds.unwrap_or(0), &path.child("minReadySeconds"));
    let strategy = spec.update_strategy.clone().unwrap_or_default();
    validate_update_strategy(errors, &strategy, &path.child("updateStrategy"));
    if let Some(limit) = spec.revision_history_limit {
        validate_nonnegative(errors, limit, &path.child("revisionHistoryLimit"));
    }
}

/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidateDaemonSetUpdateStrategy`)
fn validate_update_strategy(errors: &mut ErrorList, strategy: &DaemonSetUpdateStrategy, path: &Path<'_>) {
    let update_path = path.child("rollingUpdate");
    match (text(strategy.type_.as_ref()), &strategy.rolling_update) {
        ("OnDelete", _) => {}
        ("RollingUpdate", None) => errors.push(Error::required(&update_path, "")),
        ("RollingUpdate", Some(update)) => validate_rolling_update(errors, update, &update_path),
        _ => errors.push(Error::not_supported(path, shown(strategy), &["RollingUpdate", "OnDelete"])),
    }
}

/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidateRollingUpdateDaemonSet`)
fn validate_rolling_update(errors: &mut ErrorList, update: &RollingUpdateDaemonSet, path: &Path<'_>) {
    let zero = IntOrString::Int(0);
    let unavailable = update.max_unavailable.as_ref().unwrap_or(&zero);
    let surge = update.max_surge.as_ref().unwrap_or(&zero);
    let (unavailable_path, surge_path) = (path.child("maxUnavailable"), path.child("maxSurge"));
    int_or_percent::validate(errors, unavailable, &unavailable_path);
    int_or_percent::validate(errors, surge, &surge_path);
    int_or_percent::validate_at_most_all(errors, unavailable, &unavailable_path);
    int_or_percent::validate_at_most_all(errors, surge, &surge_path);
    match (int_or_percent::is_zero(unavailable), int_or_percent::is_zero(surge)) {
        (false, false) => {
            let detail = "may not be set when maxUnavailable is non-zero";
            errors.push(Error::invalid(&surge_path, int_or_percent::shown(surge), detail));
        }
        (true, true) => {
            errors.push(Error::required(&unavailable_path, "cannot be 0 when maxSurge is 0"));
        }
        _ => {}
    }
}

/// A strategy as Go marshals upstream's internal type.
fn shown(strategy: &DaemonSetUpdateStrategy) -> BadValue {
    let number = |value: &Option<IntOrString>| int_or_percent::json(value.as_ref());
    let update = strategy.rolling_update.as_ref().map_or_else(
        || "null".to_owned(),
        |update| {
            let (unavailable, surge) = (number(&update.max_unavailable), number(&update.max_surge));
            format!("{{\"MaxUnavailable\":{unavailable},\"MaxSurge\":{surge}}}")
        },
    );
    let type_ = go_json_string(text(strategy.type_.as_ref()));
    BadValue::Verbatim(format!("{{\"Type\":{type_},\"RollingUpdate\":{update}}}"))
}
