//! Deciding and charging a pod of three containers against three quotas.

use divan::{Bencher, black_box};
use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use k8s_openapi::jiff::Timestamp;
use plimsoll_api::group::GroupResource;
use plimsoll_api::request::Operation;
use plimsoll_fixtures::object;
use plimsoll_quota::{Decision, DeviceClasses, NoNeighbours, Object, Quota, Request, Surroundings, decide};
use plimsoll_resource_math::PodResources;

fn main() {
    divan::main();
}

const POD: &str = "
metadata: {name: web, namespace: team}
spec:
  containers:
  - {name: a, resources: {requests: {cpu: 250m, memory: 256Mi}, limits: {cpu: 500m, memory: 512Mi}}}
  - {name: b, resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 200m, memory: 128Mi}}}
  - {name: c, resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}}
";

const COMPUTE: &str = "
metadata: {name: compute}
status:
  hard: {requests.cpu: 1G, requests.memory: 1Ei, limits.cpu: 1G, limits.memory: 1Ei}
  used: {requests.cpu: 0, requests.memory: 0, limits.cpu: 0, limits.memory: 0}
";

const OBJECTS: &str = "
metadata: {name: objects}
status: {hard: {pods: 1G, services: 10}, used: {pods: 1, services: 1}}
";

const SCOPED: &str = "
metadata: {name: scoped}
spec: {scopes: [NotBestEffort]}
status: {hard: {cpu: 1G, pods: 1G}, used: {cpu: 1, pods: 1}}
";

/// Decides a pod and raises the usage of all three quotas; its amounts have been read before.
#[divan::bench]
fn charge_three_containers_three_quotas(bencher: Bencher<'_, '_>) {
    let pod: Pod = object(POD);
    let resources = PodResources::parse(&pod).unwrap_or_default();
    let parse = |text: &&str| Quota::parse(&object::<ResourceQuota>(text)).unwrap_or_default();
    let mut quotas: Vec<Quota> = [COMPUTE, OBJECTS, SCOPED].iter().map(parse).collect();
    let resource = GroupResource::new("", "pods");
    let device_classes = DeviceClasses::default();
    let surroundings = Surroundings {
        now: Timestamp::UNIX_EPOCH,
        device_classes: &device_classes,
        neighbours: &NoNeighbours,
    };
    bencher.bench_local(|| {
        let request = Request {
            operation: Operation::Create,
            resource: &resource,
            subresource: "",
            namespace: "team",
            name: "web",
            object: Object::Pod(black_box(&pod), &resources),
            old_object: None,
        };
        let decision = decide(&request, &quotas, &[], &surroundings);
        if let Ok(Decision::Admitted(charges)) = black_box(decision) {
            assert_eq!(charges.len(), 3);
            for charge in &charges {
                quotas[charge.quota].apply(charge);
            }
        }
    });
}
