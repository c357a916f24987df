//! Taints of devices, and the requests that tolerate them.
//!
//! # Source
//! k8s.io/dynamic-resource-allocation `structured/internal/incubating/allocator_incubating.go` (`taintPreventsAllocation`),
//! `resourceclaim/devicetoleration.go`

use k8s_openapi::api::resource::v1::{Device, DeviceTaint, DeviceToleration};

/// Whether a taint of a device keeps a request off.
pub(super) fn keep_off(device: &Device, tolerations: Option<&Vec<DeviceToleration>>) -> bool {
    let tolerations = tolerations.map(Vec::as_slice).unwrap_or_default();
    device.taints.iter().flatten().any(|taint| {
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
