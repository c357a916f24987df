//! Device claims: how many, and how many devices, by device class and by the extended resource that stands for the class.
//!
//! # Source
//! kubernetes `pkg/quota/v1/evaluator/core/resource_claims.go`

use std::collections::BTreeMap;

use k8s_openapi::api::resource::v1::{DeviceRequest, ResourceClaim};
use plimsoll_resource_math::{Format, Quantity, ResourceList};

use super::object_count::one;
use super::{REQUESTS_DEVICE_CLASS_PREFIX, REQUESTS_PREFIX, is_extended_resource_key};
use crate::device_classes::DeviceClasses;
use crate::payer;
use crate::surroundings::Surroundings;

/// The annotation, with the value `true`, of a claim that was made for the extended resources of a pod.
pub const EXTENDED_RESOURCE_CLAIM: &str = "resource.kubernetes.io/extended-resource-claim";

const COUNT_KEY: &str = "count/resourceclaims.resource.k8s.io";
pub(crate) const DEVICES_SUFFIX: &str = ".deviceclass.resource.k8s.io/devices";
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
    let mut usage = ResourceList::new();
    for (key, amount) in extended_resources(&devices, surroundings.device_classes) {
        if amount.sign().is_gt() {
            usage.insert(key, amount);
        }
    }
    if let Some(paid) = payer::paid(claim, namespace, surroundings) {
        payer::take_off(&mut usage, &paid);
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
