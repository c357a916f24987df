use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::{cases, object};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::pod_info::PodInfo;

/// Something that happens to a small cluster.
#[derive(Clone, Debug)]
enum Event {
    SetNode { node: u8, zone: u8, cpu: u8, taint: bool },
    RemoveNode { node: u8 },
    AddPod { pod: u8, node: u8, cpu: u8, port: bool },
    RemovePod { pod: u8 },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..4_u8, 0..3_u8, 0..9_u8, any::<bool>()).prop_map(|(node, zone, cpu, taint)| Event::SetNode {
            node,
            zone,
            cpu,
            taint
        }),
        (0..4_u8).prop_map(|node| Event::RemoveNode { node }),
        (0..6_u8, 0..4_u8, 0..9_u8, any::<bool>()).prop_map(|(pod, node, cpu, port)| Event::AddPod {
            pod,
            node,
            cpu,
            port
        }),
        (0..6_u8).prop_map(|pod| Event::RemovePod { pod }),
    ]
}

fn node(name: u8, zone: u8, cpu: u8, taint: bool) -> Node {
    let taints = if taint { "[{key: a, effect: NoSchedule}]" } else { "[]" };
    object(&format!(
        "{{metadata: {{name: n{name}, labels: {{topology.kubernetes.io/zone: z{zone}}}}}, spec: {{taints: {taints}}}, status: {{allocatable: {{cpu: '{cpu}', example.com/x{zone}: '1'}}, images: [{{names: ['image:{cpu}'], sizeBytes: {zone}}}]}}}}"
    ))
}

fn pod(name: u8, cpu: u8, port: bool) -> Pod {
    let port = if port { "80" } else { "0" };
    object(&format!(
        "{{metadata: {{name: p{name}, namespace: s{port}, labels: {{cpu: '{cpu}'}}}}, spec: {{affinity: {{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: key-{cpu}}}]}}}}, priority: {cpu}, containers: [{{name: c, ports: [{{containerPort: 80, hostPort: {port}}}], resources: {{requests: {{cpu: '{cpu}'}}}}}}]}}}}"
    ))
}

/// All that can be seen of a node, by its name.
fn seen(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let mut nodes = BTreeMap::new();
    for node in snapshot.order() {
        let mut amounts: Vec<_> = snapshot
            .resources()
            .iter()
            .map(|(name, id)| {
                (name, snapshot.resources().allocatable(id)[*node], snapshot.resources().requested(id)[*node])
            })
            .filter(|(_, allocatable, requested)| (*allocatable, *requested) != (0, 0))
            .collect();
        amounts.sort_unstable();
        let mut ports = snapshot.used_ports(*node).to_vec();
        ports.sort_unstable();
        let mut pods: Vec<_> = snapshot.pods(*node).iter().map(|pod| pod.key.to_string()).collect();
        pods.sort_unstable();
        let taints = &snapshot.taint_sets()[snapshot.taint_set(*node) as usize];
        let non_zero = (snapshot.non_zero_cpu_millis()[*node], snapshot.non_zero_memory_bytes()[*node]);
        let labels = snapshot.labels(*node);
        let on_node =
            |counts: &NodeCounts| counts.iter().find(|(other, _)| other == node).map(|(_, count)| count);
        let mut identities: Vec<_> = snapshot
            .namespaces_with_pods()
            .flat_map(|namespace| snapshot.pods_in(namespace))
            .filter_map(|(identity, counts)| Some((format!("{identity:?}"), on_node(counts)?)))
            .collect();
        identities.sort_unstable();
        let mut terms: Vec<_> = snapshot
            .existing_terms()
            .filter_map(|(terms, counts)| Some((format!("{terms:?}"), on_node(counts)?)))
            .collect();
        terms.sort_unstable();
        let images: Vec<_> = (0..9)
            .filter_map(|tag| snapshot.image(&format!("image:{tag}")).filter(|image| image.is_on(*node)))
            .map(ImageState::node_count)
            .collect();
        nodes.insert(
            snapshot.name(*node).to_owned(),
            format!(
                "{amounts:?} {non_zero:?} {ports:?} {pods:?} {taints:?} {labels:?} {identities:?} {terms:?} {images:?}"
            ),
        );
    }
    nodes
}

/// Which nodes, by name, are in one domain.
fn domains(snapshot: &Snapshot) -> BTreeSet<BTreeSet<&str>> {
    let column = snapshot.topology("topology.kubernetes.io/zone");
    let mut domains: BTreeMap<Option<Domain>, BTreeSet<&str>> = BTreeMap::new();
    for node in snapshot.order() {
        domains.entry(column.domain(*node)).or_default().insert(snapshot.name(*node));
    }
    domains.into_values().collect()
}

proptest! {
    #[test]
    fn a_snapshot_that_followed_events_equals_one_built_at_the_end(events in vec(event(), 0..40)) {
        let mut followed = Snapshot::default();
        // From now on the column follows the nodes.
        followed.topology("topology.kubernetes.io/zone");
        let mut nodes: BTreeMap<u8, Node> = BTreeMap::new();
        let mut pods: BTreeMap<u8, (Pod, u8)> = BTreeMap::new();
        for event in events {
            match event {
                Event::SetNode { node: name, zone, cpu, taint } => {
                    let object = node(name, zone, cpu, taint);
                    followed.set_node(&object).unwrap();
                    nodes.insert(name, object);
                }
                Event::RemoveNode { node } => {
                    followed.remove_node(&format!("n{node}"));
                    nodes.remove(&node);
                }
                Event::AddPod { pod: name, node, cpu, port } => {
                    let object = pod(name, cpu, port);
                    // The other one of that name is in another namespace.
                    if let Some((other, _)) = pods.remove(&name) {
                        let namespace = other.metadata.namespace.unwrap_or_default();
                        followed.remove_pod(&namespace, &format!("p{name}"));
                    }
                    followed.add_pod(&PodInfo::new(&object).unwrap(), &format!("n{node}"));
                    pods.insert(name, (object, node));
                }
                Event::RemovePod { pod } => {
                    let known: Option<(Pod, u8)> = pods.remove(&pod);
                    let namespace = known.as_ref().and_then(|(pod, _)| pod.metadata.namespace.clone());
                    let was_there = followed.remove_pod(&namespace.unwrap_or_default(), &format!("p{pod}"));
                    prop_assert_eq!(was_there, known.is_some());
                }
            }
        }
        let objects: Vec<Node> = nodes.into_values().collect();
        let mut rebuilt = Snapshot::new(&objects).unwrap();
        for (pod, node) in pods.values() {
            rebuilt.add_pod(&PodInfo::new(pod).unwrap(), &format!("n{node}"));
        }
        prop_assert_eq!(seen(&followed), seen(&rebuilt));
        prop_assert_eq!(domains(&followed), domains(&rebuilt));
        prop_assert_eq!(followed.node_count(), followed.order().len());
        prop_assert_eq!(followed.lowest_priority(), rebuilt.lowest_priority());
    }
}

/// What happens to a node in a case.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum NodeEvent {
    Set(Box<Node>),
    Remove(String),
}

#[test]
fn zones_take_turns() {
    for case in cases("testdata/node_order.yaml") {
        let mut snapshot = Snapshot::default();
        for event in serde_json::from_value::<Vec<NodeEvent>>(case.given).unwrap() {
            match event {
                NodeEvent::Set(node) => _ = snapshot.set_node(&node).unwrap(),
                NodeEvent::Remove(name) => snapshot.remove_node(&name),
            }
        }
        let names: Vec<&str> = snapshot.order().iter().map(|node| snapshot.name(*node)).collect();
        assert_eq!(json!(names), case.expect, "{}: {}", case.source, case.name);
    }
}

#[test]
fn a_node_with_a_bad_amount_is_named() {
    let bad: Node = object("{metadata: {name: a}, status: {allocatable: {cpu: fast}}}");
    let error = Snapshot::new(&[bad]).unwrap_err();
    assert_eq!(error.to_string(), "node a: status.allocatable");
}

#[test]
fn what_pods_take_of_a_node() {
    for case in cases("testdata/pod_amounts.yaml") {
        let mut snapshot = Snapshot::new(&[object("{metadata: {name: node}}")]).unwrap();
        let pods: Vec<Pod> = serde_json::from_value(case.given).unwrap();
        for pod in &pods {
            snapshot.add_pod(&PodInfo::new(pod).unwrap(), "node");
        }
        let columns = snapshot.resources();
        let requested: BTreeMap<&str, i64> = columns
            .iter()
            .map(|(name, id)| (name, columns.requested(id)[0]))
            .filter(|(_, amount)| *amount != 0)
            .collect();
        let told = |port: &HostPort| format!("{}/{}/{}", port.address, port.protocol, port.port);
        let ports: BTreeSet<String> = snapshot.used_ports(0).iter().map(told).collect();
        let mut answer = json!({
            "requested": requested,
            "nonZero": {"cpu": snapshot.non_zero_cpu_millis()[0], "memory": snapshot.non_zero_memory_bytes()[0]},
        });
        if !ports.is_empty() {
            answer["ports"] = json!(ports);
        }
        assert_eq!(answer, case.expect, "{}: {}", case.source, case.name);
    }
}
