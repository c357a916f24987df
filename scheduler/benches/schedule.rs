//! How long a scheduler without API server takes for a pod, all nodes looked at for each.
//!
//! Each benchmark decides about pods of one kind, one after the other, on 5,000 nodes in three zones; a pod that is placed runs
//! there from then on. A sample is 200 decisions.

use k8s_openapi::api::core::v1::{Node, Pod, Service};
use plimsoll_fixtures::object;
use plimsoll_scheduler::{CycleState, Outcome, PodInfo, Profile, Snapshot, TieBreak, schedule};

fn main() {
    divan::main();
}

/// How many decisions a sample has.
const DECISIONS: usize = 200;
const NODES: usize = 5_000;

/// A cluster in which pods are placed one after the other.
struct Cluster {
    snapshot: Snapshot,
    profile: Profile,
    state: CycleState,
    pods: Vec<Pod>,
    next: usize,
}

impl Cluster {
    /// Nodes, with these pods running on them in turn, and the pods to place.
    fn new(nodes: usize, running: &[Pod], pods: Vec<Pod>) -> Self {
        let objects: Vec<Node> = (0..nodes).map(node).collect();
        let mut snapshot = Snapshot::new(&objects).expect("the nodes are well-formed");
        for (index, pod) in running.iter().enumerate() {
            let info = PodInfo::new(pod).expect("the pod is well-formed");
            snapshot.add_pod(&info, &format!("node-{}", index % nodes));
        }
        let mut profile = Profile::default();
        profile.percentage_of_nodes_to_score = 100;
        profile.tie_break = TieBreak::Seeded { seed: 7 };
        Self { snapshot, profile, state: CycleState::default(), pods, next: 0 }
    }

    /// Reads and decides about so many pods, and says how many got a node.
    fn decide(&mut self) -> usize {
        let mut placed = 0;
        for _ in 0..DECISIONS {
            let pod = &self.pods[self.next % self.pods.len()];
            self.next += 1;
            let info = PodInfo::new(pod).expect("the pod is well-formed");
            let outcome = schedule(&info, &self.snapshot, &self.profile, &mut self.state);
            if let Outcome::Placed(placement) = outcome {
                self.snapshot.add_pod(&info, &placement.node);
                placed += 1;
            }
        }
        placed
    }

    fn bench(mut self, bencher: divan::Bencher<'_, '_>) {
        bencher.counter(divan::counter::ItemsCount::new(DECISIONS)).bench_local(|| self.decide());
    }
}

/// Small pods that are all the same.
#[divan::bench(args = [5_000, 50_000], sample_count = 20, sample_size = 1)]
fn identical(bencher: divan::Bencher<'_, '_>, nodes: usize) {
    Cluster::new(nodes, &[], pods(10_000, |_| String::new(), |_| "100m")).bench(bencher);
}

/// Pods of 25 shapes.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn shapes(bencher: divan::Bencher<'_, '_>) {
    let cpu = |index: usize| SHAPES[index % SHAPES.len()];
    Cluster::new(NODES, &[], pods(10_000, |_| String::new(), cpu)).bench(bencher);
}

const SHAPES: [&str; 25] = [
    "100m", "110m", "120m", "130m", "140m", "150m", "160m", "170m", "180m", "190m", "200m", "210m", "220m",
    "230m", "240m", "250m", "260m", "270m", "280m", "290m", "300m", "310m", "320m", "330m", "340m",
];

fn constrained(bencher: divan::Bencher<'_, '_>, spec: &str) {
    let of_kind = |count| pods(count, |_| spec.to_owned(), |_| "100m");
    let (running, new) = (of_kind(5_000), of_kind(10_000));
    let new = new.into_iter().map(|mut pod| {
        pod.metadata.name = pod.metadata.name.map(|name| format!("new-{name}"));
        pod
    });
    Cluster::new(NODES, &running, new.collect()).bench(bencher);
}

/// Hard spread over zones.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn zone_spread(bencher: divan::Bencher<'_, '_>) {
    constrained(
        bencher,
        "topologySpreadConstraints: [{maxSkew: 5, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}], ",
    );
}

/// Required affinity to pods of the zone.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn zone_affinity(bencher: divan::Bencher<'_, '_>) {
    constrained(
        bencher,
        "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: topology.kubernetes.io/zone, labelSelector: {matchLabels: {app: web}}}]}}, ",
    );
}

/// Required anti-affinity to pods of the node: half of the nodes are free.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn host_anti_affinity(bencher: divan::Bencher<'_, '_>) {
    let spec = "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}, ";
    let of_kind = |count| pods(count, |_| spec.to_owned(), |_| "100m");
    Cluster::new(NODES, &of_kind(1_000), of_kind(10_000).split_off(1_000)).bench(bencher);
}

/// Preferred affinity to pods of the node.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn preferred_affinity(bencher: divan::Bencher<'_, '_>) {
    constrained(
        bencher,
        "affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}}]}}, ",
    );
}

/// Preferred anti-affinity to pods of the node.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn preferred_anti_affinity(bencher: divan::Bencher<'_, '_>) {
    constrained(
        bencher,
        "affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}}]}}, ",
    );
}

/// The default spread of the pods of a Service.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn default_spread(bencher: divan::Bencher<'_, '_>) {
    let of_kind = |count| pods(count, |_| String::new(), |_| "100m");
    let mut cluster = Cluster::new(NODES, &of_kind(5_000), of_kind(20_000).split_off(5_000));
    let service: Service = object("{metadata: {namespace: shop, name: web}, spec: {selector: {app: web}}}");
    cluster.snapshot.listers_mut().set_service(&service);
    cluster.bench(bencher);
}

/// Pods that have to remove others of lower priority; nobody removes them.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn preemption(bencher: divan::Bencher<'_, '_>) {
    let running = pods(4 * NODES, |_| String::new(), |_| "7900m");
    Cluster::new(NODES, &running, pods(100, |_| "priority: 10, ".to_owned(), |_| "8").split_off(0))
        .bench(bencher);
}

/// A pod that fits no node, with the reason for each.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn unschedulable(bencher: divan::Bencher<'_, '_>) {
    Cluster::new(NODES, &[], pods(1, |_| String::new(), |_| "100")).bench(bencher);
}

fn node(index: usize) -> Node {
    let zone = index % 3;
    object(&format!(
        "{{metadata: {{name: node-{index}, labels: {{topology.kubernetes.io/zone: zone-{zone}, kubernetes.io/hostname: node-{index}}}}}, status: {{allocatable: {{cpu: '32', memory: 128Gi, ephemeral-storage: 100Gi, pods: '110'}}}}}}"
    ))
}

fn pods(count: usize, spec: impl Fn(usize) -> String, cpu: impl Fn(usize) -> &'static str) -> Vec<Pod> {
    let pod = |index: usize| {
        let (spec, cpu) = (spec(index), cpu(index));
        object(&format!(
            "{{metadata: {{namespace: shop, name: pod-{index}, labels: {{app: web}}}}, spec: {{{spec}containers: [{{name: app, image: 'registry.example/web:1', resources: {{requests: {{cpu: {cpu}, memory: 256Mi}}}}}}], tolerations: [{{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300}}]}}}}"
        ))
    };
    (0..count).map(pod).collect()
}
