//! Containers, and what containers of all kinds have in common.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, PodSpec};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use super::env::{validate_env, validate_env_from};
use super::options::PodValidationOptions;
use super::ports::{validate_container_ports, validate_host_port_conflicts};
use super::probe::{validate_lifecycle, validate_probes};
use super::resources::{ClaimNames, validate_container_resources};
use super::restart_policy::{validate_container_restart_policy, validate_resize_policy};
use super::security_context::validate_security_context;
use super::volume::Volumes;
use super::volume_mount::{validate_volume_devices, validate_volume_mounts};
use crate::validation::object_meta::extend_invalid;
use crate::validation::{named, text};

/// What the checks of a container need to know of its pod.
pub(super) struct PodContext<'a> {
    pub(super) spec: &'a PodSpec,
    pub(super) volumes: Volumes<'a>,
    pub(super) claim_names: ClaimNames<'a>,
    pub(super) options: &'a PodValidationOptions,
}

impl PodContext<'_> {
    /// Whether the users in the pod are those of the host.
    fn host_users(&self) -> bool {
        self.spec.host_users != Some(false)
    }
}

/// What is wrong with the containers of a pod, other than init containers.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateContainers`)
pub(super) fn validate_containers(errors: &mut ErrorList, context: &PodContext<'_>, path: &Path<'_>) {
    let containers = &context.spec.containers;
    if containers.is_empty() {
        errors.push(Error::required(path, ""));
        return;
    }
    let grace_period = context.spec.termination_grace_period_seconds;
    let mut names = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        let path = path.index(index);
        validate_container_common(errors, container, context, &path);
        if !names.insert(container.name.as_str()) {
            errors.push(Error::duplicate(&path.child("name"), &container.name));
        }
        if let Some(lifecycle) = &container.lifecycle {
            validate_lifecycle(errors, lifecycle, grace_period, &path.child("lifecycle"));
        }
        validate_probes(errors, container, grace_period, &path);
        validate_container_restart_policy(errors, container, false, &path);
    }
    validate_host_port_conflicts(errors, containers, path);
}

/// What is wrong with a container of whatever kind.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateContainerCommon`)
pub(super) fn validate_container_common(
    errors: &mut ErrorList,
    container: &Container,
    context: &PodContext<'_>,
    path: &Path<'_>,
) {
    if container.name.is_empty() {
        errors.push(Error::required(&path.child("name"), ""));
    } else {
        extend_invalid(errors, &path.child("name"), &container.name, names::dns_1123_label(&container.name));
    }
    if text(container.image.as_ref()).is_empty() {
        errors.push(Error::required(&path.child("image"), ""));
    }
    validate_termination_message_policy(errors, container, &path.child("terminationMessagePolicy"));
    validate_container_ports(errors, container.ports.as_deref().unwrap_or_default(), &path.child("ports"));
    validate_env(errors, container.env.as_deref().unwrap_or_default(), &path.child("env"));
    validate_env_from(errors, container.env_from.as_deref().unwrap_or_default(), &path.child("envFrom"));
    validate_volume_mounts(errors, container, &context.volumes, &path.child("volumeMounts"));
    validate_volume_devices(errors, container, &context.volumes, &path.child("volumeDevices"));
    validate_pull_policy(errors, text(container.image_pull_policy.as_ref()), &path.child("imagePullPolicy"));
    if let Some(resources) = &container.resources {
        let allow_indivisible = context.options.allow_indivisible_huge_pages_values;
        let path = path.child("resources");
        validate_container_resources(errors, resources, &context.claim_names, allow_indivisible, &path);
    }
    validate_resize_policy(
        errors,
        container.resize_policy.as_deref().unwrap_or_default(),
        text(context.spec.restart_policy.as_ref()),
        &path.child("resizePolicy"),
    );
    if let Some(security) = &container.security_context {
        let allow_sys_admin = context.options.allow_sys_admin_when_privilege_escalation_false;
        let path = path.child("securityContext");
        validate_security_context(errors, security, context.host_users(), allow_sys_admin, &path);
    }
}

fn validate_termination_message_policy(errors: &mut ErrorList, container: &Container, path: &Path<'_>) {
    match text(container.termination_message_policy.as_ref()) {
        "File" | "FallbackToLogsOnError" => {}
        "" => errors.push(Error::required(path, "")),
        other => {
            errors.push(Error::not_supported(path, named(other), &["File", "FallbackToLogsOnError"]));
        }
    }
}

/// What is wrong with when an image is to be pulled.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePullPolicy`)
pub(super) fn validate_pull_policy(errors: &mut ErrorList, policy: &str, path: &Path<'_>) {
    match policy {
        "Always" | "IfNotPresent" | "Never" => {}
        "" => errors.push(Error::required(path, "")),
        other => {
            errors.push(Error::not_supported(path, named(other), &["Always", "IfNotPresent", "Never"]));
        }
    }
}

/// What templates may have and pods may not: blanks around the name of an image.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateContainerOnlyForPod`)
pub(super) fn validate_only_for_pod(errors: &mut ErrorList, container: &Container, path: &Path<'_>) {
    let image = text(container.image.as_ref());
    if image.trim() != image {
        errors.push(Error::invalid(
            &path.child("image"),
            image,
            "must not have leading or trailing whitespace",
        ));
    }
}
