//! Which pods are tried again after a change, by the decision, the queue and the hints together, as by upstream's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::{Case, cases};
use serde_json::{Value, json};

use super::given::{all, list_objects, profile};
use crate::framework::{Change, Object};
use crate::pod_info::fields;
use crate::queue::{Moment, Place, QueueSettings, key};
use crate::schedule::{CycleState, Outcome, schedule};
use crate::{Listers, PodInfo, Profile, SchedulingQueue, Snapshot};

#[test]
fn requeueing() {
    cases("testdata/requeueing.yaml").iter().for_each(check);
}

#[track_caller]
fn check(case: &Case) {
    let mut queue = SchedulingQueue::new([profile(&case.given)].into(), QueueSettings::default());
    let pods: Vec<Arc<Pod>> = all::<Pod>(&case.given, "pods").into_iter().map(Arc::new).collect();
    let before = listers(&case.given);
    let moment = |milliseconds: i64, listers| Moment { now_micros: milliseconds * 1000, listers };
    for (order, pod) in (0..).zip(&pods) {
        queue.pod_added(Arc::clone(pod), moment(order, &before));
    }
    let mut refused_by = BTreeMap::new();
    for pod in queue.unschedulable().filter(|pod| pod.is_gated()) {
        refused_by.insert(fields::name(&pod.pod).to_owned(), json!("gated"));
    }
    let snapshot = snapshot(&case.given);
    let tried_by = profile(&case.given);
    for _ in refused_by.len()..pods.len() {
        let mut tried = queue.pop().unwrap();
        tried.clear_rejector_plugins();
        tried.unschedulable_plugins = rejectors(&tried.pod, &snapshot, &tried_by);
        refused_by.insert(fields::name(&tried.pod).to_owned(), json!(tried.unschedulable_plugins));
        queue.add_unschedulable_if_not_present(tried, moment(100, &before)).unwrap();
    }
    let after = listers(&changed(&case.given));
    for change in list(&case.given, "changes") {
        tell(&mut queue, change, moment(200, &after));
    }
    let waits = |pod: &&Arc<Pod>| queue.place(&key(pod)) != Some(Place::Unschedulable);
    let requeued: Vec<&str> = pods.iter().filter(waits).map(|pod| fields::name(pod)).collect();
    let answer = json!({"refusedBy": refused_by, "requeued": requeued});
    assert_eq!(answer, case.expect, "{}: {}", case.source, case.name);
}

/// The cluster in which the pods are tried.
fn snapshot(given: &Value) -> Snapshot {
    let mut snapshot = Snapshot::new(&all::<Node>(given, "nodes")).unwrap();
    for pod in &all(given, "running") {
        let pod = PodInfo::new(pod).unwrap();
        snapshot.add_pod(&pod, pod.node_name());
    }
    list_objects(given, snapshot.listers_mut());
    snapshot
}

fn listers(given: &Value) -> Listers {
    let mut listers = Listers::default();
    list_objects(given, &mut listers);
    listers
}

/// The plugins that turn the pod away; none if there are no nodes, which is an error.
fn rejectors(pod: &Pod, snapshot: &Snapshot, profile: &Profile) -> BTreeSet<&'static str> {
    let pod = PodInfo::new(pod).unwrap();
    match schedule(&pod, snapshot, profile, &mut CycleState::default()) {
        Outcome::Unschedulable(error) => error.unschedulable_plugins(),
        Outcome::NoNodes => BTreeSet::new(),
        other => unreachable!("{other:?}"),
    }
}

/// Tells the queue what has changed.
fn tell(queue: &mut SchedulingQueue, written: &Value, moment: Moment<'_>) {
    let change: Change = serde_json::from_value(written.clone()).unwrap();
    match (change.old, change.new) {
        (None, Some(Object::Pod(new))) => queue.pod_added(new, moment),
        (Some(Object::Pod(old)), Some(Object::Pod(new))) => queue.pod_updated(old, new, None, moment),
        (Some(Object::Pod(old)), None) => queue.pod_deleted(old, None, moment),
        (old, new) => queue.object_changed(Change { old, new }, moment),
    }
}

/// What is listed after the changes.
fn changed(given: &Value) -> Value {
    let mut given = given.clone();
    for change in list(&given.clone(), "changes") {
        let field = match change["kind"].as_str().unwrap() {
            "PersistentVolume" => "persistentVolumes",
            "PersistentVolumeClaim" => "persistentVolumeClaims",
            "StorageClass" => "storageClasses",
            "CSINode" => "csiNodes",
            "CSIDriver" => "csiDrivers",
            "CSIStorageCapacity" => "csiStorageCapacities",
            "VolumeAttachment" => "volumeAttachments",
            "DeviceClass" => "deviceClasses",
            _ => continue,
        };
        let old = change.get("old").map(|old| &old["metadata"]["name"]);
        let mut listed = list(&given, field).to_vec();
        listed.retain(|object| Some(&object["metadata"]["name"]) != old);
        listed.extend(change.get("new").cloned());
        given[field] = listed.into();
    }
    given
}

fn list<'a>(given: &'a Value, field: &str) -> &'a [Value] {
    given.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
