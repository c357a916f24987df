//! Init containers, among them sidecars.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Container;
use plimsoll_api::field::{Error, ErrorList, Path};

use super::container::{PodContext, validate_container_common};
use super::ports::validate_host_port_conflicts;
use super::probe::{validate_lifecycle, validate_probes};
use super::restart_policy::validate_container_restart_policy;
use crate::validation::named;

/// Whether an init container keeps running beside the containers.
pub(super) fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// What is wrong with the init containers of a pod.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateInitContainers`)
pub(super) fn validate_init_containers(errors: &mut ErrorList, context: &PodContext<'_>, path: &Path<'_>) {
    let spec = context.spec;
    let grace_period = spec.termination_grace_period_seconds;
    let Some(init_containers) = &spec.init_containers else {
        return;
    };
    let mut names: BTreeSet<&str> = spec.containers.iter().map(|container| container.name.as_str()).collect();
    for (index, container) in init_containers.iter().enumerate() {
        let item = path.index(index);
        validate_container_common(errors, container, context, &item);
        validate_container_restart_policy(errors, container, true, &item);
        if names.contains(container.name.as_str()) {
            errors.push(Error::duplicate(&item.child("name"), &container.name));
        } else if !container.name.is_empty() {
            names.insert(&container.name);
        }
        // They run one after the other, so that each may have the port. The path is that of the first of them.
        validate_host_port_conflicts(errors, std::slice::from_ref(container), path);
        if is_sidecar(container) {
            if let Some(lifecycle) = &container.lifecycle {
                validate_lifecycle(errors, lifecycle, grace_period, &item.child("lifecycle"));
            }
            validate_probes(errors, container, grace_period, &item);
        } else {
            forbid_for_short_lived(errors, container, context, &item);
        }
    }
}

fn forbid_for_short_lived(
    errors: &mut ErrorList,
    container: &Container,
    context: &PodContext<'_>,
    path: &Path<'_>,
) {
    for (field, is_set) in [
        ("lifecycle", container.lifecycle.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
    ] {
        if is_set {
            let detail = "may not be set for init containers without restartPolicy=Always";
            errors.push(Error::forbidden(&path.child(field), detail));
        }
    }
    if context.options.allow_existing_restart_container_for_non_sidecar_init_container {
        return;
    }
    let path = path.child("resizePolicy");
    for (index, policy) in container.resize_policy.iter().flatten().enumerate() {
        if policy.restart_policy == "RestartContainer" {
            errors.push(Error::invalid(
                &path.index(index).child("restartPolicy"),
                named(&policy.restart_policy),
                "must not be set to 'RestartContainer' for non-sidecar initContainers",
            ));
        }
    }
}
