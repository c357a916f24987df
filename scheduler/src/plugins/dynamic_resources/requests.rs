//! What claims ask for, read for one node.
//!
//! # Source
//! k8s.io/dynamic-resource-allocation `structured/internal/incubating/allocator_incubating.go` (`validateDeviceRequest`)

use k8s_openapi::api::resource::v1::{
    Device, DeviceClass, DeviceSelector, DeviceToleration, ExactDeviceRequest, ResourceClaim, ResourceSlice,
};

use super::claims::{display_name, requests_of};
use super::matching::Matcher;
use super::pools::{Pool, PoolState};
use crate::listers::{DeviceListers, ListedDevice, ListedSlice, Place, not_found};

/// How many devices a claim can have.
///
/// # Source
/// k8s.io/api `resource/v1/types.go` (`AllocationResultsMaxSize`)
const MAX_DEVICES_OF_CLAIM: i64 = 32;

/// A request of a claim.
#[derive(Debug)]
pub(super) struct Request<'s> {
    pub(super) name: &'s str,
    pub(super) class: &'s DeviceClass,
    pub(super) selectors: &'s [DeviceSelector],
    pub(super) tolerations: Option<&'s Vec<DeviceToleration>>,
    /// Whether it is for an administrator, who uses devices beside whoever has them.
    pub(super) is_admin: bool,
    pub(super) wanted: Wanted<'s>,
}

/// Which devices a request is for.
#[derive(Debug)]
pub(super) enum Wanted<'s> {
    /// So many of those that are chosen.
    Count(i64),
    /// All that are chosen; at least one.
    All(Vec<Candidate<'s>>),
}

/// A device of a pool that a request may get.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'s> {
    /// The place of its pool.
    pub(super) pool: usize,
    pub(super) slice: &'s ResourceSlice,
    pub(super) device: &'s Device,
    /// Where the device can be used, if that isn't said of its slice as a whole.
    pub(super) place: Option<&'s Place>,
}

impl<'s> Candidate<'s> {
    pub(super) fn new(pool: usize, slice: &'s ListedSlice, device: ListedDevice<'s>) -> Self {
        let ListedDevice { device, place } = device;
        Self { pool, slice: slice.object(), device, place }
    }
}

/// The requests of a claim.
///
/// # Errors
/// One makes no sense, or they ask for too much.
pub(super) fn read<'s>(
    claim: &'s ResourceClaim,
    listers: &'s DeviceListers,
    pools: &[Pool<'s>],
    matcher: &Matcher<'_>,
) -> Result<Vec<Request<'s>>, String> {
    let mut requests = Vec::new();
    let mut total = 0;
    for request in requests_of(claim) {
        // Without it the pod is refused before any node is looked at.
        let Some(exactly) = &request.exactly else { continue };
        let text =
            |problem: String| format!("claim {}, request {}{problem}", display_name(claim), request.name);
        let class = class_of(exactly, listers).map_err(text)?;
        // An API server stores no negative one.
        let asked_for = exactly.count.unwrap_or(0).max(0);
        let mut read = Request {
            name: &request.name,
            class,
            selectors: exactly.selectors.as_deref().unwrap_or_default(),
            tolerations: exactly.tolerations.as_ref(),
            is_admin: exactly.admin_access.unwrap_or(false),
            wanted: Wanted::Count(asked_for),
        };
        let count = match exactly.allocation_mode.as_deref().unwrap_or_default() {
            "ExactCount" => asked_for,
            "All" => {
                let all = all_matching(claim, &read, pools, matcher)?;
                let count = i64::try_from(all.len()).unwrap_or(i64::MAX);
                read.wanted = Wanted::All(all);
                count
            }
            mode => return Err(text(format!(": unsupported count mode {mode}"))),
        };
        if count > MAX_DEVICES_OF_CLAIM - total {
            return Err(text(format!(
                ": adding {count} devices exceeds the claim limit of {MAX_DEVICES_OF_CLAIM}, with {total} already accounted for"
            )));
        }
        total += count;
        requests.push(read);
    }
    Ok(requests)
}

fn class_of<'s>(exactly: &ExactDeviceRequest, listers: &'s DeviceListers) -> Result<&'s DeviceClass, String> {
    if exactly.derived_attributes.as_ref().is_some_and(|attributes| !attributes.is_empty()) {
        return Err(": cannot handle request with derived attributes, the feature is disabled".to_owned());
    }
    let mut selectors = exactly.selectors.iter().flatten();
    if let Some(index) = selectors.position(|selector| selector.cel.is_none()) {
        return Err(format!(", selector #{index}: CEL expression empty (unsupported selector type?)"));
    }
    let name = &exactly.device_class_name;
    if name.is_empty() {
        return Err(": missing device class name (unsupported request type?)".to_owned());
    }
    listers.class(name).ok_or_else(|| {
        format!(
            ": could not retrieve device class {name}: {}",
            not_found("deviceclass.resource.k8s.io", name)
        )
    })
}

fn unusable(pool: &Pool<'_>) -> Option<String> {
    let state = match pool.state {
        PoolState::Usable => return None,
        PoolState::Incomplete => "being updated",
        PoolState::Invalid => "invalid",
    };
    let Pool { driver, name, .. } = pool;
    Some(format!(": asks for all devices, but resource pool {driver}/{name} is currently {state}"))
}

fn all_matching<'s>(
    claim: &ResourceClaim,
    request: &Request<'s>,
    pools: &[Pool<'s>],
    matcher: &Matcher<'_>,
) -> Result<Vec<Candidate<'s>>, String> {
    let mut all = Vec::new();
    for (pool, of_pool) in pools.iter().enumerate() {
        if let Some(problem) = unusable(of_pool) {
            return Err(format!("claim {}, request {}{problem}", display_name(claim), request.name));
        }
        for slice in of_pool.slices.iter().copied() {
            for device in slice.devices() {
                let candidate = Candidate::new(pool, slice, device);
                if matcher.is_selectable(claim, request, candidate)? {
                    all.push(candidate);
                }
            }
        }
    }
    Ok(all)
}
