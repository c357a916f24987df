//! What holds for Windows and for Linux pods only.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use k8s_openapi::api::core::v1::{PodSpec, SecurityContext, WindowsSecurityContextOptions};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use crate::containers::visit_with_path;
use crate::validation::named;

const MAX_CREDENTIAL_SPEC_LENGTH: usize = 64 * 1024;
const MAX_DOMAIN_LENGTH: usize = 256;
const MAX_USER_LENGTH: usize = 104;

/// What is wrong with the operating system of a pod, and with fields that it rules out.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateOS`, `validateLinux`, `validateWindows`)
pub(super) fn validate_os(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    let Some(os) = &spec.os else {
        return;
    };
    match os.name.as_str() {
        "" => errors.push(Error::required(&path.child("os").child("name"), "")),
        "linux" => validate_linux(errors, spec, path),
        "windows" => validate_windows(errors, spec, path),
        other => errors.push(Error::not_supported(&path.child("os"), named(other), &["linux", "windows"])),
    }
}

fn validate_linux(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    const FORBIDDEN: &str = "windows options cannot be set for a linux pod";
    if spec.security_context.as_ref().is_some_and(|context| context.windows_options.is_some()) {
        errors.push(Error::forbidden(&path.child("securityContext").child("windowsOptions"), FORBIDDEN));
    }
    visit_with_path(spec, path, |container, path| {
        if container.security_context.as_ref().is_some_and(|context| context.windows_options.is_some()) {
            errors.push(Error::forbidden(&path.child("securityContext").child("windowsOptions"), FORBIDDEN));
        }
    });
}

fn validate_windows(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    if let Some(context) = &spec.security_context {
        let path = path.child("securityContext");
        forbid(
            errors,
            &path,
            &[
                ("appArmorProfile", context.app_armor_profile.is_some()),
                ("seLinuxOptions", context.se_linux_options.is_some()),
                ("seccompProfile", context.seccomp_profile.is_some()),
                ("fsGroup", context.fs_group.is_some()),
                ("fsGroupChangePolicy", context.fs_group_change_policy.is_some()),
                ("sysctls", context.sysctls.as_ref().is_some_and(|sysctls| !sysctls.is_empty())),
                ("runAsUser", context.run_as_user.is_some()),
                ("runAsGroup", context.run_as_group.is_some()),
                ("supplementalGroups", context.supplemental_groups.is_some()),
                ("supplementalGroupsPolicy", context.supplemental_groups_policy.is_some()),
                ("seLinuxChangePolicy", context.se_linux_change_policy.is_some()),
            ],
        );
    }
    forbid(
        errors,
        path,
        &[
            ("hostUsers", spec.host_users.is_some()),
            ("hostPID", spec.host_pid == Some(true)),
            ("hostIPC", spec.host_ipc == Some(true)),
            ("shareProcessNamespace", spec.share_process_namespace.is_some()),
        ],
    );
    visit_with_path(spec, path, |container, path| {
        if let Some(context) = &container.security_context {
            forbid_in_container(errors, context, &path.child("securityContext"));
        }
    });
}

fn forbid_in_container(errors: &mut ErrorList, context: &SecurityContext, path: &Path<'_>) {
    forbid(
        errors,
        path,
        &[
            ("appArmorProfile", context.app_armor_profile.is_some()),
            ("seLinuxOptions", context.se_linux_options.is_some()),
            ("seccompProfile", context.seccomp_profile.is_some()),
            ("capabilities", context.capabilities.is_some()),
            ("readOnlyRootFilesystem", context.read_only_root_filesystem.is_some()),
            ("privileged", context.privileged.is_some()),
            ("allowPrivilegeEscalation", context.allow_privilege_escalation.is_some()),
            ("procMount", context.proc_mount.is_some()),
            ("runAsUser", context.run_as_user.is_some()),
            ("runAsGroup", context.run_as_group.is_some()),
        ],
    );
}

fn forbid(errors: &mut ErrorList, path: &Path<'_>, fields: &[(&str, bool)]) {
    for (field, is_set) in fields {
        if *is_set {
            errors.push(Error::forbidden(&path.child(field), "cannot be set for a windows pod"));
        }
    }
}

/// What is wrong with the options that Windows alone knows.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateWindowsSecurityContextOptions`)
pub(super) fn validate_windows_options(
    errors: &mut ErrorList,
    options: Option<&WindowsSecurityContextOptions>,
    path: &Path<'_>,
) {
    let Some(options) = options else {
        return;
    };
    let mut report = |field: &str, value: &str, detail: String| {
        errors.push(Error::invalid(&path.child(field), named(value), detail));
    };
    if let Some(name) = &options.gmsa_credential_spec_name {
        for fault in names::dns_1123_subdomain(name) {
            report("gmsaCredentialSpecName", name, fault);
        }
    }
    match options.gmsa_credential_spec.as_deref() {
        Some("") => {
            report("gmsaCredentialSpec", "", "gmsaCredentialSpec cannot be an empty string".to_owned());
        }
        Some(spec) if spec.len() > MAX_CREDENTIAL_SPEC_LENGTH => {
            report("gmsaCredentialSpec", spec, "gmsaCredentialSpec size must be under 64 KiB".to_owned());
        }
        _ => {}
    }
    if let Some(name) = &options.run_as_user_name {
        for fault in user_name_faults(name) {
            report("runAsUserName", name, format!("runAsUserName{fault}"));
        }
    }
}

/// What is wrong with the name of a Windows user, after the words "runAsUserName".
fn user_name_faults(name: &str) -> Vec<String> {
    if name.is_empty() {
        return vec![" cannot be an empty string".to_owned()];
    }
    if name.bytes().any(|b| b.is_ascii_control()) {
        return vec![" cannot contain control characters".to_owned()];
    }
    if name.matches('\\').count() > 1 {
        return vec![" cannot contain more than one backslash".to_owned()];
    }
    let (domain, user) = match name.split_once('\\') {
        Some((domain, user)) => (Some(domain), user),
        None => (None, name),
    };
    let mut faults = Vec::new();
    if let Some(domain) = domain {
        if domain.len() >= MAX_DOMAIN_LENGTH {
            faults.push(format!("'s Domain length must be under {MAX_DOMAIN_LENGTH} characters"));
        }
        if !is_net_bios(domain) && !is_domain(domain) {
            faults.push("'s Domain doesn't match the NetBios nor the DNS format".to_owned());
        }
    }
    if user.is_empty() {
        faults.push("'s User cannot be empty".to_owned());
    } else if user.len() > MAX_USER_LENGTH {
        faults.push(format!("'s User length must not be longer than {MAX_USER_LENGTH} characters"));
    }
    if !user.is_empty() && user.chars().all(|c| matches!(c, '.' | ' ')) {
        faults.push("'s User cannot contain only periods or spaces".to_owned());
    }
    if user.contains(['"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']']) {
        faults.push("'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]".to_owned());
    }
    faults
}

fn is_net_bios(domain: &str) -> bool {
    (1..=15).contains(&domain.chars().count())
        && !domain.starts_with('.')
        && !domain.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|'])
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        let bytes = label.as_bytes();
        bytes.len() <= 63
            && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    })
}

/// Containers that run as processes of a Windows host: all or none, and on its network.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateWindowsHostProcessPod`)
pub(super) fn validate_host_process(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    let host_process =
        |options: Option<&WindowsSecurityContextOptions>| options.and_then(|options| options.host_process);
    let of_pod =
        host_process(spec.security_context.as_ref().and_then(|context| context.windows_options.as_ref()));
    let (mut all, mut on_host) = (0_usize, 0_usize);
    visit_with_path(spec, path, |container, path| {
        all += 1;
        let context = container.security_context.as_ref();
        let own = host_process(context.and_then(|context| context.windows_options.as_ref()));
        if let (Some(of_pod), Some(own)) = (of_pod, own)
            && of_pod != own
        {
            errors.push(Error::invalid(
                &path.child("securityContext").child("windowsOptions").child("hostProcess"),
                own,
                format!("pod hostProcess value must be identical if both are specified, was {of_pod}"),
            ));
        }
        on_host += usize::from(own.or(of_pod) == Some(true));
    });
    if on_host == 0 {
        return;
    }
    if on_host != all {
        let detail =
            "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        errors.push(Error::invalid(path, "", detail));
    }
    if spec.host_network != Some(true) {
        let detail = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.push(Error::invalid(&path.child("hostNetwork"), false, detail));
    }
}
