//! How long a scheduler without API server takes for a pod, all nodes looked at for each.
//!
//! Each benchmark decides about pods of one kind, one after the other, on 5,000 nodes in three zones; a pod that is placed runs
//! there from then on. A sample is 200 decisions. The same pods are placed beside upstream's scheduler by
//! `cargo e2e oracle-bench --family scheduler`.

use k8s_openapi::api::core::v1::{Node, Pod, Service};
use plimsoll_fixtures::SchedulingLoad;
use plimsoll_scheduler::{CycleState, Outcome, PodInfo, Profile, Snapshot, TieBreak, schedule};
use serde_json::{Value, from_value};

fn main() {
    divan::main();
}

/// How many decisions a sample has.
const DECISIONS: usize = 200;
const NODES: usize = 5_000;
/// How many different pods are placed.
const PODS: usize = 10_000;

/// A cluster in which pods are placed one after the other.
struct Cluster {
    snapshot: Snapshot,
    profile: Profile,
    state: CycleState,
    pods: Vec<Pod>,
    next: usize,
}

impl Cluster {
    fn new(load: &str, nodes: usize) -> Self {
        let objects = SchedulingLoad::named(load).cluster(nodes, PODS);
        let nodes: Vec<Node> = objects.nodes.into_iter().map(read).collect();
        let mut snapshot = Snapshot::new(&nodes).expect("the nodes are well-formed");
        for pod in objects.running {
            let pod: Pod = read(pod);
            let info = PodInfo::new(&pod).expect("the pod is well-formed");
            snapshot.add_pod(&info, info.node_name());
        }
        for service in objects.services {
            snapshot.listers_mut().set_service(&read::<Service>(service));
        }
        let mut profile = Profile::default();
        profile.percentage_of_nodes_to_score = 100;
        profile.tie_break = TieBreak::Seeded { seed: 7 };
        let pods = objects.pods.into_iter().map(read).collect();
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
}

fn read<T: serde::de::DeserializeOwned>(object: Value) -> T {
    from_value(object).expect("the object is well-formed")
}

/// Times the decisions about pods of one kind.
fn bench(bencher: divan::Bencher<'_, '_>, load: &str, nodes: usize) {
    let mut cluster = Cluster::new(load, nodes);
    bencher.counter(divan::counter::ItemsCount::new(DECISIONS)).bench_local(|| cluster.decide());
}

#[divan::bench(args = [5_000, 50_000], sample_count = 20, sample_size = 1)]
fn identical(bencher: divan::Bencher<'_, '_>, nodes: usize) {
    bench(bencher, "identical", nodes);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn shapes(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "shapes", NODES);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn zone_spread(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "zone_spread", NODES);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn zone_affinity(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "zone_affinity", NODES);
}

/// A pod a node: there is room for 4,000.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn host_anti_affinity(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "host_anti_affinity", NODES);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn preferred_affinity(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "preferred_affinity", NODES);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn preferred_anti_affinity(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "preferred_anti_affinity", NODES);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn default_spread(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "default_spread", NODES);
}

/// Nobody removes the pods of lower priority.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn preemption(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "preemption", NODES);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn unschedulable(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "unschedulable", NODES);
}

/// No pod is like one that came before.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn unschedulable_unlike(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, "unschedulable_unlike", NODES);
}
