//! Ephemeral containers.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ResourceRequirements};
use plimsoll_api::field::{Error, ErrorList, Path};

use super::container::{PodContext, validate_container_common, validate_only_for_pod};
use crate::containers::common;
use crate::validation::text;

const NOT_FOR_EPHEMERAL: &str = "cannot be set for an Ephemeral Container";

/// What is wrong with the ephemeral containers of a pod.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateEphemeralContainers`)
pub(super) fn validate_ephemeral_containers(
    errors: &mut ErrorList,
    context: &PodContext<'_>,
    path: &Path<'_>,
) {
    let spec = context.spec;
    let Some(containers) = spec.ephemeral_containers.as_ref().filter(|containers| !containers.is_empty())
    else {
        return;
    };
    let init_containers = spec.init_containers.iter().flatten();
    let others: BTreeSet<&str> =
        spec.containers.iter().chain(init_containers).map(|container| container.name.as_str()).collect();
    let mut all = others.clone();
    for (index, ephemeral) in containers.iter().enumerate() {
        let path = path.index(index);
        let container = common(ephemeral.clone());
        validate_container_common(errors, &container, context, &path);
        validate_only_for_pod(errors, &container, &path);
        if !all.insert(ephemeral.name.as_str()) {
            errors.push(Error::duplicate(&path.child("name"), &ephemeral.name));
        }
        let target = text(ephemeral.target_container_name.as_ref());
        if !target.is_empty() && !others.contains(target) {
            errors.push(Error::not_found(&path.child("targetContainerName"), target));
        }
        forbid_fields(errors, &container, &path);
    }
}

/// Nobody may depend on an ephemeral container, nor may it leave anything behind.
fn forbid_fields(errors: &mut ErrorList, container: &Container, path: &Path<'_>) {
    let resources =
        container.resources.as_ref().is_some_and(|resources| *resources != ResourceRequirements::default());
    for (field, is_set) in [
        ("ports", container.ports.is_some()),
        ("resources", resources),
        ("resizePolicy", container.resize_policy.is_some()),
        ("restartPolicy", container.restart_policy.is_some()),
        ("restartPolicyRules", container.restart_policy_rules.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
        ("lifecycle", container.lifecycle.is_some()),
    ] {
        if is_set {
            errors.push(Error::forbidden(&path.child(field), NOT_FOR_EPHEMERAL));
        }
    }
    let path = path.child("volumeMounts");
    for (index, mount) in container.volume_mounts.iter().flatten().enumerate() {
        for (field, value) in [("subPath", &mount.sub_path), ("subPathExpr", &mount.sub_path_expr)] {
            if !text(value.as_ref()).is_empty() {
                errors.push(Error::forbidden(&path.index(index).child(field), NOT_FOR_EPHEMERAL));
            }
        }
    }
}
