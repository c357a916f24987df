use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_matching::label_requirement::Labels;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::label_index::{LabelIndex, NeededLabels, needed_for_label_selector, needed_for_node_selector};
use super::*;

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn snapshot() -> Snapshot {
    let node: Node = read(json!({"metadata": {"name": "node-a"}}));
    let mut snapshot = Snapshot::new(&[node]).unwrap();
    let storage = &mut snapshot.listers_mut().storage;
    storage.set_class(&read(json!({
        "metadata": {"name": "wait"}, "provisioner": "csi.example.com", "volumeBindingMode": "WaitForFirstConsumer",
    })));
    for (name, request) in [("small", "1Gi"), ("large", "9Gi")] {
        storage.set_claim(&read(json!({
            "metadata": {"name": name, "namespace": "default", "uid": name, "resourceVersion": "7"},
            "spec": {"storageClassName": "wait", "resources": {"requests": {"storage": request}}},
        })));
    }
    snapshot
}

fn volume(claim_ref: Value) -> Value {
    json!({
        "metadata": {"name": "volume"}, "status": {"phase": "Available"},
        "spec": {"storageClassName": "wait", "capacity": {"storage": "5Gi"}, "claimRef": claim_ref},
    })
}

fn pod() -> Pod {
    let claim = |name: &str| json!({"name": name, "persistentVolumeClaim": {"claimName": name}});
    read(json!({
        "metadata": {"name": "pod", "namespace": "default"},
        "spec": {"containers": [], "volumes": [claim("large"), claim("small")]},
    }))
}

fn reserved(snapshot: &Snapshot) -> Vec<Value> {
    let pod = pod();
    let taken = VolumeBinding.reserve(&PodInfo::new(&pod).unwrap(), snapshot, 0).unwrap();
    let value = |assumed: Assumed| match assumed {
        Assumed::PersistentVolume(volume) => {
            json!([volume.metadata.annotations, volume.spec.unwrap().claim_ref])
        }
        Assumed::PersistentVolumeClaim(claim) => json!([claim.metadata.name, claim.metadata.annotations]),
        Assumed::ResourceClaim(assumed) => json!([assumed.claim.metadata.name]),
    };
    taken.into_iter().map(value).collect()
}

#[test]
fn what_is_reserved_is_what_has_to_be_written() {
    // Source: pkg/scheduler/framework/plugins/volumebinding/binder_test.go (TestAssumePodVolumes).
    let mut snapshot = snapshot();
    snapshot.listers_mut().storage.set_volume(&read(volume(Value::Null)));
    let reference = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": "small", "namespace": "default",
        "resourceVersion": "7", "uid": "small",
    });
    let large = json!(["large", {"volume.kubernetes.io/selected-node": "node-a"}]);
    let bound = json!([{"pv.kubernetes.io/bound-by-controller": "yes"}, reference]);
    assert_eq!(reserved(&snapshot), [bound, large.clone()]);

    // A volume that was meant for the claim says so by having no annotation; the reference is completed.
    let meant = json!({"name": "small", "namespace": "default"});
    snapshot.listers_mut().storage.set_volume(&read(volume(meant)));
    assert_eq!(reserved(&snapshot), [json!([null, reference]), large.clone()]);

    let complete = json!({"name": "small", "namespace": "default", "uid": "small"});
    snapshot.listers_mut().storage.set_volume(&read(volume(complete.clone())));
    assert_eq!(reserved(&snapshot), [json!([null, complete]), large]);
}

#[test]
fn what_was_reserved_counts_for_the_next_pod() {
    let mut snapshot = snapshot();
    snapshot.listers_mut().storage.set_volume(&read(volume(Value::Null)));
    let pod = pod();
    let pod = PodInfo::new(&pod).unwrap();
    for assumed in VolumeBinding.reserve(&pod, &snapshot, 0).unwrap() {
        snapshot.assume(assumed);
    }
    let binder = binder(&pod, &snapshot).unwrap().unwrap();
    let volumes = binder.find(0).unwrap();
    assert_eq!(volumes.bindings.len(), 1, "the volume is meant for the claim now");
    assert_eq!(volumes.provisions.len(), 1, "the claim is to be provisioned on the node");
}

#[test]
fn a_claim_whose_request_is_no_quantity_is_an_error() {
    let mut snapshot = snapshot();
    snapshot.listers_mut().storage.set_claim(&read(json!({
        "metadata": {"name": "small", "namespace": "default"},
        "spec": {"storageClassName": "wait", "resources": {"requests": {"storage": "much"}}},
    })));
    let pod = pod();
    let status = binder(&PodInfo::new(&pod).unwrap(), &snapshot).err().unwrap();
    assert_eq!(status.code, crate::framework::Code::Error);
}

fn labels() -> impl Strategy<Value = Labels> {
    prop::collection::btree_map("[ab]", "[xyz]", 0..3)
}

proptest! {
    #[test]
    fn the_index_finds_what_a_look_at_everything_finds(
        entries in prop::collection::vec(prop::option::of(prop::collection::vec(("[ab]", "[xyz]"), 0..3)), 0..8),
        labels in labels(),
        passing in any::<u8>(),
    ) {
        let mut index = LabelIndex::default();
        for (place, needed) in entries.iter().enumerate() {
            let needed: Option<NeededLabels<'_>> = needed
                .as_ref()
                .map(|needed| needed.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect());
            index.push(place, needed);
        }
        let passes = |place: usize| passing >> place & 1 == 1;
        let has_any = |needed: &Vec<(String, String)>| {
            needed.iter().any(|(key, value)| labels.get(key) == Some(value))
        };
        let expected = entries
            .iter()
            .enumerate()
            .position(|(place, needed)| needed.as_ref().is_none_or(has_any) && passes(place));
        prop_assert_eq!(index.first(&labels, passes), expected);
    }

    #[test]
    fn what_a_selector_chooses_has_a_needed_label(
        terms in prop::collection::vec(
            prop::collection::vec(("[ab]", "In|NotIn|Exists", prop::collection::vec("[xyz]", 0..3)), 0..3),
            0..3,
        ),
        match_labels in labels(),
        labels in labels(),
    ) {
        let has_any = |needed: NeededLabels<'_>| {
            needed.iter().any(|(key, value)| labels.get(*key).is_some_and(|found| found == value))
        };
        let expressions: Vec<Value> = terms
            .iter()
            .map(|term| {
                term.iter()
                    .map(|(key, operator, values)| match operator.as_str() {
                        "Exists" => json!({"key": key, "operator": operator}),
                        _ => json!({"key": key, "operator": operator, "values": values}),
                    })
                    .collect()
            })
            .collect();
        let node_terms: Vec<Value> = expressions.iter().map(|list| json!({"matchExpressions": list})).collect();
        let selector: k8s_openapi::api::core::v1::NodeSelector =
            read(json!({"nodeSelectorTerms": node_terms}));
        let chooses = plimsoll_matching::node_selector::NodeSelector::new(&selector).0.matches(&labels, "");
        prop_assert!(!chooses || needed_for_node_selector(&selector).is_none_or(has_any));

        let list = expressions.first().cloned().unwrap_or_else(|| json!([]));
        let selector = read(json!({"matchLabels": BTreeMap::from_iter(match_labels), "matchExpressions": list}));
        let read = plimsoll_matching::label_selector::Selector::from_label_selector(Some(&selector));
        let chooses = read.is_ok_and(|selector| selector.matches(&labels));
        prop_assert!(!chooses || needed_for_label_selector(&selector).is_none_or(has_any));
    }
}
