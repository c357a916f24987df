use std::sync::atomic::{AtomicUsize, Ordering};

use k8s_openapi::api::core::v1::Node;
use plimsoll_fixtures::made_up_extender::Answer;
use plimsoll_fixtures::{Case, MadeUpExtender, cases, object};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::config::{KubeSchedulerConfiguration, set_defaults};
use crate::framework::{ClusterEvent, Nomination};
use crate::plugins::TABLE;
use crate::plugins::tests::given::list_objects;
use crate::queue::{Moment, Place, QueueSettings};
use crate::schedule::explain;
use crate::{CycleState, Listers, Outcome, PodInfo, Profile, SchedulingQueue, Snapshot, TieBreak, schedule};

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// An extender whose answers are data, and how often it was asked.
struct Client {
    settings: config::Extender,
    answers: MadeUpExtender,
    asked: Arc<AtomicUsize>,
}

impl Client {
    fn answer<T: DeserializeOwned>(&self, verb: &str, answer: Answer) -> Result<T, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = answer.map_err(|status| Extender::unexpected_status(&self.settings, verb, status))?;
        Ok(read(answer))
    }
}

impl ExtenderClient for Client {
    fn filter(&self, _pod: &Pod, nodes: &[&str]) -> Result<ExtenderFilterResult, String> {
        self.answer(&self.settings.filter_verb, self.answers.filter(nodes, self.settings.node_cache_capable))
    }

    fn prioritize(&self, _pod: &Pod, _nodes: &[&str]) -> Result<Vec<HostPriority>, String> {
        self.answer(&self.settings.prioritize_verb, self.answers.prioritize())
    }

    fn process_preemption(
        &self,
        _pod: &Pod,
        victims: &VictimsOfNodes,
    ) -> Result<ExtenderPreemptionResult, String> {
        let uids = |pods: &[MetaPod]| pods.iter().map(|pod| pod.uid.clone()).collect();
        let asked = |(node, victims): (&String, &MetaVictims)| {
            (node.clone(), (uids(&victims.pods), victims.num_pdb_violations))
        };
        self.answer(&self.settings.preempt_verb, self.answers.preempt(&victims.iter().map(asked).collect()))
    }

    fn bind(&self, _binding: &ExtenderBindingArgs) -> Result<ExtenderBindingResult, String> {
        self.answer(&self.settings.bind_verb, self.answers.bind())
    }

    fn pod_uid(&self, namespace: &str, name: &str) -> String {
        format!("{namespace}/{name}")
    }
}

/// The first profile of a configuration, with its extenders; `answers` are theirs in the order of the configuration.
fn profile(configuration: &Value, answers: &[MadeUpExtender], asked: &Arc<AtomicUsize>) -> Profile {
    let mut configuration: KubeSchedulerConfiguration = read(configuration.clone());
    set_defaults(&mut configuration);
    let configured = ignore_managed_resources(&configuration).unwrap();
    let mut profile = Profile::new(&configured.profiles[0], &configured, &TABLE).unwrap();
    profile.extenders = Extenders::new(&configuration.extenders, |settings| {
        let place = configuration.extenders.iter().position(|other| other.url_prefix == settings.url_prefix);
        let answers = place.and_then(|place| answers.get(place)).cloned().unwrap_or_default();
        Box::new(Client { settings: settings.clone(), answers, asked: Arc::clone(asked) })
    });
    profile
}

/// Schedules the case's pod with its extenders and compares with what upstream said.
#[track_caller]
fn check(case: &Case) {
    let nodes: Vec<Node> = read(case.given["nodes"].clone());
    let running: Vec<Pod> = case.given.get("running").cloned().map(read).unwrap_or_default();
    let pod: Pod = read(case.given["pod"].clone());
    let answers: Vec<MadeUpExtender> = read(case.given["extenders"].clone());
    let profile = profile(&case.given["config"], &answers, &Arc::default());
    let mut snapshot = Snapshot::new(&nodes).unwrap();
    for pod in &running {
        let pod = PodInfo::new(pod).unwrap();
        snapshot.add_pod(&pod, pod.node_name());
    }
    list_objects(&case.given, snapshot.listers_mut());
    let answer = answer(&pod, &snapshot, &profile);
    assert_eq!(answer, case.expect, "{}: {}", case.source, case.name);
}

fn answer(pod: &Pod, snapshot: &Snapshot, profile: &Profile) -> Value {
    let info = PodInfo::new(pod).unwrap();
    match schedule(&info, snapshot, profile, &mut CycleState::default()) {
        Outcome::Placed(placement) => {
            let bound = profile.extenders.bind(pod, &placement.node);
            let error = bound.as_ref().and_then(|bound| bound.as_ref().err());
            json!({
                "node": placement.node, "evaluated": placement.evaluated_nodes, "feasible": placement.feasible_nodes,
                "bind": {"bound": bound.is_some(), "error": error},
            })
        }
        Outcome::Unschedulable(mut error) => {
            let mut answer = json!({ "rejectedByExtenders": error.unschedulable_plugins().contains(NAME) });
            if let Nomination::Set(preemption) = &error.nomination {
                let victims =
                    preemption.victims.iter().map(|victim| format!("{}/{}", victim.namespace, victim.name));
                answer["preempts"] = json!({
                    "node": preemption.node, "victims": victims.collect::<Vec<_>>(),
                    "violations": preemption.disruption_budget_violations,
                });
                error.post_filter_message.clear();
            }
            answer["message"] = error.message().into();
            answer
        }
        failed @ (Outcome::NoNodes | Outcome::Error(_)) => json!({ "error": failed.message() }),
    }
}

#[test]
fn extenders_have_their_say_as_upstream_lets_them() {
    cases("testdata/extenders.yaml").iter().for_each(check);
}

#[test]
fn an_extender_is_asked_about_pods_that_ask_for_what_it_manages() {
    // Source: pkg/scheduler/extender_test.go (TestIsInterested).
    let check = |managed: &str, spec: &str, expected: bool| {
        let settings: config::Extender = object(&format!("{{managedResources: {managed}}}"));
        let client =
            Client { settings: settings.clone(), answers: MadeUpExtender::default(), asked: Arc::default() };
        let extender = Extender { settings, client: Box::new(client) };
        let pod: Pod = object(&format!("{{spec: {spec}}}"));
        assert_eq!(extender.is_interested(&pod), expected, "{managed} {spec}");
    };
    check("[]", "{containers: []}", true);
    check("[{name: memory}]", "{containers: [{name: app}]}", false);
    check("[{name: memory}]", "{containers: [{name: c, resources: {requests: {memory: '0'}}}]}", true);
    check("[{name: memory}]", "{containers: [{name: c, resources: {limits: {memory: '0'}}}]}", true);
    check(
        "[{name: memory}]",
        "{containers: [], initContainers: [{name: c, resources: {requests: {memory: '0'}}}]}",
        true,
    );
}

#[test]
fn answers_are_read_with_large_and_small_letters_and_with_nulls() {
    let large = json!({"NodeNames": ["a"], "FailedNodes": {"B": "no"}, "Error": "", "Nodes": null});
    let small = json!({"nodenames": ["a"], "failedNodes": {"B": "no"}, "failedAndUnresolvableNodes": null});
    let filtered: ExtenderFilterResult = read(large);
    assert_eq!(filtered, read(small));
    assert_eq!(filtered.failed_nodes["B"], "no");
    let victims = json!({"nodeNameToMetaVictims": {"a": {"pods": [{"uid": "1"}], "numPDBViolations": 2}}});
    let preempted: ExtenderPreemptionResult = read(victims);
    assert_eq!(
        serde_json::to_value(preempted).unwrap(),
        json!({"NodeNameToMetaVictims": {"a": {"Pods": [{"UID": "1"}], "NumPDBViolations": 2}}})
    );
}

#[test]
fn questions_have_the_fields_of_go() {
    let pod: Pod = object("{metadata: {name: p}}");
    let args = ExtenderArgs { pod: &pod, nodes: None, node_names: Some(vec!["a"]) };
    let written = serde_json::to_value(args).unwrap();
    assert_eq!((&written["NodeNames"], &written["Nodes"]), (&json!(["a"]), &Value::Null));
    assert_eq!(written["Pod"]["metadata"]["name"], "p");
    let victims = Victims { pods: vec![pod.clone()], num_pdb_violations: 1 };
    let args = ExtenderPreemptionArgs {
        pod: &pod,
        node_name_to_victims: Some([("a".to_owned(), victims)].into()),
        node_name_to_meta_victims: None,
    };
    let written = serde_json::to_value(args).unwrap();
    assert_eq!(written["NodeNameToVictims"]["a"]["NumPDBViolations"], 1);
    let binding = ExtenderBindingArgs { pod_uid: "1".to_owned(), ..ExtenderBindingArgs::default() };
    assert_eq!(
        serde_json::to_value(binding).unwrap(),
        json!({"PodName": "", "PodNamespace": "", "PodUID": "1", "Node": ""})
    );
}

fn nodes(count: usize) -> Vec<Node> {
    let node = |index| {
        object(&format!(
            "{{metadata: {{name: n{index}}}, status: {{allocatable: {{cpu: '4', memory: 8Gi, pods: '9'}}}}}}"
        ))
    };
    (0..count).map(node).collect()
}

/// A pod, with `memory` one that an extender which manages that is asked about.
fn pod(name: &str, requests: &str) -> Pod {
    object(&format!(
        "{{metadata: {{name: {name}, namespace: default}}, spec: {{containers: [{{name: c, resources: {{requests: {requests}}}}}]}}}}"
    ))
}

fn memory_extender() -> Value {
    json!({"extenders": [{
        "urlPrefix": "http://extender", "filterVerb": "filter", "prioritizeVerb": "prioritize", "weight": 1,
        "nodeCacheCapable": true, "managedResources": [{"name": "memory"}],
    }]})
}

#[test]
fn each_node_is_told_what_extenders_refuse_it_for() {
    let answers: MadeUpExtender =
        object("{filter: {fails: {n0: busy}, drops: [n1]}, prioritize: {scores: [[n2, 3], [n3, 10]]}}");
    let profile = profile(&memory_extender(), &[answers], &Arc::default());
    let snapshot = Snapshot::new(&nodes(4)).unwrap();
    let object = pod("p", "{memory: 1Mi}");
    let explanation = explain(&PodInfo::new(&object).unwrap(), &snapshot, &profile).unwrap();
    let refusals: Vec<Vec<(&str, String)>> = explanation
        .nodes
        .iter()
        .map(|node| node.refusals.iter().map(|status| (status.plugin, status.message())).collect())
        .collect();
    let by_extender = |text: &str| vec![(NAME, text.to_owned())];
    assert_eq!(refusals, [by_extender("busy"), by_extender(""), vec![], vec![]]);
    assert!(explanation.nodes[2].scores.contains(&(NAME, 30)));
    assert!(explanation.nodes[3].scores.contains(&(NAME, 100)));
    let Outcome::Placed(placement) = explanation.outcome else { unreachable!() };
    assert_eq!(placement.node, "n3");
}

#[test]
fn nearly_any_event_may_let_in_a_pod_that_extenders_turned_away() {
    let place_after = |profile: Profile| {
        let listers = Listers::default();
        let moment = |seconds: i64| Moment { now_micros: seconds * 1_000_000, listers: &listers };
        let mut queue = SchedulingQueue::new([profile].into(), QueueSettings::default());
        let mut pod = pod("p", "{}");
        pod.spec.get_or_insert_default().scheduler_name = Some("default-scheduler".to_owned());
        queue.add(pod.into(), moment(0));
        let mut tried = queue.pop().unwrap();
        tried.unschedulable_plugins.insert(NAME);
        queue.add_unschedulable_if_not_present(tried, moment(0)).unwrap();
        let event = ClusterEvent::ASSIGNED_POD_ADD;
        queue.move_all_to_active_or_backoff(event, &Arc::default(), &|_| true, moment(60));
        queue.place("default/p")
    };
    let with_extenders = profile(&memory_extender(), &[], &Arc::default());
    assert_eq!(place_after(with_extenders), Some(Place::Active));
    assert_eq!(place_after(Profile::default()), Some(Place::Unschedulable));
}

#[test]
fn resources_that_are_left_to_extenders_neednt_fit() {
    let mut configuration: KubeSchedulerConfiguration = read(json!({"extenders": [
        {"managedResources": [{"name": "example.com/a", "ignoredByScheduler": true}, {"name": "example.com/b"}]},
    ]}));
    set_defaults(&mut configuration);
    let changed = ignore_managed_resources(&configuration).unwrap();
    let profile = Profile::new(&changed.profiles[0], &changed, &TABLE).unwrap();
    let snapshot = Snapshot::new(&nodes(1)).unwrap();
    let place = |requests: &str| {
        let object = pod("p", requests);
        schedule(&PodInfo::new(&object).unwrap(), &snapshot, &profile, &mut CycleState::default())
    };
    assert!(matches!(place("{example.com/a: '1'}"), Outcome::Placed(_)));
    assert!(matches!(place("{example.com/b: '1'}"), Outcome::Unschedulable(_)));
    configuration.profiles[0].plugin_config.clear();
    assert_eq!(
        ignore_managed_resources(&configuration).unwrap_err(),
        "can't find NodeResourcesFitArgs in plugin config"
    );
}

mod properties {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Of a class of which much is kept: the extender is asked even so, and what it says decides.
        #[test]
        fn a_pod_that_an_extender_cares_for_is_never_answered_from_what_is_kept(
            node_count in 1..9_usize,
            pods in vec((any::<bool>(), 0..4_u8), 1..30),
            refused in vec(0..9_usize, 0..6),
            scores in vec((0..9_usize, 0..11_i64), 0..6),
            seeded in any::<bool>(),
        ) {
            let name = |node: &usize| format!("n{node}");
            let fails: std::collections::BTreeMap<String, &str> = refused.iter().map(|node| (name(node), "no")).collect();
            let scores: Vec<(String, i64)> = scores.iter().map(|(node, score)| (name(node), *score)).collect();
            let answers: MadeUpExtender = read(json!({"filter": {"fails": fails}, "prioritize": {"scores": scores}}));
            let asked = Arc::new(AtomicUsize::new(0));
            let mut profile = profile(&memory_extender(), &[answers], &asked);
            profile.percentage_of_nodes_to_score = 100;
            if seeded {
                profile.tie_break = TieBreak::Seeded { seed: 7 };
            }
            let mut snapshot = Snapshot::new(&nodes(node_count)).unwrap();
            let mut kept = CycleState::default();
            for (number, (is_cared_for, removed)) in pods.into_iter().enumerate() {
                snapshot.remove_pod("default", &format!("p{}", number.wrapping_sub(usize::from(removed) + 1)));
                let requests = if is_cared_for { "{cpu: 500m, memory: 1Gi}" } else { "{cpu: 500m}" };
                let object = pod(&format!("p{number}"), requests);
                let info = PodInfo::new(&object).unwrap();
                let mut fresh = CycleState::default();
                fresh.next_start_node_index = kept.next_start_node_index;
                fresh.decisions = kept.decisions;
                let before = asked.load(Ordering::Relaxed);
                let outcome = schedule(&info, &snapshot, &profile, &mut kept);
                let questions = asked.load(Ordering::Relaxed) - before;
                prop_assert_eq!(&outcome, &schedule(&info, &snapshot, &profile, &mut fresh));
                if !is_cared_for {
                    prop_assert_eq!(questions, 0);
                }
                if let Outcome::Placed(placement) = outcome {
                    prop_assert!(!is_cared_for || (questions > 0 && !fails.contains_key(&placement.node)));
                    snapshot.add_pod(&info, &placement.node);
                }
            }
        }
    }
}
