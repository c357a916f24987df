//! What the queue makes of pods that come, change and go: upstream's tables, and the answers that they expect. What becomes of the cache
//! in them is the snapshot's, which the caller changes.
//!
//! # Source
//! `pkg/scheduler/eventhandlers_test.go`

use serde_json::{Value, json};

use super::*;
use crate::plugins::node_resources_fit;

const SCHEDULER: &str = "default-scheduler";

/// The pod that the rows are about.
fn pod1(scheduler: &str, node: &str, metadata: &[(&str, Value)]) -> Arc<Pod> {
    let mut pod = json!({
        "metadata": {"name": "pod1", "namespace": "ns1", "uid": "pod1"},
        "spec": {"schedulerName": scheduler, "nodeName": node, "containers": []},
    });
    for (field, value) in metadata {
        pod["metadata"][field] = value.clone();
    }
    Arc::new(serde_json::from_value(pod).unwrap())
}

fn pod(node: &str) -> Arc<Pod> {
    pod1(SCHEDULER, node, &[])
}

fn updated(scheduler: &str, node: &str) -> Arc<Pod> {
    pod1(scheduler, node, &[("labels", json!({"foo": "bar"})), ("resourceVersion", json!("2"))])
}

fn terminating() -> Arc<Pod> {
    let at = json!("2026-01-01T00:00:00Z");
    pod1(SCHEDULER, "", &[("deletionTimestamp", at), ("resourceVersion", json!("2"))])
}

/// A pod that waits until another one goes.
fn waiting_for_room(name: &str, priority: i32, nominated: &str) -> Arc<Pod> {
    let pod = json!({
        "metadata": {"name": name, "namespace": "ns1", "uid": name},
        "spec": {"schedulerName": SCHEDULER, "priority": priority, "containers": []},
        "status": {"nominatedNodeName": nominated},
    });
    Arc::new(serde_json::from_value(pod).unwrap())
}

fn with_listers<T>(act: impl FnOnce(Moment<'_>) -> T) -> T {
    act(Moment { now_micros: 0, listers: &Listers::default() })
}

fn queue_with(waiting: &[Arc<Pod>]) -> SchedulingQueue {
    let mut queue = SchedulingQueue::new([Profile::default()].into(), QueueSettings::default());
    for pod in waiting {
        with_listers(|moment| {
            queue.pod_added(Arc::clone(pod), moment);
            let mut tried = queue.pop().unwrap();
            tried.unschedulable_plugins.insert(node_resources_fit::NAME);
            queue.add_unschedulable_if_not_present(tried, moment).unwrap();
        });
    }
    queue
}

/// Whether the pod is in the queue, and whether a pod that waits for room is tried again.
fn outcome(act: impl FnOnce(&mut SchedulingQueue, Moment<'_>)) -> (bool, bool) {
    let waiting = waiting_for_room("waits", 0, "");
    let mut queue = queue_with(std::slice::from_ref(&waiting));
    with_listers(|moment| act(&mut queue, moment));
    (queue.place("ns1/pod1").is_some(), queue.place("ns1/waits") != Some(Place::Unschedulable))
}

/// # Source
/// `TestAddPod`
#[test]
fn pods_that_come() {
    for (name, pod, expected) in [
        ("add unscheduled pod", pod(""), (true, false)),
        ("add unscheduled pod with other scheduler name", pod1("other-scheduler", "", &[]), (false, false)),
        ("add scheduled pod", pod("node1"), (false, false)),
    ] {
        assert_eq!(outcome(|queue, moment| queue.pod_added(pod, moment)), expected, "{name}");
    }
}

/// # Source
/// `TestUpdatePod`
#[test]
fn pods_that_change() {
    let other = |node| pod1("other-scheduler", node, &[]);
    let assumed = || Some(pod("node1"));
    let rows = [
        ("update unscheduled pod", pod(""), None, updated(SCHEDULER, ""), (true, false)),
        (
            "update unscheduled pod with other scheduler name",
            other(""),
            None,
            updated("other-scheduler", ""),
            (false, false),
        ),
        ("update assumed pod", pod(""), assumed(), updated(SCHEDULER, ""), (false, false)),
        ("update scheduled pod", pod("node1"), None, updated(SCHEDULER, "node1"), (false, false)),
        (
            "update scheduled pod with other scheduler name",
            other("node1"),
            None,
            updated("other-scheduler", "node1"),
            (false, false),
        ),
        ("bind unscheduled pod", pod(""), None, pod("node1"), (false, false)),
        ("bind unscheduled pod with other scheduler name", other(""), None, other("node1"), (false, false)),
        ("bind assumed pod", pod(""), assumed(), pod("node1"), (false, false)),
        ("bind assumed pod to a different node", pod(""), assumed(), pod("node2"), (false, false)),
        ("update assumed pod with deletion timestamp", pod(""), assumed(), terminating(), (false, true)),
    ];
    for (name, old, assumed, new, expected) in rows {
        let answer = outcome(|queue, moment| {
            if assumed.is_none() {
                queue.pod_added(Arc::clone(&old), moment);
            }
            queue.pod_updated(old, new, assumed, moment);
        });
        assert_eq!(answer, expected, "{name}");
    }
}

/// # Source
/// `TestDeletePod`
#[test]
fn pods_that_go() {
    let other = |node| pod1("other-scheduler", node, &[]);
    let rows = [
        ("delete unscheduled pod", pod(""), None, (false, false)),
        ("delete unscheduled pod with other scheduler name", other(""), None, (false, false)),
        ("delete assumed pod", pod(""), Some(pod("node1")), (false, true)),
        ("delete scheduled pod", pod("node1"), None, (false, true)),
        ("delete scheduled pod with other scheduler name", other("node1"), None, (false, true)),
    ];
    for (name, gone, assumed, expected) in rows {
        let answer = outcome(|queue, moment| {
            if assumed.is_none() {
                queue.pod_added(Arc::clone(&gone), moment);
            }
            queue.pod_deleted(gone, assumed, moment);
        });
        assert_eq!(answer, expected, "{name}");
    }
}

/// # Source
/// `TestEventHandlers_MoveToActiveOnNominatedNodeUpdate`
#[test]
fn nodes_that_are_no_longer_set_aside() {
    let waiting = [
        waiting_for_room("hpp", 1000, ""),
        waiting_for_room("mpp", 100, "node1"),
        waiting_for_room("smpp", 100, ""),
        waiting_for_room("lpp", 0, ""),
    ];
    let with_node = |place: usize, node: &str| {
        let mut pod = Pod::clone(&waiting[place]);
        pod.metadata.resource_version = Some("1".to_owned());
        pod.status.get_or_insert_default().nominated_node_name =
            Some(node.to_owned()).filter(|node| !node.is_empty());
        Some(Arc::new(pod))
    };
    for (name, place, new, expected) in [
        (
            "Update of a nominated node name to a different value should trigger rescheduling of lower priority pods",
            1,
            with_node(1, "node2"),
            vec!["mpp", "smpp", "lpp"],
        ),
        (
            "Removal of a nominated node name should trigger rescheduling of lower priority pods",
            1,
            with_node(1, ""),
            vec!["mpp", "smpp", "lpp"],
        ),
        (
            "Removal of a pod that had nominated node name should trigger rescheduling of lower priority pods",
            1,
            None,
            vec!["smpp", "lpp"],
        ),
        (
            "Addition of a nominated node name to the high priority pod that did not have it before shouldn't trigger rescheduling",
            0,
            with_node(0, "node2"),
            vec![],
        ),
    ] {
        let mut queue = queue_with(&waiting);
        let old = Arc::clone(&waiting[place]);
        with_listers(|moment| match new {
            Some(new) => queue.pod_updated(old, new, None, moment),
            None => queue.pod_deleted(old, None, moment),
        });
        let is_tried =
            |name: &&str| matches!(queue.place(&format!("ns1/{name}")), Some(Place::Active | Place::Backoff));
        let tried: Vec<&str> = ["hpp", "mpp", "smpp", "lpp"].into_iter().filter(is_tried).collect();
        assert_eq!(tried, expected, "{name}");
    }
}
