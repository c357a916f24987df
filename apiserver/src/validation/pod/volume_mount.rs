//! Where a container sees the volumes of its pod.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, VolumeMount};
use plimsoll_api::field::{Error, ErrorList, Path};

use super::paths::{has_backsteps, validate_local_descending};
use super::volume::Volumes;
use crate::validation::{named, text};

/// What is wrong with the mounts of a container.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateVolumeMounts`)
pub(super) fn validate_volume_mounts(
    errors: &mut ErrorList,
    container: &Container,
    volumes: &Volumes<'_>,
    path: &Path<'_>,
) {
    let mut mount_paths = BTreeSet::new();
    for (index, mount) in container.volume_mounts.iter().flatten().enumerate() {
        let item = path.index(index);
        if mount.name.is_empty() {
            errors.push(Error::required(&item.child("name"), ""));
        }
        if !volumes.contains_key(mount.name.as_str()) {
            errors.push(Error::not_found(&item.child("name"), &mount.name));
        }
        if mount.mount_path.is_empty() {
            errors.push(Error::required(&item.child("mountPath"), ""));
        }
        if !mount_paths.insert(mount.mount_path.as_str()) {
            errors.push(Error::invalid(&item.child("mountPath"), &mount.mount_path, "must be unique"));
        }
        // Of devices with one name the last counts.
        let devices = container.volume_devices.as_deref().unwrap_or_default();
        if devices.iter().any(|device| device.name == mount.name) {
            let detail = "must not already exist in volumeDevices";
            errors.push(Error::invalid(&item.child("name"), &mount.name, detail));
        }
        let is_last =
            |index: usize| devices.iter().skip(index + 1).all(|other| other.name != devices[index].name);
        let mut devices_at_path =
            (0..devices.len()).filter(|index| devices[*index].device_path == mount.mount_path);
        if devices_at_path.any(is_last) {
            let detail = "must not already exist as a path in volumeDevices";
            errors.push(Error::invalid(&item.child("mountPath"), &mount.mount_path, detail));
        }
        validate_sub_paths(errors, mount, path, &item);
        // The path leaves the index out.
        validate_mount_propagation(errors, mount, container, &path.child("mountPropagation"));
        validate_recursive_read_only(errors, mount, &path.child("recursiveReadOnly"));
    }
}

fn validate_sub_paths(errors: &mut ErrorList, mount: &VolumeMount, path: &Path<'_>, item: &Path<'_>) {
    let (sub_path, expression) = (text(mount.sub_path.as_ref()), text(mount.sub_path_expr.as_ref()));
    if !sub_path.is_empty() {
        validate_local_descending(errors, sub_path, &path.child("subPath"));
    }
    if !expression.is_empty() {
        if !sub_path.is_empty() {
            let detail = "subPathExpr and subPath are mutually exclusive";
            errors.push(Error::invalid(&item.child("subPathExpr"), expression, detail));
        }
        validate_local_descending(errors, expression, &path.child("subPathExpr"));
    }
}

fn validate_mount_propagation(
    errors: &mut ErrorList,
    mount: &VolumeMount,
    container: &Container,
    path: &Path<'_>,
) {
    let Some(propagation) = mount.mount_propagation.as_deref() else {
        return;
    };
    if !matches!(propagation, "Bidirectional" | "HostToContainer" | "None") {
        let supported = ["Bidirectional", "HostToContainer", "None"];
        errors.push(Error::not_supported(path, named(propagation), &supported));
    }
    let is_privileged =
        container.security_context.as_ref().is_some_and(|context| context.privileged == Some(true));
    if propagation == "Bidirectional" && !is_privileged {
        let detail = "Bidirectional mount propagation is available only to privileged containers";
        errors.push(Error::forbidden(path, detail));
    }
}

fn validate_recursive_read_only(errors: &mut ErrorList, mount: &VolumeMount, path: &Path<'_>) {
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.read_only != Some(true) {
                errors.push(Error::forbidden(path, "may only be specified when readOnly is true"));
            }
            if mount.mount_propagation.as_deref().is_some_and(|propagation| propagation != "None") {
                let detail = "may only be specified when mountPropagation is None or not specified";
                errors.push(Error::forbidden(path, detail));
            }
        }
        Some(other) => {
            let supported = ["Disabled", "Enabled", "IfPossible"];
            errors.push(Error::not_supported(path, named(other), &supported));
        }
    }
}

/// What is wrong with the block devices of a container.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateVolumeDevices`)
pub(super) fn validate_volume_devices(
    errors: &mut ErrorList,
    container: &Container,
    volumes: &Volumes<'_>,
    path: &Path<'_>,
) {
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    let (mut device_paths, mut device_names) = (BTreeSet::new(), BTreeSet::new());
    for (index, device) in container.volume_devices.iter().flatten().enumerate() {
        let path = path.index(index);
        let (name, device_path) = (device.name.as_str(), device.device_path.as_str());
        if name.is_empty() {
            errors.push(Error::required(&path.child("name"), ""));
        }
        if device_names.contains(name) {
            errors.push(Error::invalid(&path.child("name"), name, "must be unique"));
        }
        match volumes.get(name) {
            None => errors.push(Error::not_found(&path.child("name"), name)),
            Some(volume) if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() => {
                let detail =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.push(Error::invalid(&path.child("name"), name, detail));
            }
            Some(_) => {}
        }
        if device_path.is_empty() {
            errors.push(Error::required(&path.child("devicePath"), ""));
        }
        if device_paths.contains(device_path) {
            errors.push(Error::invalid(&path.child("devicePath"), device_path, "must be unique"));
        }
        if has_backsteps(device_path) {
            let detail = "can not contain backsteps ('..')";
            errors.push(Error::invalid(&path.child("devicePath"), device_path, detail));
        } else {
            device_paths.insert(device_path);
        }
        if mounts.iter().any(|mount| mount.name == name) {
            let detail = "must not already exist in volumeMounts";
            errors.push(Error::invalid(&path.child("name"), name, detail));
        }
        // Of mounts with one name the last counts.
        let is_last =
            |index: usize| mounts.iter().skip(index + 1).all(|other| other.name != mounts[index].name);
        if (0..mounts.len()).filter(|index| mounts[*index].mount_path == device_path).any(is_last) {
            let detail = "must not already exist as a path in volumeMounts";
            errors.push(Error::invalid(&path.child("devicePath"), device_path, detail));
        }
        if !name.is_empty() {
            device_names.insert(name);
        }
    }
}
