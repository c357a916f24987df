//! What the API server fills into a claim on devices.

use k8s_openapi::api::resource::v1::ResourceClaim;

use super::fill;

const EXACT_COUNT: &str = "ExactCount";

/// Fills in that each request is for one device.
///
/// # Source
/// kubernetes `pkg/apis/resource/v1/defaults.go` (`SetDefaults_ExactDeviceRequest`, `SetDefaults_DeviceSubRequest`)
pub fn resource_claim(claim: &mut ResourceClaim) {
    let devices = claim.spec.as_mut().and_then(|spec| spec.devices.as_mut());
    for request in devices.into_iter().flat_map(|devices| devices.requests.iter_mut().flatten()) {
        if let Some(exact) = &mut request.exactly {
            one_device(&mut exact.allocation_mode, &mut exact.count);
        }
        for alternative in request.first_available.iter_mut().flatten() {
            one_device(&mut alternative.allocation_mode, &mut alternative.count);
        }
    }
}

fn one_device(allocation_mode: &mut Option<String>, count: &mut Option<i64>) {
    fill(allocation_mode, EXACT_COUNT);
    if allocation_mode.as_deref() == Some(EXACT_COUNT) && count.unwrap_or(0) == 0 {
        *count = Some(1);
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::resource::v1::ResourceClaim;
    use plimsoll_fixtures::object;
    use serde_json::json;

    use super::resource_claim;

    #[test]
    fn a_request_is_for_one_device_unless_it_says_more() {
        let mut claim: ResourceClaim = object(
            "spec: {devices: {requests: [
               {name: a, exactly: {deviceClassName: gpu}},
               {name: b, exactly: {deviceClassName: gpu, allocationMode: All}},
               {name: c, firstAvailable: [{name: d, deviceClassName: gpu, count: 3}]}]}}",
        );
        resource_claim(&mut claim);
        let requests = json!(claim.spec.unwrap().devices.unwrap().requests);
        let one = json!({"allocationMode": "ExactCount", "count": 1, "deviceClassName": "gpu"});
        assert_eq!(requests[0]["exactly"], one);
        assert_eq!(requests[1]["exactly"], json!({"allocationMode": "All", "deviceClassName": "gpu"}));
        assert_eq!(requests[2]["firstAvailable"][0]["allocationMode"], "ExactCount");
        assert_eq!(requests[2]["firstAvailable"][0]["count"], 3);
    }
}
