//! The addresses that a Service names.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeSet;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::ServiceSpec;
use plimsoll_api::field::{Error, ErrorList, Path};

use super::ip::{parse_sloppy, validate_ip};
use super::named;
use super::pod::go_json::text_list;
use super::service::is_headless;

const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];
const POLICIES: [&str; 3] = ["PreferDualStack", "RequireDualStack", "SingleStack"];

/// Whether traffic from outside of the cluster reaches a Service.
///
/// # Source
/// kubernetes `pkg/api/service` (`ExternallyAccessible`)
pub(super) fn is_externally_accessible(spec: &ServiceSpec) -> bool {
    match spec.type_.as_deref() {
        Some("LoadBalancer" | "NodePort") => true,
        Some("ClusterIP") => spec.external_ips.as_ref().is_some_and(|addresses| !addresses.is_empty()),
        _ => false,
    }
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateServiceClusterIPsRelatedFields`)
pub(super) fn validate_cluster_addresses(errors: &mut ErrorList, spec: &ServiceSpec, path: &Path<'_>) {
    if spec.type_.as_deref() == Some("ExternalName") {
        return;
    }
    let addresses = spec.cluster_ips.as_deref().unwrap_or_default();
    let addresses_path = path.child("clusterIPs");
    let invalid = |detail: &str| Error::invalid(&addresses_path, text_list(Some(addresses)), detail);
    match (spec.cluster_ip.as_deref().unwrap_or_default(), addresses) {
        ("", []) => {}
        ("", _) => errors.push(invalid("must be empty when `clusterIP` is not specified")),
        (_, []) => errors.push(Error::required(&addresses_path, "")),
        (address, [first, ..]) if address != first => {
            errors.push(invalid("first value must match `clusterIP`"));
        }
        _ => {}
    }
    validate_families(errors, spec, path);
    let before = errors.len();
    for (index, address) in addresses.iter().enumerate() {
        if index > 0 || address != "None" {
            validate_ip(errors, address, &addresses_path.index(index));
        } else if addresses.len() > 1 {
            errors.push(invalid("'None' must be the first and only value"));
        }
    }
    let are_addresses = errors.len() == before;
    if addresses.len() > 2 {
        errors.push(invalid("may only hold up to 2 values"));
    }
    if !are_addresses {
        return;
    }
    if addresses.len() > 1
        && !FAMILIES.iter().all(|family| addresses.iter().any(|ip| family_of(ip) == *family))
    {
        errors.push(invalid("may specify no more than one IP for each IP family"));
    }
    if !is_headless(spec) {
        validate_family_of_each(errors, spec, addresses, &addresses_path);
    }
}

fn validate_families(errors: &mut ErrorList, spec: &ServiceSpec, path: &Path<'_>) {
    let families_path = path.child("ipFamilies");
    let mut seen = BTreeSet::new();
    for (index, family) in spec.ip_families.iter().flatten().enumerate() {
        let path = families_path.index(index);
        if !FAMILIES.contains(&family.as_str()) {
            errors.push(Error::not_supported(&path, named(family), &FAMILIES));
        }
        if !seen.insert(family) {
            errors.push(Error::duplicate(&path, named(family)));
        }
    }
    if let Some(policy) = spec.ip_family_policy.as_ref().filter(|policy| !POLICIES.contains(&policy.as_str()))
    {
        errors.push(Error::not_supported(&path.child("ipFamilyPolicy"), named(policy), &POLICIES));
    }
}

fn validate_family_of_each(
    errors: &mut ErrorList,
    spec: &ServiceSpec,
    addresses: &[String],
    path: &Path<'_>,
) {
    let families = spec.ip_families.as_deref().unwrap_or_default();
    for (index, (address, family)) in addresses.iter().zip(families).enumerate() {
        if FAMILIES.contains(&family.as_str()) && family_of(address) != family {
            let detail = format!("expected an {family} value as indicated by `ipFamilies[{index}]`");
            errors.push(Error::invalid(&path.index(index), address, detail));
        }
    }
}

fn family_of(address: &str) -> &'static str {
    match parse_sloppy(address).map(|address| address.to_canonical()) {
        Some(IpAddr::V6(_)) => "IPv6",
        _ => "IPv4",
    }
}

/// What is wrong with addresses that lead to the Service from outside.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateEndpointIP`)
pub(super) fn validate_external_addresses(errors: &mut ErrorList, spec: &ServiceSpec, path: &Path<'_>) {
    for (index, address) in spec.external_ips.iter().flatten().enumerate() {
        let path = path.index(index);
        let before = errors.len();
        validate_ip(errors, address, &path);
        if errors.len() > before {
            continue;
        }
        let Some(parsed) = parse_sloppy(address) else {
            continue;
        };
        if parsed.is_unspecified() {
            errors.push(Error::invalid(&path, address, format!("may not be unspecified ({address})")));
        }
        for (is_special, detail) in [
            (parsed.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
            (is_link_local(parsed), "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
            (
                is_link_local_multicast(parsed),
                "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
            ),
        ] {
            if is_special {
                errors.push(Error::invalid(&path, address, detail));
            }
        }
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn is_link_local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
}
