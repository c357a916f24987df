//! The metadata that all objects share: names, labels, annotations, owners, finalizers.
//!
//! # Source
//! apimachinery `pkg/api/validation/objectmeta.go`; kubernetes `pkg/apis/core/validation` (`ValidateObjectMeta`)

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_api::quote::{go_json_string, go_quote};

use super::{IS_NEGATIVE, text};

/// All annotations of an object together may have so many bytes.
pub const TOTAL_ANNOTATION_SIZE_LIMIT: usize = 256 * 1024;

/// What the name of some kind of object must look like. The flag says that the text is a `generateName`, to which
/// characters will be appended.
pub type NameRule = fn(&str, bool) -> Vec<String>;

/// Names that are DNS subdomains, as those of most objects.
///
/// # Source
/// apimachinery `pkg/api/validation/generic.go` (`NameIsDNSSubdomain`)
pub fn name_is_dns_subdomain(name: &str, is_prefix: bool) -> Vec<String> {
    with_mask(name, is_prefix, names::dns_1123_subdomain)
}

/// Names that are DNS labels, as those of namespaces.
///
/// # Source
/// apimachinery `pkg/api/validation/generic.go` (`NameIsDNSLabel`)
pub fn name_is_dns_label(name: &str, is_prefix: bool) -> Vec<String> {
    with_mask(name, is_prefix, names::dns_1123_label)
}

/// Names that are DNS labels and begin with a letter, as those of Services.
///
/// # Source
/// apimachinery `pkg/api/validation/generic.go` (`NameIsDNS1035Label`)
pub fn name_is_dns_1035_label(name: &str, is_prefix: bool) -> Vec<String> {
    with_mask(name, is_prefix, names::dns_1035_label)
}

/// A prefix may end with a dash because more follows. As upstream does, the character before the dash goes as well.
fn with_mask(name: &str, is_prefix: bool, check: fn(&str) -> Vec<String>) -> Vec<String> {
    match name.as_bytes() {
        [kept @ .., _, b'-'] if is_prefix => check(&format!("{}a", String::from_utf8_lossy(kept))),
        _ => check(name),
    }
}

/// What is wrong with the metadata of an object that is being created, after names have been generated.
///
/// Labels and annotations are reported in order of their keys; upstream's order is random.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateObjectMeta`)
pub fn validate_object_meta(
    meta: &ObjectMeta,
    requires_namespace: bool,
    name_rule: NameRule,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = validate_api_machinery(meta, requires_namespace, name_rule, path);
    errors.extend(validate_kubernetes_finalizers(meta, path));
    errors
}

/// The checks of every object's metadata, of custom resources too.
///
/// # Source
/// apimachinery `pkg/api/validation/objectmeta.go` (`ValidateObjectMeta`)
pub fn validate_api_machinery(
    meta: &ObjectMeta,
    requires_namespace: bool,
    name_rule: NameRule,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = ErrorList::new();
    let generate_name = text(meta.generate_name.as_ref());
    if !generate_name.is_empty() {
        extend_invalid(
            &mut errors,
            &path.child("generateName"),
            generate_name,
            name_rule(generate_name, true),
        );
    }
    let name = text(meta.name.as_ref());
    if name.is_empty() {
        errors.push(Error::required(&path.child("name"), "name or generateName is required"));
    } else {
        extend_invalid(&mut errors, &path.child("name"), name, name_rule(name, false));
    }
    validate_namespace(&mut errors, text(meta.namespace.as_ref()), requires_namespace, path);
    validate_generation(&mut errors, meta, path);
    errors.extend(validate_labels(meta.labels.as_ref(), &path.child("labels")));
    errors.extend(validate_annotations(meta.annotations.as_ref(), &path.child("annotations")));
    errors.extend(validate_owner_references(
        meta.owner_references.as_deref().unwrap_or_default(),
        &path.child("ownerReferences"),
    ));
    errors.extend(validate_finalizers(
        meta.finalizers.as_deref().unwrap_or_default(),
        &path.child("finalizers"),
    ));
    errors
}

/// What is wrong with the metadata of an object that replaces another.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateObjectMetaUpdate`)
pub fn validate_object_meta_update(new: &ObjectMeta, old: &ObjectMeta, path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    if old.deletion_timestamp.is_some() {
        validate_no_new_finalizers(&mut errors, new, old, &path.child("finalizers"));
    }
    if text(new.resource_version.as_ref()).is_empty() {
        let path = path.child("resourceVersion");
        errors.push(Error::invalid(&path, "", "must be specified for an update"));
    }
    validate_generation(&mut errors, new, path);
    let (generation, old_generation) = (new.generation.unwrap_or(0), old.generation.unwrap_or(0));
    if generation < old_generation {
        errors.push(Error::invalid(&path.child("generation"), generation, "must not be decremented"));
    }
    for (field, new, old) in [
        ("name", &new.name, &old.name),
        ("namespace", &new.namespace, &old.namespace),
        ("uid", &new.uid, &old.uid),
    ] {
        let (new, old) = (text(new.as_ref()), text(old.as_ref()));
        if new != old {
            errors.push(Error::invalid(&path.child(field), new, super::FIELD_IMMUTABLE));
        }
    }
    for (field, new, old) in [
        ("creationTimestamp", &new.creation_timestamp, &old.creation_timestamp),
        ("deletionTimestamp", &new.deletion_timestamp, &old.deletion_timestamp),
    ] {
        if new != old {
            let shown =
                new.as_ref().map_or_else(|| "null".to_owned(), |time| go_json_string(&time.0.to_string()));
            errors.push(Error::invalid(
                &path.child(field),
                BadValue::Verbatim(shown),
                super::FIELD_IMMUTABLE,
            ));
        }
    }
    let (period, old_period) = (new.deletion_grace_period_seconds, old.deletion_grace_period_seconds);
    if period != old_period {
        let shown = period.map_or_else(|| "null".to_owned(), |seconds| seconds.to_string());
        let path = path.child("deletionGracePeriodSeconds");
        errors.push(Error::invalid(&path, BadValue::Verbatim(shown), super::FIELD_IMMUTABLE));
    }
    errors.extend(validate_labels(new.labels.as_ref(), &path.child("labels")));
    errors.extend(validate_annotations(new.annotations.as_ref(), &path.child("annotations")));
    errors.extend(validate_owner_references(
        new.owner_references.as_deref().unwrap_or_default(),
        &path.child("ownerReferences"),
    ));
    errors.extend(validate_kubernetes_finalizers(new, path));
    errors
}

/// What is wrong with labels, which may stand in a selector too.
///
/// # Source
/// apimachinery `pkg/apis/meta/v1/validation` (`ValidateLabels`)
pub fn validate_labels(labels: Option<&BTreeMap<String, String>>, path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    for (key, value) in labels.into_iter().flatten() {
        if !names::is_qualified_name(key) {
            extend_invalid(&mut errors, path, key, names::qualified_name(key));
        }
        extend_invalid(&mut errors, path, value, names::label_value(value));
    }
    errors
}

/// What is wrong with annotations: their keys, whose case doesn't matter, and their size together.
///
/// # Source
/// apimachinery `pkg/api/validation/objectmeta.go` (`ValidateAnnotations`)
pub fn validate_annotations(annotations: Option<&BTreeMap<String, String>>, path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    let mut size = 0;
    for (key, value) in annotations.into_iter().flatten() {
        if !names::is_qualified_name(key) {
            extend_invalid(&mut errors, path, key, names::qualified_name(&key.to_lowercase()));
        }
        size += key.len() + value.len();
    }
    if size > TOTAL_ANNOTATION_SIZE_LIMIT {
        errors.push(Error::too_long(path, TOTAL_ANNOTATION_SIZE_LIMIT));
    }
    errors
}

fn validate_namespace(errors: &mut ErrorList, namespace: &str, is_required: bool, path: &Path<'_>) {
    let path = path.child("namespace");
    if !is_required {
        if !namespace.is_empty() {
            errors.push(Error::forbidden(&path, "not allowed on this type"));
        }
    } else if namespace.is_empty() {
        errors.push(Error::required(&path, ""));
    } else {
        extend_invalid(errors, &path, namespace, name_is_dns_label(namespace, false));
    }
}

fn validate_generation(errors: &mut ErrorList, meta: &ObjectMeta, path: &Path<'_>) {
    if let Some(generation) = meta.generation.filter(|generation| *generation < 0) {
        errors.push(Error::invalid(&path.child("generation"), generation, IS_NEGATIVE));
    }
}

fn validate_owner_references(references: &[OwnerReference], path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    let mut first_controller: Option<String> = None;
    for (index, reference) in references.iter().enumerate() {
        validate_owner_reference(&mut errors, reference, &path.index(index));
        if reference.controller != Some(true) {
            continue;
        }
        let controller = format!("{}/{}", reference.kind, reference.name);
        if let Some(first) = &first_controller {
            let detail = format!(
                "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {controller}"
            );
            let shown: Vec<String> = references.iter().map(owner_reference_json).collect();
            errors.push(Error::invalid(path, BadValue::Verbatim(format!("[{}]", shown.join(","))), detail));
        } else {
            first_controller = Some(controller);
        }
    }
    errors
}

fn validate_owner_reference(errors: &mut ErrorList, reference: &OwnerReference, path: &Path<'_>) {
    let version = reference.api_version.as_str();
    let is_version = version != "/" && version.matches('/').count() < 2 && !version.ends_with('/');
    if version.is_empty() {
        errors.push(Error::required(&path.child("apiVersion"), "must not be empty"));
    } else if !is_version {
        let detail = "must be <group>/<version> or <version>";
        errors.push(Error::invalid(&path.child("apiVersion"), version, detail));
    }
    for (field, value) in [("kind", &reference.kind), ("name", &reference.name), ("uid", &reference.uid)] {
        if value.is_empty() {
            errors.push(Error::required(&path.child(field), "must not be empty"));
        }
    }
    if matches!(version, "v1" | "/v1") && reference.kind == "Event" {
        let shown = BadValue::Verbatim(owner_reference_json(reference));
        errors.push(Error::invalid(path, shown, "/v1, Kind=Event is disallowed from being an owner"));
    }
}

/// A reference as Go marshals it.
fn owner_reference_json(reference: &OwnerReference) -> String {
    let mut json = format!(
        "{{\"apiVersion\":{},\"kind\":{},\"name\":{},\"uid\":{}",
        go_json_string(&reference.api_version),
        go_json_string(&reference.kind),
        go_json_string(&reference.name),
        go_json_string(&reference.uid)
    );
    for (field, value) in
        [("controller", reference.controller), ("blockOwnerDeletion", reference.block_owner_deletion)]
    {
        if let Some(value) = value {
            let _ = write!(json, ",\"{field}\":{value}");
        }
    }
    json.push('}');
    json
}

fn validate_finalizers(finalizers: &[String], path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    for finalizer in finalizers {
        extend_invalid(&mut errors, path, finalizer, names::qualified_name(finalizer));
    }
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    if has("orphan") && has("foregroundDeletion") {
        let shown: Vec<String> = finalizers.iter().map(|finalizer| go_json_string(finalizer)).collect();
        errors.push(Error::invalid(
            path,
            BadValue::Verbatim(format!("[{}]", shown.join(","))),
            "finalizer orphan and foregroundDeletion cannot be both set",
        ));
    }
    errors
}

/// A finalizer without a domain has to be one that Kubernetes itself knows.
fn validate_kubernetes_finalizers(meta: &ObjectMeta, path: &Path<'_>) -> ErrorList {
    let finalizers_path = path.child("finalizers");
    let is_known = |name: &str| matches!(name, "kubernetes" | "orphan" | "foregroundDeletion");
    let finalizers = meta.finalizers.iter().flatten().enumerate();
    let unknown = finalizers.filter(|(_, finalizer)| !finalizer.contains('/') && !is_known(finalizer));
    unknown
        .map(|(index, finalizer)| {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            Error::invalid(&finalizers_path.index(index), finalizer, detail)
        })
        .collect()
}

fn validate_no_new_finalizers(errors: &mut ErrorList, new: &ObjectMeta, old: &ObjectMeta, path: &Path<'_>) {
    let set = |meta: &ObjectMeta| meta.finalizers.iter().flatten().cloned().collect::<BTreeSet<_>>();
    let (new, old) = (set(new), set(old));
    let extra: Vec<String> = new.difference(&old).map(|finalizer| go_quote(finalizer)).collect();
    if !extra.is_empty() {
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            extra.join(", ")
        );
        errors.push(Error::forbidden(path, detail));
    }
}

/// Adds one error for each thing that is wrong with a value.
pub(crate) fn extend_invalid(errors: &mut ErrorList, path: &Path<'_>, value: &str, faults: Vec<String>) {
    errors.extend(faults.into_iter().map(|fault| Error::invalid(path, value, fault)));
}
