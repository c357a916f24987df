//! A plugin that refuses a pod before any node is judged, and preemption all the same.

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::object;

use super::*;
use crate::framework::{FilterPlugin, Nomination, Plugin};
use crate::plugins::Registration;
use crate::schedule::{CycleState, Outcome, schedule};

const NAME: &str = "token-filter";

/// The fake plugin of upstream's `test/integration/scheduler/preemption/preemption_test.go` (`tokenFilter`): each pod takes a token, and
/// none is left.
struct TokenFilter {
    code: Code,
    judges_nodes: bool,
}

struct Tokens;

impl FilterPlugin for TokenFilter {
    fn pre_filter<'a>(&'a self, _pod: &'a PodInfo<'a>, _snapshot: &'a Snapshot) -> PreFilter<'a> {
        let status = Status::new(self.code, NAME, "no tokens left");
        if self.judges_nodes {
            PreFilter::Unschedulable { status, filter: Box::new(Tokens) }
        } else {
            PreFilter::Reject(status)
        }
    }
}

impl Filter for Tokens {
    fn check(&self, node: NodeIndex) -> Status {
        self.check_with(node, PodChanges::default())
    }

    fn check_with(&self, _node: NodeIndex, changes: PodChanges<'_>) -> Status {
        let tokens: i64 = changes.iter().map(|(_, sign)| -sign).sum();
        if tokens > 0 { Status::SUCCESS } else { Status::new(Code::Unschedulable, NAME, "can't fit") }
    }
}

fn plugin(code: Code, judges_nodes: bool) -> Plugin {
    Plugin { filter: Some(Box::new(TokenFilter { code, judges_nodes })), ..Plugin::new(NAME) }
}

const REFUSES_FOR_NOW: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreFilter, ExtensionPoint::Filter],
    weight: 1,
    summary: "",
    new: |_| Ok(plugin(Code::Unschedulable, true)),
};
const REFUSES_FOR_GOOD: Registration =
    Registration { new: |_| Ok(plugin(Code::UnschedulableAndUnresolvable, true)), ..REFUSES_FOR_NOW };
const JUDGES_NO_NODE: Registration =
    Registration { new: |_| Ok(plugin(Code::Unschedulable, false)), ..REFUSES_FOR_NOW };

fn node(name: &str) -> Node {
    object(&format!(
        "{{metadata: {{name: {name}, labels: {{name: {name}}}}}, status: {{allocatable: {{cpu: 500m, memory: 1Gi, pods: '9'}}}}}}"
    ))
}

fn pod(name: &str, spec: &str) -> Pod {
    object(&format!(
        "{{metadata: {{name: {name}, namespace: default}}, spec: {{{spec}, containers: [{{name: c, resources: {{requests: {{cpu: 200m}}}}}}]}}}}"
    ))
}

/// What becomes of a pod that may remove the one on `b`, and not the one on `a`.
fn decide(row: Registration) -> (String, Nomination) {
    let mut snapshot = Snapshot::new(&[node("a"), node("b")]).unwrap();
    for node in ["a", "b"] {
        let victim = pod(&format!("on-{node}"), "priority: 1");
        snapshot.add_pod(&PodInfo::new(&victim).unwrap(), node);
    }
    let urgent = pod("urgent", "priority: 2, nodeSelector: {name: b}");
    let urgent = PodInfo::new(&urgent).unwrap();
    let outcome = schedule(&urgent, &snapshot, &Profile::with_plugin(row), &mut CycleState::default());
    let Outcome::Unschedulable(error) = outcome else { unreachable!() };
    (error.message(), error.nomination)
}

#[test]
fn preemption_asks_the_filters_of_all_plugins() {
    let (message, nomination) = decide(REFUSES_FOR_NOW);
    assert_eq!(
        message,
        "0/2 nodes are available: no tokens left. preemption: found a potential placement for pod on node b, preempting 1 victims"
    );
    let Nomination::Set(preemption) = nomination else { unreachable!() };
    // NodeAffinity keeps the pod off the other node, though that has a pod to remove too.
    assert_eq!((preemption.node.as_str(), preemption.victims[0].name.as_str()), ("b", "on-b"));
}

#[test]
fn what_can_not_be_resolved_is_not_tried() {
    let (message, nomination) = decide(REFUSES_FOR_GOOD);
    assert_eq!(
        message,
        "0/2 nodes are available: no tokens left. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    );
    assert_eq!(nomination, Nomination::Clear);
}

#[test]
fn a_plugin_that_judges_no_node_keeps_the_pod_off_none() {
    // So every pod on the node can stay, and upstream takes that for a fault.
    let (message, nomination) = decide(JUDGES_NO_NODE);
    assert_eq!(
        message,
        "0/2 nodes are available: no tokens left. preemption: expected at least one victim pod on node \"b\""
    );
    assert_eq!(nomination, Nomination::Keep);
}
