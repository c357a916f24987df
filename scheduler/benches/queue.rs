//! How long the scheduling queue takes where many pods wait. A sample is one pass over 10,000 pods.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::object;
use plimsoll_scheduler::plugins::node_resources_fit;
use plimsoll_scheduler::queue::{Moment, QueueSettings};
use plimsoll_scheduler::{Listers, Profile, SchedulingQueue};

fn main() {
    divan::main();
}

const PODS: usize = 10_000;
/// Later than any backoff that a pod has here.
const LATER_MICROS: i64 = 3_600_000_000;

/// A queue and what plugins look up.
struct World {
    queue: SchedulingQueue,
    listers: Listers,
}

impl World {
    fn empty() -> Self {
        let queue = SchedulingQueue::new([Profile::default()].into(), QueueSettings::default());
        Self { queue, listers: Listers::default() }
    }

    fn moment(listers: &Listers, now_micros: i64) -> Moment<'_> {
        Moment { now_micros, listers }
    }

    fn add(&mut self, pods: &[Arc<Pod>]) {
        for (now, pod) in (0..).zip(pods) {
            self.queue.add(Arc::clone(pod), Self::moment(&self.listers, now));
        }
    }

    /// All pods are to be tried next.
    fn active() -> Self {
        let mut world = Self::empty();
        world.add(&pods());
        world
    }

    /// All pods were turned away by NodeResourcesFit, as no node has as much cpu.
    fn unschedulable() -> Self {
        let mut world = Self::active();
        while let Some(mut pod) = world.queue.pop() {
            pod.unschedulable_plugins.insert(node_resources_fit::NAME);
            let moment = Self::moment(&world.listers, 0);
            world.queue.add_unschedulable_if_not_present(pod, moment).expect("it isn't in the queue");
        }
        world
    }

    fn update(&mut self, old: &Arc<Node>, new: &Arc<Node>) {
        let moment = Self::moment(&self.listers, LATER_MICROS);
        self.queue.node_updated(Arc::clone(old), Arc::clone(new), moment);
    }
}

fn pods() -> Vec<Arc<Pod>> {
    let pod = |index: usize| {
        Arc::new(object(&format!(
            "{{metadata: {{name: pod-{index}, namespace: default, uid: pod-{index}}}, spec: {{schedulerName: default-scheduler, priority: {}, containers: [{{name: app, resources: {{requests: {{cpu: '4'}}}}}}]}}}}",
            index % 7
        )))
    };
    (0..PODS).map(pod).collect()
}

fn node(cpu: &str, annotation: &str) -> Arc<Node> {
    Arc::new(object(&format!(
        "{{metadata: {{name: node, annotations: {{note: '{annotation}'}}}}, status: {{allocatable: {{cpu: '{cpu}', pods: '110'}}}}}}"
    )))
}

/// Pods come, one after the other.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn add(bencher: Bencher<'_, '_>) {
    let pods = pods();
    bencher
        .counter(ItemsCount::new(PODS))
        .with_inputs(World::empty)
        .bench_local_refs(|world| world.add(&pods));
}

/// Pods are taken to be tried, one after the other.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn pop(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(PODS)).with_inputs(World::active).bench_local_refs(|world| {
        while let Some(pod) = world.queue.pop() {
            world.queue.done(&pod.pod);
        }
    });
}

/// A node changes in a way that the plugin doesn't hear of that turned the pods away.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn event_not_heard(bencher: Bencher<'_, '_>) {
    let (old, new) = (node("1", "old"), node("1", "new"));
    bench_event(bencher, &old, &new, 0);
}

/// A node gets more cpu, but not as much as any pod asks for.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn event_for_none(bencher: Bencher<'_, '_>) {
    bench_event(bencher, &node("1", ""), &node("2", ""), 0);
}

/// A node gets as much cpu as any pod asks for.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn event_for_all(bencher: Bencher<'_, '_>) {
    bench_event(bencher, &node("1", ""), &node("8", ""), PODS);
}

fn bench_event(bencher: Bencher<'_, '_>, old: &Arc<Node>, new: &Arc<Node>, woken: usize) {
    bencher.counter(ItemsCount::new(PODS)).with_inputs(World::unschedulable).bench_local_refs(|world| {
        world.update(old, new);
        assert_eq!(world.queue.active_count(), woken);
    });
}
