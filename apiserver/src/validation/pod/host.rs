//! What a pod shares with its host: users, processes, memory.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use k8s_openapi::api::core::v1::PodSpec;
use plimsoll_api::field::{Error, ErrorList, Path};

use super::options::PodValidationOptions;
use crate::containers::visit_with_path;

/// A pod with users of its own may not share other namespaces with its host.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateHostUsers`)
pub(super) fn validate_host_users(
    errors: &mut ErrorList,
    spec: &PodSpec,
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    const FORBIDDEN: &str = "when `hostUsers` is false";
    if spec.host_users != Some(false) {
        return;
    }
    let shares_network =
        spec.host_network == Some(true) && !options.allow_user_namespaces_host_network_support;
    for (field, is_set) in [
        ("hostNetwork", shares_network),
        ("HostPID", spec.host_pid == Some(true)),
        ("HostIPC", spec.host_ipc == Some(true)),
    ] {
        if is_set {
            errors.push(Error::forbidden(&path.child(field), FORBIDDEN));
        }
    }
    if options.allow_user_namespaces_with_volume_devices {
        return;
    }
    visit_with_path(spec, path, |container, path| {
        if container.volume_devices.as_ref().is_some_and(|devices| !devices.is_empty()) {
            errors.push(Error::forbidden(&path.child("volumeDevices"), FORBIDDEN));
        }
    });
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateShareProcessNamespace`)
pub(super) fn validate_share_process_namespace(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(Error::invalid(&path.child("shareProcessNamespace"), true, detail));
    }
}
