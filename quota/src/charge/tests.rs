use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use k8s_openapi::jiff::Timestamp;
use plimsoll_api::group::GroupResource;
use plimsoll_fixtures::object;

use super::*;
use crate::{DeviceClasses, NoNeighbours};

fn decide_pod(pod: &str, quotas: &[Quota]) -> Decision {
    let pod: Pod = object(pod);
    let resources = PodResources::parse(&pod).unwrap();
    let request = Request {
        operation: Operation::Create,
        resource: &GroupResource::new("", "pods"),
        subresource: "",
        namespace: "team",
        name: "web",
        object: Object::Pod(&pod, &resources),
        old_object: None,
    };
    let surroundings = Surroundings {
        now: Timestamp::UNIX_EPOCH,
        device_classes: &DeviceClasses::default(),
        neighbours: &NoNeighbours,
    };
    decide(&request, quotas, &[], &surroundings).unwrap()
}

fn quota(status: &str) -> Quota {
    Quota::parse(&object::<ResourceQuota>(&format!("metadata: {{name: team}}\nstatus: {status}"))).unwrap()
}

const POD: &str = "{spec: {containers: [{name: a, resources: {requests: {cpu: 300m, memory: 450Mi}}}]}}";

#[test]
fn words_a_refusal_as_upstream_does_and_knows_the_smallest_raise() {
    let quota = quota("{hard: {cpu: 800m, memory: 800Mi}, used: {cpu: 600m, memory: 600Mi}}");
    let Decision::Refused(refusal) = decide_pod(POD, &[quota]) else {
        panic!("admitted");
    };
    assert_eq!(
        refusal.to_string(),
        r#"pods "web" is forbidden: exceeded quota: team, requested: cpu=300m,memory=450Mi, used: cpu=600m,memory=600Mi, limited: cpu=800m,memory=800Mi"#
    );
    let Cause::Exceeded { keys, .. } = &refusal.cause else {
        panic!("{refusal:?}");
    };
    assert_eq!(keys[0].sufficient().to_string(), "900m");
    assert_eq!(keys[1].smallest_raise().to_string(), "250Mi");
}

#[test]
fn charges_what_an_admitted_pod_uses() {
    let mut quota = quota("{hard: {cpu: 2, pods: 3}, used: {cpu: 600m, pods: 1}}");
    let Decision::Admitted(charges) = decide_pod(POD, std::slice::from_ref(&quota)) else {
        panic!("refused");
    };
    quota.apply(&charges[0]);
    assert_eq!(quota.used.amount("cpu").to_string(), "900m");
    assert_eq!(quota.used.amount("pods").to_string(), "2");
}
