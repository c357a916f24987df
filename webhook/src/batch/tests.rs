use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use k8s_openapi::api::resource::v1::DeviceClass;
use k8s_openapi::jiff::Timestamp;
use plimsoll_fixtures::object;
use plimsoll_quota::ledger::annotation::MAX_BYTES;
use plimsoll_quota::{DeviceClasses, NoNeighbours, Stored, TypedObject};
use plimsoll_resource_math::{Format, Quantity};
use serde_json::json;

use super::*;

/// A pod that is to be created.
pub(crate) fn pod(name: &str, dry_run: bool) -> Request {
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": name, "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "operation": "CREATE", "namespace": "team", "name": name, "dryRun": dry_run,
            "object": {"metadata": {"name": name, "uid": name}, "spec": {"containers": [{"name": "a"}]}},
        },
    });
    Request::read(serde_json::from_value(review).unwrap()).unwrap()
}

fn held(name: &str, hard: u32) -> Held {
    let quota: ResourceQuota = object(&format!(
        "{{metadata: {{name: {name}}}, status: {{hard: {{pods: {hard}}}, used: {{pods: 0}}}}}}"
    ));
    Held { quota: Quota::parse(&quota).unwrap(), version: "7".to_owned(), ..Held::default() }
}

fn plan_pods(pods: &[Request], held: &[Held]) -> Plan {
    let surroundings = Surroundings {
        now: Timestamp::UNIX_EPOCH,
        device_classes: &DeviceClasses::default(),
        neighbours: &NoNeighbours,
    };
    plan(pods, held.to_vec(), &[], &surroundings)
}

fn used(plan: &Plan, place: usize) -> String {
    plan.quotas[place].used.amount("pods").to_string()
}

#[test]
fn each_request_sees_what_those_before_it_took() {
    let plan = plan_pods(&[pod("a", false), pod("b", false), pod("c", false)], &[held("team", 2)]);
    let charged = Outcome::Charged { quotas: vec![0] };
    assert_eq!(plan.outcomes[..2], [charged.clone(), charged]);
    let Outcome::Refused { status, quota } = &plan.outcomes[2] else { panic!("{:?}", plan.outcomes) };
    assert_eq!(quota.as_deref(), Some("team"));
    assert_eq!(
        status.message,
        r#"pods "c" is forbidden: exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=2"#
    );
    assert_eq!(used(&plan, 0), "2");
    assert_eq!(plan.quotas[0].ledger.entries().len(), 2);
}

#[test]
fn a_request_is_charged_to_all_quotas_or_to_none() {
    let plan = plan_pods(&[pod("a", false), pod("b", false)], &[held("large", 5), held("small", 1)]);
    assert_eq!(plan.outcomes[0], Outcome::Charged { quotas: vec![0, 1] });
    assert!(matches!(plan.outcomes[1], Outcome::Refused { .. }));
    assert_eq!((used(&plan, 0), used(&plan, 1)), ("1".to_owned(), "1".to_owned()));
}

#[test]
fn the_same_name_again_adds_nothing_and_is_written_again() {
    let plan = plan_pods(&[pod("a", false), pod("a", false)], &[held("team", 1)]);
    let charged = Outcome::Charged { quotas: vec![0] };
    assert_eq!(plan.outcomes, [charged.clone(), charged]);
    assert_eq!(used(&plan, 0), "1");
}

#[test]
fn a_dry_run_is_decided_and_leaves_no_trace() {
    let plan = plan_pods(&[pod("a", true), pod("b", false)], &[held("team", 1)]);
    assert_eq!(plan.outcomes, [Outcome::Free, Outcome::Charged { quotas: vec![0] }]);
    assert_eq!(used(&plan, 0), "1");
}

#[test]
fn nothing_is_charged_to_a_ledger_that_is_not_to_be_relied_upon() {
    let mut held = held("team", 5);
    held.untrusted = Some("someone else has written it".to_owned());
    let plan = plan_pods(&[pod("a", false)], &[held]);
    let reason = "quota team has to be counted anew: someone else has written it".to_owned();
    assert_eq!(plan.outcomes, [Outcome::Later { reason }]);
    assert_eq!(used(&plan, 0), "0");
}

#[test]
fn a_full_ledger_takes_nothing_more() {
    let pods: Vec<Request> = (0..800).map(|number| pod(&format!("pod-{number}"), false)).collect();
    let plan = plan_pods(&pods, &[held("team", 1000)]);
    let waits = plan.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Waits { .. })).count();
    assert!(waits > 0);
    assert!(plan.quotas[0].ledger_text().len() <= MAX_BYTES);
    assert_eq!(used(&plan, 0), (800 - waits).to_string());
}

#[test]
fn what_fits_without_what_is_uncertain_waits() {
    let mut held = held("team", 1);
    held.quota.used =
        ResourceList::from_iter([("pods".to_owned(), Quantity::from_units(1, Format::DecimalSi))]);
    let refused = plan_pods(&[pod("a", false)], &[held.clone()]);
    assert!(matches!(refused.outcomes[..], [Outcome::Refused { .. }]), "{:?}", refused.outcomes);
    held.uncertain = held.quota.used.clone();
    let plan = plan_pods(&[pod("a", false), pod("b", false)], &[held]);
    assert!(
        matches!(plan.outcomes[..], [Outcome::Waits { .. }, Outcome::Waits { .. }]),
        "{:?}",
        plan.outcomes
    );
    assert_eq!(used(&plan, 0), "1");
}

/// A claim on two devices that is to be created for a pod.
fn claim(name: &str) -> Request {
    let devices = json!({"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 2});
    let owner =
        json!({"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": "web-uid", "controller": true});
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": name, "kind": {"group": "resource.k8s.io", "version": "v1", "kind": "ResourceClaim"},
            "resource": {"group": "resource.k8s.io", "version": "v1", "resource": "resourceclaims"},
            "operation": "CREATE", "namespace": "team", "name": name,
            "object": {
                "metadata": {"name": name, "namespace": "team", "uid": name, "ownerReferences": [owner],
                    "annotations": {"resource.kubernetes.io/extended-resource-claim": "true"}},
                "spec": {"devices": {"requests": [{"name": "a", "exactly": devices}]}},
            },
        },
    });
    Request::read(serde_json::from_value(review).unwrap()).unwrap()
}

#[test]
fn a_claim_waits_while_another_one_of_its_pod_is_under_way_and_is_refused_once_that_is_stored() {
    let status = "{hard: {requests.example.com/gpu: 2}, used: {requests.example.com/gpu: 2}}";
    let quota: ResourceQuota = object(&format!("{{metadata: {{name: team}}, status: {status}}}"));
    let held = Held { quota: Quota::parse(&quota).unwrap(), version: "7".to_owned(), ..Held::default() };
    let class: DeviceClass = object("{metadata: {name: gpu}, spec: {extendedResourceName: example.com/gpu}}");
    let pod: Pod = object(
        "{metadata: {name: web, namespace: team, uid: web-uid}, spec: {containers: [
            {name: a, resources: {requests: {example.com/gpu: 2}, limits: {example.com/gpu: 2}}}]}}",
    );
    let mut neighbours = Stored { pods: vec![pod], claims: Vec::new() };
    let plan_claims = |claims: &[Request], held: Held, neighbours: &Stored| {
        let surroundings = Surroundings {
            now: Timestamp::UNIX_EPOCH,
            device_classes: &DeviceClasses::new([&class]),
            neighbours,
        };
        plan(claims, vec![held], &[], &surroundings)
    };
    let first = plan_claims(&[claim("a"), claim("b")], held.clone(), &neighbours);
    let [Outcome::Charged { .. }, Outcome::Waits { .. }] = &first.outcomes[..] else {
        panic!("{:?}", first.outcomes);
    };
    let Some(TypedObject::ResourceClaim(stored)) = claim("a").object else { unreachable!() };
    neighbours.claims.push(*stored);
    let [quota] = &first.quotas[..] else { unreachable!() };
    let later = plan_claims(&[claim("b")], Held { quota: quota.clone(), ..held }, &neighbours);
    assert!(matches!(later.outcomes[..], [Outcome::Refused { .. }]), "{:?}", later.outcomes);
}
