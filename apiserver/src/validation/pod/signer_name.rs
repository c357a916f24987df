//! Names of signers of certificates, and of the trust bundles that belong to them.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation/names.go`

use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names::{DNS_1123_SUBDOMAIN_MAX_LENGTH, dns_1123_label, dns_1123_subdomain};
use plimsoll_api::quote::go_quote;

/// A domain, a slash, and a namespace and a name joined by a dot.
const MAX_LENGTH: usize = DNS_1123_SUBDOMAIN_MAX_LENGTH + 1 + 63 + 1 + DNS_1123_SUBDOMAIN_MAX_LENGTH;

/// Whether a signer belongs to Kubernetes itself.
pub(super) fn is_kubernetes_signer(name: &str) -> bool {
    let host = name.split('/').next().unwrap_or_default();
    host == "kubernetes.io" || host.ends_with(".kubernetes.io")
}

/// What is wrong with the name of a signer.
///
/// # Source
/// kubernetes `pkg/apis/core/validation/names.go` (`ValidateSignerName`)
pub(super) fn validate_signer_name(errors: &mut ErrorList, name: &str, path: &Path<'_>) {
    if name.is_empty() {
        errors.push(Error::required(path, ""));
        return;
    }
    let Some((domain, signer)) = name.split_once('/').filter(|(_, signer)| !signer.contains('/')) else {
        let detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        errors.push(Error::invalid(path, name, detail));
        return;
    };
    if domain.len() > DNS_1123_SUBDOMAIN_MAX_LENGTH {
        errors.push(Error::too_long(path, DNS_1123_SUBDOMAIN_MAX_LENGTH));
    }
    validate_first_bad_label(errors, domain, dns_1123_label, path);
    if !domain.contains('.') {
        let detail = "should be a domain with at least two segments separated by dots";
        errors.push(Error::invalid(path, domain, detail));
    }
    validate_first_bad_label(errors, signer, dns_1123_subdomain, path);
    if name.len() > MAX_LENGTH {
        errors.push(Error::too_long(path, MAX_LENGTH));
    }
}

fn validate_first_bad_label(
    errors: &mut ErrorList,
    segment: &str,
    check: fn(&str) -> Vec<String>,
    path: &Path<'_>,
) {
    for label in segment.split('.') {
        let faults = check(label);
        if faults.is_empty() {
            continue;
        }
        for fault in faults {
            let detail = format!("validating label {}: {fault}", go_quote(label));
            errors.push(Error::invalid(path, segment, detail));
        }
        return;
    }
}

/// What is wrong with the name of a trust bundle, which begins with its signer's if it has one.
///
/// # Source
/// kubernetes `pkg/apis/core/validation/names.go` (`ValidateClusterTrustBundleName`)
pub(super) fn trust_bundle_name_faults(name: &str) -> Vec<String> {
    match name.rsplit_once(':') {
        Some(("", _)) => {
            vec!["ClusterTrustBundle without signer name must not have \":\" in its name".to_owned()]
        }
        Some((_, rest)) => dns_1123_subdomain(rest),
        None => dns_1123_subdomain(name),
    }
}
