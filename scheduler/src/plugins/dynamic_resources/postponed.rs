//! What of dynamic resource allocation isn't there yet. A pod that needs it waits, with a reason that names it.

use std::fmt;

use k8s_openapi::api::resource::v1::{Device, DeviceRequest, ResourceClaim};

use super::claims::requests_of;
use crate::listers::allocation;

/// A feature of upstream's that isn't there yet.
///
/// DIFFERENCE: D-scheduler-30.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feature {
    /// Devices that are parts of another and share its counters.
    PartitionableDevices,
    /// Devices that several claims have a share of.
    ConsumableCapacity,
    /// Requests with alternatives.
    PrioritizedList,
    /// Devices that have to become ready after a pod has its node.
    BindingConditions,
}

impl fmt::Display for Feature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::PartitionableDevices => "devices that consume shared counters (DRAPartitionableDevices)",
            Self::ConsumableCapacity => "shares of a device's capacity (DRAConsumableCapacity)",
            Self::PrioritizedList => "requests with alternatives (DRAPrioritizedList)",
            Self::BindingConditions => "devices with binding conditions (DRADeviceBindingConditions)",
        })
    }
}

impl Feature {
    /// What is said of a pod whose claim needs the feature.
    pub(super) fn reason(self, claim: &str) -> String {
        format!("resource claim {claim}: {self} are not supported by this scheduler yet")
    }

    /// What is said of a node that has no devices for a pod but such as need the feature.
    pub(super) fn node_reason(self) -> String {
        format!("cannot allocate all claims: {self} are not supported by this scheduler yet")
    }

    /// What a claim needs that isn't there, by what it asks for or has.
    pub(super) fn of_claim(claim: &ResourceClaim) -> Option<Self> {
        match allocation(claim) {
            None => requests_of(claim).iter().find_map(Self::of_request),
            Some(allocation) => {
                let devices = allocation.devices.as_ref();
                let mut results = devices.and_then(|devices| devices.results.as_ref()).into_iter().flatten();
                let waits = results.any(|result| has_any(result.binding_conditions.as_ref()));
                waits.then_some(Self::BindingConditions)
            }
        }
    }

    fn of_request(request: &DeviceRequest) -> Option<Self> {
        match &request.exactly {
            Some(exactly) => exactly.capacity.is_some().then_some(Self::ConsumableCapacity),
            None => has_any(request.first_available.as_ref()).then_some(Self::PrioritizedList),
        }
    }

    /// What a device needs that isn't there.
    pub(super) fn of_device(device: &Device) -> Option<Self> {
        if device.allow_multiple_allocations == Some(true) {
            Some(Self::ConsumableCapacity)
        } else if has_any(device.consumes_counters.as_ref()) {
            Some(Self::PartitionableDevices)
        } else {
            has_any(device.binding_conditions.as_ref()).then_some(Self::BindingConditions)
        }
    }
}

fn has_any<T>(list: Option<&Vec<T>>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}
