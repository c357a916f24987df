//! Case files for workloads: what upstream's controllers create, and what they count as theirs.

use jiff::Zoned;
use k8s_openapi::Resource;
use plimsoll_fixtures::{Case, cases, object, plain};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn settings(run_at: Option<&str>) -> Settings {
    let run_at: Zoned = run_at.unwrap_or("2026-01-01T00:00:00Z[+00:00]").parse().unwrap();
    Settings { seed: 1, run_at }
}

/// The objects that are there already, in a form that children can borrow.
#[derive(Default)]
struct Existing {
    pods: Vec<Pod>,
    replica_sets: Vec<ReplicaSet>,
    jobs: Vec<Job>,
    claims: Vec<PersistentVolumeClaim>,
}

impl Existing {
    fn new(objects: &Value) -> Self {
        let mut existing = Self::default();
        for object in objects.as_array().into_iter().flatten() {
            match object["kind"].as_str().unwrap() {
                Pod::KIND => existing.pods.push(read(object)),
                ReplicaSet::KIND => existing.replica_sets.push(read(object)),
                Job::KIND => existing.jobs.push(read(object)),
                PersistentVolumeClaim::KIND => existing.claims.push(read(object)),
                kind => panic!("{kind}"),
            }
        }
        existing
    }

    fn children(&self) -> Children<'_> {
        let mut children = Children::default();
        children.add_pods(&self.pods);
        children.add_replica_sets(&self.replica_sets);
        children.add_jobs(&self.jobs);
        children.add_claims(&self.claims);
        children
    }
}

fn expand_any(workload: &Value, existing: &Existing, settings: &Settings) -> Expansion {
    let uid = workload["metadata"]["uid"].as_str().unwrap_or_default();
    let mut children = existing.children();
    let mut expand = |workload| expand(workload, uid, &mut children, settings);
    match workload["kind"].as_str().unwrap() {
        Deployment::KIND => expand(Workload::Deployment(&read(workload))),
        ReplicaSet::KIND => expand(Workload::ReplicaSet(&read(workload))),
        ReplicationController::KIND => expand(Workload::ReplicationController(&read(workload))),
        StatefulSet::KIND => expand(Workload::StatefulSet(&read(workload))),
        Job::KIND => expand(Workload::Job(&read(workload))),
        CronJob::KIND => expand(Workload::CronJob(&read(workload))),
        kind => panic!("{kind}"),
    }
}

/// The object as the case file shows it: no generated suffix, no hash.
fn shown(created: &Created) -> Value {
    let (mut object, hash) = match created {
        Created::ReplicaSet(set) => {
            (plain(set), set.metadata.labels.as_ref().unwrap()["pod-template-hash"].clone())
        }
        Created::Job(job) => (plain(job), String::new()),
        Created::PersistentVolumeClaim(claim) => (plain(claim), String::new()),
        Created::Pod(pod) => {
            let revision =
                pod.metadata.labels.as_ref().and_then(|labels| labels.get("controller-revision-hash"));
            let hash =
                revision.and_then(|revision| revision.rsplit_once('-')).map(|(_, hash)| hash.to_owned());
            (plain(pod), hash.unwrap_or_default())
        }
    };
    let metadata = &mut object["metadata"];
    let is_numbered = metadata["labels"]["apps.kubernetes.io/pod-index"].is_string();
    if let (Some(prefix), false) = (metadata["generateName"].as_str(), is_numbered) {
        let name = metadata["name"].as_str().unwrap();
        assert!(name.len() <= 63 && name.starts_with(&prefix[..prefix.len().min(58)]), "{name}");
        metadata.as_object_mut().unwrap().remove("name");
    }
    let text = object.to_string();
    let text = if hash.is_empty() { text } else { text.replace(&hash, "HASH") };
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn check(case: &Case) {
    let existing = Existing::new(&case.given["existing"]);
    let settings = settings(case.given["runAt"].as_str());
    let expansion = expand_any(&case.given["workload"], &existing, &settings);
    let scaled = expansion.scaled.clone();
    let mut created: Vec<Value> = expansion.created.map(|created| shown(&created)).collect();
    created.sort_by_key(Value::to_string);
    let mut answer = json!({"created": created});
    if let Some(scaled) = scaled {
        answer["scaled"] = json!({scaled.name: scaled.replicas});
    }
    assert_eq!(answer, case.expect, "{}", case.name);
}

#[test]
fn workloads_create_what_upstreams_controllers_create() {
    for case in cases("testdata/workloads.yaml") {
        check(&case);
    }
}

fn replica_set(replicas: i32) -> ReplicaSet {
    object(&format!(
        "
        metadata: {{name: web, namespace: shop}}
        spec:
          replicas: {replicas}
          selector: {{matchLabels: {{app: web}}}}
          template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: app}}]}}}}
        "
    ))
}

fn pods(expansion: Expansion) -> Vec<Pod> {
    let pod = |created| match created {
        Created::Pod(pod) => *pod,
        other => panic!("{other:?}"),
    };
    expansion.created.map(pod).collect()
}

#[test]
fn expanding_after_an_expansion_yields_nothing() {
    let set = replica_set(5);
    let made = pods(expand(Workload::ReplicaSet(&set), "u1", &mut Children::default(), &settings(None)));
    assert_eq!(made.len(), 5);
    let mut children = Children::default();
    children.add_pods(&made);
    assert!(pods(expand(Workload::ReplicaSet(&set), "u1", &mut children, &settings(None))).is_empty());
}

#[test]
fn names_that_are_taken_are_left_out() {
    let small = replica_set(3);
    let made = pods(expand(Workload::ReplicaSet(&small), "u1", &mut Children::default(), &settings(None)));
    let mut children = Children::default();
    children.add_pods(&made);
    let more = pods(expand(Workload::ReplicaSet(&replica_set(6)), "u1", &mut children, &settings(None)));
    assert_eq!(more.len(), 3);
    assert!(more.iter().all(|pod| made.iter().all(|known| known.metadata.name != pod.metadata.name)));
}

#[test]
fn an_orphan_is_adopted_once() {
    let mut other = replica_set(1);
    other.metadata.name = Some("web-copy".to_owned());
    let orphan: Pod = object("metadata: {name: stray, namespace: shop, labels: {app: web}}");
    let mut children = Children::default();
    children.add_pods([&orphan]);
    let first = expand(Workload::ReplicaSet(&replica_set(1)), "u1", &mut children, &settings(None));
    let second = expand(Workload::ReplicaSet(&other), "u2", &mut children, &settings(None));
    assert_eq!((pods(first).len(), pods(second).len()), (0, 1));
}

#[test]
fn pods_of_a_dump_find_an_owner_that_lost_its_uid() {
    let owned: Pod = object(
        "
        metadata:
          name: web-x
          namespace: shop
          labels: {app: web}
          ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: 1-2-3, controller: true}]
        ",
    );
    let mut children = Children::default();
    children.add_pods([&owned]);
    let expansion = expand(Workload::ReplicaSet(&replica_set(1)), "made-up", &mut children, &settings(None));
    assert!(pods(expansion).is_empty());
}

#[test]
fn billions_of_pods_are_made_one_by_one() {
    let set = replica_set(i32::MAX);
    let expansion = expand(Workload::ReplicaSet(&set), "u1", &mut Children::default(), &settings(None));
    assert_eq!(expansion.created.take(3).count(), 3);
}

#[test]
fn negative_counts_make_nothing() {
    let set = replica_set(-1);
    assert!(
        pods(expand(Workload::ReplicaSet(&set), "u1", &mut Children::default(), &settings(None))).is_empty()
    );
}

#[test]
fn only_ordered_stateful_sets_wait_for_each_pod() {
    let waits = |policy: &str| {
        let set: StatefulSet = object(&format!(
            "
            metadata: {{name: db, namespace: shop}}
            spec:
              replicas: 2
              podManagementPolicy: {policy}
              selector: {{matchLabels: {{app: db}}}}
              template: {{metadata: {{labels: {{app: db}}}}, spec: {{containers: []}}}}
            "
        ));
        expand(Workload::StatefulSet(&set), "u1", &mut Children::default(), &settings(None)).one_at_a_time
    };
    assert!(waits("OrderedReady"));
    assert!(!waits("Parallel"));
}

#[test]
fn why_nothing_is_created_is_told() {
    let reason = |yaml: &str| {
        let workload: Value = object(yaml);
        expand_any(&workload, &Existing::default(), &settings(None)).skipped
    };
    let deployment =
        "kind: Deployment\nmetadata: {name: a}\nspec: {selector: SELECTOR, paused: PAUSED, template: {}}";
    let with = |selector: &str, paused: &str| {
        reason(&deployment.replace("SELECTOR", selector).replace("PAUSED", paused))
    };
    assert_eq!(with("{}", "false"), Some(Skipped::UnusableSelector));
    assert_eq!(with("{matchLabels: {a: b}}", "true"), Some(Skipped::Paused));
    assert_eq!(with("{matchLabels: {a: b}}", "false"), None);
    let job =
        |spec: &str| reason(&format!("kind: Job\nmetadata: {{name: a}}\nspec: {{template: {{}}, {spec}}}"));
    assert_eq!(job("suspend: true"), Some(Skipped::Suspended));
    assert_eq!(job("managedBy: example.com/queue"), Some(Skipped::ManagedElsewhere));
}
