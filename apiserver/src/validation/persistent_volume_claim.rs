//! PersistentVolumeClaims.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::cmp::Ordering;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec, TypedObjectReference};
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_resource_math::Quantity;

use super::label_selector::validate_label_selector;
use super::object_meta::{
    extend_invalid, name_is_dns_label, name_is_dns_subdomain, validate_object_meta,
    validate_object_meta_update,
};
use super::{FIELD_IMMUTABLE, IS_NOT_POSITIVE, distinct, named, text};

const BETA_STORAGE_CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";
const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const STORAGE: &str = "storage";

/// What is wrong with a claim that is being created.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidatePersistentVolumeClaim`)
pub fn validate_create(claim: &PersistentVolumeClaim) -> ErrorList {
    let mut errors =
        validate_object_meta(&claim.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    validate_spec(&mut errors, &claim.spec.clone().unwrap_or_default(), &Path::root("spec"));
    distinct(errors)
}

/// What is wrong with the spec of a claim, or of a claim in the template of a StatefulSet.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidatePersistentVolumeClaimSpec`)
pub(super) fn validate_spec(errors: &mut ErrorList, spec: &PersistentVolumeClaimSpec, path: &Path<'_>) {
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    if modes.is_empty() {
        errors.push(Error::required(&path.child("accessModes"), "at least 1 access mode is required"));
    }
    validate_label_selector(errors, spec.selector.as_ref(), false, &path.child("selector"));
    validate_access_modes(errors, modes, &path.child("accessModes"));
    let resources_path = path.child("resources");
    validate_storage(errors, spec, &resources_path.key(STORAGE));
    let class = text(spec.storage_class_name.as_ref());
    if !class.is_empty() {
        extend_invalid(errors, &path.child("storageClassName"), class, name_is_dns_subdomain(class, false));
    }
    if let Some(mode) = spec.volume_mode.as_deref().filter(|mode| !matches!(*mode, "Block" | "Filesystem")) {
        let path = path.child("volumeMode");
        errors.push(Error::not_supported(&path, named(mode), &["Block", "Filesystem"]));
    }
    validate_data_sources(errors, spec, path);
    let class = text(spec.volume_attributes_class_name.as_ref());
    if !class.is_empty() {
        let path = path.child("volumeAttributesClassName");
        extend_invalid(errors, &path, class, name_is_dns_subdomain(class, false));
    }
}

fn validate_access_modes(errors: &mut ErrorList, modes: &[String], path: &Path<'_>) {
    let (mut has_one_pod, mut has_other) = (false, false);
    for mode in modes {
        let is_supported = ACCESS_MODES.contains(&mode.as_str());
        if !is_supported {
            errors.push(Error::not_supported(path, named(mode), &ACCESS_MODES));
        }
        let is_one_pod = mode == "ReadWriteOncePod";
        has_one_pod |= is_one_pod;
        has_other |= is_supported && !is_one_pod;
    }
    if has_one_pod && has_other {
        errors.push(Error::forbidden(path, "may not use ReadWriteOncePod with other access modes"));
    }
}

fn validate_storage(errors: &mut ErrorList, spec: &PersistentVolumeClaimSpec, path: &Path<'_>) {
    let requests = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let Some(storage) = requests.and_then(|requests| requests.get(STORAGE)) else {
        errors.push(Error::required(path, ""));
        return;
    };
    if let Ok(storage) = Quantity::parse(&storage.0)
        && storage.sign() != Ordering::Greater
    {
        errors.push(Error::invalid(path, storage.to_string(), IS_NOT_POSITIVE));
    }
}

fn validate_data_sources(errors: &mut ErrorList, spec: &PersistentVolumeClaimSpec, path: &Path<'_>) {
    let source = spec.data_source.as_ref().map(|source| TypedObjectReference {
        api_group: source.api_group.clone(),
        kind: source.kind.clone(),
        name: source.name.clone(),
        namespace: None,
    });
    if let Some(source) = &source {
        validate_reference(errors, source, &path.child("dataSource"));
    }
    let Some(reference) = &spec.data_source_ref else {
        return;
    };
    validate_reference(errors, reference, &path.child("dataSourceRef"));
    let Some(source) = source else {
        return;
    };
    let agree = source.api_group == reference.api_group
        && source.kind == reference.kind
        && source.name == reference.name;
    let detail = if !text(reference.namespace.as_ref()).is_empty() {
        "may not be specified when dataSourceRef.namespace is specified"
    } else if !agree {
        "must match dataSourceRef"
    } else {
        return;
    };
    // The value that upstream shows is a path, which marshals as an empty object.
    errors.push(Error::invalid(path, BadValue::Verbatim("{}".to_owned()), detail));
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateDataSource`, `validateDataSourceRef`)
fn validate_reference(errors: &mut ErrorList, reference: &TypedObjectReference, path: &Path<'_>) {
    for (field, value) in [("name", &reference.name), ("kind", &reference.kind)] {
        if value.is_empty() {
            errors.push(Error::required(&path.child(field), ""));
        }
    }
    let group = text(reference.api_group.as_ref());
    if !group.is_empty() {
        extend_invalid(errors, &path.child("apiGroup"), group, names::dns_1123_subdomain(group));
    } else if reference.kind != "PersistentVolumeClaim" {
        let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        errors.push(Error::invalid(path, &reference.kind, detail));
    }
    let namespace = text(reference.namespace.as_ref());
    if !namespace.is_empty() {
        extend_invalid(errors, &path.child("namespace"), namespace, name_is_dns_label(namespace, false));
    }
}

/// What is wrong with a claim that replaces another. Of a bound claim only the storage and the attributes may change.
///
/// Upstream's message goes on with a comparison of both specs, which is left out.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidatePersistentVolumeClaimUpdate`)
pub fn validate_update(new: &PersistentVolumeClaim, old: &PersistentVolumeClaim) -> ErrorList {
    let meta_path = Path::root("metadata");
    let mut errors = validate_object_meta_update(&new.metadata, &old.metadata, &meta_path);
    errors.extend(validate_create(new));
    let (new_spec, old_spec) = (new.spec.clone().unwrap_or_default(), old.spec.clone().unwrap_or_default());
    let (new_class, old_class) = (beta_class(new), beta_class(old));
    let from_annotation = old_class.is_some()
        && old_spec.storage_class_name.is_none()
        && new_spec.storage_class_name.as_deref() == old_class
        && (new_class.is_none() || new_class == old_class);
    if !from_annotation && new_class.unwrap_or_default() != old_class.unwrap_or_default() {
        let path = meta_path.child("annotations");
        let path = path.key(BETA_STORAGE_CLASS_ANNOTATION);
        errors.push(Error::invalid(&path, new_class.unwrap_or_default(), FIELD_IMMUTABLE));
    }
    let path = Path::root("spec");
    if comparable(&new_spec, &old_spec, new, old, from_annotation) != old_spec {
        let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        errors.push(Error::forbidden(&path, detail));
    }
    validate_size_change(&mut errors, &new_spec, &old_spec, old, &path);
    if new_spec.volume_mode != old_spec.volume_mode {
        let shown = new_spec.volume_mode.as_deref();
        let shown = shown.map_or_else(|| BadValue::Verbatim("null".to_owned()), named);
        errors.push(Error::invalid(&Path::root("volumeMode"), shown, FIELD_IMMUTABLE));
    }
    validate_attributes_change(
        &mut errors,
        &new_spec,
        &old_spec,
        old,
        &path.child("volumeAttributesClassName"),
    );
    distinct(errors)
}

fn beta_class(claim: &PersistentVolumeClaim) -> Option<&str> {
    let annotations = claim.metadata.annotations.as_ref()?;
    annotations.get(BETA_STORAGE_CLASS_ANNOTATION).map(String::as_str)
}

/// The new spec with all that may change put back as it was.
fn comparable(
    new_spec: &PersistentVolumeClaimSpec,
    old_spec: &PersistentVolumeClaimSpec,
    new: &PersistentVolumeClaim,
    old: &PersistentVolumeClaim,
    from_annotation: bool,
) -> PersistentVolumeClaimSpec {
    let mut spec = new_spec.clone();
    if text(old_spec.volume_name.as_ref()).is_empty() {
        spec.volume_name.clone_from(&old_spec.volume_name);
    }
    let annotation = beta_class(old);
    let from_nothing = spec.storage_class_name.is_some()
        && old_spec.storage_class_name.is_none()
        && (annotation.is_none() || annotation == spec.storage_class_name.as_deref());
    if from_annotation || from_nothing {
        spec.storage_class_name = None;
    }
    let phase = new.status.as_ref().and_then(|status| status.phase.as_deref());
    if phase == Some("Bound") {
        let old_requests = old_spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
        let requests = spec.resources.as_mut().and_then(|resources| resources.requests.as_mut());
        if let (Some(requests), Some(storage)) = (requests, old_requests.and_then(|list| list.get(STORAGE))) {
            requests.insert(STORAGE.to_owned(), storage.clone());
        }
        spec.volume_attributes_class_name.clone_from(&old_spec.volume_attributes_class_name);
    }
    spec
}

fn validate_size_change(
    errors: &mut ErrorList,
    new_spec: &PersistentVolumeClaimSpec,
    old_spec: &PersistentVolumeClaimSpec,
    old: &PersistentVolumeClaim,
    path: &Path<'_>,
) {
    let (new_size, old_size) = (requested(new_spec), requested(old_spec));
    let capacity = old.status.as_ref().and_then(|status| status.capacity.as_ref());
    let capacity = capacity.and_then(|capacity| capacity.get(STORAGE));
    let capacity = capacity.and_then(|amount| Quantity::parse(&amount.0).ok()).unwrap_or_default();
    if new_size < old_size && new_size <= capacity {
        let path = path.child("resources");
        let path = path.child("requests");
        errors.push(Error::forbidden(&path.child(STORAGE), "field can not be less than status.capacity"));
    }
}

fn requested(spec: &PersistentVolumeClaimSpec) -> Quantity {
    let requests = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let storage = requests.and_then(|requests| requests.get(STORAGE));
    storage.and_then(|amount| Quantity::parse(&amount.0).ok()).unwrap_or_default()
}

fn validate_attributes_change(
    errors: &mut ErrorList,
    new_spec: &PersistentVolumeClaimSpec,
    old_spec: &PersistentVolumeClaimSpec,
    old: &PersistentVolumeClaim,
    path: &Path<'_>,
) {
    let current = old.status.as_ref().and_then(|status| status.current_volume_attributes_class_name.as_ref());
    let (new, old) = (&new_spec.volume_attributes_class_name, &old_spec.volume_attributes_class_name);
    if new == old || current.is_none() {
        return;
    }
    let what = match new.as_deref() {
        None => "nil",
        Some("") => "empty string",
        Some(_) => return,
    };
    let detail =
        format!("update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil");
    errors.push(Error::forbidden(path, detail));
}
