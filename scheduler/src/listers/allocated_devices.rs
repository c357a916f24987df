//! Which devices claims have.

use std::collections::BTreeMap;

use k8s_openapi::api::resource::v1::ResourceClaim;

use super::allocation;

/// How often each device of a pool is allocated, by its name; devices that aren't are left out.
pub type AllocatedDevices = BTreeMap<String, DeviceUses>;

/// How often a device is allocated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceUses {
    /// As a whole.
    pub whole: usize,
    /// A share of it.
    pub shares: usize,
}

/// What all claims have together: by driver and pool.
#[derive(Clone, Debug, Default)]
pub(super) struct Allocated {
    by_driver: BTreeMap<String, BTreeMap<String, AllocatedDevices>>,
}

impl Allocated {
    pub(super) fn of_pool(&self, driver: &str, pool: &str) -> Option<&AllocatedDevices> {
        self.by_driver.get(driver)?.get(pool)
    }

    /// Counts what a claim has once more, or once less.
    ///
    /// # Source
    /// `pkg/scheduler/framework/plugins/dynamicresources/allocateddevices.go` (`foreachAllocatedDevice`)
    pub(super) fn count(&mut self, claim: &ResourceClaim, is_added: bool) {
        let devices = allocation(claim).and_then(|allocation| allocation.devices.as_ref());
        for result in devices.and_then(|devices| devices.results.as_ref()).into_iter().flatten() {
            // Administrators take nothing away from others.
            if result.admin_access == Some(true) {
                continue;
            }
            let pools = self.by_driver.entry(result.driver.clone()).or_default();
            let devices = pools.entry(result.pool.clone()).or_default();
            let uses = devices.entry(result.device.clone()).or_default();
            let count = if result.share_id.is_some() { &mut uses.shares } else { &mut uses.whole };
            *count = if is_added { *count + 1 } else { count.saturating_sub(1) };
            if *uses == DeviceUses::default() {
                devices.remove(&result.device);
            }
            if devices.is_empty() {
                pools.remove(&result.pool);
            }
        }
    }
}
