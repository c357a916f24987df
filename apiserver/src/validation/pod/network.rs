//! Names and addresses: DNS, host aliases, host names.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use k8s_openapi::api::core::v1::{HostAlias, PodDNSConfig, PodSpec};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use super::go_json;
use crate::validation::ip::validate_ip;
use crate::validation::object_meta::extend_invalid;
use crate::validation::{named, text};

const MAX_NAMESERVERS: usize = 3;
const MAX_SEARCH_PATHS: usize = 32;
const MAX_SEARCH_CHARACTERS: usize = 2048;
const MAX_HOSTNAME_LENGTH: usize = 64;

/// What is wrong with where a pod looks names up.
pub(super) fn validate_dns_policy(errors: &mut ErrorList, policy: &str, path: &Path<'_>) {
    match policy {
        "ClusterFirstWithHostNet" | "ClusterFirst" | "Default" | "None" => {}
        "" => errors.push(Error::required(path, "")),
        other => {
            let supported = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
            errors.push(Error::not_supported(path, named(other), &supported));
        }
    }
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePodDNSConfig`)
pub(super) fn validate_dns_config(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    let needs_server = text(spec.dns_policy.as_ref()) == "None";
    let Some(config) = &spec.dns_config else {
        if needs_server {
            errors.push(Error::required(path, "must provide `dnsConfig` when `dnsPolicy` is None"));
        }
        return;
    };
    if needs_server && config.nameservers.as_ref().is_none_or(Vec::is_empty) {
        let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
        errors.push(Error::required(&path.child("nameservers"), detail));
        return;
    }
    validate_nameservers(errors, config, &path.child("nameservers"));
    validate_searches(errors, config, &path.child("searches"));
    let options = path.child("options");
    for (index, option) in config.options.iter().flatten().enumerate() {
        if text(option.name.as_ref()).is_empty() {
            errors.push(Error::required(&options.index(index), "must not be empty"));
        }
    }
}

fn validate_nameservers(errors: &mut ErrorList, config: &PodDNSConfig, path: &Path<'_>) {
    let servers = config.nameservers.as_deref();
    if servers.is_some_and(|servers| servers.len() > MAX_NAMESERVERS) {
        let detail = format!("must not have more than {MAX_NAMESERVERS} nameservers");
        errors.push(Error::invalid(path, go_json::text_list(servers), detail));
    }
    for (index, server) in servers.unwrap_or_default().iter().enumerate() {
        validate_ip(errors, server, &path.index(index));
    }
}

fn validate_searches(errors: &mut ErrorList, config: &PodDNSConfig, path: &Path<'_>) {
    let searches = config.searches.as_deref().unwrap_or_default();
    if searches.len() > MAX_SEARCH_PATHS {
        let detail = format!("must not have more than {MAX_SEARCH_PATHS} search paths");
        errors.push(Error::invalid(path, go_json::text_list(Some(searches)), detail));
    }
    let characters = searches.iter().map(String::len).sum::<usize>() + searches.len().saturating_sub(1);
    if characters > MAX_SEARCH_CHARACTERS {
        let detail = format!(
            "must not have more than {MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list"
        );
        errors.push(Error::invalid(path, go_json::text_list(Some(searches)), detail));
    }
    for (index, search) in searches.iter().enumerate().filter(|(_, search)| *search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        extend_invalid(errors, &path.index(index), search, names::dns_1123_subdomain_with_underscore(search));
    }
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateHostAliases`)
pub(super) fn validate_host_aliases(errors: &mut ErrorList, aliases: &[HostAlias], path: &Path<'_>) {
    for (index, alias) in aliases.iter().enumerate() {
        let path = path.index(index);
        validate_ip(errors, &alias.ip, &path.child("ip"));
        let names_path = path.child("hostnames");
        for (index, name) in alias.hostnames.iter().flatten().enumerate() {
            extend_invalid(errors, &names_path.index(index), name, names::dns_1123_subdomain(name));
        }
    }
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePodHostName`)
pub(super) fn validate_hostname_override(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    let Some(name) = &spec.hostname_override else {
        return;
    };
    let path = path.child("hostnameOverride");
    if spec.set_hostname_as_fqdn == Some(true) {
        errors.push(Error::forbidden(&path, "may not be specified when setHostnameAsFQDN is true"));
    }
    if spec.host_network == Some(true) {
        errors.push(Error::forbidden(&path, "may not be specified when hostNetwork is true"));
    }
    if name.len() > MAX_HOSTNAME_LENGTH {
        errors.push(Error::too_long(&path, MAX_HOSTNAME_LENGTH));
    }
    extend_invalid(errors, &path, name, names::dns_1123_subdomain(name));
}
