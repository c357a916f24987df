//! How long a scheduler without API server takes to place many pods, all nodes looked at for each.

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::object;
use plimsoll_scheduler::{CycleState, Outcome, PodInfo, Profile, Snapshot, TieBreak, schedule};

fn main() {
    divan::main();
}

/// 10,000 pods of 20 templates on 1,000 nodes.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn templates(bencher: divan::Bencher<'_, '_>) {
    let nodes: Vec<Node> = (0..1_000).map(node).collect();
    let pods: Vec<Pod> = (0..10_000).map(|index| pod(index, 100 + 20 * (index % 20))).collect();
    bencher.bench(|| place_all(&nodes, &pods));
}

/// 8,152 pods, all of them different, on 1,213 nodes: the size of the openb trace.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn distinct(bencher: divan::Bencher<'_, '_>) {
    let nodes: Vec<Node> = (0..1_213).map(node).collect();
    let pods: Vec<Pod> = (0..8_152).map(|index| pod(index, 100 + index)).collect();
    bencher.bench(|| place_all(&nodes, &pods));
}

/// One pod that fits none of 5,000 nodes, with the reason for each.
#[divan::bench]
fn unschedulable(bencher: divan::Bencher<'_, '_>) {
    let nodes: Vec<Node> = (0..5_000).map(node).collect();
    let snapshot = Snapshot::new(&nodes).expect("the nodes are well-formed");
    let pod = pod(0, 100_000);
    let info = PodInfo::new(&pod).expect("the pod is well-formed");
    let profile = Profile::default();
    bencher.bench(|| schedule(&info, &snapshot, &profile, &mut CycleState::default()));
}

/// Reads and places all pods, and says how many got a node.
fn place_all(nodes: &[Node], pods: &[Pod]) -> usize {
    let mut snapshot = Snapshot::new(nodes).expect("the nodes are well-formed");
    let tie_break = TieBreak::Seeded { seed: 7 };
    let mut profile = Profile::default();
    profile.percentage_of_nodes_to_score = 100;
    profile.tie_break = tie_break;
    let mut state = CycleState::default();
    let mut placed = 0;
    for pod in pods {
        let pod = PodInfo::new(pod).expect("the pod is well-formed");
        if let Outcome::Placed(placement) = schedule(&pod, &snapshot, &profile, &mut state) {
            snapshot.add_pod(&pod, &placement.node);
            placed += 1;
        }
    }
    placed
}

fn node(index: usize) -> Node {
    let zone = index % 3;
    object(&format!(
        "{{metadata: {{name: node-{index}, labels: {{topology.kubernetes.io/zone: zone-{zone}, kubernetes.io/hostname: node-{index}}}}}, status: {{allocatable: {{cpu: '32', memory: 128Gi, ephemeral-storage: 100Gi, pods: '110'}}}}}}"
    ))
}

fn pod(index: usize, cpu_millis: usize) -> Pod {
    let memory = 128 + 64 * (index % 20);
    object(&format!(
        "{{metadata: {{namespace: shop, name: pod-{index}}}, spec: {{containers: [{{name: app, resources: {{requests: {{cpu: {cpu_millis}m, memory: {memory}Mi}}}}}}], tolerations: [{{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300}}]}}}}"
    ))
}
