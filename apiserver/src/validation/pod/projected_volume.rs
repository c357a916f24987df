//! Volumes that several sources are projected into.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`validateProjectedVolumeSource`)

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    ClusterTrustBundleProjection, KeyToPath, PodCertificateProjection, ProjectedVolumeSource,
    ServiceAccountTokenProjection, VolumeProjection,
};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use super::go_json;
use super::options::PodValidationOptions;
use super::paths::{validate_file_mode, validate_local_non_reserved};
use super::signer_name::{is_kubernetes_signer, trust_bundle_name_faults, validate_signer_name};
use super::volume_source::{validate_downward_api_file, validate_item};
use crate::validation::label_selector::validate_label_selector;
use crate::validation::object_meta::TOTAL_ANNOTATION_SIZE_LIMIT;
use crate::validation::text;

const CONFLICT: &str = "conflicting duplicate paths";
const MIN_TOKEN_SECONDS: i64 = 600;
const MAX_TOKEN_SECONDS: i64 = 1 << 32;
const MIN_CERTIFICATE_SECONDS: i32 = 3600;
const MAX_CERTIFICATE_SECONDS: i32 = 91 * 86_400;
const MAX_KUBERNETES_CERTIFICATE_SECONDS: i32 = 86_400;

/// What is wrong with a projected volume.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateProjectedVolumeSource`)
pub(super) fn validate_projected(
    errors: &mut ErrorList,
    volume: &ProjectedVolumeSource,
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    validate_file_mode(errors, volume.default_mode, &path.child("defaultMode"));
    let sources_path = path.child("sources");
    let mut files = Files { path, seen: BTreeSet::new() };
    for (index, source) in volume.sources.iter().flatten().enumerate() {
        validate_source(errors, source, options, &mut files, &sources_path.index(index));
    }
}

/// The files of the volume; no two may have the same path. Conflicts are reported for the volume.
struct Files<'a> {
    path: &'a Path<'a>,
    seen: BTreeSet<String>,
}

impl Files<'_> {
    /// Adds a file; `shown` is what a conflict shows.
    fn add(&mut self, errors: &mut ErrorList, file: &str, shown: &str) {
        if !self.seen.insert(file.to_owned()) {
            errors.push(Error::invalid(self.path, shown, CONFLICT));
        }
    }
}

fn validate_source(
    errors: &mut ErrorList,
    source: &VolumeProjection,
    options: &PodValidationOptions,
    files: &mut Files<'_>,
    path: &Path<'_>,
) {
    let mut sources = 0;
    if let Some(secret) = &source.secret {
        sources += 1;
        validate_keys(errors, &secret.name, secret.items.as_deref(), files, &path.child("secret"));
    }
    if let Some(config_map) = &source.config_map {
        sources += 1;
        validate_keys(errors, &config_map.name, config_map.items.as_deref(), files, &path.child("configMap"));
    }
    if let Some(downward_api) = &source.downward_api {
        sources += 1;
        let path = path.child("downwardAPI");
        for file in downward_api.items.iter().flatten() {
            validate_downward_api_file(errors, file, &path);
            if !file.path.is_empty() {
                files.add(errors, &file.path, &file.path);
            }
        }
    }
    if let Some(token) = &source.service_account_token {
        sources += 1;
        validate_token(errors, token, options, files.path, &path.child("serviceAccountToken"));
    }
    if let Some(bundle) = &source.cluster_trust_bundle {
        sources += 1;
        validate_trust_bundle(errors, bundle, files, &path.child("clusterTrustBundle"));
    }
    if let Some(certificate) = &source.pod_certificate {
        sources += 1;
        validate_certificate(errors, certificate, files, &path.child("podCertificate"));
    }
    if sources > 1 {
        errors.push(Error::forbidden(path, "may not specify more than 1 volume type per source"));
    }
}

fn validate_keys(
    errors: &mut ErrorList,
    name: &str,
    items: Option<&[KeyToPath]>,
    files: &mut Files<'_>,
    path: &Path<'_>,
) {
    if name.is_empty() {
        errors.push(Error::required(&path.child("name"), ""));
    }
    let path = path.child("items");
    for (index, item) in items.unwrap_or_default().iter().enumerate() {
        validate_item(errors, item, &path.index(index));
        if !item.path.is_empty() {
            files.add(errors, &item.path, name);
        }
    }
}

/// The path of the file is reported as that of the volume.
fn validate_token(
    errors: &mut ErrorList,
    token: &ServiceAccountTokenProjection,
    options: &PodValidationOptions,
    volume_path: &Path<'_>,
    path: &Path<'_>,
) {
    let expiration_path = path.child("expirationSeconds");
    match token.expiration_seconds {
        None => errors.push(Error::required(&expiration_path, "")),
        Some(seconds) if seconds < MIN_TOKEN_SECONDS => {
            let detail = "may not specify a duration less than 10 minutes";
            errors.push(Error::invalid(&expiration_path, seconds, detail));
        }
        Some(seconds) if seconds > MAX_TOKEN_SECONDS => {
            let detail = "may not specify a duration larger than 2^32 seconds";
            errors.push(Error::invalid(&expiration_path, seconds, detail));
        }
        Some(_) => {}
    }
    if token.path.is_empty() {
        errors.push(Error::required(&volume_path.child("path"), ""));
    } else if !options.allow_non_local_projected_token_path {
        validate_local_non_reserved(errors, &token.path, &volume_path.child("path"));
    }
}

fn validate_trust_bundle(
    errors: &mut ErrorList,
    bundle: &ClusterTrustBundleProjection,
    files: &mut Files<'_>,
    path: &Path<'_>,
) {
    match (&bundle.name, &bundle.signer_name) {
        (Some(_), Some(_)) => {
            let detail = "only one of name and signerName may be used";
            errors.push(Error::invalid(path, go_json::trust_bundle(bundle), detail));
        }
        (Some(name), None) => {
            if name.is_empty() {
                errors.push(Error::required(&path.child("name"), "must be a valid object name"));
            }
            for fault in trust_bundle_name_faults(name) {
                let detail = format!("not a valid clustertrustbundlename: {fault}");
                errors.push(Error::invalid(&path.child("name"), name, detail));
            }
            if let Some(selector) = &bundle.label_selector {
                let detail = "labelSelector must be unset if name is specified";
                errors.push(Error::invalid(
                    &path.child("labelSelector"),
                    go_json::label_selector(selector),
                    detail,
                ));
            }
        }
        (None, Some(signer)) => {
            let signer_path = path.child("signerName");
            if signer.is_empty() {
                errors.push(Error::required(&signer_path, "must be a valid signer name"));
            }
            validate_signer_name(errors, signer, &signer_path);
            let selector = bundle.label_selector.as_ref();
            validate_label_selector(errors, selector, false, &path.child("labelSelector"));
        }
        (None, None) => errors.push(Error::required(path, "either name or signerName must be specified")),
    }
    if bundle.path.is_empty() {
        errors.push(Error::required(&path.child("path"), ""));
    }
    validate_local_non_reserved(errors, &bundle.path, &path.child("path"));
    files.add(errors, &bundle.path, &bundle.path);
}

fn validate_certificate(
    errors: &mut ErrorList,
    certificate: &PodCertificateProjection,
    files: &mut Files<'_>,
    path: &Path<'_>,
) {
    const KEY_TYPES: [&str; 6] = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
    validate_signer_name(errors, &certificate.signer_name, &path.child("signerName"));
    validate_user_annotations(errors, certificate, &path.child("userAnnotations"));
    let key_type = certificate.key_type.as_str();
    if !KEY_TYPES.contains(&key_type) {
        errors.push(Error::not_supported(&path.child("keyType"), key_type, &KEY_TYPES));
    }
    if let Some(seconds) = certificate.max_expiration_seconds {
        let path = path.child("maxExpirationSeconds");
        let max = if is_kubernetes_signer(&certificate.signer_name) {
            MAX_KUBERNETES_CERTIFICATE_SECONDS
        } else {
            MAX_CERTIFICATE_SECONDS
        };
        if seconds < MIN_CERTIFICATE_SECONDS {
            let detail = format!("if provided, maxExpirationSeconds must be >= {MIN_CERTIFICATE_SECONDS}");
            errors.push(Error::invalid(&path, seconds, detail));
        }
        if seconds > max {
            let detail = format!("if provided, maxExpirationSeconds must be <= {max}");
            errors.push(Error::invalid(&path, seconds, detail));
        }
    }
    let mut has_file = false;
    for (field, file) in [
        ("credentialBundlePath", &certificate.credential_bundle_path),
        ("keyPath", &certificate.key_path),
        ("certificateChainPath", &certificate.certificate_chain_path),
    ] {
        let file = text(file.as_ref());
        if !file.is_empty() {
            has_file = true;
            validate_local_non_reserved(errors, file, &path.child(field));
            files.add(errors, file, file);
        }
    }
    if !has_file {
        let detail = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath";
        errors.push(Error::required(path, detail));
    }
}

/// Keys need a domain; their case doesn't matter.
fn validate_user_annotations(
    errors: &mut ErrorList,
    certificate: &PodCertificateProjection,
    path: &Path<'_>,
) {
    let mut size = 0;
    for (key, value) in certificate.user_annotations.iter().flatten() {
        size += key.len() + value.len();
        validate_domain_prefixed_key(errors, &key.to_lowercase(), path);
    }
    if size > TOTAL_ANNOTATION_SIZE_LIMIT {
        errors.push(Error::too_long(path, TOTAL_ANNOTATION_SIZE_LIMIT));
    }
}

/// # Source
/// apimachinery `pkg/util/validation` (`IsDomainPrefixedKey`)
fn validate_domain_prefixed_key(errors: &mut ErrorList, key: &str, path: &Path<'_>) {
    if key.is_empty() {
        errors.push(Error::required(path, ""));
        return;
    }
    let faults = names::qualified_name(key);
    if !faults.is_empty() {
        errors.extend(faults.into_iter().map(|fault| Error::invalid(path, key, fault)));
        return;
    }
    if !key.contains('/') {
        errors.push(Error::invalid(path, key, "must be a domain-prefixed key (such as \"acme.io/foo\")"));
    }
}
