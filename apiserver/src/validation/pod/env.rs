//! The environment of a container.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, FileKeySelector, PodSpec, Volume};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use super::field_selector::{ENVIRONMENT_FIELDS, validate_object_field, validate_resource_field};
use super::paths::validate_no_backsteps;
use crate::containers::visit_with_path;
use crate::validation::object_meta::{extend_invalid, name_is_dns_subdomain};
use crate::validation::text;

/// What is wrong with variables that are set one by one.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateEnv`)
pub(super) fn validate_env(errors: &mut ErrorList, variables: &[EnvVar], path: &Path<'_>) {
    for (index, variable) in variables.iter().enumerate() {
        let path = path.index(index);
        if variable.name.is_empty() {
            errors.push(Error::required(&path.child("name"), ""));
        } else {
            let faults = names::environment_variable_name(&variable.name);
            extend_invalid(errors, &path.child("name"), &variable.name, faults);
        }
        validate_value_from(errors, variable, &path.child("valueFrom"));
    }
}

fn validate_value_from(errors: &mut ErrorList, variable: &EnvVar, path: &Path<'_>) {
    let Some(source) = &variable.value_from else {
        return;
    };
    let mut sources = 0;
    if let Some(field) = &source.field_ref {
        sources += 1;
        validate_object_field(errors, field, ENVIRONMENT_FIELDS, &path.child("fieldRef"));
    }
    if let Some(field) = &source.resource_field_ref {
        sources += 1;
        validate_resource_field(errors, field, false, &path.child("resourceFieldRef"));
    }
    if let Some(key) = &source.config_map_key_ref {
        sources += 1;
        validate_key(errors, &key.name, &key.key, &path.child("configMapKeyRef"));
    }
    if let Some(key) = &source.secret_key_ref {
        sources += 1;
        validate_key(errors, &key.name, &key.key, &path.child("secretKeyRef"));
    }
    if let Some(key) = &source.file_key_ref {
        sources += 1;
        validate_file_key(errors, key, &path.child("fileKeyRef"));
    }
    if sources == 0 {
        let detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
        errors.push(Error::invalid(path, "", detail));
    } else if !text(variable.value.as_ref()).is_empty() {
        errors.push(Error::invalid(path, "", "may not be specified when `value` is not empty"));
    } else if sources > 1 {
        errors.push(Error::invalid(path, "", "may not have more than one field specified at a time"));
    }
}

/// A key of a ConfigMap or Secret.
fn validate_key(errors: &mut ErrorList, name: &str, key: &str, path: &Path<'_>) {
    extend_invalid(errors, &path.child("name"), name, name_is_dns_subdomain(name, false));
    if key.is_empty() {
        errors.push(Error::required(&path.child("key"), ""));
    } else {
        extend_invalid(errors, &path.child("key"), key, names::config_map_key(key));
    }
}

fn validate_file_key(errors: &mut ErrorList, key: &FileKeySelector, path: &Path<'_>) {
    if key.key.is_empty() {
        errors.push(Error::required(&path.child("key"), ""));
    } else {
        extend_invalid(errors, &path.child("key"), &key.key, names::environment_variable_name(&key.key));
    }
    if key.volume_name.is_empty() {
        errors.push(Error::required(&path.child("volumeName"), ""));
    } else {
        extend_invalid(
            errors,
            &path.child("volumeName"),
            &key.volume_name,
            names::dns_1123_label(&key.volume_name),
        );
    }
    if key.path.is_empty() {
        errors.push(Error::required(&path.child("path"), ""));
    } else {
        validate_no_backsteps(errors, &key.path, &path.child("path"));
    }
}

/// What is wrong with variables that are taken from all keys of a ConfigMap or Secret.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateEnvFrom`)
pub(super) fn validate_env_from(errors: &mut ErrorList, sources: &[EnvFromSource], path: &Path<'_>) {
    for (index, source) in sources.iter().enumerate() {
        let item_path = path.index(index);
        let prefix = text(source.prefix.as_ref());
        if !prefix.is_empty() {
            extend_invalid(
                errors,
                &item_path.child("prefix"),
                prefix,
                names::environment_variable_name(prefix),
            );
        }
        if let Some(config_map) = &source.config_map_ref {
            validate_source_name(errors, &config_map.name, &item_path.child("configMapRef"));
        }
        if let Some(secret) = &source.secret_ref {
            validate_source_name(errors, &secret.name, &item_path.child("secretRef"));
        }
        match (&source.config_map_ref, &source.secret_ref) {
            (None, None) => {
                errors.push(Error::invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
            }
            (Some(_), Some(_)) => {
                errors.push(Error::invalid(path, "", "may not have more than one field specified at a time"));
            }
            _ => {}
        }
    }
}

fn validate_source_name(errors: &mut ErrorList, name: &str, path: &Path<'_>) {
    if name.is_empty() {
        errors.push(Error::required(&path.child("name"), ""));
    } else {
        extend_invalid(errors, &path.child("name"), name, name_is_dns_subdomain(name, true));
    }
}

/// Variables from files need an empty directory that holds the file.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateFileKeyRefVolumes`)
pub(super) fn validate_file_volumes(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    let mut volumes: Option<BTreeMap<&str, &Volume>> = None;
    visit_with_path(spec, path, |container, path| {
        for (index, variable) in container.env.iter().flatten().enumerate() {
            let Some(key) = variable.value_from.as_ref().and_then(|source| source.file_key_ref.as_ref())
            else {
                continue;
            };
            let volumes = volumes.get_or_insert_with(|| {
                spec.volumes.iter().flatten().map(|volume| (volume.name.as_str(), volume)).collect()
            });
            let report = |make: &dyn Fn(&Path<'_>) -> Error| {
                make(
                    &path
                        .child("env")
                        .index(index)
                        .child("valueFrom")
                        .child("fileKeyRef")
                        .child("volumeName"),
                )
            };
            match volumes.get(key.volume_name.as_str()) {
                None => errors.push(report(&|path| Error::not_found(path, &key.volume_name))),
                Some(volume) if volume.empty_dir.is_none() => errors.push(report(&|path| {
                    Error::invalid(path, &key.volume_name, "referenced volume must be of type emptyDir")
                })),
                Some(_) => {}
            }
        }
    });
}
