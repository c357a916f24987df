use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

use super::*;
use crate::framework::{Object, Preemption};
use crate::plugins::{node_resources_fit, node_unschedulable, scheduling_gates, volume_binding};

fn pod(name: &str, fields: &Value) -> Arc<Pod> {
    let mut pod = json!({
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "spec": {"schedulerName": "default-scheduler", "containers": []},
    });
    for (field, value) in fields.as_object().unwrap() {
        pod["spec"][field] = value.clone();
    }
    Arc::new(serde_json::from_value(pod).unwrap())
}

fn node(fields: Value) -> Arc<Node> {
    let mut node = json!({"metadata": {"name": "node"}, "status": {"allocatable": {"pods": "10"}}});
    node["spec"] = fields;
    Arc::new(serde_json::from_value(node).unwrap())
}

struct Bench {
    queue: SchedulingQueue,
    listers: Listers,
}

impl Bench {
    fn new() -> Self {
        let queue = SchedulingQueue::new([Profile::default()].into(), QueueSettings::default());
        Self { queue, listers: Listers::default() }
    }

    fn with(&mut self, seconds: i64, act: impl FnOnce(&mut SchedulingQueue, Moment<'_>)) {
        act(&mut self.queue, Moment { now_micros: seconds * MICROS_PER_SECOND, listers: &self.listers });
    }

    /// Has the next pod tried and turned away.
    fn fail(&mut self, seconds: i64, plugins: &[&'static str]) {
        self.with(seconds, |queue, moment| {
            let mut pod = queue.pop().unwrap();
            pod.clear_rejector_plugins();
            pod.unschedulable_plugins.extend(plugins);
            queue.add_unschedulable_if_not_present(pod, moment).unwrap();
        });
    }

    fn place(&self, name: &str) -> Option<Place> {
        self.queue.place(&format!("shop/{name}"))
    }
}

/// # Source
/// `scheduling_queue_test.go` (`TestPriorityQueue_Pop`, `TestPriorityQueue_Add`)
#[test]
fn the_most_important_pod_is_next_then_the_one_that_waits_longest() {
    let mut bench = Bench::new();
    for (second, (name, priority)) in (1..).zip([("late", 1), ("low", 0), ("high", 5), ("later", 1)]) {
        bench.with(second, |queue, moment| queue.add(pod(name, &json!({"priority": priority})), moment));
    }
    let next = std::iter::from_fn(|| bench.queue.pop());
    let names: Vec<String> = next.map(|pod| pod.pod.metadata.name.clone().unwrap()).collect();
    assert_eq!(names, ["high", "late", "later", "low"]);
}

/// # Source
/// `backoff_queue_test.go` (`TestBackoffQueue_calculateBackoffDuration`)
#[test]
fn the_backoff_doubles_up_to_its_maximum() {
    let cases = [
        ("no backoff", 0, 1, 32, 0),
        ("normal", 5, 3, 1000, 48),
        ("hitting max backoff duration", 16, 1, 32, 32),
        ("overflow_32bit", 32, 1, i64::from(i32::MAX), i64::from(i32::MAX)),
        ("overflow_64bit", 64, 1, i64::MAX, i64::MAX),
        ("once", 1, 1, 32, 1),
        ("the last that isn't cut", 6, 1, 32, 32),
        ("as often as can be", u32::MAX, 1, 32, 32),
    ];
    for (name, count, initial_seconds, max_seconds, expected) in cases {
        let backoff = Backoff { initial_seconds, max_seconds };
        assert_eq!(backoff.duration_seconds(count), expected, "{name}");
    }
}

/// # Source
/// `scheduling_queue_test.go` (`TestPriorityQueue_MoveAllToActiveOrBackoffQueueWithQueueingHint`)
#[test]
fn only_events_that_may_let_it_in_move_a_pod() {
    let mut bench = Bench::new();
    bench.with(0, |queue, moment| queue.add(pod("web", &json!({})), moment));
    bench.fail(0, &[node_unschedulable::NAME]);
    let cordoned = node(json!({"unschedulable": true}));
    let uncordoned = node(json!({}));
    bench.with(1, |queue, moment| queue.node_added(Arc::clone(&cordoned), moment));
    assert_eq!(bench.place("web"), Some(Place::Unschedulable));
    bench.with(1, |queue, moment| queue.node_updated(cordoned, uncordoned, moment));
    assert_eq!(bench.place("web"), Some(Place::Backoff));
    bench.queue.flush_backoff_completed(1_999_999);
    assert_eq!(bench.place("web"), Some(Place::Backoff), "the second in which it ends isn't over");
    bench.queue.flush_backoff_completed(2_000_000);
    assert_eq!(bench.place("web"), Some(Place::Active));
}

#[test]
fn a_pod_is_tried_again_when_its_claim_comes() {
    let mut bench = Bench::new();
    let volume = json!({"name": "data", "persistentVolumeClaim": {"claimName": "data"}});
    bench.with(0, |queue, moment| queue.add(pod("web", &json!({"volumes": [volume]})), moment));
    bench.fail(0, &[volume_binding::NAME]);
    for (name, place) in [("other", Place::Unschedulable), ("data", Place::Backoff)] {
        let claim = json!({"metadata": {"name": name, "namespace": "shop"}});
        let claim = Object::PersistentVolumeClaim(Arc::new(serde_json::from_value(claim).unwrap()));
        bench.with(1, |queue, moment| queue.object_changed(Change::added(claim), moment));
        assert_eq!(bench.place("web"), Some(place), "{name}");
    }
}

/// # Source
/// `scheduling_queue_test.go` (`Test_InFlightPods`)
#[test]
fn what_happens_while_a_pod_is_tried_counts_when_it_comes_back() {
    let mut bench = Bench::new();
    bench.with(0, |queue, moment| queue.add(pod("web", &json!({})), moment));
    let mut tried = bench.queue.pop().unwrap();
    bench.with(0, |queue, moment| queue.node_added(node(json!({})), moment));
    tried.unschedulable_plugins.insert(node_resources_fit::NAME);
    bench.with(0, |queue, moment| {
        assert_eq!(queue.add_unschedulable_if_not_present(tried, moment), Ok(Place::Backoff));
    });
    assert_eq!(bench.queue.in_flight_event_count(), 0, "nothing is kept for nobody");
}

/// # Source
/// `scheduling_queue_test.go` (`TestPriorityQueue_UpdateWhenInflight`, `Test_isPodWorthRequeuing`)
#[test]
fn a_gated_pod_waits_until_its_gates_are_gone() {
    let mut bench = Bench::new();
    let gated = pod("web", &json!({"schedulingGates": [{"name": "wait"}]}));
    bench.with(0, |queue, moment| queue.add(Arc::clone(&gated), moment));
    let gate = bench.queue.unschedulable().next().and_then(|pod| pod.gating_plugin);
    assert_eq!(gate, Some(scheduling_gates::NAME));
    bench.with(1, |queue, moment| queue.update(&gated, pod("web", &json!({})), moment));
    assert_eq!(bench.place("web"), Some(Place::Active));
}

/// # Source
/// `scheduling_queue_test.go` (`TestHighPriorityFlushUnschedulablePodsLeftover`)
#[test]
fn a_pod_that_has_waited_for_five_minutes_is_tried_again() {
    let mut bench = Bench::new();
    bench.with(0, |queue, moment| queue.add(pod("web", &json!({})), moment));
    bench.fail(0, &[node_unschedulable::NAME]);
    bench.with(300, SchedulingQueue::flush_unschedulable_left_over);
    assert_eq!(bench.place("web"), Some(Place::Unschedulable));
    bench.with(301, SchedulingQueue::flush_unschedulable_left_over);
    assert_eq!(bench.place("web"), Some(Place::Active));
}

#[test]
fn a_pod_that_comes_back_twice_is_refused() {
    let mut bench = Bench::new();
    bench.with(0, |queue, moment| queue.add(pod("web", &json!({})), moment));
    let tried = bench.queue.pop().unwrap();
    bench.with(0, |queue, moment| {
        queue.add_unschedulable_if_not_present(tried.clone(), moment).unwrap();
        let again = queue.add_unschedulable_if_not_present(tried, moment);
        assert_eq!(again, Err("Pod shop/web is already present in the backoff queue".to_owned()));
    });
}

/// # Source
/// `scheduling_queue_test.go` (`TestPriorityQueue_NominatedNodeNameEmptyNodeKey`)
#[test]
fn a_nomination_without_a_node_is_none() {
    use Nomination::{Clear, Keep};
    for (name, nominated_first, own, nomination, expected) in [
        ("ModeOverride empty without prior nomination", false, "", Clear, None),
        ("nominated then cleared with ModeOverride empty", true, "", Clear, None),
        ("ModeNoop empty without prior nomination", false, "", Keep, None),
        ("nominated then cleared with ModeNoop empty", true, "", Keep, None),
        ("ModeNoop empty nominatingInfo NNN with non-empty pod NNN", false, "node2", Keep, Some("node2")),
    ] {
        let mut bench = Bench::new();
        let mut pod = Pod::clone(&pod("hpp", &json!({})));
        pod.status.get_or_insert_default().nominated_node_name =
            Some(own.to_owned()).filter(|node| !node.is_empty());
        if nominated_first {
            let preemption =
                Preemption { node: "node1".to_owned(), victims: Vec::new(), disruption_budget_violations: 0 };
            bench.queue.nominate(&pod, &Nomination::Set(preemption));
            assert_eq!(bench.queue.nominated_pods("node1").count(), 1, "{name}");
        }
        bench.queue.nominate(&pod, &nomination);
        assert_eq!(bench.queue.nominated_nodes().next(), expected, "{name}");
    }
}
