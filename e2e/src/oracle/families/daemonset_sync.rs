//! One sync of the DaemonSet controller: what it asks of the API server for a DaemonSet amid its nodes, pods and revisions.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::jiff::Timestamp;
use plimsoll_controller::daemon_set::pod::Ended;
use plimsoll_controller::daemon_set::{
    self, DaemonPod, FailedPods, History, ReceivedDaemonSet, Revision, Situation, Status, plan,
    selector_in_use,
};
use plimsoll_controller::owner::{Claims, Owner};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Family, decode};
use crate::oracle::generate::daemon_set_sync::situation;

pub(super) const FAMILY: Family = Family {
    name: "daemonset_sync",
    generate: situation,
    evaluate,
    known_difference: Some(explain),
    bench: None,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    daemon_set: ReceivedDaemonSet,
    nodes: Vec<Node>,
    pods: Vec<Pod>,
    revisions: Vec<Revision>,
    now: Timestamp,
    expecting: bool,
}

/// The steps of a sync, as the process takes them.
fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let object = &input.daemon_set.object;
    let mut asked = Asked::default();
    let Some(selector) = selector_in_use(object) else { return Ok(asked.answer()) };
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    let owner = Owner::new(daemon_set::API_VERSION, daemon_set::KIND, &object.metadata, uid);

    let revisions = Claims::new(&owner, &selector, input.revisions, |revision| &revision.metadata);
    let claimed = revisions.to_adopt.iter().chain(&revisions.to_release);
    asked.revisions_claimed.extend(claimed.map(|revision| revision.name().to_owned()));
    let mut revisions = revisions.owned;
    for revision in revisions.iter_mut().filter(|revision| revision.hash().is_none()) {
        let name = revision.name().to_owned();
        let labels = revision.metadata.labels.get_or_insert_default();
        labels.insert(daemon_set::CONTROLLER_REVISION_HASH_LABEL.to_owned(), name.clone());
        asked.revisions_updated.push(json!({"name": name, "revision": revision.revision, "hash": name}));
    }

    let pods: Vec<DaemonPod> = input.pods.iter().map(DaemonPod::from).collect();
    let pods = Claims::new(&owner, &selector, &pods, |pod| &pod.metadata);
    asked.adopted.extend(pods.to_adopt.iter().map(|pod| pod.name().to_owned()));
    asked.released.extend(pods.to_release.iter().map(|pod| pod.name().to_owned()));

    let data = input.daemon_set.revision_data();
    let history = History::new(&data, &revisions);
    let number = history.number_of_current();
    let made;
    let hash = if let Some(current) = history.current {
        let relabelled = history.to_relabel(pods.owned.iter().copied());
        asked.relabelled.extend(relabelled.into_iter().map(|pod| pod.name().to_owned()));
        asked.revisions_deleted.extend(history.duplicates.iter().map(|revision| revision.name().to_owned()));
        if current.revision < number {
            let updated = json!({"name": current.name(), "revision": number, "hash": current.hash()});
            asked.revisions_updated.push(updated);
        }
        current.hash().unwrap_or_default()
    } else {
        asked.revision_created.push(json!({"data": data, "revision": number}));
        made = input.daemon_set.new_revision_hash();
        &made
    };

    let mut failed = FailedPods::default();
    let situation = Situation::new(object, hash, &input.nodes, &pods.owned, input.now);
    let plan = plan(&situation, (!input.expecting).then_some(&mut failed));
    asked.created_on.extend(plan.actions.create_on);
    asked.deleted.extend(plan.actions.delete);
    asked.ended_pods.extend(plan.ended_pods.iter().map(|ended| {
        let (pod, node) = (&ended.pod, &ended.node);
        match ended.ended {
            Ended::Failed => {
                format!("Warning FailedDaemonPod Found failed daemon pod {pod} on node {node}, will try to kill it")
            }
            _ => format!(
                "Normal SucceededDaemonPod Found succeeded daemon pod {pod} on node {node}, will try to delete it"
            ),
        }
    }));
    if let Some(stalled) = plan.stalled {
        asked.error = stalled.to_string();
    } else if !input.expecting {
        let limit = object.spec.revision_history_limit.unwrap_or(0);
        let going = history.to_delete(limit, pods.owned.iter().copied());
        asked.revisions_deleted.extend(going.into_iter().map(|revision| revision.name().to_owned()));
    }
    if !plan.status.is_written_in(object) {
        let observed = object.status.as_ref().and_then(|status| status.observed_generation);
        let generation = if input.expecting { observed } else { object.metadata.generation };
        asked.status = Some((plan.status, generation.unwrap_or(0)));
    }
    Ok(asked.answer())
}

/// What is asked of the API server.
#[derive(Default)]
struct Asked {
    created_on: BTreeSet<String>,
    deleted: BTreeSet<String>,
    adopted: BTreeSet<String>,
    released: BTreeSet<String>,
    relabelled: BTreeSet<String>,
    revision_created: Vec<Value>,
    revisions_updated: Vec<Value>,
    revisions_deleted: BTreeSet<String>,
    revisions_claimed: BTreeSet<String>,
    status: Option<(Status, i64)>,
    ended_pods: BTreeSet<String>,
    error: String,
}

impl Asked {
    fn answer(mut self) -> Value {
        self.revisions_updated.sort_by_key(|updated| updated["name"].as_str().unwrap_or_default().to_owned());
        let status = self.status.map(|(status, observed_generation)| {
            json!({
                "desired": status.desired_number_scheduled,
                "current": status.current_number_scheduled,
                "misscheduled": status.number_misscheduled,
                "ready": status.number_ready,
                "updated": status.updated_number_scheduled,
                "available": status.number_available,
                "unavailable": status.number_unavailable(),
                "observed_generation": observed_generation,
            })
        });
        json!({
            "created_on": self.created_on,
            "deleted": self.deleted,
            "adopted": self.adopted,
            "released": self.released,
            "relabelled": self.relabelled,
            "revision_created": self.revision_created,
            "revisions_updated": self.revisions_updated,
            "revisions_deleted": self.revisions_deleted,
            "revisions_claimed": self.revisions_claimed,
            "status": status,
            "ended_pods": self.ended_pods,
            "error": self.error,
        })
    }
}

/// Upstream gives more pods the hash of the revision that is kept.
fn explain(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let (mut ours, mut theirs) = (ours.clone(), theirs.clone());
    let (relabelled, too_many) = (names(&mut ours, "relabelled"), names(&mut theirs, "relabelled"));
    if relabelled == too_many {
        replaces_others(input, &ours, &theirs)
    } else {
        let explained = ours == theirs || replaces_others(input, &ours, &theirs).is_some();
        (explained && relabelled.is_subset(&too_many)).then_some("D-DaemonSet-9")
    }
}

/// Upstream picks at random among the pods that a rolling update may replace, and among the nodes that it misses. All else must be
/// equal, as many pods must be picked, and those picked by one alone must be Ready.
fn replaces_others(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let is_ready = |pod: &Value| pod["status"]["conditions"][0]["status"] == "True";
    let all = input["pods"].as_array()?;
    let ready_pod = |name: &str| all.iter().any(|pod| pod["metadata"]["name"] == name && is_ready(pod));
    let ready_node = |node: &str| {
        all.iter().any(|pod| {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            name.starts_with(&format!("web-{node}-")) && is_ready(pod)
        })
    };
    let (mut ours_left, mut theirs_left) = (ours.clone(), theirs.clone());
    for (list, replaceable) in [
        ("deleted", &ready_pod as &dyn Fn(&str) -> bool),
        ("created_on", &ready_node as &dyn Fn(&str) -> bool),
    ] {
        let (mine, other) = (names(&mut ours_left, list), names(&mut theirs_left, list));
        let swapped = mine.symmetric_difference(&other);
        if mine.len() != other.len() || !swapped.into_iter().all(|name| replaceable(name)) {
            return None;
        }
    }
    let misses_a_node = |answer: &Value| {
        let error = answer["error"].as_str().unwrap_or_default();
        error.starts_with("couldn't get node for nodeName")
    };
    if misses_a_node(ours) && misses_a_node(theirs) {
        ours_left["error"].take();
        theirs_left["error"].take();
    }
    (ours_left == theirs_left).then_some("D-DaemonSet-2")
}

fn names(answer: &mut Value, list: &str) -> BTreeSet<String> {
    serde_json::from_value(answer[list].take()).unwrap_or_default()
}
