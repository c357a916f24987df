//! Taints of devices, and the requests that tolerate them.
//!
//! # Source
//! k8s.io/dynamic-resource-allocation `structured/internal/incubating/allocator_incubating.go` (`taintPreventsAllocation`),
//! `resourceclaim/devicetoleration.go`, `resourceslice/tracker/tracker.go`

use k8s_openapi::api::resource::v1::{Device, DeviceTaint, DeviceTaintRule, DeviceToleration};

use super::pools::Pool;

/// The rules that taint devices of a pool.
pub(super) fn rules_for<'a>(
    rules: impl Iterator<Item = &'a DeviceTaintRule>,
    pool: &Pool<'_>,
) -> Vec<&'a DeviceTaintRule> {
    let is_for_pool = |rule: &&DeviceTaintRule| {
        // Without a selector it is about no device.
        rule.spec.device_selector.as_ref().is_some_and(|selector| {
            selector.driver.as_deref().is_none_or(|driver| driver == pool.driver)
                && selector.pool.as_deref().is_none_or(|name| name == pool.name)
        })
    };
    rules.filter(is_for_pool).collect()
}

/// Whether a taint of a device, its own or one that a rule of its pool gives it, keeps a request off.
pub(super) fn keep_off(
    device: &Device,
    rules: &[&DeviceTaintRule],
    tolerations: Option<&Vec<DeviceToleration>>,
) -> bool {
    let of_rules = rules.iter().filter(|rule| {
        let selector = rule.spec.device_selector.as_ref();
        let wanted = selector.and_then(|selector| selector.device.as_deref());
        wanted.is_none_or(|wanted| wanted == device.name)
    });
    let mut taints = device.taints.iter().flatten().chain(of_rules.map(|rule| &rule.spec.taint));
    let tolerations = tolerations.map(Vec::as_slice).unwrap_or_default();
    taints.any(|taint| {
        matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute")
            && !tolerations.iter().any(|toleration| tolerates(toleration, taint))
    })
}

/// # Source
/// k8s.io/dynamic-resource-allocation `resourceclaim/devicetoleration.go` (`ToleratesTaint`)
fn tolerates(toleration: &DeviceToleration, taint: &DeviceTaint) -> bool {
    let is_for = |wanted: Option<&String>, found: &str| {
        wanted.is_none_or(|wanted| wanted.is_empty() || wanted == found)
    };
    if !is_for(toleration.effect.as_ref(), &taint.effect) || !is_for(toleration.key.as_ref(), &taint.key) {
        return false;
    }
    match toleration.operator.as_deref().unwrap_or_default() {
        "" | "Equal" => {
            toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default()
        }
        operator => operator == "Exists",
    }
}
