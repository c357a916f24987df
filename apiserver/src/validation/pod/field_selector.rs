//! What a container or volume may learn about its pod.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` and `pkg/apis/core/pods`

use k8s_openapi::api::core::v1::{ObjectFieldSelector, ResourceFieldSelector};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_resource_math::Quantity;

use crate::validation::object_meta::extend_invalid;
use crate::validation::text;

/// Fields that an environment variable may hold, sorted.
pub(super) const ENVIRONMENT_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// Fields that a file of a volume may hold, sorted.
pub(super) const VOLUME_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const HUGE_PAGES: [&str; 2] = ["limits.hugepages-", "requests.hugepages-"];
const SIZES: &[&str] = &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/// What is wrong with a reference to a field of the pod.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateObjectFieldSelector`)
pub(super) fn validate_object_field(
    errors: &mut ErrorList,
    selector: &ObjectFieldSelector,
    supported: &[&str],
    path: &Path<'_>,
) {
    let version = text(selector.api_version.as_ref());
    let field = selector.field_path.as_str();
    if version.is_empty() {
        errors.push(Error::required(&path.child("apiVersion"), ""));
        return;
    }
    if field.is_empty() {
        errors.push(Error::required(&path.child("fieldPath"), ""));
        return;
    }
    let field = match internal_field(version, field) {
        Ok(field) => field,
        Err(why) => {
            let detail = format!("error converting fieldPath: {why}");
            errors.push(Error::invalid(&path.child("fieldPath"), field, detail));
            return;
        }
    };
    match split_subscript(field) {
        Some(("metadata.annotations", key)) => {
            let key = key.to_lowercase();
            extend_invalid(errors, path, &key, names::qualified_name(&key));
        }
        Some((_, key)) => extend_invalid(errors, path, key, names::qualified_name(key)),
        None if !supported.contains(&field) => {
            errors.push(Error::not_supported(&path.child("fieldPath"), field, supported));
        }
        None => {}
    }
}

/// The field under the name it has today.
fn internal_field<'a>(version: &str, field: &'a str) -> Result<&'a str, String> {
    if version != "v1" {
        return Err(format!("unsupported pod version: {version}"));
    }
    match (split_subscript(field), field) {
        (Some(("metadata.annotations" | "metadata.labels", _)), _) => Ok(field),
        (Some(_), _) => Err(format!("field label does not support subscript: {field}")),
        (None, "spec.host") => Ok("spec.nodeName"),
        (None, "spec.restartPolicy" | "spec.schedulerName" | "status.phase") => Ok(field),
        (None, _) if ENVIRONMENT_FIELDS.contains(&field) || VOLUME_FIELDS.contains(&field) => Ok(field),
        (None, _) => Err(format!("field label not supported: {field}")),
    }
}

/// A field and the key in it, as in `metadata.labels['app']`.
fn split_subscript(field: &str) -> Option<(&str, &str)> {
    field.strip_suffix("']")?.split_once("['").filter(|(field, _)| !field.is_empty())
}

/// What is wrong with a reference to an amount of a container.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateContainerResourceFieldSelector`)
pub(super) fn validate_resource_field(
    errors: &mut ErrorList,
    selector: &ResourceFieldSelector,
    is_volume: bool,
    path: &Path<'_>,
) {
    let resource = selector.resource.as_str();
    let is_huge_pages = HUGE_PAGES.iter().any(|prefix| resource.starts_with(prefix));
    if is_volume && text(selector.container_name.as_ref()).is_empty() {
        errors.push(Error::required(&path.child("containerName"), ""));
    } else if resource.is_empty() {
        errors.push(Error::required(&path.child("resource"), ""));
    } else if !RESOURCES.contains(&resource) && !is_huge_pages {
        errors.push(Error::not_supported(&path.child("resource"), resource, RESOURCES));
    }
    let Some(divisor) = selector.divisor.as_ref().and_then(|divisor| Quantity::parse(&divisor.0).ok()) else {
        return;
    };
    if divisor.is_zero() {
        return;
    }
    let divisor = divisor.to_string();
    let is_size = SIZES.contains(&divisor.as_str());
    let wrong = match resource {
        "limits.cpu" | "requests.cpu" if !matches!(divisor.as_str(), "1m" | "1") => {
            "only divisor's values 1m and 1 are supported with the cpu resource".to_owned()
        }
        "limits.memory" | "requests.memory" if !is_size => size_error("memory"),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" if !is_size => {
            size_error("local ephemeral storage")
        }
        _ if is_huge_pages && !is_size => size_error("hugepages"),
        _ => return,
    };
    errors.push(Error::invalid(&path.child("divisor"), resource, wrong));
}

fn size_error(resource: &str) -> String {
    format!("only divisor's values {} are supported with the {resource} resource", SIZES.join(", "))
}
