use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};
use k8s_openapi::jiff::Timestamp;
use plimsoll_fixtures::object;
use plimsoll_quota::{DeviceClasses, NoNeighbours};
use serde_json::{Value, json};

use super::*;
use crate::limit_range::Limits;

fn review(operation: &str, resource: &str, kind: &str, object: &Value, old_object: &Value) -> String {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "1", "kind": {"group": "", "version": "v1", "kind": kind},
            "resource": {"group": "", "version": "v1", "resource": resource},
            "operation": operation, "namespace": "team", "name": "", "userInfo": {"username": "someone"},
            "object": object, "oldObject": old_object, "dryRun": false, "options": {},
        },
    })
    .to_string()
}

fn read(text: &str) -> Result<Request, ReadRequestError> {
    Request::read(serde_json::from_str(text).unwrap())
}

fn limit_ranges() -> LimitRanges {
    let limit_range: LimitRange = object(
        "{metadata: {name: limits}, spec: {limits: [{type: Container, default: {cpu: 500m},
            defaultRequest: {cpu: 100m}, max: {cpu: 1}}]}}",
    );
    [Limits::parse(&limit_range).unwrap()].into_iter().collect()
}

#[test]
fn a_patch_fills_in_and_leaves_alone_what_is_not_known() {
    let pod = json!({
        "metadata": {"generateName": "web-", "namespace": "team"},
        "spec": {"containers": [{"name": "a", "brandNewField": {"x": 1}}], "anotherNewField": true},
    });
    let request = read(&review("CREATE", "pods", "Pod", &pod, &Value::Null)).unwrap();
    let patch = request.default_patch(&limit_ranges()).unwrap();
    let mut patched = pod.clone();
    json_patch::patch(&mut patched, &patch).unwrap();
    let mut expected = pod;
    expected["spec"]["containers"][0]["resources"] =
        json!({"requests": {"cpu": "100m"}, "limits": {"cpu": "500m"}});
    expected["metadata"]["annotations"] = json!({
        "kubernetes.io/limit-ranger":
            "LimitRanger plugin set: cpu request for container a; cpu limit for container a",
    });
    assert_eq!(patched, expected);
}

#[test]
fn makes_no_patch_where_nothing_is_missing() {
    let amounts = json!({"requests": {"cpu": "1"}, "limits": {"cpu": "1"}});
    let pod = json!({"metadata": {}, "spec": {"containers": [{"name": "a", "resources": amounts}]}});
    let request = read(&review("CREATE", "pods", "Pod", &pod, &Value::Null)).unwrap();
    assert_eq!(request.default_patch(&limit_ranges()), None);
    assert_eq!(request.check_limit_ranges(&limit_ranges()), Ok(()));
}

#[test]
fn refuses_in_upstreams_words() {
    let amounts = json!({"limits": {"cpu": "2"}, "requests": {"cpu": "2"}});
    let pod =
        json!({"metadata": {"name": "web"}, "spec": {"containers": [{"name": "a", "resources": amounts}]}});
    let request = read(&review("CREATE", "pods", "Pod", &pod, &Value::Null)).unwrap();
    let status = request.check_limit_ranges(&limit_ranges()).unwrap_err();
    assert_eq!(
        status.message,
        r#"pods "web" is forbidden: maximum cpu usage per Container is 1, but limit is 2"#
    );
    let answer = serde_json::to_value(review::Answer::deny(&request.uid, &status)).unwrap();
    let response = json!({
        "uid": "1", "allowed": false,
        "status": {"status": "Failure", "code": 403, "reason": "Forbidden", "message": status.message,
            "details": {"name": "web", "kind": "pods"}},
    });
    assert_eq!(answer["response"], response);
}

#[test]
fn charges_what_a_change_adds() {
    let claim = |size: &str| {
        json!({"metadata": {"name": "data", "uid": "7", "resourceVersion": "12"},
            "spec": {"resources": {"requests": {"storage": size}}}})
    };
    let text =
        review("UPDATE", "persistentvolumeclaims", "PersistentVolumeClaim", &claim("3Gi"), &claim("1Gi"));
    let request = read(&text).unwrap();
    let quota: ResourceQuota = object(
        "{metadata: {name: team}, status: {hard: {requests.storage: 5Gi}, used: {requests.storage: 2Gi}}}",
    );
    let surroundings = Surroundings {
        now: Timestamp::UNIX_EPOCH,
        device_classes: &DeviceClasses::default(),
        neighbours: &NoNeighbours,
    };
    let quotas = [Quota::parse(&quota).unwrap()];
    let Decision::Admitted(charges) = request.decide(&quotas, &[], &surroundings).unwrap() else {
        panic!("refused");
    };
    assert_eq!(charges[0].requested.amount("requests.storage").to_string(), "2Gi");
    let (key, admission) = request.entry().unwrap();
    assert_eq!(key.name, "data");
    assert_eq!(admission, Admission::Update { uid: "7".to_owned(), version: Version::parse("12") });
}

#[track_caller]
fn check_unreadable(text: &str, expected: &str) {
    assert_eq!(read(text).unwrap_err().to_string(), expected);
}

#[test]
fn says_what_is_wrong_with_a_review() {
    check_unreadable(
        r#"{"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview"}"#,
        r#"expected AdmissionReview of admission.k8s.io/v1, got "AdmissionReview" of "admission.k8s.io/v1beta1""#,
    );
    check_unreadable(
        r#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}"#,
        "request: required",
    );
    check_unreadable(
        &review("PATCH", "pods", "Pod", &Value::Null, &Value::Null),
        r#"request.operation: unknown operation "PATCH""#,
    );
    let pod = json!({"metadata": {}, "spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": "x"}}}]}});
    let error = read(&review("CREATE", "pods", "Pod", &pod, &Value::Null)).unwrap_err().to_string();
    assert!(error.starts_with("request.object: ") && error.contains("cpu"), "{error}");
}
