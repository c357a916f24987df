use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

fn read<T: DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).unwrap()
}

fn daemon_set(name: &str, uid: &str, version: &str) -> ReceivedDaemonSet {
    read(json!({
        "metadata": {"name": name, "namespace": "n", "uid": uid, "resourceVersion": version},
        "spec": {
            "minReadySeconds": 10,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"nodeSelector": {"of": name}, "containers": [{"name": "a"}]},
            },
        },
    }))
}

/// A pod of version `version`; `owner` is a DaemonSet's name and uid.
fn pod(name: &str, version: &str, owner: Option<(&str, &str)>, more: Value) -> DaemonPod {
    let owners = owner.map(|(name, uid)| {
        json!([{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": name, "uid": uid, "controller": true}])
    });
    let mut pod = json!({
        "metadata": {
            "name": name, "namespace": "n", "uid": format!("uid-of-{name}"), "resourceVersion": version,
            "labels": {"app": "agent"}, "ownerReferences": owners,
        },
        "spec": {"nodeName": "a"},
    });
    json_patch::merge(&mut pod, &more);
    read(pod)
}

fn node(name: &str, of: &str, taints: Value) -> SlimNode {
    read(json!({"metadata": {"name": name, "labels": {"of": of}}, "spec": {"taints": taints}}))
}

fn version(number: u32) -> Option<Version> {
    Version::parse(&number.to_string())
}

fn agent() -> ObjectKey {
    ObjectKey::new("n", "agent")
}

/// Caches with DaemonSet `agent`, which nothing has woken since.
fn caches() -> Caches {
    let mut caches = Caches::default();
    caches.take_daemon_sets(News::Listed(vec![daemon_set("agent", "u", "1")]), version(1));
    caches.take_revisions(News::Listed(Vec::new()), version(1));
    caches.take_pods(News::Listed(Vec::new()), version(1));
    assert!(!caches.are_filled());
    caches.take_nodes(News::Listed(Vec::new()), version(1));
    assert!(caches.are_filled());
    assert_eq!(caches.take_wakes().now, [agent()]);
    caches
}

fn woken(caches: &mut Caches) -> usize {
    caches.take_wakes().now.len()
}

const OWNER: Option<(&str, &str)> = Some(("agent", "u"));

#[test]
fn a_pod_that_comes_and_goes_is_what_was_waited_for() {
    let mut caches = caches();
    caches.expectations.expect(&agent(), 1, [], Duration::ZERO);
    caches.take_pods(News::Applied(pod("p", "2", OWNER, json!({}))), version(2));
    assert!(caches.expectations.are_met(&agent(), Duration::ZERO));
    assert_eq!(woken(&mut caches), 1);
    // The same again, as a new list brings it.
    caches.take_pods(News::Listed(vec![pod("p", "2", OWNER, json!({}))]), version(3));
    assert_eq!(woken(&mut caches), 0);
    caches.expectations.expect(&agent(), 0, ["uid-of-p".to_owned()], Duration::ZERO);
    let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    caches.take_pods(News::Applied(pod("p", "4", OWNER, going)), version(4));
    assert!(caches.expectations.are_met(&agent(), Duration::ZERO));
    assert_eq!(woken(&mut caches), 1);
    caches.take_pods(News::Listed(Vec::new()), version(5));
    assert_eq!(woken(&mut caches), 1);
    assert!(caches.snapshot(&agent()).unwrap().unwrap().pods.is_empty());
}

#[test]
fn a_pod_whose_first_news_is_that_it_goes_had_come_before() {
    let mut caches = caches();
    caches.expectations.expect(&agent(), 1, [], Duration::ZERO);
    let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    caches.take_pods(News::Listed(vec![pod("p", "2", OWNER, going)]), version(2));
    assert!(caches.expectations.are_met(&agent(), Duration::ZERO));
}

#[test]
fn an_orphan_concerns_those_that_would_take_it_and_another_controllers_pod_nobody() {
    let mut caches = caches();
    caches.take_pods(News::Applied(pod("p", "2", None, json!({}))), version(2));
    assert_eq!(woken(&mut caches), 1);
    assert_eq!(caches.snapshot(&agent()).unwrap().unwrap().pods.len(), 1);
    let labelled =
        |version, app: &str| pod("p", version, None, json!({"metadata": {"labels": {"app": app}}}));
    caches.take_pods(News::Applied(labelled("3", "other")), version(3));
    assert_eq!(woken(&mut caches), 0);
    caches.take_pods(News::Applied(labelled("4", "agent")), version(4));
    assert_eq!(woken(&mut caches), 1);
    let of_job =
        json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "j", "controller": true}]);
    let taken = pod("p", "5", None, json!({"metadata": {"ownerReferences": of_job}}));
    caches.take_pods(News::Applied(taken), version(5));
    assert_eq!(woken(&mut caches), 0);
    assert!(caches.snapshot(&agent()).unwrap().unwrap().pods.is_empty());
    // A DaemonSet of the same name that is gone.
    caches.take_pods(News::Applied(pod("q", "6", Some(("agent", "old")), json!({}))), version(6));
    assert_eq!(woken(&mut caches), 0);
}

#[test]
fn a_pod_that_becomes_ready_is_looked_at_again_when_it_is_available() {
    let mut caches = caches();
    caches.take_pods(News::Applied(pod("p", "2", OWNER, json!({}))), version(2));
    caches.take_wakes();
    let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    caches.take_pods(News::Applied(pod("p", "3", OWNER, ready)), version(3));
    let wakes = Wakes { now: vec![agent()], later: vec![(agent(), Duration::from_secs(11))] };
    assert_eq!(caches.take_wakes(), wakes);
}

#[test]
fn of_nodes_only_labels_and_taints_matter() {
    let mut caches = caches();
    caches.take_nodes(News::Applied(node("a", "other", json!(null))), version(2));
    assert_eq!(woken(&mut caches), 0);
    caches.take_nodes(News::Applied(node("a", "agent", json!(null))), version(3));
    assert_eq!(woken(&mut caches), 1);
    caches.take_nodes(News::Applied(node("a", "agent", json!(null))), version(4));
    assert_eq!(woken(&mut caches), 0);
    caches.take_pods(News::Applied(pod("p", "5", OWNER, json!({}))), version(5));
    caches.take_wakes();
    // It may stay, but counts as misscheduled.
    let taints = json!([{"key": "full", "effect": "NoSchedule"}]);
    caches.take_nodes(News::Applied(node("a", "agent", taints)), version(6));
    assert_eq!(woken(&mut caches), 1);
    caches.take_nodes(News::Deleted(node("a", "agent", json!(null))), version(7));
    assert_eq!(woken(&mut caches), 1);
}

#[test]
fn a_cache_behind_what_was_written_decides_nothing() {
    let mut caches = caches();
    caches.own_writes.wrote(&agent(), "u", pods_resource(), "8");
    assert!(caches.snapshot(&agent()).is_err());
    caches.take_pods(News::Nothing, version(8));
    assert!(caches.snapshot(&agent()).unwrap().is_some());
}

#[test]
fn another_daemon_set_of_the_same_name_waits_for_nothing() {
    let mut caches = caches();
    caches.expectations.expect(&agent(), 3, [], Duration::ZERO);
    caches.take_daemon_sets(News::Applied(daemon_set("agent", "v", "2")), version(2));
    assert!(caches.expectations.are_met(&agent(), Duration::ZERO));
    caches.take_daemon_sets(News::Listed(Vec::new()), version(3));
    assert!(caches.snapshot(&agent()).unwrap().is_none());
}

#[test]
fn a_revision_concerns_its_owner_or_whoever_would_take_it() {
    let mut caches = caches();
    let revision = |version: &str, labels: Value, owners: Value| -> Revision {
        read(json!({
            "metadata": {
                "name": "r", "namespace": "n", "resourceVersion": version, "labels": labels, "ownerReferences": owners,
            },
            "revision": 1, "data": {},
        }))
    };
    let owners = json!([{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "u", "controller": true}]);
    caches.take_revisions(News::Applied(revision("2", json!({"app": "agent"}), json!(null))), version(2));
    assert_eq!(woken(&mut caches), 1);
    caches.take_revisions(News::Applied(revision("3", json!({"app": "agent"}), owners)), version(3));
    assert_eq!(woken(&mut caches), 1);
    assert_eq!(caches.snapshot(&agent()).unwrap().unwrap().revisions.len(), 1);
    caches.take_revisions(News::Listed(Vec::new()), version(4));
    assert_eq!(woken(&mut caches), 1);
}
