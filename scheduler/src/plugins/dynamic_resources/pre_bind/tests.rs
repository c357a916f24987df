//! The rows of upstream's `TestPlugin` (`dynamicresources_test.go`) that concern PreBind, PreBindPreFlight and Unreserve.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::test_claims::*;
use super::*;
use crate::{Listers, PodInfo, Profile, Snapshot};

const NOW: &str = "2026-01-01T00:00:00Z";

/// What was reserved on the node.
fn taken(pod: &Pod, snapshot: &Snapshot) -> Vec<Assumed> {
    let taken = Profile::default().reserve(&PodInfo::new(pod).unwrap(), snapshot, 0);
    taken.unwrap_or_else(|status| panic!("{status:?}"))
}

/// Asks with these objects as they are stored.
fn ask<T>(pod: &Pod, taken: &[Assumed], stored: &Listers, ask: impl FnOnce(&BindingCycle<'_>) -> T) -> T {
    let info = PodInfo::new(pod).unwrap();
    ask(&BindingCycle { pod: &info, node: "worker", taken, stored, now: NOW.parse::<Timestamp>().unwrap() })
}

fn pre_bind(pod: &Pod, taken: &[Assumed], stored: &Listers) -> Result<Vec<Write>, String> {
    let profile = Profile::default();
    ask(pod, taken, stored, |cycle| profile.pre_bind(cycle)).map_err(|status| status.message())
}

fn stamped(mut claim: Value) -> Value {
    claim["status"]["allocation"]["allocationTimestamp"] = NOW.into();
    claim
}

#[test]
fn claims_are_written_as_they_were_reserved() {
    let elsewhere = json!({"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["worker"]}]}]});
    let mut placed = allocated();
    placed["status"]["allocation"]["nodeSelector"] = elsewhere.clone();
    let used = |claim: &Value| vec![("update status", stamped(reserved(claim.clone())))];
    let both = vec![("update", finalized(pending())), ("update status", stamped(reserved(placed.clone())))];
    let status_only = vec![both[1].clone()];
    for (name, is_from_template, before, meanwhile, expected) in [
        ("claim-reference", false, allocated(), None, used(&allocated())),
        ("claim-template", true, allocated(), None, used(&allocated())),
        ("good-topology", false, placed.clone(), None, used(&placed)),
        ("with-resources", false, pending(), None, both.clone()),
        ("with-resources-has-finalizer", false, finalized(pending()), None, status_only.clone()),
        ("with-resources-finalizer-gets-removed", false, finalized(pending()), Some(pending()), both),
        ("with-resources-finalizer-gets-added", false, pending(), Some(finalized(pending())), status_only),
        ("claim is reserved already", false, reserved(allocated()), None, vec![]),
    ] {
        let pod = if is_from_template { from_template() } else { with_claim() };
        let snapshot = snapshot(&[before], &Value::Null);
        let taken = taken(&pod, &snapshot);
        let mut stored = snapshot.listers().clone();
        if let Some(claim) = meanwhile {
            stored.devices.set_claim(&serde_json::from_value(claim).unwrap());
        }
        assert_eq!(shown(&pre_bind(&pod, &taken, &stored).unwrap()), expected, "{name}");
        assert!(ask(&pod, &taken, &stored, |cycle| Profile::default().pre_flight(cycle)), "{name}");
    }
}

#[test]
fn claims_that_have_changed_are_not_written() {
    let deleted = |mut claim: Value| {
        claim["metadata"]["deletionTimestamp"] = NOW.into();
        claim
    };
    let said = |what: &str| {
        format!(
            "running PreBind plugin \"DynamicResources\": claim default/my-claim got {what} in the meantime"
        )
    };
    for (before, meanwhile, expected) in [
        (pending(), deleted(pending()), said("deleted")),
        (pending(), allocated(), said("allocated elsewhere")),
        (allocated(), pending(), said("deallocated elsewhere")),
    ] {
        let snapshot = snapshot(&[before], &Value::Null);
        let pod = with_claim();
        let taken = taken(&pod, &snapshot);
        let mut stored = snapshot.listers().clone();
        stored.devices.set_claim(&serde_json::from_value(meanwhile).unwrap());
        assert_eq!(pre_bind(&pod, &taken, &stored).unwrap_err(), expected);
    }
}

#[test]
fn extended_resources_get_a_claim() {
    let gpu = "example.com/gpu";
    let implicit = "deviceclass.resource.kubernetes.io/class";
    let mapping = |container: &str, resource: &str, request: &str| json!({"containerName": container, "resourceName": resource, "requestName": request});
    for (name, of_node, asked, requests, mappings) in [
        (
            "extended-resource-name-with-resources",
            Value::Null,
            vec![json!({gpu: "1"})],
            vec![("container-0-request-0", "class", 1)],
            vec![mapping("con0", gpu, "container-0-request-0")],
        ),
        (
            "extended-resource-name-with-zero-allocatable",
            json!({gpu: "0"}),
            vec![json!({gpu: "1"})],
            vec![("container-0-request-0", "class", 1)],
            vec![mapping("con0", gpu, "container-0-request-0")],
        ),
        (
            "extended-resource-one-device-plugin-one-dra",
            json!({gpu: "4"}),
            vec![json!({gpu: "1", "example.com/gpu2": "1"})],
            vec![("container-0-request-1", "class2", 1)],
            vec![mapping("con0", "example.com/gpu2", "container-0-request-1")],
        ),
        (
            "implicit-extended-resource-name-with-resources",
            Value::Null,
            vec![json!({implicit: "1", gpu: "2"})],
            vec![("container-0-request-0", "class", 1), ("container-0-request-1", "class", 2)],
            vec![
                mapping("con0", implicit, "container-0-request-0"),
                mapping("con0", gpu, "container-0-request-1"),
            ],
        ),
        (
            "implicit-extended-resource-name-two-containers-with-resources",
            Value::Null,
            vec![json!({implicit: "1"}), json!({gpu: "2"})],
            vec![("container-0-request-0", "class", 1), ("container-1-request-0", "class", 2)],
            vec![
                mapping("con0", implicit, "container-0-request-0"),
                mapping("con1", gpu, "container-1-request-0"),
            ],
        ),
    ] {
        let (snapshot, pod) = (snapshot(&[], &of_node), asking_for(&asked));
        let taken = taken(&pod, &snapshot);
        let writes = pre_bind(&pod, &taken, snapshot.listers()).unwrap();
        let shown = shown(&writes);
        let verbs: Vec<&str> = shown.iter().map(|(verb, _)| *verb).collect();
        assert_eq!(verbs, ["create", "update", "update status", "patch"], "{name}");
        let owner =
            json!({"apiVersion": "v1", "kind": "Pod", "name": "my-pod", "uid": "1234", "controller": true});
        let metadata = json!({
            "namespace": "default", "generateName": "my-pod-extended-resources-", "ownerReferences": [owner],
            "annotations": {"resource.kubernetes.io/extended-resource-claim": "true"},
        });
        let requests: Vec<Value> = requests
            .into_iter()
            .map(|(name, class, count)| {
                json!({"name": name, "exactly": {"deviceClassName": class, "allocationMode": "ExactCount", "count": count}})
            })
            .collect();
        assert_eq!(shown[0].1["metadata"], metadata, "{name}");
        assert_eq!(shown[0].1["spec"]["devices"]["requests"], json!(requests), "{name}");
        assert_eq!(shown[0].1.get("status"), None, "{name}");
        assert_eq!(shown[1].1["metadata"]["finalizers"], json!([FINALIZER]), "{name}");
        let status = &shown[2].1["status"];
        assert_eq!(
            status["reservedFor"],
            json!([{"resource": "pods", "name": "my-pod", "uid": "1234"}]),
            "{name}"
        );
        assert_eq!(status["allocation"]["allocationTimestamp"], NOW, "{name}");
        let mut told = shown[3].1[1]["requestMappings"].as_array().unwrap().clone();
        told.sort_by_key(|mapping| mapping["requestName"].to_string());
        assert_eq!(told, mappings, "{name}");
    }
}

#[test]
fn nothing_is_written_for_pods_without_devices() {
    for (name, pod, of_node, has_work) in [
        ("empty", pod(&json!({"containers": []})), Value::Null, false),
        (
            "extended-resource-name-with-node-resource",
            asking_for(&[json!({"example.com/gpu": "1"})]),
            json!({"example.com/gpu": "4"}),
            true,
        ),
        (
            "non-DRA-extended-resource-name-with-zero-allocatable",
            asking_for(&[json!({"example.com/other": "1"})]),
            json!({"example.com/other": "0"}),
            false,
        ),
    ] {
        let snapshot = snapshot(&[], &of_node);
        let taken = taken(&pod, &snapshot);
        let stored = snapshot.listers();
        assert_eq!(pre_bind(&pod, &taken, stored), Ok(vec![]), "{name}");
        assert_eq!(
            ask(&pod, &taken, stored, |cycle| Profile::default().pre_flight(cycle)),
            has_work,
            "{name}"
        );
    }
}

#[test]
fn what_the_api_server_refuses_is_told_with_what_it_was_for() {
    let snapshot = snapshot(&[pending()], &Value::Null);
    let pod = with_claim();
    let writes = pre_bind(&pod, &taken(&pod, &snapshot), snapshot.listers()).unwrap();
    let said: Vec<String> = writes.iter().map(|write| write.failure("no", "")).collect();
    assert_eq!(
        said,
        [
            "add finalizer to claim default/my-claim: no",
            "add allocation and reservation to claim default/my-claim: no"
        ]
    );
    let pod = asking_for(&[json!({"example.com/gpu": "1"})]);
    let writes = pre_bind(&pod, &taken(&pod, &snapshot), snapshot.listers()).unwrap();
    assert_eq!(writes[0].failure("no", ""), "create claim for extended resources default/: no");
    assert_eq!(writes[1].failure("no", "x"), "add finalizer to claim default/x: no");
    assert_eq!(writes[3].failure("no", "x"), "update pod default/my-pod ExtendedResourceClaimStatus: no");
}

#[test]
fn a_pod_that_is_not_bound_gives_its_claims_back() {
    let gpu = || asking_for(&[json!({"example.com/gpu": "1"})]);
    let owner =
        json!({"apiVersion": "v1", "kind": "Pod", "name": "my-pod", "uid": "1234", "controller": true});
    let mut created = reserved(with(allocated(), "spec", json!({})));
    created["metadata"] = json!({
        "name": "my-pod-extended-resources-0", "namespace": "default", "ownerReferences": [owner], "finalizers": [FINALIZER],
        "annotations": {"resource.kubernetes.io/extended-resource-claim": "true"},
    });
    let mut unprotected = created.clone();
    unprotected["metadata"]["finalizers"] = json!([]);
    let unreserved = ("unreserve", json!(["my-claim", "1234"]));
    let deleted =
        vec![("update", unprotected), ("delete", json!(["default", "my-pod-extended-resources-0"]))];
    for (name, pod, before, meanwhile, expected) in [
        ("skip-bind", with_claim(), Some(pending()), None, vec![]),
        ("bind-failure", with_claim(), Some(allocated()), Some(reserved(allocated())), vec![unreserved]),
        ("bind-failure-preserves-inflight-until-unreserve", with_claim(), Some(pending()), None, vec![]),
        ("extended-resource-name-skip-bind", gpu(), None, None, vec![]),
        ("extended-resource-name-claim-creation-failure", gpu(), None, None, vec![]),
        ("extended-resource-name-bind-failure", gpu(), None, Some(created), deleted),
    ] {
        let mut snapshot = snapshot(before.as_slice(), &Value::Null);
        let mut taken = taken(&pod, &snapshot);
        let mut stored = snapshot.listers().clone();
        for assumed in &taken {
            snapshot.assume(assumed.clone());
        }
        assert!(has_devices(&snapshot), "{name}");
        if let Some(claim) = meanwhile {
            let claim: ResourceClaim = serde_json::from_value(claim).unwrap();
            for taken in &mut taken {
                if let Assumed::ResourceClaim(taken) = taken {
                    taken.claim.metadata.name.clone_from(&claim.metadata.name);
                }
            }
            snapshot.listers_mut().devices.set_claim(&claim);
            stored.devices.set_claim(&claim);
        }
        let writes = ask(&pod, &taken, &stored, |cycle| Profile::default().unreserve(cycle));
        assert_eq!(shown(&writes), expected, "{name}");
        snapshot.restore(&taken, &stored);
        assert_eq!(has_devices(&snapshot), !expected.is_empty(), "{name}");
    }
}

fn has_devices(snapshot: &Snapshot) -> bool {
    snapshot.listers().devices.claims_in("default").any(|claim| allocation(claim).is_some())
}
