//! Requests and limits of containers and of the pod as a whole, overhead, and the claims that containers share.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{PodResourceClaim, PodSpec, ResourceClaim, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_resource_math::resource_name::{
    CPU, HUGEPAGES_PREFIX, MEMORY, is_hugepages, is_integer, is_overcommit_allowed, is_supported_pod_level,
    validate, validate_container,
};
use plimsoll_resource_math::{PodResources, PodResourcesOptions, Quantity};

use super::go_json;
use crate::mirror_pod::CONFIG_MIRROR_ANNOTATION;
use crate::validation::object_meta::{extend_invalid, name_is_dns_subdomain};
use crate::validation::{IS_NEGATIVE, is_whole, named, text};

type ApiList = BTreeMap<String, ApiQuantity>;
type NameCheck = fn(&str, &Path<'_>) -> ErrorList;

/// The names of the claims of a pod.
pub(super) type ClaimNames<'a> = BTreeSet<&'a str>;

/// What is wrong with what a container asks for and is limited to. `allow_indivisible` lets huge pages pass that are no
/// multiple of their size.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateContainerResourceRequirements`)
pub fn validate_container_resources(
    errors: &mut ErrorList,
    resources: &ResourceRequirements,
    claim_names: &BTreeSet<&str>,
    allow_indivisible: bool,
    path: &Path<'_>,
) {
    validate_requirements(errors, resources, validate_container, claim_names, allow_indivisible, path);
}

/// What is wrong with the overhead of a pod.
pub(super) fn validate_overhead(
    errors: &mut ErrorList,
    overhead: &ApiList,
    allow_indivisible: bool,
    path: &Path<'_>,
) {
    let limits = ResourceRequirements { limits: Some(overhead.clone()), ..ResourceRequirements::default() };
    validate_requirements(errors, &limits, validate_container, &ClaimNames::new(), allow_indivisible, path);
}

/// What is wrong with what a pod as a whole asks for and is limited to.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePodResources`)
pub(super) fn validate_pod_level(
    errors: &mut ErrorList,
    spec: &PodSpec,
    claim_names: &ClaimNames<'_>,
    allow_indivisible: bool,
    path: &Path<'_>,
) {
    let Some(resources) = &spec.resources else {
        return;
    };
    let path = path.child("resources");
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        errors.push(Error::forbidden(&path, "may not be set for a windows pod"));
        return;
    }
    if resources.claims.is_some() {
        let detail = "claims may not be set for Resources at pod-level";
        errors.push(Error::forbidden(&path.child("claims"), detail));
    }
    validate_requirements(errors, resources, validate_pod_level_name, claim_names, allow_indivisible, &path);
    validate_consistency(errors, spec, resources, &path);
}

fn validate_pod_level_name(name: &str, path: &Path<'_>) -> ErrorList {
    let mut errors = validate(name, path);
    if errors.is_empty() && !is_supported_pod_level(name) {
        errors.push(Error::not_supported(path, named(name), &[CPU, HUGEPAGES_PREFIX, MEMORY]));
    }
    errors
}

fn validate_requirements(
    errors: &mut ErrorList,
    resources: &ResourceRequirements,
    check_name: NameCheck,
    claim_names: &ClaimNames<'_>,
    allow_indivisible: bool,
    path: &Path<'_>,
) {
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    let (mut has_compute, mut has_huge_pages) = (false, false);
    let mut check = |errors: &mut ErrorList, name: &str, amount: Option<&Quantity>, path: &Path<'_>| {
        errors.extend(check_name(name, path));
        if let Some(amount) = amount {
            validate_amount(errors, name, amount, path);
        }
        has_compute |= matches!(name, CPU | MEMORY);
        has_huge_pages |= is_hugepages(name);
    };
    let limits: BTreeMap<&str, Quantity> = parsed(resources.limits.as_ref()).collect();
    for name in resources.limits.iter().flat_map(ApiList::keys) {
        let (path, amount) = (limits_path.key(name), limits.get(name.as_str()));
        check(errors, name, amount, &path);
        validate_huge_pages(errors, name, amount, allow_indivisible, &path);
    }
    for (name, quantity) in resources.requests.iter().flatten() {
        let amount = Quantity::parse(&quantity.0).ok();
        let path = requests_path.key(name);
        check(errors, name, amount.as_ref(), &path);
        match (&amount, limits.get(name.as_str())) {
            (Some(request), Some(limit)) => validate_request(errors, name, request, limit, &requests_path),
            (_, None) if !is_overcommit_allowed(name) => {
                let detail = "Limit must be set for non overcommitable resources";
                errors.push(Error::required(&limits_path, detail));
            }
            _ => {}
        }
        validate_huge_pages(errors, name, amount.as_ref(), allow_indivisible, &path);
    }
    if has_huge_pages && !has_compute {
        errors.push(Error::forbidden(path, "HugePages require cpu or memory"));
    }
    validate_claims(
        errors,
        resources.claims.as_deref().unwrap_or_default(),
        claim_names,
        &path.child("claims"),
    );
}

/// The amounts that are quantities; reading the object has refused all others.
fn parsed(list: Option<&ApiList>) -> impl Iterator<Item = (&str, Quantity)> {
    list.into_iter().flatten().filter_map(|(name, quantity)| {
        Quantity::parse(&quantity.0).ok().map(|amount| (name.as_str(), amount))
    })
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateResourceQuantityValue`)
fn validate_amount(errors: &mut ErrorList, name: &str, amount: &Quantity, path: &Path<'_>) {
    if amount.sign() == Ordering::Less {
        errors.push(Error::invalid(path, amount.to_string(), IS_NEGATIVE));
    }
    if is_integer(name) && !is_whole(amount) {
        errors.push(Error::invalid(path, named(&amount.to_string()), "must be an integer"));
    }
}

fn validate_request(
    errors: &mut ErrorList,
    name: &str,
    request: &Quantity,
    limit: &Quantity,
    path: &Path<'_>,
) {
    let relation = match request.cmp(limit) {
        Ordering::Equal => return,
        _ if !is_overcommit_allowed(name) => "equal to",
        Ordering::Greater => "less than or equal to",
        Ordering::Less => return,
    };
    let detail = format!("must be {relation} {name} limit of {limit}");
    errors.push(Error::invalid(path, request.to_string(), detail));
}

fn validate_huge_pages(
    errors: &mut ErrorList,
    name: &str,
    amount: Option<&Quantity>,
    allow_indivisible: bool,
    path: &Path<'_>,
) {
    let (Some(amount), Some(size)) = (amount, name.strip_prefix(HUGEPAGES_PREFIX)) else {
        return;
    };
    if allow_indivisible || is_divisible(amount, size) {
        return;
    }
    let detail = format!("{amount} is not positive integer multiple of {name}");
    errors.push(Error::invalid(path, amount.to_string(), detail));
}

/// # Source
/// kubernetes `pkg/apis/core/helper` (`IsHugePageResourceValueDivisible`)
fn is_divisible(amount: &Quantity, size: &str) -> bool {
    let Ok(size) = Quantity::parse(size) else {
        return false;
    };
    if size.sign() != Ordering::Greater || !is_whole(&size) {
        return false;
    }
    // DIFFERENCE: D-Pod-5. Upstream's amount wraps around.
    amount.value().checked_rem(size.value()) == Some(0)
}

/// The pod as a whole has to have room for its containers.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePodResourceConsistency`)
fn validate_consistency(
    errors: &mut ErrorList,
    spec: &PodSpec,
    resources: &ResourceRequirements,
    path: &Path<'_>,
) {
    let Ok(amounts) = PodResources::parse_spec(spec) else {
        return;
    };
    let options = PodResourcesOptions::default();
    let of_pod: BTreeMap<&str, Quantity> = parsed(resources.requests.as_ref()).collect();
    let requests_path = path.child("requests");
    for (name, of_containers) in &amounts.container_requests(&options) {
        if let Some(of_pod) = of_pod.get(name.as_str()).filter(|of_pod| of_containers > *of_pod) {
            let detail =
                format!("must be greater than or equal to aggregate container requests of {of_containers}");
            errors.push(Error::invalid(&requests_path.key(name), of_pod.to_string(), detail));
        }
    }
    let of_pod: BTreeMap<&str, Quantity> = parsed(resources.limits.as_ref()).collect();
    let limits_path = path.child("limits");
    for (name, of_containers) in
        amounts.container_limits(&options).iter().filter(|(name, _)| is_hugepages(name))
    {
        if let Some(of_pod) = of_pod.get(name.as_str()).filter(|of_pod| of_containers > *of_pod) {
            let detail =
                format!("must be greater than or equal to aggregate container limits of {of_containers}");
            errors.push(Error::invalid(&limits_path.key(name), of_pod.to_string(), detail));
        }
    }
    let path = path.child("containers");
    for (index, container) in spec.containers.iter().enumerate() {
        let limits = container.resources.as_ref().and_then(|resources| resources.limits.as_ref());
        for (name, limit) in parsed(limits) {
            if let Some(of_pod) = of_pod.get(name).filter(|of_pod| limit > **of_pod) {
                let detail = format!("must be less than or equal to pod limits of {of_pod}");
                errors.push(Error::invalid(
                    &path.index(index).key(name).child("limits"),
                    limit.to_string(),
                    detail,
                ));
            }
        }
    }
}

/// The claims that a container uses have to be claims of its pod.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateResourceClaimNames`)
fn validate_claims(
    errors: &mut ErrorList,
    claims: &[ResourceClaim],
    claim_names: &ClaimNames<'_>,
    path: &Path<'_>,
) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (index, claim) in claims.iter().enumerate() {
        let path = path.index(index);
        let name = claim.name.as_str();
        if name.is_empty() {
            errors.push(Error::required(&path, ""));
            continue;
        }
        let request = text(claim.request.as_ref());
        if seen.contains(name) {
            errors.push(Error::duplicate(&path, name));
        } else {
            let mut key = name.to_owned();
            if !request.is_empty() {
                extend_invalid(errors, &path.child("request"), request, names::dns_1123_label(request));
                key = format!("{name}/{request}");
            }
            if seen.contains(&key) {
                errors.push(Error::duplicate(&path, key.as_str()));
            } else if request.is_empty() {
                // The whole claim overlaps with each of its requests.
                let is_request = |key: &&String| key.split_once('/').is_some_and(|(claim, _)| claim == name);
                errors.extend(seen.iter().filter(is_request).map(|_| Error::duplicate(&path, name)));
            }
            seen.insert(key);
        }
        if !claim_names.contains(name) {
            let mut error = Error::not_found(&path, name);
            "must be one of the names in pod.spec.resourceClaims".clone_into(&mut error.detail);
            if claim_names.is_empty() {
                error.detail.push_str(" which is empty");
            } else {
                let names: Vec<&str> = claim_names.iter().copied().collect();
                error.detail.push_str(": ");
                error.detail.push_str(&names.join(", "));
            }
            errors.push(error);
        }
    }
}

/// What is wrong with the claims of a pod.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePodResourceClaims`)
pub(super) fn validate_pod_claims(
    errors: &mut ErrorList,
    claims: &[PodResourceClaim],
    meta: Option<&ObjectMeta>,
    path: &Path<'_>,
) {
    let is_mirror = meta
        .and_then(|meta| meta.annotations.as_ref())
        .is_some_and(|annotations| annotations.contains_key(CONFIG_MIRROR_ANNOTATION));
    let mut seen = BTreeSet::new();
    for (index, claim) in claims.iter().enumerate() {
        if is_mirror {
            errors.push(Error::forbidden(&Path::root(""), "static pods do not support resource claims"));
            continue;
        }
        let path = path.index(index);
        if claim.name.is_empty() {
            errors.push(Error::required(&path.child("name"), ""));
        } else if seen.insert(claim.name.as_str()) {
            extend_invalid(errors, &path.child("name"), &claim.name, names::dns_1123_label(&claim.name));
        } else {
            errors.push(Error::duplicate(&path.child("name"), &claim.name));
        }
        let wrong = match (&claim.resource_claim_name, &claim.resource_claim_template_name) {
            (Some(_), Some(_)) => {
                Some("at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified")
            }
            (None, None) => Some("must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            errors.push(Error::invalid(&path, go_json::resource_claim(claim), wrong));
        }
        for (field, name) in [
            ("resourceClaimName", &claim.resource_claim_name),
            ("resourceClaimTemplateName", &claim.resource_claim_template_name),
        ] {
            if let Some(name) = name {
                extend_invalid(errors, &path.child(field), name, name_is_dns_subdomain(name, false));
            }
        }
    }
}
