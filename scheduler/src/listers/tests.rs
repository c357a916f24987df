//! Objects come, change and go one after the other; each time all decisions have to be those of listers that never knew anything but
//! what there is now.

mod listed_kinds;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::object;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use self::listed_kinds::{KINDS, NAMES};
use crate::plugins::tests::given::profile;
use crate::profile::TieBreak;
use crate::schedule::explain;
use crate::select_node::seeded_number;
use crate::{CycleState, PodInfo, Profile, Snapshot, schedule};

/// Pods that are decided about: each looks some of the listed objects up.
const PODS: [&str; 12] = [
    "{volumes: [{name: v, persistentVolumeClaim: {claimName: a}}]}",
    "{volumes: [{name: v, persistentVolumeClaim: {claimName: b}}]}",
    "{resourceClaims: [{name: d, resourceClaimName: a}]}",
    "{resourceClaims: [{name: d, resourceClaimName: b}]}",
    "{containers: [{name: c, resources: {requests: {example.com/x: '1'}}}]}",
    "{containers: [{name: c, resources: {requests: {example.com/y: '2'}}}]}",
    "{containers: [{name: c, resources: {requests: {deviceclass.resource.kubernetes.io/a: '1'}}}]}",
    "{containers: [{name: c, resources: {requests: {cpu: '2'}}}], priority: 9, nodeSelector: {zone: x}}",
    "{affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, namespaceSelector: {matchLabels: {team: a}}, labelSelector: {}}]}}}",
    "{affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 9, podAffinityTerm: {topologyKey: zone, namespaceSelector: {matchLabels: {team: b}}, labelSelector: {}}}]}}}",
    "{containers: [{name: c, resources: {requests: {cpu: 100m}}}]}",
    "{containers: [{name: c, resources: {requests: {cpu: 200m}}}]}",
];

/// The controllers of the last pods, which are spread by what selects them.
const OWNERS: [(&str, &str, &str); 4] = [
    ("apps/v1", "ReplicaSet", "a"),
    ("apps/v1", "StatefulSet", "a"),
    ("v1", "ReplicationController", "a"),
    ("apps/v1", "ReplicaSet", "b"),
];

fn pods() -> Vec<Pod> {
    let mut pods: Vec<Pod> = Vec::new();
    for (number, spec) in PODS.iter().enumerate() {
        let mut pod: Pod = object(&format!(
            "{{metadata: {{name: p{number}, namespace: a, uid: u{number}, labels: {{app: a, team: a}}}}, spec: {spec}}}"
        ));
        let spec = pod.spec.as_mut().unwrap();
        if spec.containers.is_empty() {
            spec.containers = object("[{name: c}]");
        }
        if number >= 8 {
            let (version, kind, name) = OWNERS[number - 8];
            pod.metadata.owner_references = Some(object(&format!(
                "[{{apiVersion: {version}, kind: {kind}, name: {name}, uid: u, controller: true}}]"
            )));
        }
        pods.push(pod);
    }
    pods
}

fn nodes() -> Vec<Node> {
    let node = |name: &str, zone: &str| {
        object(&format!(
            "{{metadata: {{name: {name}, labels: {{kubernetes.io/hostname: {name}, zone: {zone}, topology.kubernetes.io/zone: {zone}}}}}, status: {{allocatable: {{cpu: '2', memory: 8Gi, pods: '9'}}}}}}"
        ))
    };
    vec![node("a", "x"), node("b", "x"), node("c", "y")]
}

/// The nodes with what runs on them.
fn cluster() -> Snapshot {
    let mut snapshot = Snapshot::new(&nodes()).unwrap();
    for (name, namespace, app, node) in [
        ("r1", "a", "a", "a"),
        ("r2", "a", "b", "a"),
        ("r3", "b", "a", "b"),
        ("r4", "a", "a", "b"),
        ("r5", "b", "b", "c"),
    ] {
        let pod: Pod = object(&format!(
            "{{metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {app}}}}}, spec: {{priority: 1, containers: [{{name: c, resources: {{requests: {{cpu: 500m}}}}}}], affinity: {{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: kubernetes.io/hostname, namespaceSelector: {{matchLabels: {{team: {namespace}}}}}, labelSelector: {{matchLabels: {{team: {app}}}}}}}]}}}}, volumes: [{{name: v, persistentVolumeClaim: {{claimName: b}}}}]}}}}"
        ));
        snapshot.add_pod(&PodInfo::new(&pod).unwrap(), node);
    }
    snapshot
}

/// Something that happens to a listed object.
#[derive(Clone, Copy, Debug)]
struct Event {
    /// The place of the kind in [`KINDS`].
    kind: usize,
    /// The place of the name in [`NAMES`].
    name: usize,
    /// Which of the kind's states it takes; none if it goes.
    state: Option<usize>,
}

fn event() -> impl Strategy<Value = Event> {
    let kind = 0..KINDS.len();
    kind.prop_flat_map(|kind| {
        let state = proptest::option::weighted(0.7, 0..KINDS[kind].states.len());
        (0..NAMES.len(), state).prop_map(move |(name, state)| Event { kind, name, state })
    })
}

fn listed(objects: &BTreeMap<(usize, usize), usize>) -> Snapshot {
    let mut snapshot = cluster();
    for ((kind, name), state) in objects {
        KINDS[*kind].set(snapshot.listers_mut(), NAMES[*name], *state);
    }
    snapshot
}

/// Decides about all pods, and says what was decided and why. Each pod is asked about twice, as what is kept of a kind of pods is so
/// from the second one on.
fn decisions(snapshot: &Snapshot, profile: &Profile, state: &mut CycleState) -> Vec<String> {
    let mut decisions = Vec::new();
    for pod in pods() {
        let info = PodInfo::new(&pod).unwrap();
        for _ in 0..2 {
            decisions.push(format!("{:?}", schedule(&info, snapshot, profile, state)));
        }
        decisions.push(format!("{:?}", explain(&info, snapshot, profile)));
        let node = snapshot.node("a").unwrap();
        decisions.push(format!("{:?}", profile.reserve(&info, snapshot, node)));
    }
    decisions
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn listers_that_followed_events_decide_as_ones_built_from_what_is_left(
        scored_by_devices in scored_by_devices(), start in 0..100_usize, events in vec(event(), 1..16), seed: u64,
    ) {
        let mut profile = profile(&scored_by_devices);
        profile.percentage_of_nodes_to_score = 100;
        profile.tie_break = TieBreak::Seeded { seed };
        let mut objects = some_clusters().nth(start).unwrap();
        let mut followed = listed(&objects);
        let mut state = CycleState::default();
        for event in events {
            let (kind, name) = (&KINDS[event.kind], NAMES[event.name]);
            if let Some(state) = event.state {
                kind.set(followed.listers_mut(), name, state);
                objects.insert((event.kind, event.name), state);
            } else {
                kind.remove(followed.listers_mut(), name);
                objects.remove(&(event.kind, event.name));
            }
            // A copy has nothing kept, but goes on from the same place.
            let mut fresh = state.clone();
            let rebuilt = listed(&objects);
            prop_assert_eq!(
                decisions(&followed, &profile, &mut state),
                decisions(&rebuilt, &profile, &mut fresh)
            );
        }
    }
}

/// A configuration, in which nodes may be compared by extended resources.
fn scored_by_devices() -> impl Strategy<Value = Value> {
    let resources = json!([{"name": "example.com/x", "weight": 1}, {"name": "cpu", "weight": 1}]);
    let fit = json!({"scoringStrategy": {"type": "LeastAllocated", "resources": resources}});
    let told = json!([{"name": "NodeResourcesFit", "args": fit}]);
    prop_oneof![Just(json!({})), Just(json!({"config": {"profiles": [{"pluginConfig": told}]}}))]
}

/// Clusters of some of the objects, each in some state.
fn some_clusters() -> impl Iterator<Item = BTreeMap<(usize, usize), usize>> {
    let mut number = 0_u64;
    let mut next = move |below: usize| {
        number += 1;
        usize::try_from(seeded_number(1, number) % below as u64).unwrap()
    };
    std::iter::repeat_with(move || {
        let mut objects = BTreeMap::new();
        for object in (0..KINDS.len()).flat_map(|kind| [(kind, 0), (kind, 1)]) {
            if next(4) > 0 {
                objects.insert(object, next(KINDS[object.0].states.len()));
            }
        }
        objects
    })
}

/// A test with these objects notices if one is forgotten or left over.
#[test]
fn every_kind_of_object_has_a_say() {
    let profile = Profile::default();
    let decide = |objects: &BTreeMap<(usize, usize), usize>| {
        decisions(&listed(objects), &profile, &mut CycleState::default())
    };
    let mut silent: Vec<usize> = (0..KINDS.len()).collect();
    for objects in some_clusters().take(60) {
        let as_it_is = decide(&objects);
        silent.retain(|kind| {
            (0..NAMES.len()).all(|name| {
                let mut without = objects.clone();
                without.remove(&(*kind, name)).is_none() || decide(&without) == as_it_is
            })
        });
    }
    let silent: Vec<&str> = silent.into_iter().map(|kind| KINDS[kind].name).collect();
    assert!(silent.is_empty(), "{silent:?}");
}
