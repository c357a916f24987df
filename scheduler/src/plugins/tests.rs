mod hints;
mod requeueing;

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect_file;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::resource::v1::ResourceClaim;
use plimsoll_fixtures::{Case, cases};
use serde_json::{Value, json};

use self::given::{all, list_objects, nominate, profile};
use super::*;
use crate::framework::{Action, Assumed, PreEnqueueRequest, Status, Write};
use crate::schedule::{CycleState, Outcome, PreFiltered, pre_filter, schedule, score_nodes};
use crate::volume_claims::namespace_and_name;
use crate::{Listers, Nomination, PodInfo, Preemption, Profile, Snapshot};

pub(crate) mod given;
mod scored_by_devices;

#[test]
fn docs_plugins_md_is_the_table() {
    let order = "in the order in which they are asked by default.";
    let source = "This file is printed from the table in\n`scheduler/src/plugins.rs`; a test keeps it so.";
    let expected = table_markdown(&TABLE).replacen(order, &format!("{order} {source}"), 1);
    expect_file!["../../../docs/plugins.md"].assert_eq(&expected);
}

#[test]
fn each_row_says_what_its_plugin_does() {
    for row in &TABLE {
        let plugin = (row.new)(None).unwrap();
        let has = |point| row.points.contains(&point);
        assert_eq!(plugin.name, row.name);
        assert_eq!(plugin.pre_enqueue.is_some(), has(ExtensionPoint::PreEnqueue), "{}", row.name);
        assert_eq!(plugin.queue_sort.is_some(), has(ExtensionPoint::QueueSort), "{}", row.name);
        assert_eq!(plugin.filter.is_some(), has(ExtensionPoint::Filter), "{}", row.name);
        assert_eq!(plugin.post_filter.is_some(), has(ExtensionPoint::PostFilter), "{}", row.name);
        assert_eq!(plugin.score.is_some(), has(ExtensionPoint::Score), "{}", row.name);
        assert_eq!(plugin.reserve.is_some(), has(ExtensionPoint::Reserve), "{}", row.name);
        assert_eq!(plugin.pre_bind.is_some(), has(ExtensionPoint::PreBind), "{}", row.name);
        assert_eq!(plugin.bind.is_some(), has(ExtensionPoint::Bind), "{}", row.name);
    }
    let names: BTreeSet<&str> = TABLE.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), TABLE.len(), "names are given once");
}

/// Schedules the case's pod and compares with what upstream's scheduler said: of each node, in scores, in words.
#[track_caller]
fn check(case: &Case) {
    let nodes: Vec<Node> = all(&case.given, "nodes");
    let pod: Pod = serde_json::from_value(case.given["pod"].clone()).unwrap();
    let mut snapshot = Snapshot::new(&nodes).unwrap();
    for pod in &all(&case.given, "running") {
        let pod = PodInfo::new(pod).unwrap();
        snapshot.add_pod(&pod, pod.node_name());
    }
    list_objects(&case.given, snapshot.listers_mut());
    nominate(&case.given, &mut snapshot);
    let profile = profile(&case.given);
    let mut state = CycleState::default();
    for pod in &all(&case.given, "before") {
        place(&PodInfo::new(pod).unwrap(), &mut snapshot, &profile, &mut state);
    }
    let is_preempting = case.given.get("preempting").is_some_and(|preempting| *preempting == true);
    let request = PreEnqueueRequest { pod: &pod, listers: snapshot.listers(), is_preempting };
    let gate = profile.pre_enqueue(&request, None);
    let mut answer = if gate.is_success() {
        answer(&PodInfo::new(&pod).unwrap(), &snapshot, &profile, &mut state)
    } else {
        json!({ "gated": status_value(&gate) })
    };
    // A case is about one plugin or a few; what the others think of the nodes is theirs.
    if let Some(scores) = answer.get_mut("scores").and_then(Value::as_object_mut) {
        scores.retain(|plugin, _| case.expect["scores"].get(plugin).is_some());
    }
    // How many nodes were looked at is of interest where not all of them are.
    if case.expect.get("evaluated").is_none() {
        answer.as_object_mut().unwrap().remove("evaluated");
    }
    assert_eq!(answer, case.expect, "{}: {}", case.source, case.name);
}

/// Schedules a pod that comes before the case's; it takes its place if there is one.
fn place(pod: &PodInfo<'_>, snapshot: &mut Snapshot, profile: &Profile, state: &mut CycleState) {
    let Outcome::Placed(placement) = schedule(pod, snapshot, profile, state) else { return };
    let node = snapshot.node(&placement.node).unwrap();
    for assumed in profile.reserve(pod, snapshot, node).unwrap() {
        snapshot.assume(assumed);
    }
    snapshot.add_pod(pod, &placement.node);
}

fn answer(pod: &PodInfo<'_>, snapshot: &Snapshot, profile: &Profile, state: &mut CycleState) -> Value {
    let mut answer = match pre_filter(pod, snapshot, profile) {
        PreFiltered::Rejected { status, .. } => json!({ "preFilter": status_value(&status) }),
        PreFiltered::Run(filters) => {
            let (feasible, refused): (Vec<usize>, Vec<usize>) =
                snapshot.order().iter().partition(|node| filters.check(**node).is_success());
            let verdict = |node: &usize| (snapshot.name(*node), status_value(&filters.check(*node)));
            let verdicts: BTreeMap<&str, Value> = refused.iter().map(verdict).collect();
            json!({ "verdicts": verdicts, "scores": scores(pod, snapshot, profile, &feasible) })
        }
    };
    match schedule(pod, snapshot, profile, state) {
        Outcome::Placed(placement) => {
            let node = snapshot.node(&placement.node).unwrap();
            let devices = devices_taken(&profile.reserve(pod, snapshot, node).unwrap(), snapshot.listers());
            if devices.as_object().is_some_and(|devices| !devices.is_empty()) {
                answer["devices"] = devices;
            }
            answer["node"] = placement.node.into();
            answer["evaluated"] = placement.evaluated_nodes.into();
        }
        Outcome::Unschedulable(mut error) => {
            if let Nomination::Set(preemption) = &error.nomination {
                answer["preempts"] = preemption_value(preemption);
                // The message names the node, which upstream takes at random where several are equally good.
                error.post_filter_message.clear();
            }
            let released = released(&error.writes);
            if !released.is_empty() {
                answer["released"] = json!(released);
            }
            answer["message"] = error.message().into();
        }
        failed @ (Outcome::NoNodes | Outcome::Error(_)) => answer["error"] = failed.message().into(),
    }
    answer
}

/// What claims get that had nothing, by their names.
fn devices_taken(taken: &[Assumed], listers: &Listers) -> Value {
    let allocation = |claim: &ResourceClaim| claim.status.as_ref()?.allocation.clone();
    let gets = taken.iter().filter_map(|assumed| {
        let Assumed::ResourceClaim(assumed) = assumed else { return None };
        let claim = &assumed.claim;
        // The one that is made up for extended resources has no name yet.
        let name = claim.metadata.name.as_deref().unwrap_or("<extended-resources>");
        let had = listers.devices.claim(claim.metadata.namespace.as_deref()?, name).and_then(allocation);
        had.is_none().then(|| (name.to_owned(), json!(allocation(claim))))
    });
    gets.collect()
}

/// The claims that are written to make room, with what is done to them last.
fn released(writes: &[Write]) -> BTreeMap<String, &'static str> {
    let done = writes.iter().filter_map(|write| match &write.action {
        Action::UpdateResourceClaimStatus(claim) => {
            let (namespace, name) = namespace_and_name(&claim.metadata);
            Some((format!("{namespace}/{name}"), "deallocated"))
        }
        Action::DeleteResourceClaim { namespace, name } => Some((format!("{namespace}/{name}"), "deleted")),
        _ => None,
    });
    done.collect()
}

fn preemption_value(preemption: &Preemption) -> Value {
    let victims = preemption.victims.iter().map(|victim| format!("{}/{}", victim.namespace, victim.name));
    let victims: Vec<String> = victims.collect();
    let violations = preemption.disruption_budget_violations;
    json!({"node": preemption.node, "victims": victims, "violations": violations})
}

fn scores(pod: &PodInfo<'_>, snapshot: &Snapshot, profile: &Profile, feasible: &[usize]) -> Value {
    if feasible.is_empty() {
        return json!({});
    }
    match score_nodes(pod, snapshot, profile, feasible) {
        Ok(scores) => scores
            .into_iter()
            .map(|scores| (scores.plugin.to_owned(), json!({"raw": scores.raw, "weighted": scores.weighted})))
            .collect(),
        Err(message) => message.into(),
    }
}

fn status_value(status: &Status) -> Value {
    let mut reasons: Vec<&str> = status.reasons.iter().map(|reason| reason.text.as_ref()).collect();
    reasons.sort_unstable();
    json!({"code": status.code.as_str(), "plugin": status.plugin, "reasons": reasons})
}

macro_rules! cases_of {
    ($($plugin:ident),*) => {$(
        #[test]
        fn $plugin() {
            cases(concat!("testdata/", stringify!($plugin), ".yaml")).iter().for_each(check);
        }
    )*};
}
cases_of!(
    scheduling_gates,
    node_name,
    node_unschedulable,
    taint_toleration,
    node_affinity,
    node_ports,
    node_resources_fit,
    node_resources_balanced_allocation,
    volume_restrictions,
    node_volume_limits,
    volume_binding,
    volume_zone,
    pod_topology_spread,
    inter_pod_affinity,
    dynamic_resources,
    image_locality,
    default_preemption,
    preemption_util,
    node_declared_features,
    schedule_one,
    integration_filters,
    integration_inter_pod_affinity,
    integration_pod_topology_spread,
    integration_scoring,
    integration_preemption,
    integration_batch,
    pre_score,
    e2e_scheduling
);
