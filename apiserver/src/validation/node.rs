//! Nodes.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Node, NodeStatus};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::quote::go_quote;
use plimsoll_resource_math::Quantity;
use plimsoll_resource_math::resource_name::is_integer;

use super::object_meta::{name_is_dns_subdomain, validate_object_meta};
use super::pod::go_json;
use super::{IS_NEGATIVE, IS_NOT_POSITIVE, cidr, distinct, is_whole, named, taint};

const MAX_FEATURE_LENGTH: usize = 253;

/// What is wrong with a node that is being created.
///
/// The annotations that once held taints and pods to avoid are not looked into.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateNode`)
pub fn validate_create(node: &Node) -> ErrorList {
    let meta_path = Path::root("metadata");
    let mut errors = validate_object_meta(&node.metadata, false, name_is_dns_subdomain, &meta_path);
    let spec = node.spec.as_ref();
    let taints = spec.and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
    // The path is upstream's.
    taint::validate_all(&mut errors, taints, &meta_path.child("taints"));
    if let Some(status) = &node.status {
        validate_status(&mut errors, status);
    }
    let ranges = spec.and_then(|spec| spec.pod_cidrs.as_deref()).unwrap_or_default();
    validate_pod_ranges(&mut errors, ranges, &Path::root("spec").child("podCIDRs"));
    distinct(errors)
}

fn validate_status(errors: &mut ErrorList, status: &NodeStatus) {
    let path = Path::root("status");
    validate_amounts(errors, status.capacity.as_ref(), &path.child("capacity"));
    validate_amounts(errors, status.allocatable.as_ref(), &path.child("allocatable"));
    let swap = status.node_info.as_ref().and_then(|info| info.swap.as_ref());
    if let Some(capacity) = swap.and_then(|swap| swap.capacity).filter(|capacity| *capacity <= 0) {
        let (meta, swap) = (Path::root("metadata"), "nodeSwapStatus");
        errors.push(Error::invalid(&meta.child(swap).child("capacity"), capacity, IS_NOT_POSITIVE));
    }
    let features = status.declared_features.as_deref().unwrap_or_default();
    validate_features(errors, features, &path.child("declaredFeatures"));
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateNodeResources`)
fn validate_amounts(
    errors: &mut ErrorList,
    amounts: Option<&BTreeMap<String, ApiQuantity>>,
    path: &Path<'_>,
) {
    for (name, amount) in amounts.into_iter().flatten() {
        if let Ok(amount) = Quantity::parse(&amount.0) {
            validate_amount(errors, name, &amount, &path.child(name));
        }
    }
}

/// What is wrong with an amount of a resource.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateResourceQuantityValue`)
pub(super) fn validate_amount(errors: &mut ErrorList, name: &str, amount: &Quantity, path: &Path<'_>) {
    if amount.sign() == Ordering::Less {
        errors.push(Error::invalid(path, amount.to_string(), IS_NEGATIVE));
    }
    if is_integer(name) && !is_whole(amount) {
        errors.push(Error::invalid(path, named(&amount.to_string()), "must be an integer"));
    }
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateNodeDeclaredFeatures`)
fn validate_features(errors: &mut ErrorList, features: &[String], path: &Path<'_>) {
    for (index, feature) in features.iter().enumerate() {
        if let Some(fault) = fault_of_feature(feature) {
            errors.push(Error::invalid(&path.index(index), feature, fault));
        }
        let Some(next) = features.get(index + 1) else {
            continue;
        };
        match feature.cmp(next) {
            Ordering::Less => {}
            Ordering::Equal => errors.push(Error::duplicate(&path.index(index + 1), next)),
            Ordering::Greater => {
                let detail = "list must be sorted alphabetically";
                errors.push(Error::invalid(&path.index(index + 1), next, detail));
            }
        }
    }
}

fn fault_of_feature(feature: &str) -> Option<String> {
    let quoted = go_quote(feature);
    if feature.len() > MAX_FEATURE_LENGTH {
        return Some(format!(
            "invalid feature name {quoted}: must be no more than {MAX_FEATURE_LENGTH} characters"
        ));
    }
    let is_segment = |segment: &str| {
        segment.starts_with(|c: char| c.is_ascii_alphabetic())
            && segment.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let is_name = feature.starts_with(|c: char| c.is_ascii_uppercase()) && feature.split('/').all(is_segment);
    (!is_name).then(|| {
        format!(
            "invalid feature name {quoted}: must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
        )
    })
}

fn validate_pod_ranges(errors: &mut ErrorList, ranges: &[String], path: &Path<'_>) {
    for (index, range) in ranges.iter().enumerate() {
        cidr::validate(errors, range, &path.index(index));
    }
    if ranges.len() < 2 {
        return;
    }
    let parsed: Option<Vec<IpAddr>> = ranges.iter().map(|range| cidr::address(range)).collect();
    let bad = ranges.iter().enumerate().find(|(_, range)| cidr::address(range).is_none());
    if let Some((index, range)) = bad {
        let detail = format!(
            "invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[{index}]: <nil> (invalid CIDR address: {range})"
        );
        errors.push(Error::internal(path, detail));
    }
    let is_dual = parsed.is_some_and(|addresses| {
        addresses.iter().any(IpAddr::is_ipv4) && addresses.iter().any(IpAddr::is_ipv6)
    });
    if !is_dual || ranges.len() > 2 {
        let detail = "may specify no more than one CIDR for each IP family";
        let shown: BadValue = go_json::text_list(Some(ranges));
        errors.push(Error::invalid(path, shown, detail));
    }
}
