//! When containers are restarted: after they end, and when they are resized.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ContainerResizePolicy, ContainerRestartRule};
use plimsoll_api::field::{Error, ErrorList, Path};

use crate::validation::named;

const MAX_RULES: usize = 20;
const MAX_EXIT_CODES: usize = 255;

/// What is wrong with a container's own restart policy and its rules.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateContainerRestartPolicy`, `validateInitContainerRestartPolicy`)
pub(super) fn validate_container_restart_policy(
    errors: &mut ErrorList,
    container: &Container,
    is_init_container: bool,
    path: &Path<'_>,
) {
    let rules = container.restart_policy_rules.as_deref().unwrap_or_default();
    match container.restart_policy.as_deref() {
        None if rules.is_empty() => return,
        None => {
            let detail = "must specify restartPolicy when restart rules are used";
            errors.push(Error::required(&path.child("restartPolicy"), detail));
            if is_init_container {
                return;
            }
        }
        Some("Always" | "Never" | "OnFailure") => {}
        Some(other) => {
            let supported = ["Always", "Never", "OnFailure"];
            errors.push(Error::not_supported(&path.child("restartPolicy"), named(other), &supported));
        }
    }
    let path = path.child("restartPolicyRules");
    if rules.len() > MAX_RULES {
        errors.push(Error::too_many(&path, rules.len(), MAX_RULES));
    }
    for (index, rule) in rules.iter().enumerate() {
        validate_rule(errors, rule, &path.index(index));
    }
}

fn validate_rule(errors: &mut ErrorList, rule: &ContainerRestartRule, path: &Path<'_>) {
    if !matches!(rule.action.as_str(), "Restart" | "RestartAllContainers") {
        let supported = ["Restart", "RestartAllContainers"];
        errors.push(Error::not_supported(&path.child("action"), named(&rule.action), &supported));
    }
    let path = path.child("exitCodes");
    let Some(exit_codes) = &rule.exit_codes else {
        errors.push(Error::required(&path, "must be specified"));
        return;
    };
    if !matches!(exit_codes.operator.as_str(), "In" | "NotIn") {
        let supported = ["In", "NotIn"];
        errors.push(Error::not_supported(&path.child("operator"), named(&exit_codes.operator), &supported));
    }
    let count = exit_codes.values.as_ref().map_or(0, Vec::len);
    if count > MAX_EXIT_CODES {
        errors.push(Error::too_many(&path.child("values"), count, MAX_EXIT_CODES));
    }
}

/// What is wrong with what a container wants done when it is resized.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateResizePolicy`)
pub(super) fn validate_resize_policy(
    errors: &mut ErrorList,
    policies: &[ContainerResizePolicy],
    pod_restart_policy: &str,
    path: &Path<'_>,
) {
    let mut seen = BTreeSet::new();
    for (index, policy) in policies.iter().enumerate() {
        let (resource, restart) = (policy.resource_name.as_str(), policy.restart_policy.as_str());
        if !seen.insert(resource) {
            errors.push(Error::duplicate(&path.index(index), named(resource)));
        }
        match resource {
            "cpu" | "memory" => {}
            "" => errors.push(Error::required(path, "")),
            other => errors.push(Error::not_supported(path, named(other), &["cpu", "memory"])),
        }
        match restart {
            "NotRequired" | "RestartContainer" => {}
            "" => errors.push(Error::required(path, "")),
            other => {
                errors.push(Error::not_supported(path, named(other), &["NotRequired", "RestartContainer"]));
            }
        }
        if pod_restart_policy == "Never" && restart != "NotRequired" {
            let detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            errors.push(Error::invalid(path, named(restart), detail));
        }
    }
}
