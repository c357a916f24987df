//! Deployments.
//!
//! # Source
//! kubernetes `pkg/apis/apps/validation`

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::quote::go_json_string;

use super::object_meta::{name_is_dns_subdomain, validate_object_meta};
use super::{distinct, int_or_percent, text, validate_nonnegative, workload};

/// What is wrong with a Deployment that is being created.
///
/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidateDeployment`)
pub fn validate_create(deployment: &Deployment) -> ErrorList {
    let mut errors =
        validate_object_meta(&deployment.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    let (spec, path) = (&deployment.spec, Path::root("spec"));
    validate_nonnegative(&mut errors, spec.replicas.unwrap_or(0), &path.child("replicas"));
    workload::validate_replicated(&mut errors, &spec.selector, &spec.template, &path);
    let strategy = spec.strategy.clone().unwrap_or_default();
    validate_strategy(&mut errors, &strategy, &path.child("strategy"));
    let min_ready_seconds = spec.min_ready_seconds.unwrap_or(0);
    validate_nonnegative(&mut errors, min_ready_seconds, &path.child("minReadySeconds"));
    if let Some(limit) = spec.revision_history_limit {
        validate_nonnegative(&mut errors, limit, &path.child("revisionHistoryLimit"));
    }
    if let Some(seconds) = spec.progress_deadline_seconds {
        let path = path.child("progressDeadlineSeconds");
        validate_nonnegative(&mut errors, seconds, &path);
        if seconds <= min_ready_seconds {
            errors.push(Error::invalid(&path, seconds, "must be greater than minReadySeconds"));
        }
    }
    distinct(errors)
}

/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidateDeploymentStrategy`)
fn validate_strategy(errors: &mut ErrorList, strategy: &DeploymentStrategy, path: &Path<'_>) {
    let update_path = path.child("rollingUpdate");
    match (text(strategy.type_.as_ref()), &strategy.rolling_update) {
        ("Recreate", Some(_)) => {
            let detail = "may not be specified when strategy `type` is 'Recreate'";
            errors.push(Error::forbidden(&update_path, detail));
        }
        ("Recreate", None) => {}
        ("RollingUpdate", Some(update)) => validate_rolling_update(errors, update, &update_path),
        ("RollingUpdate", None) => {
            errors.push(Error::required(&update_path, "this should be defaulted and never be nil"));
        }
        _ => errors.push(Error::not_supported(path, shown(strategy), &["Recreate", "RollingUpdate"])),
    }
}

/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidateRollingUpdateDeployment`)
fn validate_rolling_update(errors: &mut ErrorList, update: &RollingUpdateDeployment, path: &Path<'_>) {
    let zero = IntOrString::Int(0);
    let unavailable = update.max_unavailable.as_ref().unwrap_or(&zero);
    let surge = update.max_surge.as_ref().unwrap_or(&zero);
    let unavailable_path = path.child("maxUnavailable");
    int_or_percent::validate(errors, unavailable, &unavailable_path);
    int_or_percent::validate(errors, surge, &path.child("maxSurge"));
    if int_or_percent::is_zero(unavailable) && int_or_percent::is_zero(surge) {
        let shown = int_or_percent::shown(unavailable);
        errors.push(Error::invalid(&unavailable_path, shown, "may not be 0 when `maxSurge` is 0"));
    }
    int_or_percent::validate_at_most_all(errors, unavailable, &unavailable_path);
}

/// A strategy as Go marshals upstream's internal type.
fn shown(strategy: &DeploymentStrategy) -> BadValue {
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
