//! Namespaces.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use k8s_openapi::api::core::v1::Namespace;
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use super::distinct;
use super::object_meta::{extend_invalid, name_is_dns_label, validate_object_meta};

/// What is wrong with a namespace that is being created.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateNamespace`)
pub fn validate_create(namespace: &Namespace) -> ErrorList {
    let mut errors =
        validate_object_meta(&namespace.metadata, false, name_is_dns_label, &Path::root("metadata"));
    let spec_path = Path::root("spec");
    let path = spec_path.child("finalizers");
    let finalizers = namespace.spec.as_ref().and_then(|spec| spec.finalizers.as_ref());
    for finalizer in finalizers.into_iter().flatten() {
        extend_invalid(&mut errors, &path, finalizer, names::qualified_name(finalizer));
        let is_known = matches!(finalizer.as_str(), "kubernetes" | "orphan" | "foregroundDeletion");
        if !finalizer.contains('/') && !is_known {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(Error::invalid(&path, finalizer, detail));
        }
    }
    distinct(errors)
}
