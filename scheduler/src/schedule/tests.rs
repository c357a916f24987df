use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::object;

use super::*;

fn node(name: &str, cpu: &str, memory: &str) -> Node {
    object(&format!(
        "{{metadata: {{name: {name}}}, status: {{allocatable: {{cpu: '{cpu}', memory: '{memory}', pods: '110'}}}}}}"
    ))
}

fn pod(name: &str, requests: &str) -> Pod {
    object(&format!(
        "{{metadata: {{name: {name}, namespace: default}}, spec: {{containers: [{{name: c, resources: {{requests: {requests}}}}}]}}}}"
    ))
}

#[track_caller]
fn decide(pod: &Pod, snapshot: &Snapshot) -> Outcome {
    schedule(&PodInfo::new(pod).unwrap(), snapshot, &Profile::default(), &mut CycleState::default())
}

#[test]
fn says_what_upstream_says_when_no_node_is_left() {
    let nodes = [node("a", "1", "1Gi"), node("b", "1", "8Gi"), node("c", "4", "1Gi")];
    let mut snapshot = Snapshot::new(&nodes).unwrap();
    let outcome = decide(&pod("p", "{cpu: '2', memory: 2Gi}"), &snapshot);
    assert_eq!(
        outcome.message().unwrap(),
        "0/3 nodes are available: 2 Insufficient cpu, 2 Insufficient memory. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    );
    let running = pod("running", "{cpu: '4'}");
    snapshot.add_pod(&PodInfo::new(&running).unwrap(), "c");
    assert_eq!(
        decide(&pod("p", "{cpu: '2'}"), &snapshot).message().unwrap(),
        "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."
    );
}
