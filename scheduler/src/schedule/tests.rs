use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::object;

use super::finding::nodes_to_find;
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

fn urgent(requests: &str) -> Pod {
    let mut urgent = pod("urgent", requests);
    urgent.spec.as_mut().unwrap().priority = Some(1);
    urgent
}

#[test]
fn a_pod_of_higher_priority_removes_others_where_that_helps() {
    let mut snapshot = Snapshot::new(&[node("a", "1", "1Gi"), node("b", "1", "1Gi")]).unwrap();
    for (name, requests, node) in
        [("running", "{cpu: 600m}", "a"), ("small", "{cpu: 300m}", "a"), ("big", "{cpu: '1'}", "b")]
    {
        snapshot.add_pod(&PodInfo::new(&pod(name, requests)).unwrap(), node);
    }
    assert_eq!(
        decide(&urgent("{cpu: '1', memory: 2Gi}"), &snapshot).message().unwrap(),
        "0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    );
    let Outcome::Unschedulable(error) = decide(&urgent("{cpu: 700m}"), &snapshot) else { unreachable!() };
    assert_eq!(
        error.message(),
        "0/2 nodes are available: 2 Insufficient cpu. preemption: found a potential placement for pod on node a, preempting 1 victims"
    );
    let Nomination::Set(preemption) = error.nomination else { unreachable!() };
    let names: Vec<&str> = preemption.victims.iter().map(|victim| victim.name.as_str()).collect();
    // The one that fills the node would do as well; of two nodes with one victim each the first is taken.
    assert_eq!((preemption.node.as_str(), names), ("a", vec!["running"]));
}

#[test]
fn a_node_is_kept_for_the_pod_that_it_was_set_aside_for() {
    let mut snapshot = Snapshot::new(&[node("a", "1", "1Gi")]).unwrap();
    let first = urgent("{cpu: '1'}");
    let first = PodInfo::new(&first).unwrap();
    snapshot.nominate(&first, "a");
    assert!(matches!(decide(&pod("p", "{cpu: 500m}"), &snapshot), Outcome::Unschedulable(_)));
    assert!(matches!(decide(first.pod, &snapshot), Outcome::Placed(_)), "not kept from the pod itself");
    snapshot.clear_nomination("default", "urgent");
    assert!(matches!(decide(&pod("p", "{cpu: 500m}"), &snapshot), Outcome::Placed(_)));
}

#[test]
fn no_nodes_is_said_in_upstreams_words() {
    let outcome = decide(&pod("p", "{}"), &Snapshot::default());
    assert_eq!(outcome.message().as_deref(), Some("no nodes available to schedule pods"));
}

#[test]
fn how_many_feasible_nodes_are_looked_for() {
    // Source: pkg/scheduler/schedule_one_test.go (TestNumFeasibleNodesToFind).
    let check = |percentage_of_nodes_to_score, node_count, expected| {
        let mut profile = Profile::default();
        profile.percentage_of_nodes_to_score = percentage_of_nodes_to_score;
        assert_eq!(
            nodes_to_find(node_count, &profile),
            expected,
            "{percentage_of_nodes_to_score} {node_count}"
        );
    };
    check(0, 10, 10);
    check(40, 10, 10);
    check(0, 1000, 420);
    check(40, 1000, 400);
    check(0, 6000, 300);
    check(40, 6000, 2400);
    check(100, 6000, 6000);
    check(1, 5000, 100);
}

#[test]
fn each_search_begins_where_the_last_one_ended() {
    // Source: pkg/scheduler/schedule_one_test.go (TestFairEvaluationForNodes).
    let nodes: Vec<Node> = (0..500).map(|name| node(&format!("n{name}"), "1", "1Gi")).collect();
    let snapshot = Snapshot::new(&nodes).unwrap();
    let mut profile = Profile::default();
    profile.percentage_of_nodes_to_score = 30;
    let mut state = CycleState::default();
    let pod = pod("p", "{}");
    for search in 1..=8 {
        let outcome = schedule(&PodInfo::new(&pod).unwrap(), &snapshot, &profile, &mut state);
        let Outcome::Placed(placement) = outcome else { panic!("{outcome:?}") };
        assert_eq!(placement.feasible_nodes, 150);
        assert_eq!(state.next_start_node_index, search * 150 % 500);
    }
}

mod properties {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::profile::TieBreak;
    use crate::snapshot::ResourceColumns;

    fn labelled_node(index: usize, cpu: u8, kind: u8) -> Node {
        let taints = match kind {
            0 => "[{key: a, effect: PreferNoSchedule}]",
            1 => "[{key: a, effect: NoSchedule}]",
            _ => "[]",
        };
        object(&format!(
            "{{metadata: {{name: n{index}, labels: {{kubernetes.io/hostname: n{index}, topology.kubernetes.io/zone: z{kind}}}}}, spec: {{taints: {taints}}}, status: {{allocatable: {{cpu: '{cpu}', memory: 8Gi, pods: '9'}}, images: [{{names: ['image:{kind}'], sizeBytes: 500000000}}]}}}}"
        ))
    }

    /// Pods of a few kinds, so that each comes again: plain, tolerant, choosy, near others, away from others, and spread.
    fn pod_of_kind(number: usize, kind: u8) -> Pod {
        let spec = match kind {
            0 => "tolerations: [{operator: Exists}], ",
            1 => {
                "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 5, preference: {matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [z2]}]}}]}}, "
            }
            2 => {
                "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {kind: k2}}}]}}, "
            }
            3 => {
                "topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {kind: k3}}}], "
            }
            4 => {
                "affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 9, podAffinityTerm: {topologyKey: topology.kubernetes.io/zone, labelSelector: {matchLabels: {kind: k0}}}}]}}, "
            }
            _ => "",
        };
        object(&format!(
            "{{metadata: {{name: p{number}, namespace: default, labels: {{kind: k{kind}}}}}, spec: {{{spec}containers: [{{name: c, image: 'image:{kind}', ports: [{{containerPort: 80, hostPort: {port}}}], resources: {{requests: {{cpu: {kind}00m}}}}}}]}}}}",
            port = if kind == 5 { "80" } else { "0" }
        ))
    }

    /// Pods of a few kinds that spread softly, most of one size: of a service, by name of the node, by zone and taints, by both, and
    /// one that few nodes take.
    fn spread_pod(number: usize, kind: u8) -> Pod {
        let softly = |key: &str, more: &str| {
            format!(
                "{{maxSkew: 1, topologyKey: {key}, whenUnsatisfiable: ScheduleAnyway, labelSelector: {{matchExpressions: [{{key: kind, operator: In, values: [k{kind}, k0]}}]}}{more}}}"
            )
        };
        let (host, zone) = ("kubernetes.io/hostname", "topology.kubernetes.io/zone");
        let spec = match kind {
            1 => softly(host, ""),
            2 => softly(zone, ", nodeTaintsPolicy: Honor"),
            3 => format!("{}, {}", softly(host, ""), softly(zone, ", nodeAffinityPolicy: Ignore")),
            _ => String::new(),
        };
        let cpu = if kind == 4 { "3" } else { "300m" };
        object(&format!(
            "{{metadata: {{name: p{number}, namespace: default, labels: {{kind: k{kind}}}}}, spec: {{topologySpreadConstraints: [{spec}], containers: [{{name: c, resources: {{requests: {{cpu: {cpu}}}}}}}]}}}}"
        ))
    }

    /// Cores and GiB of nodes, and of pods.
    type Sizes = Vec<(u8, u8)>;

    fn place_all(nodes: &Sizes, pods: &Sizes, profile: &Profile) -> (Vec<Option<String>>, Snapshot) {
        let nodes: Vec<Node> = nodes
            .iter()
            .enumerate()
            .map(|(index, (cpu, memory))| {
                node(&format!("n{index}"), &cpu.to_string(), &format!("{memory}Gi"))
            })
            .collect();
        let mut snapshot = Snapshot::new(&nodes).unwrap();
        let mut state = CycleState::default();
        let mut placed = Vec::new();
        for (index, (cpu, memory)) in pods.iter().enumerate() {
            let pod = pod(&format!("p{index}"), &format!("{{cpu: {cpu}00m, memory: {memory}00Mi}}"));
            let pod = PodInfo::new(&pod).unwrap();
            let outcome = schedule(&pod, &snapshot, profile, &mut state);
            if let Outcome::Placed(placement) = &outcome {
                snapshot.add_pod(&pod, &placement.node);
            }
            placed.push(match outcome {
                Outcome::Placed(placement) => Some(placement.node),
                _ => None,
            });
        }
        (placed, snapshot)
    }

    proptest! {
        #[test]
        fn no_node_holds_more_than_it_has(nodes in vec((0..8_u8, 0..8_u8), 0..6), pods in vec((0..30_u8, 0..30_u8), 0..20)) {
            let (_, snapshot) = place_all(&nodes, &pods, &Profile::default());
            for node in snapshot.order() {
                for resource in [ResourceColumns::CPU, ResourceColumns::MEMORY] {
                    let columns = snapshot.resources();
                    prop_assert!(columns.requested(resource)[*node] <= columns.allocatable(resource)[*node]);
                }
            }
        }

        #[test]
        fn the_same_seed_gives_the_same_places(nodes in vec((1..8_u8, 1..8_u8), 0..6), pods in vec((0..30_u8, 0..30_u8), 0..20), seed in any::<u64>()) {
            let mut profile = Profile::default();
            profile.tie_break = TieBreak::Seeded { seed };
            prop_assert_eq!(place_all(&nodes, &pods, &profile).0, place_all(&nodes, &pods, &profile).0);
        }

        #[test]
        fn what_is_kept_of_a_class_is_as_a_fresh_look(
            sizes in vec((0..8_u8, 0..4_u8), 1..12),
            events in vec((0..6_u8, 0..4_u8, any::<bool>()), 0..60),
            seeded in any::<bool>(),
        ) {
            let nodes: Vec<Node> = sizes.iter().enumerate().map(|(index, (cpu, kind))| labelled_node(index, *cpu, *kind)).collect();
            let mut snapshot = Snapshot::new(&nodes).unwrap();
            let mut profile = Profile::default();
            profile.percentage_of_nodes_to_score = 100;
            if seeded {
                profile.tie_break = TieBreak::Seeded { seed: 7 };
            }
            let mut kept = CycleState::default();
            for (number, (kind, removed, changes_node)) in events.into_iter().enumerate() {
                snapshot.remove_pod("default", &format!("p{}", number.wrapping_sub(usize::from(removed) + 1)));
                if changes_node {
                    snapshot.set_node(&labelled_node(usize::from(removed), kind, kind % 4)).unwrap();
                }
                let object = pod_of_kind(number, kind);
                let info = PodInfo::new(&object).unwrap();
                let mut fresh = CycleState {
                    next_start_node_index: kept.next_start_node_index,
                    decisions: kept.decisions,
                    ..CycleState::default()
                };
                let outcome = schedule(&info, &snapshot, &profile, &mut kept);
                prop_assert_eq!(&outcome, &schedule(&info, &snapshot, &profile, &mut fresh));
                prop_assert_eq!(kept.decisions, fresh.decisions);
                if let Outcome::Placed(placement) = outcome {
                    snapshot.add_pod(&info, &placement.node);
                }
            }
        }

        /// Of node-local filters and soft spread alone: then groups of nodes are looked at, and refusals are kept.
        #[test]
        fn what_is_kept_of_groups_and_refusals_is_as_a_fresh_look(
            sizes in vec((0..5_u8, 0..4_u8), 1..12),
            events in vec((0..5_u8, 0..4_u8, 0..20_u8), 0..80),
        ) {
            let nodes: Vec<Node> = sizes.iter().enumerate().map(|(index, (cpu, kind))| {
                let mut node = labelled_node(index, *cpu, *kind);
                if *kind == 3 {
                    node.metadata.labels.as_mut().unwrap().remove("topology.kubernetes.io/zone");
                }
                node
            }).collect();
            let mut snapshot = Snapshot::new(&nodes).unwrap();
            snapshot.listers_mut().set_service(&object("{metadata: {namespace: default, name: s}, spec: {selector: {kind: k0}}}"));
            let mut profile = Profile::default();
            profile.percentage_of_nodes_to_score = 100;
            profile.tie_break = TieBreak::Seeded { seed: 7 };
            let mut kept = CycleState::default();
            for (number, (kind, removed, rare)) in events.into_iter().enumerate() {
                snapshot.remove_pod("default", &format!("p{}", number.wrapping_sub(usize::from(removed) + 1)));
                if rare == 0 {
                    snapshot.set_node(&nodes[usize::from(removed) % nodes.len()]).unwrap();
                }
                let object = spread_pod(number, kind);
                let info = PodInfo::new(&object).unwrap();
                let mut fresh = CycleState { decisions: kept.decisions, ..CycleState::default() };
                let outcome = schedule(&info, &snapshot, &profile, &mut kept);
                prop_assert_eq!(&outcome, &schedule(&info, &snapshot, &profile, &mut fresh));
                prop_assert_eq!(kept.decisions, fresh.decisions);
                if let Outcome::Placed(placement) = outcome {
                    snapshot.add_pod(&info, &placement.node);
                }
            }
        }

        #[test]
        fn narrowing_keeps_what_each_check_lets_pass(nodes in vec((0..8_u8, 0..8_u8), 1..70), cpu in 0..80_u8) {
            let profile = Profile::default();
            let (_, snapshot) = place_all(&nodes, &vec![(1, 1); 20], &profile);
            let object = pod("new", &format!("{{cpu: {cpu}00m, example.com/x: '0'}}"));
            let info = PodInfo::new(&object).unwrap();
            let PreFiltered::Run(filters) = pre_filter(&info, &snapshot, &profile) else { unreachable!() };
            let mut candidates = FixedBitSet::with_capacity(snapshot.column_length());
            candidates.insert_range(..);
            filters.narrow(&mut candidates, false);
            let passing: Vec<usize> = (0..nodes.len()).filter(|node| filters.check(*node).is_success()).collect();
            prop_assert_eq!(candidates.ones().collect::<Vec<_>>(), passing);
        }
    }
}
