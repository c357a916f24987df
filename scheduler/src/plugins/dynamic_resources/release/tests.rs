//! The rows of upstream's `TestPlugin` (`dynamicresources_test.go`) that concern PostFilter; others are cases of `dynamic_resources.yaml`.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::super::new;
use super::super::test_claims::*;
use super::*;
use crate::config::DynamicResourcesArgs;
use crate::fit_error::NodeStatuses;
use crate::{Extenders, PodInfo, Snapshot};

fn post_filter(pod: &Pod, snapshot: &Snapshot, not_pre_filtered: &[&'static str]) -> PostFiltered {
    let info = PodInfo::new(pod).unwrap();
    let mut statuses = NodeStatuses::new(Status::SUCCESS);
    statuses.push(0, Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON_UNAVAILABLE));
    let failed = FailedCycle {
        pod: &info,
        snapshot,
        filters: None,
        statuses: &statuses,
        not_pre_filtered,
        extenders: &Extenders::default(),
        chance: 0,
    };
    let plugin = new(&DynamicResourcesArgs::default());
    plugin.post_filter.unwrap().post_filter(&failed)
}

#[test]
fn only_claims_that_no_other_pod_uses_give_back_their_devices() {
    let elsewhere = json!({"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["other"]}]}]});
    let mut away = allocated();
    away["status"]["allocation"]["nodeSelector"] = elsewhere;
    let other = json!([{"resource": "pods", "name": "other", "uid": "5678"}]);
    let mut used = away.clone();
    used["status"]["reservedFor"] = other.clone();
    let mut shared = reserved(away.clone());
    shared["status"]["reservedFor"].as_array_mut().unwrap().push(other[0].clone());
    let released = vec![("update status", with(away.clone(), "status", json!({})))];
    let done = "deallocation of ResourceClaim completed";
    for (name, claim, message, expected) in [
        ("wrong-topology", away.clone(), done, released.clone()),
        ("wrong-topology: reserved for the pod", reserved(away), done, released),
        ("used by another pod", used, "", vec![]),
        ("shared with another pod", shared, "", vec![]),
        ("no-resources", pending(), "", vec![]),
    ] {
        let filtered = post_filter(&with_claim(), &snapshot(&[claim], &Value::Null), &[]);
        assert_eq!(filtered.status.code, Code::Unschedulable, "{name}");
        assert_eq!(filtered.status.message(), message, "{name}");
        assert_eq!(shown(&filtered.writes), expected, "{name}");
    }
}

/// # Source
/// `dynamicresources_test.go` (`TestPostFilterNoOpStatusHasNoUserVisibleReason`)
#[test]
fn nothing_is_said_of_pods_without_claims() {
    let pod = pod(&json!({"containers": []}));
    let filtered = post_filter(&pod, &snapshot(&[], &Value::Null), &[]);
    assert_eq!((filtered.status.code, filtered.status.reasons), (Code::Unschedulable, vec![]), "no claims");
    let filtered = post_filter(&pod, &snapshot(&[], &Value::Null), &[NAME]);
    assert_eq!((filtered.status.code, filtered.status.message().as_str()), (Code::Error, "not found"));
}
