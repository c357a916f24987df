//! How much memory the snapshot takes: divan prints the bytes that are held at most while it is filled.
//!
//! Divide `max alloc` by the number of nodes, or subtract the nodes' and divide by the number of pods.

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::object;
use plimsoll_scheduler::{PodInfo, Snapshot};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

const NODES: usize = 5_000;

/// Nodes with the labels that nodes commonly have.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn nodes(bencher: divan::Bencher<'_, '_>) {
    let nodes: Vec<Node> = (0..NODES).map(node).collect();
    bencher.bench_local(|| Snapshot::new(&nodes).expect("the nodes are well-formed"));
}

/// The same nodes, each with 30 pods of 500 workloads.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn nodes_with_30_pods_each(bencher: divan::Bencher<'_, '_>) {
    let nodes: Vec<Node> = (0..NODES).map(node).collect();
    let pods: Vec<Pod> = (0..30 * NODES).map(pod).collect();
    bencher.bench_local(|| {
        let mut snapshot = Snapshot::new(&nodes).expect("the nodes are well-formed");
        for (index, pod) in pods.iter().enumerate() {
            let info = PodInfo::new(pod).expect("the pod is well-formed");
            snapshot.add_pod(&info, &format!("node-{}", index % NODES));
        }
        snapshot
    });
}

fn node(index: usize) -> Node {
    let zone = index % 3;
    object(&format!(
        "{{metadata: {{name: node-{index}, labels: {{topology.kubernetes.io/zone: zone-{zone}, topology.kubernetes.io/region: region, kubernetes.io/hostname: node-{index}, kubernetes.io/os: linux, kubernetes.io/arch: amd64, node.kubernetes.io/instance-type: large}}}}, status: {{allocatable: {{cpu: '32', memory: 128Gi, ephemeral-storage: 100Gi, pods: '110'}}}}}}"
    ))
}

fn pod(index: usize) -> Pod {
    let workload = index % 500;
    object(&format!(
        "{{metadata: {{namespace: shop, name: web-{workload}-5d8f7c9b6d-{index:05}, labels: {{app: web-{workload}, pod-template-hash: 5d8f7c9b6d}}}}, spec: {{containers: [{{name: app, image: 'registry.example/web:1', resources: {{requests: {{cpu: 100m, memory: 256Mi}}}}}}]}}}}"
    ))
}
