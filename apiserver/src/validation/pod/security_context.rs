//! Security contexts of pods and containers.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PodSecurityContext, PodSpec, SecurityContext, Sysctl};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use super::go_json;
use super::options::PodValidationOptions;
use super::seccomp;
use super::windows::validate_windows_options;
use crate::app_armor;
use crate::validation::named;

const SYSCTL_MAX_LENGTH: usize = 253;

/// What is wrong with the security context of a container. Privileged containers are allowed. DIFFERENCE: D-Pod-2.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateSecurityContext`)
pub(super) fn validate_security_context(
    errors: &mut ErrorList,
    context: &SecurityContext,
    host_users: bool,
    allow_sys_admin: bool,
    path: &Path<'_>,
) {
    validate_id(errors, context.run_as_user, &path.child("runAsUser"));
    validate_id(errors, context.run_as_group, &path.child("runAsGroup"));
    if let Some(mount) = context.proc_mount.as_deref() {
        let path = path.child("procMount");
        if !matches!(mount, "Default" | "Unmasked") {
            errors.push(Error::not_supported(&path, named(mount), &["Default", "Unmasked"]));
        }
        if host_users && mount == "Unmasked" {
            errors.push(Error::invalid(&path, named(mount), "`hostUsers` must be false to use `Unmasked`"));
        }
    }
    seccomp::validate_profile(errors, context.seccomp_profile.as_ref(), &path.child("seccompProfile"));
    if context.allow_privilege_escalation == Some(false) {
        if context.privileged == Some(true) {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.push(Error::invalid(path, go_json::security_context(context), detail));
        }
        let added = context.capabilities.iter().flat_map(|capabilities| capabilities.add.iter().flatten());
        for _ in added.filter(|capability| *capability == "CAP_SYS_ADMIN" && !allow_sys_admin) {
            let detail =
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.push(Error::invalid(path, go_json::security_context(context), detail));
        }
    }
    validate_windows_options(errors, context.windows_options.as_ref(), &path.child("windowsOptions"));
    app_armor::validate_profile(errors, context.app_armor_profile.as_ref(), &path.child("appArmorProfile"));
}

/// What is wrong with the security context of a pod.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePodSpecSecurityContext`)
pub(super) fn validate_pod_security_context(
    errors: &mut ErrorList,
    spec: &PodSpec,
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    let Some(context) = &spec.security_context else {
        return;
    };
    validate_id(errors, context.fs_group, &path.child("fsGroup"));
    validate_id(errors, context.run_as_user, &path.child("runAsUser"));
    validate_id(errors, context.run_as_group, &path.child("runAsGroup"));
    let groups = path.child("supplementalGroups");
    for (index, group) in context.supplemental_groups.iter().flatten().enumerate() {
        validate_id(errors, Some(*group), &groups.index(index));
    }
    validate_sysctls(errors, context, spec, options, &path.child("sysctls"));
    let fs_group_change = context.fs_group_change_policy.as_deref();
    validate_choice(
        errors,
        fs_group_change,
        &["Always", "OnRootMismatch"],
        &path.child("fsGroupChangePolicy"),
    );
    seccomp::validate_profile(errors, context.seccomp_profile.as_ref(), &path.child("seccompProfile"));
    validate_windows_options(errors, context.windows_options.as_ref(), &path.child("windowsOptions"));
    app_armor::validate_profile(errors, context.app_armor_profile.as_ref(), &path.child("appArmorProfile"));
    let groups_policy = context.supplemental_groups_policy.as_deref();
    validate_choice(errors, groups_policy, &["Merge", "Strict"], &path.child("supplementalGroupsPolicy"));
    let change_policy = context.se_linux_change_policy.as_deref();
    validate_choice(errors, change_policy, &["MountOption", "Recursive"], &path.child("seLinuxChangePolicy"));
}

fn validate_choice(errors: &mut ErrorList, value: Option<&str>, supported: &[&str], path: &Path<'_>) {
    if let Some(value) = value.filter(|value| !supported.contains(value)) {
        errors.push(Error::not_supported(path, named(value), supported));
    }
}

fn validate_id(errors: &mut ErrorList, id: Option<i64>, path: &Path<'_>) {
    if let Some(id) = id {
        errors.extend(names::user_id(id).into_iter().map(|fault| Error::invalid(path, id, fault)));
    }
}

fn validate_sysctls(
    errors: &mut ErrorList,
    context: &PodSecurityContext,
    spec: &PodSpec,
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    let mut seen = BTreeSet::new();
    for (index, Sysctl { name, .. }) in context.sysctls.iter().flatten().enumerate() {
        let item = path.index(index);
        let path = item.child("name");
        let is_new = seen.insert(name);
        if name.is_empty() {
            errors.push(Error::required(&path, ""));
        } else if !is_sysctl_name(name) {
            let detail = format!(
                "must have at most {SYSCTL_MAX_LENGTH} characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
            );
            errors.push(Error::invalid(&path, name, detail));
        } else if !is_new {
            errors.push(Error::duplicate(&path, name));
        }
        if options.allow_namespaced_sysctls_for_host_net_and_host_ipc {
            continue;
        }
        match sysctl_namespace(name) {
            Some(SysctlNamespace::Network) if spec.host_network == Some(true) => {
                errors.push(Error::invalid(&path, name, "may not be specified when 'hostNetwork' is true"));
            }
            Some(SysctlNamespace::Ipc) if spec.host_ipc == Some(true) => {
                errors.push(Error::invalid(&path, name, "may not be specified when 'hostIPC' is true"));
            }
            _ => {}
        }
    }
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`IsValidSysctlName`)
fn is_sysctl_name(name: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() <= SYSCTL_MAX_LENGTH
        && name.split(['.', '/']).all(|segment| {
            let bytes = segment.as_bytes();
            bytes.first().is_some_and(|b| is_word(*b))
                && bytes.last().is_some_and(|b| is_word(*b))
                && bytes.iter().all(|b| is_word(*b) || matches!(b, b'-' | b'_'))
        })
}

/// The namespaces that a pod can share with its host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SysctlNamespace {
    Ipc,
    Network,
}

/// # Source
/// component-helpers `node/util/sysctl` (`GetNamespace`)
fn sysctl_namespace(name: &str) -> Option<SysctlNamespace> {
    // The first of the two separators that stands there decides which one the name is written with.
    let dotted = match (name.find('.'), name.find('/')) {
        (Some(dot), Some(slash)) if slash < dot => swap_separators(name),
        (None, Some(_)) => swap_separators(name),
        _ => name.to_owned(),
    };
    let dotted = dotted.split('*').next().unwrap_or_default();
    let is_ipc = matches!(
        dotted,
        "kernel.sem"
            | "kernel.shmall"
            | "kernel.shmmax"
            | "kernel.shmmni"
            | "kernel.shm_rmid_forced"
            | "kernel.shm"
            | "kernel.msgmax"
            | "kernel.msgmnb"
            | "kernel.msgmni"
            | "kernel.msg"
    );
    if is_ipc || dotted.starts_with("fs.mqueue.") {
        Some(SysctlNamespace::Ipc)
    } else {
        dotted.starts_with("net.").then_some(SysctlNamespace::Network)
    }
}

fn swap_separators(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            '.' => '/',
            '/' => '.',
            other => other,
        })
        .collect()
}
