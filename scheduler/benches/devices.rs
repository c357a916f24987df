//! How long a pod takes that asks for devices: 1,000 nodes with eight devices each, pools that parts of the cluster share, and rules
//! that taint devices. The pods take nothing, so each sample does the same.

use divan::Bencher;
use divan::counter::ItemsCount;
use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::object;
use plimsoll_scheduler::{CycleState, Outcome, PodInfo, Profile, Snapshot, schedule};

fn main() {
    divan::main();
}

const NODES: usize = 1_000;
const DEVICES_OF_NODE: usize = 8;
const SHARED_POOLS: usize = 20;
const TAINT_RULES: usize = 20;
/// How many decisions a sample has.
const DECISIONS: usize = 5;

fn cluster() -> Snapshot {
    let node = |index: usize| -> Node {
        let rack = index % SHARED_POOLS;
        object(&format!(
            "{{metadata: {{name: node-{index}, labels: {{rack: r{rack}}}}}, status: {{allocatable: {{cpu: '32', pods: '110'}}}}}}"
        ))
    };
    let mut snapshot = Snapshot::new(&(0..NODES).map(node).collect::<Vec<_>>()).expect("well-formed nodes");
    let listers = &mut snapshot.listers_mut().devices;
    listers.set_class(&object("{metadata: {name: gpu}, spec: {extendedResourceName: example.com/gpu}}"));
    let mut offer = |name: &str, driver: &str, place: &str| {
        let devices: Vec<String> = (0..DEVICES_OF_NODE).map(|index| format!("{{name: d{index}}}")).collect();
        let devices = devices.join(", ");
        listers.set_slice(&object(&format!(
            "{{metadata: {{name: {name}}}, spec: {{driver: {driver}, {place}, pool: {{name: {name}, generation: 1, resourceSliceCount: 1}}, devices: [{devices}]}}}}"
        )));
    };
    for index in 0..NODES {
        offer(&format!("own-{index}"), "gpu.example", &format!("nodeName: node-{index}"));
    }
    for rack in 0..SHARED_POOLS {
        let place = format!(
            "nodeSelector: {{nodeSelectorTerms: [{{matchExpressions: [{{key: rack, operator: In, values: [r{rack}]}}]}}]}}"
        );
        offer(&format!("shared-{rack}"), "rack.example", &place);
    }
    for index in 0..TAINT_RULES {
        listers.set_taint_rule(&object(&format!(
            "{{metadata: {{name: rule-{index}}}, spec: {{deviceSelector: {{driver: rack.example, device: d{index}}}, taint: {{key: broken, effect: NoSchedule}}}}}}"
        )));
    }
    snapshot
}

/// Pods that ask for a device as for an extended resource.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn extended_resource(bencher: Bencher<'_, '_>) {
    let snapshot = cluster();
    let mut profile = Profile::default();
    profile.percentage_of_nodes_to_score = 100;
    let pod: Pod = object(
        "{metadata: {name: pod, namespace: shop, uid: u}, spec: {containers: [{name: app, resources: {requests: {example.com/gpu: '1'}}}]}}",
    );
    let info = PodInfo::new(&pod).expect("the pod is well-formed");
    let mut state = CycleState::default();
    bencher.counter(ItemsCount::new(DECISIONS)).bench_local(|| {
        for _ in 0..DECISIONS {
            let outcome = schedule(&info, &snapshot, &profile, &mut state);
            assert!(matches!(outcome, Outcome::Placed(placed) if placed.feasible_nodes == NODES));
        }
    });
}
