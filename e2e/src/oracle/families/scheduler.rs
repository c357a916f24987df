//! Where pods go: what each plugin says of each node, which node is taken, and the message if none is.

mod bench;
mod binding;
mod differences;
mod made_up_extender;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use k8s_openapi::api::apps::v1::{ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{
    Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, ReplicationController, Service,
};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::resource::v1::{DeviceClass, DeviceTaintRule, ResourceClaim, ResourceSlice};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use plimsoll_cli::scheduler_config::{from_value, profiles};
use plimsoll_fixtures::MadeUpExtender;
use plimsoll_resource_math::Quantity;
use plimsoll_scheduler::framework::{Assumed, FailedCycle, PreEnqueueRequest, Status};
use plimsoll_scheduler::listers::{DeviceListers, StorageListers};
use plimsoll_scheduler::plugins::TABLE;
use plimsoll_scheduler::plugins::default_preemption::{
    Candidate, CandidateLimits, best_candidates, call_extenders, find_candidates,
};
use plimsoll_scheduler::pod_info::ResourceAmounts;
use plimsoll_scheduler::schedule::{Filters, Outcome, PreFiltered, pre_filter, score_nodes};
use plimsoll_scheduler::{CycleState, FitError, Listers, Nomination, PodInfo, Profile, Snapshot, schedule};
use serde::Deserialize;
use serde_json::{Value, json};

use self::made_up_extender::extenders;
use super::amounts::may_be_big_decimal;
use super::{Family, decode};
use crate::oracle::generate::scheduling::scheduling;

pub(super) const FAMILY: Family = Family {
    name: "scheduler",
    generate: scheduling,
    evaluate,
    known_difference: Some(known_difference),
    bench: Some(bench::BENCH),
};

/// A cluster, and pods to schedule one after the other.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Input {
    nodes: Vec<Node>,
    running: Vec<Pod>,
    nominated: Vec<Pod>,
    namespaces: Vec<Namespace>,
    services: Vec<Service>,
    replication_controllers: Vec<ReplicationController>,
    replica_sets: Vec<ReplicaSet>,
    stateful_sets: Vec<StatefulSet>,
    pod_disruption_budgets: Vec<PodDisruptionBudget>,
    persistent_volume_claims: Vec<PersistentVolumeClaim>,
    persistent_volumes: Vec<PersistentVolume>,
    storage_classes: Vec<StorageClass>,
    csi_nodes: Vec<CSINode>,
    csi_drivers: Vec<CSIDriver>,
    csi_storage_capacities: Vec<CSIStorageCapacity>,
    volume_attachments: Vec<VolumeAttachment>,
    resource_claims: Vec<ResourceClaim>,
    device_classes: Vec<DeviceClass>,
    resource_slices: Vec<ResourceSlice>,
    device_taint_rules: Vec<DeviceTaintRule>,
    pods: Vec<Pod>,
    percentage: u8,
    config: Option<Value>,
    /// What the extenders of the configuration answer.
    extenders: Vec<MadeUpExtender>,
}

impl Input {
    /// The profile of the configuration, or the default one; none if the configuration isn't valid.
    pub(super) fn profile(&self) -> Option<Profile> {
        let Some(config) = &self.config else { return Some(Profile::default()) };
        let config = from_value(config.clone(), Vec::new()).ok()?;
        let mut profile = profiles(&config, &TABLE).ok()?.swap_remove(0);
        profile.extenders = extenders(&config.extenders, &self.extenders);
        Some(profile)
    }

    /// The cluster before the first pod is placed.
    fn snapshot(&self) -> anyhow::Result<Snapshot> {
        let mut snapshot = Snapshot::new(&self.nodes)?;
        for pod in &self.running {
            let info = PodInfo::new(pod)?;
            snapshot.add_pod(&info, info.node_name());
        }
        for pod in &self.nominated {
            let info = PodInfo::new(pod)?;
            if !info.nominated_node_name().is_empty() {
                snapshot.nominate(&info, info.nominated_node_name());
            }
        }
        self.add_objects(snapshot.listers_mut());
        Ok(snapshot)
    }

    pub(super) fn add_objects(&self, listers: &mut Listers) {
        for object in &self.namespaces {
            listers.set_namespace(object);
        }
        for object in &self.services {
            listers.set_service(object);
        }
        for object in &self.replication_controllers {
            listers.set_replication_controller(object);
        }
        for object in &self.replica_sets {
            listers.set_replica_set(object);
        }
        for object in &self.stateful_sets {
            listers.set_stateful_set(object);
        }
        for object in &self.pod_disruption_budgets {
            listers.set_disruption_budget(object);
        }
        self.add_storage(&mut listers.storage);
        self.add_devices(&mut listers.devices);
    }

    fn add_devices(&self, listers: &mut DeviceListers) {
        for object in &self.resource_claims {
            listers.set_claim(object);
        }
        for object in &self.device_classes {
            listers.set_class(object);
        }
        for object in &self.resource_slices {
            listers.set_slice(object);
        }
        for object in &self.device_taint_rules {
            listers.set_taint_rule(object);
        }
    }

    fn add_storage(&self, listers: &mut StorageListers) {
        for object in &self.persistent_volume_claims {
            listers.set_claim(object);
        }
        for object in &self.persistent_volumes {
            listers.set_volume(object);
        }
        for object in &self.storage_classes {
            listers.set_class(object);
        }
        for object in &self.csi_nodes {
            listers.set_csi_node(object);
        }
        for object in &self.csi_drivers {
            listers.set_csi_driver(object);
        }
        for object in &self.csi_storage_capacities {
            listers.set_capacity(object);
        }
        for object in &self.volume_attachments {
            listers.set_attachment(object);
        }
    }

    fn identify_pods(&mut self) {
        self.running.iter_mut().chain(&mut self.nominated).chain(&mut self.pods).for_each(identify);
    }
}

/// Gives a pod the identity that a server would have given it.
pub(super) fn identify(pod: &mut Pod) {
    let metadata = &mut pod.metadata;
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    metadata.uid = Some(uid(&part(&metadata.namespace), &part(&metadata.name)));
}

fn uid(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// What the families of the queue know to differ.
pub(super) fn differs_by_amounts(input: &Value, _: &Value, _: &Value) -> Option<&'static str> {
    if has_absurd_amount(input) {
        return Some("D-scheduler-4");
    }
    has_pod_that_grows(input).then_some("D-scheduler-5")
}

fn has_pod_that_grows(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(has_pod_that_grows),
        Value::Object(fields) => {
            fields.get("spec").is_some_and(grows_by_overhead) || fields.values().any(has_pod_that_grows)
        }
        _ => false,
    }
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let mut input: Input = decode(input)?;
    input.identify_pods();
    let mut snapshot = input.snapshot()?;
    let Some(mut profile) = input.profile() else { return Ok(json!("no valid configuration")) };
    profile.percentage_of_nodes_to_score = input.percentage;
    let mut state = CycleState::default();
    let last = input.pods.len().saturating_sub(1);
    let pods = input.pods.iter().enumerate();
    pods.map(|(index, pod)| decide(pod, &mut snapshot, &profile, &mut state, index == last)).collect()
}

fn decide(
    pod: &Pod,
    snapshot: &mut Snapshot,
    profile: &Profile,
    state: &mut CycleState,
    is_last: bool,
) -> anyhow::Result<Value> {
    let info = PodInfo::new(pod)?;
    let request = PreEnqueueRequest { pod, listers: snapshot.listers(), is_preempting: false };
    let gate = profile.pre_enqueue(&request, None);
    if !gate.is_success() {
        return Ok(json!({ "gated": status_output(&gate) }));
    }
    let mut output = explain(&info, snapshot, profile);
    match schedule(&info, snapshot, profile, state) {
        Outcome::Placed(placement) => {
            output["node"] = placement.node.as_str().into();
            output["evaluated"] = placement.evaluated_nodes.into();
            output["feasible"] = placement.feasible_nodes.into();
            let node = snapshot.node(&placement.node).context("a node that is known")?;
            match profile.reserve(&info, snapshot, node) {
                Err(status) => output["reserve"] = status_output(&status),
                Ok(taken) => {
                    let devices = devices_taken(&taken, &snapshot.listers().devices);
                    if devices.as_object().is_some_and(|devices| !devices.is_empty()) {
                        output["devices"] = devices;
                    }
                    if let Some(volumes) = binding::volumes_taken(&taken) {
                        output["volumes"] = volumes;
                    }
                    if is_last
                        && let Some(bound) =
                            binding::pre_bind_devices(&info, &placement.node, &taken, snapshot.listers())
                    {
                        output["preBind"] = bound;
                    }
                    for assumed in taken {
                        snapshot.assume(assumed);
                    }
                    snapshot.add_pod(&info, &placement.node);
                    if !profile.extenders.is_empty() {
                        let bound = profile.extenders.bind(pod, &placement.node);
                        let error = bound.as_ref().and_then(|bound| bound.as_ref().err());
                        output["bind"] = json!({"bound": bound.is_some(), "error": error});
                    }
                }
            }
        }
        Outcome::Unschedulable(mut error) => {
            let released = binding::released(&error.writes);
            if !released.is_empty() {
                output["released"] = json!(released);
            }
            if let Nomination::Set(_) = error.nomination {
                error.post_filter_message.clear();
                let (candidates, best) = candidates(&info, snapshot, profile, &error);
                output["candidates"] = candidates;
                output["best"] = best;
            }
            output["message"] = error.message().into();
            output["unschedulablePlugins"] = json!(error.unschedulable_plugins());
        }
        failed @ (Outcome::NoNodes | Outcome::Error(_)) => output["error"] = failed.message().into(),
    }
    Ok(output)
}

/// What claims get that had nothing, by their names.
fn devices_taken(taken: &[Assumed], listers: &DeviceListers) -> Value {
    let claims = taken.iter().filter_map(|assumed| match assumed {
        Assumed::ResourceClaim(assumed) => Some(&assumed.claim),
        Assumed::PersistentVolume(_) | Assumed::PersistentVolumeClaim(_) => None,
    });
    let allocation = |claim: &ResourceClaim| claim.status.as_ref()?.allocation.clone();
    let gets = claims.filter_map(|claim| {
        let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
        // The one that is made up for extended resources has no name yet.
        let name = claim.metadata.name.as_deref().unwrap_or("<extended-resources>");
        let had = listers.claim(namespace, name).and_then(allocation);
        had.is_none().then(|| (name.to_owned(), json!(allocation(claim))))
    });
    gets.collect()
}

/// All nodes on which removing pods would make room, and those of them that are equally good.
fn candidates(pod: &PodInfo<'_>, snapshot: &Snapshot, profile: &Profile, error: &FitError) -> (Value, Value) {
    let PreFiltered::Run(filters) = pre_filter(pod, snapshot, profile) else { return Default::default() };
    let (statuses, extenders) = (&error.statuses, &profile.extenders);
    let failed = FailedCycle {
        pod,
        snapshot,
        filters: Some(&filters),
        statuses,
        not_pre_filtered: &[],
        extenders,
        chance: 0,
    };
    let all = CandidateLimits { percentage: 100, ..CandidateLimits::default() };
    let (candidates, _) = find_candidates(&failed, all);
    let candidates = call_extenders(&failed, candidates).unwrap_or_default();
    let name = |candidate: &Candidate<'_>| snapshot.name(candidate.node).to_owned();
    let mut best: Vec<String> = best_candidates(&candidates).into_iter().map(name).collect();
    best.sort_unstable();
    let victims = |candidate: &Candidate<'_>| {
        let keys: Vec<&str> = candidate.victims.iter().map(|pod| &*pod.key).collect();
        (name(candidate), json!({"victims": keys, "violations": candidate.violations}))
    };
    (candidates.iter().map(victims).collect(), best.into())
}

fn explain(pod: &PodInfo<'_>, snapshot: &Snapshot, profile: &Profile) -> Value {
    match pre_filter(pod, snapshot, profile) {
        PreFiltered::Run(filters) => explain_nodes(pod, snapshot, profile, &filters),
        PreFiltered::Rejected { status, .. } => json!({ "preFilter": status_output(&status) }),
    }
}

fn explain_nodes(pod: &PodInfo<'_>, snapshot: &Snapshot, profile: &Profile, filters: &Filters<'_>) -> Value {
    let order = snapshot.order();
    let mut verdicts = BTreeMap::new();
    let mut feasible = Vec::new();
    for node in order {
        let status = filters.check(*node);
        if status.is_success() {
            feasible.push(*node);
        } else {
            verdicts.insert(snapshot.name(*node), status_output(&status));
        }
    }
    let names: Vec<&str> = order.iter().map(|node| snapshot.name(*node)).collect();
    let mut output = json!({ "order": names, "verdicts": verdicts });
    if !feasible.is_empty() {
        output["scores"] = match score_nodes(pod, snapshot, profile, &feasible) {
            Ok(scores) => scores
                .into_iter()
                // Upstream's is asked about pods without claims too, and gives all nodes 0.
                .filter(|scores| {
                    scores.plugin != "VolumeBinding" || scores.raw.iter().any(|score| *score != 0)
                })
                .map(|scores| {
                    (scores.plugin.to_owned(), json!({"raw": scores.raw, "weighted": scores.weighted}))
                })
                .collect(),
            Err(message) => message.into(),
        };
    }
    output
}

fn status_output(status: &Status) -> Value {
    let mut reasons: Vec<&str> = status.reasons.iter().map(|reason| reason.text.as_ref()).collect();
    reasons.sort_unstable();
    json!({"code": status.code.as_str(), "plugin": status.plugin, "reasons": reasons})
}

fn known_difference(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let refused = ours.get("error").and_then(Value::as_str);
    if refused.is_some_and(|error| error.contains("quantity is out of range")) {
        return Some("D-Quantity-2");
    }
    if theirs.to_string().contains("could not translate pv")
        || differences::in_volumes_not_translated(input, ours, theirs)
    {
        return Some("D-scheduler-22");
    }
    if has_absurd_amount(input) {
        return Some("D-scheduler-4");
    }
    // Only where NodeResourcesFit is told to ignore the resource.
    if !input["config"].is_null() && ours.to_string().contains("cannot fit resource") {
        return Some("D-scheduler-33");
    }
    let pods = ["running", "pods"].into_iter().filter_map(|field| input[field].as_array()).flatten();
    if pods.map(|pod| &pod["spec"]).any(grows_by_overhead) {
        return Some("D-scheduler-5");
    }
    if differs_by_claim_names(input, ours, theirs) {
        return Some("D-scheduler-25");
    }
    if differences::in_order_of_errors(ours, theirs) {
        return Some("D-scheduler-54");
    }
    if differences::in_claims_released(ours, theirs) {
        return Some("D-scheduler-37");
    }
    if differences::in_overhead_served_by_devices(ours, theirs) {
        return Some("D-scheduler-39");
    }
    if differences::in_claims_named_twice(input, ours, theirs) {
        return Some("D-scheduler-38");
    }
    if differences::in_giving_up(ours, theirs) {
        return Some("D-scheduler-32");
    }
    if differences::in_scores_by_devices(input, ours, theirs) {
        return Some("D-scheduler-36");
    }
    if let Some(id) = differences::of_nodes_sent_back(input, ours, theirs) {
        return Some(id);
    }
    let differ_in_messages = without_messages(ours) == without_messages(theirs);
    (differ_in_messages && shares_host_port(input)).then_some("D-scheduler-2")
}

/// Whether nothing differs but what upstream's mix-up of claims of the same name can change: what preemption says of a pod
/// with such a claim, and the verdicts on nodes that are set aside. A differing verdict changes all that comes after it.
fn differs_by_claim_names(input: &Value, ours: &Value, theirs: &Value) -> bool {
    let (Some(pods), Some(ours), Some(theirs)) =
        (input["pods"].as_array(), ours.as_array(), theirs.as_array())
    else {
        return false;
    };
    if ours.len() != theirs.len() {
        return false;
    }
    let set_aside: BTreeSet<&str> =
        list(input, "nominated").filter_map(|pod| pod["status"]["nominatedNodeName"].as_str()).collect();
    for (pod, (ours, theirs)) in pods.iter().zip(ours.iter().zip(theirs)) {
        if ours == theirs {
            continue;
        }
        if !shares_claim_name(input, pod) {
            return false;
        }
        if ours["verdicts"] != theirs["verdicts"] {
            let others = |answer: &Value| {
                let mut verdicts = answer["verdicts"].clone();
                if let Some(verdicts) = verdicts.as_object_mut() {
                    verdicts.retain(|node, _| !set_aside.contains(node.as_str()));
                }
                verdicts
            };
            return ours["order"] == theirs["order"] && others(ours) == others(theirs);
        }
        if without_fields(ours, &PREEMPTION_FIELDS) != without_fields(theirs, &PREEMPTION_FIELDS) {
            return false;
        }
    }
    true
}

/// Whether the pod has a `ReadWriteOncePod` claim, and a pod of another namespace one of the same name.
fn shares_claim_name(input: &Value, pod: &Value) -> bool {
    let uses = |pod: &Value, name: &Value| {
        let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
        volumes.into_iter().any(|volume| volume["persistentVolumeClaim"]["claimName"] == *name)
    };
    let namespace = &pod["metadata"]["namespace"];
    let exclusive = list(input, "persistentVolumeClaims").filter(|claim| {
        let mut modes = claim["spec"]["accessModes"].as_array().into_iter().flatten();
        claim["metadata"]["namespace"] == *namespace && modes.any(|mode| mode == "ReadWriteOncePod")
    });
    exclusive.map(|claim| &claim["metadata"]["name"]).filter(|name| uses(pod, name)).any(|name| {
        let mut pods = ["running", "nominated", "pods"].into_iter().flat_map(|field| list(input, field));
        pods.any(|other| other["metadata"]["namespace"] != *namespace && uses(other, name))
    })
}

fn list<'a>(input: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    input[field].as_array().into_iter().flatten()
}

/// What of an answer tells of preemption.
const PREEMPTION_FIELDS: [&str; 3] = ["candidates", "best", "message"];

fn without_fields(answer: &Value, fields: &[&str]) -> Value {
    let mut answer = answer.clone();
    if let Some(answer) = answer.as_object_mut() {
        answer.retain(|name, _| !fields.contains(&name.as_str()));
    }
    answer
}

/// What is said of each pod, but for the message, which tells of preemption.
fn without_messages(answers: &Value) -> Value {
    answers.as_array().into_iter().flatten().map(|answer| without_fields(answer, &["message"])).collect()
}

/// Whether two running pods have the same port of the same node, so that removing one of them frees it for upstream.
fn shares_host_port(input: &Value) -> bool {
    let mut taken = BTreeSet::new();
    let running = input["running"].as_array().into_iter().flatten();
    running
        .flat_map(|pod| {
            let spec = &pod["spec"];
            let containers =
                ["containers", "initContainers"].into_iter().filter_map(|list| spec[list].as_array());
            let ports = containers.flatten().filter_map(|container| container["ports"].as_array()).flatten();
            let numbers: BTreeSet<(String, u64)> = ports
                .filter_map(|port| Some((spec["nodeName"].as_str()?.to_owned(), port["hostPort"].as_u64()?)))
                .collect();
            numbers
        })
        .any(|port| !taken.insert(port))
}

/// Whether upstream may hold what the pod as a whole asks for of a resource as a big decimal, and the overhead has that resource too.
fn grows_by_overhead(spec: &Value) -> bool {
    let requests = spec["resources"]["requests"].as_object();
    let is_big_decimal = |amount: &Value| amount.as_str().is_some_and(may_be_big_decimal);
    requests
        .into_iter()
        .flatten()
        .any(|(name, amount)| is_big_decimal(amount) && spec["overhead"].get(name).is_some())
}

fn has_absurd_amount(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(has_absurd_amount),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| is_absurd_amount(name, value) || has_absurd_amount(value))
        }
        _ => false,
    }
}

fn is_absurd_amount(name: &str, value: &Value) -> bool {
    let Some(quantity) = value.as_str().and_then(|text| Quantity::parse(text).ok()) else { return false };
    let amount = if name == "cpu" { quantity.milli_value() } else { quantity.value() };
    amount.unsigned_abs() >= ResourceAmounts::MAX.unsigned_abs()
}
