//! Device claims: how many, and how many devices, by device class and by the extended resource that stands for the class.
//!
//! # Source
//! kubernetes `pkg/quota/v1/evaluator/core/resource_claims.go`

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::{DeviceRequest, ResourceClaim};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use plimsoll_resource_math::{Format, PodResources, Quantity, ResourceList};

use super::object_count::one;
use super::{REQUESTS_DEVICE_CLASS_PREFIX, REQUESTS_PREFIX, is_extended_resource_key, pods};
use crate::device_classes::DeviceClasses;
use crate::surroundings::Surroundings;

/// The annotation, with the value `true`, of a claim that was made for the extended resources of a pod.
pub const EXTENDED_RESOURCE_CLAIM: &str = "resource.kubernetes.io/extended-resource-claim";

const COUNT_KEY: &str = "count/resourceclaims.resource.k8s.io";
const DEVICES_SUFFIX: &str = ".deviceclass.resource.k8s.io/devices";
/// The most devices that a claim for all devices can get.
const ALLOCATION_RESULTS_MAX_SIZE: i64 = 32;

pub(super) fn matches(key: &str, device_classes: &DeviceClasses) -> bool {
    if key == COUNT_KEY || key.ends_with(DEVICES_SUFFIX) {
        return true;
    }
    if let Some(class) = key.strip_prefix(REQUESTS_DEVICE_CLASS_PREFIX)
        && device_classes.has_class(class)
    {
        return true;
    }
    let resource = key.strip_prefix(REQUESTS_PREFIX).filter(|_| is_extended_resource_key(key));
    resource.is_some_and(|resource| device_classes.has_extended_resource(resource))
}

/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/resource_claims.go` (`Usage`)
pub(super) fn usage(claim: &ResourceClaim, namespace: &str, surroundings: &Surroundings<'_>) -> ResourceList {
    let requests = claim.spec.as_ref().and_then(|spec| spec.devices.as_ref()?.requests.as_deref());
    let devices = devices_by_class(requests);
    let paid_by_pod = usage_of_owner(claim, namespace, surroundings).unwrap_or_default();
    let mut usage = ResourceList::new();
    for (key, mut amount) in extended_resources(&devices, surroundings.device_classes) {
        if let Some(paid) = paid_by_pod.get(&key) {
            amount.sub(paid);
        }
        if amount.sign().is_gt() {
            usage.insert(key, amount);
        }
    }
    usage.insert(COUNT_KEY, one());
    for (class, amount) in devices {
        usage.insert(format!("{class}{DEVICES_SUFFIX}"), amount);
    }
    usage
}

/// How many devices of each class the requests may get; where only one of several will be granted, the most.
fn devices_by_class(requests: Option<&[DeviceRequest]>) -> BTreeMap<&str, Quantity> {
    let mut devices: BTreeMap<&str, Quantity> = BTreeMap::new();
    for request in requests.into_iter().flatten() {
        let alternatives = request.first_available.as_deref().unwrap_or_default();
        if alternatives.is_empty() {
            if let Some(exact) = &request.exactly {
                let number = number_of_devices(exact.allocation_mode.as_deref(), exact.count);
                devices.entry(&exact.device_class_name).or_default().add(&number);
            }
            continue;
        }
        let mut most: BTreeMap<&str, Quantity> = BTreeMap::new();
        for alternative in alternatives {
            let number = number_of_devices(alternative.allocation_mode.as_deref(), alternative.count);
            if number > most.get(alternative.device_class_name.as_str()).cloned().unwrap_or_default() {
                most.insert(&alternative.device_class_name, number);
            }
        }
        for (class, number) in most {
            devices.entry(class).or_default().add(&number);
        }
    }
    devices
}

fn number_of_devices(allocation_mode: Option<&str>, count: Option<i64>) -> Quantity {
    let number = match allocation_mode {
        Some("ExactCount") => count.unwrap_or_default(),
        Some("All") => ALLOCATION_RESULTS_MAX_SIZE,
        // A mode of some later version; the API server has defaulted the field if it was absent.
        _ => 0,
    };
    Quantity::from_units(number, Format::DecimalSi)
}

/// The same devices under the keys by which pods ask for them without a claim.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/resource_claims.go` (`addExtendedResourceQuota`)
fn extended_resources(
    devices: &BTreeMap<&str, Quantity>,
    device_classes: &DeviceClasses,
) -> BTreeMap<String, Quantity> {
    let mut extended: BTreeMap<String, Quantity> = BTreeMap::new();
    for (class, amount) in devices.iter().filter(|(class, _)| !class.is_empty()) {
        extended.entry(format!("{REQUESTS_DEVICE_CLASS_PREFIX}{class}")).or_default().add(amount);
        if let Some(name) = device_classes.extended_resource(class) {
            // DIFFERENCE: D-quota-2. Where two classes share an extended resource upstream counts only one of them.
            extended.entry(format!("{REQUESTS_PREFIX}{name}")).or_default().add(amount);
        }
    }
    extended
}

/// What is already counted for the pod on whose behalf the claim was made, if there is such a pod and it is the right one.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/resource_claims.go` (`getVerifiedPodUsage`)
fn usage_of_owner(
    claim: &ResourceClaim,
    namespace: &str,
    surroundings: &Surroundings<'_>,
) -> Option<ResourceList> {
    let metadata = &claim.metadata;
    if metadata.annotations.as_ref()?.get(EXTENDED_RESOURCE_CLAIM)? != "true" {
        return None;
    }
    let owner = controller(metadata.owner_references.as_deref()?)?;
    if owner.kind != "Pod" || owner.api_version != "v1" {
        return None;
    }
    let pod = surroundings.neighbours.pod(namespace, &owner.name)?;
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    if owner.uid != uid || !is_claim_of(pod, uid, claim, namespace, surroundings) {
        return None;
    }
    let resources = PodResources::parse(pod).ok()?;
    Some(pods::usage(pod, &resources, surroundings.now))
}

fn controller(owners: &[OwnerReference]) -> Option<&OwnerReference> {
    owners.iter().find(|owner| owner.controller == Some(true))
}

/// Whether a claim is the one made for the extended resources of its pod: the pod says so or, while it says nothing, no
/// such claim is older.
fn is_claim_of(
    pod: &Pod,
    uid: &str,
    claim: &ResourceClaim,
    namespace: &str,
    surroundings: &Surroundings<'_>,
) -> bool {
    let named = pod.status.as_ref().and_then(|status| status.extended_resource_claim_status.as_ref());
    if let Some(named) = named {
        return Some(named.resource_claim_name.as_str()) == claim.metadata.name.as_deref();
    }
    let rank = age_rank(claim);
    surroundings
        .neighbours
        .extended_resource_claims(namespace, uid)
        .into_iter()
        .all(|other| age_rank(other) >= rank)
}

/// The earliest claim has the lowest rank; the name decides between claims of one moment.
fn age_rank(claim: &ResourceClaim) -> (Option<Timestamp>, &str) {
    let created = claim.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (created, claim.metadata.name.as_deref().unwrap_or_default())
}
