//! Case files for DaemonSets, and scenarios of plans.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::{Case, cases, object};
use serde_json::json;

use super::node_affinity::target_node_name;
use super::*;

#[track_caller]
fn check_placement(case: &Case) {
    let daemon_set: DaemonSet = serde_json::from_value(case.given["daemonSet"].clone()).unwrap();
    let node: Node = serde_json::from_value(case.given["node"].clone()).unwrap();
    let decision = Placement::new(&daemon_set).on(&node);
    let answer = json!({
        "should_run": decision.should_run,
        "should_continue_running": decision.should_continue_running,
    });
    assert_eq!(answer, case.expect, "{}", case.name);
}

#[track_caller]
fn check_new_pod(case: &Case) {
    let daemon_set: DaemonSet = serde_json::from_value(case.given["daemonSet"].clone()).unwrap();
    let uid = daemon_set.metadata.uid.clone().unwrap();
    let hash = case.given["hash"].as_str().unwrap();
    let pod = PodMaker::new(&daemon_set, &uid, hash).pod_for("node-1");
    let spec = pod.spec.as_ref().unwrap();
    let answer =
        json!({"metadata": pod.metadata, "affinity": spec.affinity, "tolerations": spec.tolerations});
    assert_eq!(answer, case.expect, "{}", case.name);
}

#[track_caller]
fn check_target(case: &Case) {
    let pod: Pod = serde_json::from_value(case.given.clone()).unwrap();
    let answer = target_node_name(&pod).map_or_else(|error| format!("error: {error}"), str::to_owned);
    assert_eq!(json!(answer), case.expect, "{}", case.name);
}

#[test]
fn pods_belong_where_upstream_says() {
    for case in cases("testdata/daemon_set_placement.yaml") {
        check_placement(&case);
    }
}

#[test]
fn new_pods_are_those_that_upstream_sends() {
    for case in cases("testdata/daemon_set_new_pod.yaml") {
        check_new_pod(&case);
    }
}

#[test]
fn target_nodes_are_read_as_upstream_reads_them() {
    for case in cases("testdata/daemon_set_target_node.yaml") {
        check_target(&case);
    }
}

fn daemon_set() -> DaemonSet {
    object(
        "
        metadata: {name: exporter, namespace: monitoring, uid: u1}
        spec:
          selector: {matchLabels: {app: exporter}}
          template:
            metadata: {labels: {app: exporter}}
            spec: {containers: [{name: app, image: exporter}]}
        ",
    )
}

fn node(name: &str, taint_effect: Option<&str>) -> Node {
    let mut node: Node = object(&format!("metadata: {{name: {name}}}\nspec: {{}}"));
    if let Some(effect) = taint_effect {
        node.spec = object(&format!("taints: [{{key: a, effect: {effect}}}]"));
    }
    node
}

fn pod(name: &str, node: &str, extra: &str) -> Pod {
    let mut pod = PodMaker::new(&daemon_set(), "u1", "hash").pod_for(node);
    pod.metadata.name = Some(name.to_owned());
    pod.status = object(extra);
    pod
}

#[test]
fn a_fresh_cluster_gets_a_pod_on_each_node_that_should_run_one() {
    let nodes = [node("a", None), node("b", Some("NoSchedule")), node("c", None)];
    let plan = plan(&daemon_set(), "u1", &nodes, []);
    assert_eq!(plan.create_on, ["a", "c"]);
    assert_eq!(plan.status.desired_number_scheduled, 2);
}

#[test]
fn planning_after_applying_a_plan_yields_nothing() {
    let nodes = [node("a", None), node("c", None)];
    let first = plan(&daemon_set(), "u1", &nodes, []);
    let pods: Vec<Pod> =
        first.create_on.iter().map(|node| pod(&format!("exporter-{node}"), node, "{}")).collect();
    let second = plan(&daemon_set(), "u1", &nodes, &pods);
    assert_eq!(second.create_on, Vec::<String>::new());
    assert_eq!(second.status.current_number_scheduled, 2);
}

#[test]
fn pods_are_counted_by_node_and_state() {
    let nodes = [node("a", None), node("b", Some("NoSchedule")), node("c", None)];
    let ready = "{phase: Running, conditions: [{type: Ready, status: 'True'}]}";
    let mut ended = pod("ended", "c", "{phase: Failed}");
    ended.metadata.deletion_timestamp = object("2026-01-01T00:00:00Z");
    let pods = [pod("one", "a", ready), pod("two", "b", ready), ended];
    let plan = plan(&daemon_set(), "u1", &nodes, &pods);
    assert_eq!(plan.create_on, ["c"]);
    let expected = Status {
        desired_number_scheduled: 2,
        current_number_scheduled: 1,
        number_misscheduled: 1,
        number_ready: 1,
    };
    assert_eq!(plan.status, expected);
}

#[test]
fn the_hash_of_pods_of_the_same_generation_stays() {
    let mut current = daemon_set();
    current.metadata.annotations = object("{deprecated.daemonset.template.generation: '3'}");
    let mut running = pod("one", "a", "{}");
    let mut hash = |generation: &str| {
        let labels = format!(
            "{{app: exporter, controller-revision-hash: old, pod-template-generation: '{generation}'}}"
        );
        running.metadata.labels = object(&labels);
        plan(&current, "u1", [], [&running]).revision_hash
    };
    assert_eq!(hash("3"), "old");
    assert_eq!(hash("2"), crate::template_hash::template_hash(&daemon_set().spec.template, None));
}

#[test]
fn orphans_that_match_are_adopted_and_others_pods_ignored() {
    let nodes = [node("a", None), node("b", None), node("c", None)];
    let mut orphan = pod("orphan", "a", "{}");
    orphan.metadata.owner_references = None;
    let mut foreign = pod("foreign", "b", "{}");
    foreign.metadata.owner_references.as_mut().unwrap()[0].uid = "u2".to_owned();
    let mut elsewhere = pod("elsewhere", "c", "{}");
    elsewhere.metadata.namespace = Some("other".to_owned());
    let plan = plan(&daemon_set(), "u1", &nodes, &[orphan, foreign, elsewhere]);
    assert_eq!(plan.create_on, ["b", "c"]);
}

#[test]
fn a_selector_of_everything_and_a_deleted_daemon_set_get_no_pods() {
    let nodes = [node("a", None)];
    let mut everything = daemon_set();
    everything.spec.selector = object("{}");
    let mut malformed = daemon_set();
    malformed.spec.selector = object("matchExpressions: [{key: a, operator: Near}]");
    let mut deleted = daemon_set();
    deleted.metadata.deletion_timestamp = object("2026-01-01T00:00:00Z");
    for daemon_set in [everything, malformed, deleted] {
        assert_eq!(plan(&daemon_set, "u1", &nodes, []), Plan::default());
    }
}
