//! Nodes that are compared by devices: what is kept of pods of a kind isn't true any longer once one has got devices.

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::object;
use serde_json::{Value, json};

use super::given::profile;
use crate::profile::TieBreak;
use crate::schedule::{CycleState, Outcome, schedule};
use crate::{PodInfo, Profile, Snapshot};

/// A profile for which a node is the better the more, or the fewer, devices it has left.
fn scored_by_devices(strategy: &str) -> Profile {
    let resources = json!([{"name": "example.com/x", "weight": 1}]);
    let fit = json!({"scoringStrategy": {"type": strategy, "resources": resources}});
    let config: Value = json!({"config": {"profiles": [{"pluginConfig": [
        {"name": "NodeResourcesFit", "args": fit},
        {"name": "NodeResourcesBalancedAllocation", "args": {"resources": resources}},
    ]}]}});
    let mut profile = profile(&config);
    profile.percentage_of_nodes_to_score = 100;
    profile.tie_break = TieBreak::Seeded { seed: 7 };
    profile
}

/// Three nodes with three devices each, or with nine that all can use.
fn nodes_with_devices(are_shared: bool) -> Snapshot {
    let names = ["a", "b", "c"];
    let node = |name: &str| -> Node {
        object(&format!("{{metadata: {{name: {name}}}, status: {{allocatable: {{pods: '9'}}}}}}"))
    };
    let mut snapshot = Snapshot::new(&names.map(node)).unwrap();
    let listers = &mut snapshot.listers_mut().devices;
    listers.set_class(&object("{metadata: {name: x}, spec: {extendedResourceName: example.com/x}}"));
    let mut offer = |name: &str, place: &str, count: usize| {
        let devices: Vec<String> = (0..count).map(|index| format!("{{name: d{index}}}")).collect();
        let devices = devices.join(", ");
        listers.set_slice(&object(&format!(
            "{{metadata: {{name: {name}}}, spec: {{driver: d, {place}, pool: {{name: {name}, generation: 1, resourceSliceCount: 1}}, devices: [{devices}]}}}}"
        )));
    };
    if are_shared {
        offer("shared", "allNodes: true", 9);
    } else {
        for name in names {
            offer(name, &format!("nodeName: {name}"), 3);
        }
    }
    snapshot
}

/// The nodes that nine pods get that ask for a device each, one after the other.
fn nodes_of_pods(profile: &Profile, mut snapshot: Snapshot) -> Vec<String> {
    let mut state = CycleState::default();
    let mut taken = Vec::new();
    for number in 0..9 {
        let pod: Pod = object(&format!(
            "{{metadata: {{name: p{number}, namespace: default, uid: u{number}}}, spec: {{containers: [{{name: c, resources: {{requests: {{example.com/x: '1'}}}}}}]}}}}"
        ));
        let pod = PodInfo::new(&pod).unwrap();
        // A copy has nothing kept.
        let mut fresh = state.clone();
        let outcome = schedule(&pod, &snapshot, profile, &mut state);
        assert_eq!(outcome, schedule(&pod, &snapshot, profile, &mut fresh));
        let Outcome::Placed(placement) = outcome else { unreachable!() };
        let node = snapshot.node(&placement.node).unwrap();
        for assumed in profile.reserve(&pod, &snapshot, node).unwrap() {
            snapshot.assume(assumed);
        }
        snapshot.add_pod(&pod, &placement.node);
        taken.push(placement.node);
    }
    taken
}

#[test]
fn pods_go_where_most_devices_are_left() {
    let nodes = nodes_of_pods(&scored_by_devices("LeastAllocated"), nodes_with_devices(false));
    for three in nodes.chunks(3) {
        let mut three = three.to_vec();
        three.sort_unstable();
        assert_eq!(three, ["a", "b", "c"]);
    }
}

#[test]
fn pods_go_where_fewest_devices_are_left() {
    let nodes = nodes_of_pods(&scored_by_devices("MostAllocated"), nodes_with_devices(false));
    for three in nodes.chunks(3) {
        assert!(three.iter().all(|node| *node == three[0]), "{nodes:?}");
    }
}

#[test]
fn a_device_that_is_taken_is_so_for_all_nodes_that_can_use_it() {
    nodes_of_pods(&scored_by_devices("LeastAllocated"), nodes_with_devices(true));
    nodes_of_pods(&scored_by_devices("MostAllocated"), nodes_with_devices(true));
}
