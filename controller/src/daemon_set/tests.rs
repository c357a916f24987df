//! Case files for DaemonSets, and scenarios of plans.

use std::time::Duration;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use plimsoll_fixtures::{Case, cases, object};
use serde_json::json;

use super::node_affinity::target_node_name;
use super::*;
use crate::owner::{Claims, Owner};

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

/// The same with a rolling update of these limits.
fn rolling(limits: &str) -> DaemonSet {
    let mut daemon_set = daemon_set();
    let strategy = format!("{{type: RollingUpdate, rollingUpdate: {limits}}}");
    daemon_set.spec.update_strategy = object(&strategy);
    daemon_set
}

fn node(name: &str, taint_effect: Option<&str>) -> Node {
    let mut node: Node = object(&format!("metadata: {{name: {name}}}\nspec: {{}}"));
    if let Some(effect) = taint_effect {
        node.spec = object(&format!("taints: [{{key: a, effect: {effect}}}]"));
    }
    node
}

const READY: &str = "{phase: Running, conditions: [{type: Ready, status: 'True'}]}";

fn pod(name: &str, node: &str, hash: &str, status: &str) -> DaemonPod {
    let mut pod = PodMaker::new(&daemon_set(), "u1", hash).pod_for(node);
    pod.metadata.name = Some(name.to_owned());
    pod.spec.get_or_insert_default().node_name = Some(node.to_owned());
    pod.status = object(status);
    DaemonPod::from(&pod)
}

fn deleting(mut pod: DaemonPod) -> DaemonPod {
    pod.metadata.deletion_timestamp = object("2026-01-01T00:00:00Z");
    pod
}

fn created(mut pod: DaemonPod, second: u32) -> DaemonPod {
    pod.metadata.creation_timestamp = object(&format!("2026-01-01T00:00:{second:02}Z"));
    pod
}

fn now() -> Timestamp {
    "2026-01-01T01:00:00Z".parse().unwrap()
}

fn plan_now(daemon_set: &DaemonSet, nodes: &[Node], pods: &[DaemonPod]) -> Plan {
    plan(&Situation::new(daemon_set, "new", nodes, pods, now()), Some(&mut FailedPods::default()))
}

#[track_caller]
fn check_actions(plan: &Plan, create_on: &[&str], delete: &[&str]) {
    assert_eq!(
        (&plan.actions.create_on[..], &plan.actions.delete[..]),
        (&owned(create_on)[..], &owned(delete)[..])
    );
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_fresh_cluster_gets_a_pod_on_each_node_that_should_run_one() {
    let nodes = [node("a", None), node("b", Some("NoSchedule")), node("c", None)];
    let plan = plan_now(&daemon_set(), &nodes, &[]);
    check_actions(&plan, &["a", "c"], &[]);
    assert_eq!(plan.status.desired_number_scheduled, 2);
    assert_eq!(plan.status.number_unavailable(), 2);
}

#[test]
fn pods_are_counted_by_node_and_state() {
    let nodes = [node("a", None), node("b", Some("NoSchedule")), node("c", None), node("d", None)];
    let ended = deleting(pod("ended", "c", "new", "{phase: Failed}"));
    let pods =
        [pod("one", "a", "new", READY), pod("two", "b", "new", READY), ended, pod("old", "d", "old", "{}")];
    let plan = plan_now(&daemon_set(), &nodes, &pods);
    check_actions(&plan, &["c"], &[]);
    let expected = Status {
        desired_number_scheduled: 3,
        current_number_scheduled: 2,
        number_misscheduled: 1,
        number_ready: 1,
        updated_number_scheduled: 1,
        number_available: 1,
    };
    assert_eq!(plan.status, expected);
}

#[test]
fn pods_go_from_nodes_that_evict_and_from_those_that_are_gone() {
    let nodes = [node("a", Some("NoExecute"))];
    let mut waiting = pod("waiting", "gone", "new", "{}");
    waiting.node_name.clear();
    let pods = [pod("one", "a", "new", READY), pod("bound", "gone", "new", READY), waiting];
    check_actions(&plan_now(&daemon_set(), &nodes, &pods), &[], &["one", "waiting"]);
}

#[test]
fn of_several_pods_the_oldest_bound_one_stays() {
    let nodes = [node("a", None)];
    let mut unbound = created(pod("unbound", "a", "new", "{}"), 1);
    unbound.node_name.clear();
    let pods = [
        created(pod("younger", "a", "new", READY), 5),
        created(pod("older", "a", "old", "{}"), 2),
        unbound,
        deleting(created(pod("going", "a", "new", "{}"), 0)),
    ];
    check_actions(&plan_now(&daemon_set(), &nodes, &pods), &[], &["younger", "unbound"]);
}

#[test]
fn an_ended_pod_goes_and_a_second_failed_one_waits() {
    let nodes = [node("a", None), node("b", None)];
    let pods = [pod("failed", "a", "new", "{phase: Failed}"), pod("done", "b", "new", "{phase: Succeeded}")];
    let (daemon_set, mut failed) = (daemon_set(), FailedPods::default());
    let situation = Situation::new(&daemon_set, "new", &nodes, &pods, now());
    let first = plan(&situation, Some(&mut failed));
    check_actions(&first, &[], &["failed", "done"]);
    let told =
        |pod: &str, node: &str, ended| plan::EndedPod { pod: pod.to_owned(), node: node.to_owned(), ended };
    let expected = [
        told("monitoring/failed", "a", pod::Ended::Failed),
        told("monitoring/done", "b", pod::Ended::Succeeded),
    ];
    assert_eq!(first.ended_pods, expected);
    let again = plan(&situation, Some(&mut failed));
    check_actions(&again, &[], &["done"]);
    assert_eq!(again.look_again_after, Some(Duration::from_secs(1)));
}

#[test]
fn without_met_expectations_there_are_only_counts() {
    let (daemon_set, nodes) = (daemon_set(), [node("a", None)]);
    let none: [DaemonPod; 0] = [];
    let plan = plan(&Situation::new(&daemon_set, "new", &nodes, &none, now()), None);
    check_actions(&plan, &[], &[]);
    assert_eq!(plan.status.desired_number_scheduled, 1);
}

#[test]
fn a_rolling_update_deletes_what_is_not_available_and_as_many_more_as_may_be_missing() {
    let nodes = ["a", "b", "c", "d"].map(|name| node(name, None));
    let pods = [
        pod("a1", "a", "old", READY),
        pod("b1", "b", "old", "{}"),
        pod("c1", "c", "old", READY),
        pod("d1", "d", "old", READY),
    ];
    check_actions(&plan_now(&rolling("{maxUnavailable: 1}"), &nodes, &pods), &[], &["b1"]);
    check_actions(&plan_now(&rolling("{maxUnavailable: 2}"), &nodes, &pods), &[], &["b1", "a1"]);
    check_actions(&plan_now(&rolling("{maxUnavailable: 60%}"), &nodes, &pods), &[], &["b1", "a1", "c1"]);
    check_actions(&plan_now(&daemon_set(), &nodes, &pods), &[], &[]);
}

#[test]
fn a_surge_brings_the_new_pod_first() {
    let nodes = ["a", "b", "c"].map(|name| node(name, None));
    let surging = rolling("{maxSurge: 1, maxUnavailable: 0}");
    let mut pods =
        vec![pod("a1", "a", "old", READY), pod("b1", "b", "old", "{}"), pod("c1", "c", "old", READY)];
    check_actions(&plan_now(&surging, &nodes, &pods), &["b", "a"], &[]);
    pods[1] = pod("b1", "b", "old", READY);
    pods.push(created(pod("b2", "b", "new", "{}"), 3));
    check_actions(&plan_now(&surging, &nodes, &pods), &[], &[]);
    pods[3] = created(pod("b2", "b", "new", READY), 3);
    check_actions(&plan_now(&surging, &nodes, &pods), &[], &["b1"]);
}

#[test]
fn a_surge_beside_a_pod_of_a_node_that_is_gone_says_so() {
    let nodes = [node("a", None)];
    let pods = [pod("a1", "a", "new", READY), pod("b1", "gone", "old", READY)];
    let plan = plan_now(&rolling("{maxSurge: 1, maxUnavailable: 0}"), &nodes, &pods);
    let stalled = plan.stalled.unwrap().to_string();
    assert_eq!(stalled, "couldn't get node for nodeName \"gone\": node \"gone\" not found");
}

#[test]
fn pods_become_available_after_some_time_and_are_looked_at_again() {
    let mut patient = daemon_set();
    patient.spec.min_ready_seconds = Some(30);
    let nodes = [node("a", None)];
    let since = |time: &str| {
        let status = format!(
            "{{conditions: [{{type: Ready, status: 'True', lastTransitionTime: '2026-01-01T{time}Z'}}]}}"
        );
        let plan = plan_now(&patient, &nodes, &[pod("a1", "a", "new", &status)]);
        (plan.status.number_available, plan.look_again_after)
    };
    assert_eq!(since("00:59:30"), (1, None));
    assert_eq!(since("00:59:31"), (0, Some(Duration::from_secs(30))));
}

#[test]
fn orphans_that_match_are_adopted_others_let_go_and_those_of_others_ignored() {
    let daemon_set = daemon_set();
    let mut pods =
        ["own", "orphan", "going", "foreign", "changed", "stranger"].map(|name| pod(name, "a", "new", "{}"));
    let metadata =
        |pods: &mut [DaemonPod], place: usize, edit: fn(&mut ObjectMeta)| edit(&mut pods[place].metadata);
    metadata(&mut pods, 1, |orphan| orphan.owner_references = None);
    metadata(&mut pods, 2, |going| {
        going.owner_references = None;
        going.deletion_timestamp = object("2026-01-01T00:00:00Z");
    });
    metadata(&mut pods, 3, |foreign| foreign.owner_references.as_mut().unwrap()[0].uid = "u2".to_owned());
    metadata(&mut pods, 4, |changed| changed.labels = object("{app: other}"));
    metadata(&mut pods, 5, |stranger| {
        stranger.owner_references = None;
        stranger.labels = None;
    });
    let owner = Owner::new(API_VERSION, KIND, &daemon_set.metadata, "u1");
    let claims = Claims::new(&owner, &selector_in_use(&daemon_set).unwrap(), &pods, |pod| &pod.metadata);
    let names = |pods: &[&DaemonPod]| owned(&pods.iter().map(|pod| pod.name()).collect::<Vec<_>>());
    assert_eq!(names(&claims.owned), ["own", "orphan"]);
    assert_eq!(names(&claims.to_adopt), ["orphan"]);
    assert_eq!(names(&claims.to_release), ["changed"]);
}

#[test]
fn a_selector_of_everything_and_a_deleted_daemon_set_are_not_cared_for() {
    assert!(selector_in_use(&daemon_set()).is_some());
    let mut everything = daemon_set();
    everything.spec.selector = object("{}");
    let mut malformed = daemon_set();
    malformed.spec.selector = object("matchExpressions: [{key: a, operator: Near}]");
    let mut deleted = daemon_set();
    deleted.metadata.deletion_timestamp = object("2026-01-01T00:00:00Z");
    for daemon_set in [everything, malformed, deleted] {
        assert!(selector_in_use(&daemon_set).is_none());
    }
}

#[test]
fn the_hash_of_pods_of_the_same_generation_stays() {
    let mut current = daemon_set();
    current.metadata.annotations = object("{deprecated.daemonset.template.generation: '3'}");
    let mut running = pod("one", "a", "old", "{}");
    let mut hash = |generation: &str| {
        let labels = format!(
            "{{app: exporter, controller-revision-hash: old, pod-template-generation: '{generation}'}}"
        );
        running.metadata.labels = object(&labels);
        revision_hash(&current, [&running])
    };
    assert_eq!(hash("3"), "old");
    assert_eq!(hash("2"), crate::template_hash::template_hash(&daemon_set().spec.template, None));
}

/// A template as an API server sends it; it knows a field that this release doesn't.
const RECEIVED: &str = "
    metadata: {name: exporter, namespace: monitoring, uid: u1}
    spec:
      selector: {matchLabels: {app: d}}
      template:
        metadata: {labels: {app: d}}
        spec:
          containers:
          - {name: c, image: 'a&b:1', resources: {}, novelty: <1>}
          tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 5}, {key: a, novelty: 2}]
          affinity: {novelty: 3}
    ";

fn received() -> ReceivedDaemonSet {
    object(RECEIVED)
}

#[test]
fn revisions_hold_the_template_as_received_byte_by_byte() {
    let expected = r#"{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"d"}},"spec":{"affinity":{"novelty":3},"containers":[{"image":"a\u0026b:1","name":"c","novelty":"\u003c1\u003e","resources":{}}],"tolerations":[{"effect":"NoExecute","key":"node.kubernetes.io/not-ready","operator":"Exists","tolerationSeconds":5},{"key":"a","novelty":2}]}}}}"#;
    assert_eq!(received().revision_data(), expected);
    let stored: Revision = serde_json::from_value(json!({
        "revision": 3,
        "data": serde_json::from_str::<serde_json::Value>(expected).unwrap(),
    }))
    .unwrap();
    assert_eq!((stored.data.as_str(), stored.revision), (expected, 3));
}

#[test]
fn what_is_no_daemon_set_is_refused() {
    for text in ["5", "[]", "{spec: 1}", "{spec: {template: x}}", "{kind: Pod}"] {
        let value: serde_json::Value = object(text);
        assert!(serde_json::from_value::<ReceivedDaemonSet>(value).is_err(), "{text}");
    }
}

#[test]
fn pods_are_sent_with_what_this_release_does_not_know() {
    let pod = received().pod_maker("new").pod_for("node-1");
    let pod: serde_json::Value = serde_json::from_str(&pod).unwrap();
    assert_eq!(pod["spec"]["containers"][0]["novelty"], "<1>");
    assert_eq!(pod["spec"]["affinity"]["novelty"], 3);
    let required = &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let expected = json!({"nodeSelectorTerms": [{"matchFields": [
        {"key": "metadata.name", "operator": "In", "values": ["node-1"]},
    ]}]});
    assert_eq!(*required, expected);
    assert_eq!(
        pod["spec"]["tolerations"][0],
        json!({"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"})
    );
    assert_eq!(pod["spec"]["tolerations"][1], json!({"key": "a", "novelty": 2}));
    assert_eq!(pod["metadata"]["labels"]["controller-revision-hash"], "new");
}

#[test]
fn nothing_in_a_template_is_taken_for_the_node() {
    let mut daemon_set = object::<serde_json::Value>(RECEIVED);
    let args = json!(["node-0", "--node=node-1", "\"node-2\"", "node", "node---"]);
    daemon_set["spec"]["template"]["spec"]["containers"][0]["args"] = args.clone();
    let received: ReceivedDaemonSet = serde_json::from_value(daemon_set).unwrap();
    for node in ["node-0", "node-3", "node", "node----", "a \"quoted\" name"] {
        let pod = received.pod_maker("new").pod_for(node);
        let pod: serde_json::Value = serde_json::from_str(&pod).unwrap();
        assert_eq!(pod["spec"]["containers"][0]["args"], args);
        let required =
            &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        assert_eq!(required["nodeSelectorTerms"][0]["matchFields"][0]["values"], json!([node]));
    }
}

fn revision(name: &str, number: i64, data: &str) -> Revision {
    let metadata = format!("{{name: {name}, labels: {{controller-revision-hash: {name}}}}}");
    Revision { metadata: object(&metadata), revision: number, data: data.to_owned() }
}

#[test]
fn of_equal_revisions_the_latest_stays_and_pods_follow_it() {
    let revisions =
        [revision("a", 3, "x"), revision("b", 1, "y"), revision("c", 3, "x"), revision("d", 2, "x")];
    let history = History::new("x", &revisions);
    assert_eq!(history.current.map(Revision::name), Some("c"));
    let names = |revisions: &[&Revision]| {
        revisions.iter().map(|revision| revision.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&history.duplicates), ["d", "a"]);
    assert_eq!(history.number_of_current(), 2);
    let pods = [pod("one", "a", "a", "{}"), pod("two", "a", "c", "{}"), pod("three", "a", "b", "{}")];
    let relabelled: Vec<&str> = history.to_relabel(&pods).into_iter().map(DaemonPod::name).collect();
    assert_eq!(relabelled, ["one"]);
    assert!(History::new("y", &revisions[..2]).to_relabel(&pods).is_empty());
}

#[test]
fn pods_older_than_the_current_revision_are_of_an_older_one() {
    let first_of = |generation: i64, mut revision: Revision| {
        let annotation = (TEMPLATE_GENERATION_ANNOTATION.to_owned(), generation.to_string());
        revision.metadata.annotations = Some([annotation].into());
        revision
    };
    let revisions = [
        first_of(1, revision("a", 1, "x")),
        first_of(2, revision("b", 2, "y")),
        first_of(4, revision("c", 3, "z")),
    ];
    let made_of = |name: &str, generation: i64, hash: &str| {
        let mut pod = pod(name, "a", hash, "{}");
        let labels = pod.metadata.labels.get_or_insert_default();
        labels.insert(POD_TEMPLATE_GENERATION_LABEL.to_owned(), generation.to_string());
        pod
    };
    // Generation 3 went back to revision `a`; nothing tells of that any more.
    let pods = [
        made_of("one", 1, "c"),
        made_of("two", 3, "c"),
        made_of("three", 4, "c"),
        made_of("four", 1, "b"),
        pod("five", "a", "c", "{}"),
    ];
    let mislabelled = |data: &str, generation| {
        let history = History::new(data, &revisions);
        let pods = history.mislabelled(generation, &pods).into_iter();
        pods.map(|(pod, hash)| (pod.name().to_owned(), hash.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(mislabelled("z", Some(4)), [("one".into(), "a".into()), ("two".into(), "b".into())]);
    // Revision `b` is in force again: its pods may be of its first time.
    assert!(mislabelled("y", Some(5)).is_empty());
    assert!(mislabelled("z", None).is_empty());
}

#[test]
fn the_oldest_revisions_without_pods_go() {
    let revisions =
        [revision("a", 3, "1"), revision("b", 1, "2"), revision("c", 2, "3"), revision("d", 4, "4")];
    let history = History::new("4", &revisions);
    let pods = [pod("one", "a", "b", "{}")];
    let go = |limit| history.to_delete(limit, &pods).into_iter().map(Revision::name).collect::<Vec<_>>();
    assert_eq!(go(3), Vec::<&str>::new());
    assert_eq!(go(2), ["c"]);
    assert_eq!(go(0), ["c", "a"]);
    assert_eq!(history.number_of_current(), 4);
}
