//! Why a pod is where it is, or nowhere: every node, and what the scheduler's plugins say of it.

use std::collections::BTreeMap;

use plimsoll_resource_math::pod_resources::ParsePodResourcesError;
use plimsoll_scheduler::framework::{Reason, Status};
use plimsoll_scheduler::plugins::{node_affinity, node_resources_fit, node_unschedulable, taint_toleration};
use plimsoll_scheduler::schedule::{NodeExplanation, explain};
use plimsoll_scheduler::{PodInfo, Snapshot};
use serde::Serialize;

use super::find_pod::PodNotFound;
use super::schedule::Scheduling;
use super::{Engine, extenders};
use crate::amount::resource_amount;

/// A pod and every node.
#[derive(Clone, Debug, Serialize)]
pub struct Why {
    /// The pod's namespace and name.
    pub pod: String,
    /// The nodes: those that take the pod, the best first, then the others, the closest first.
    pub nodes: Vec<NodeWhy>,
    /// The node that the pod is on; none if it waits.
    pub selected: Option<String>,
    /// Why it waits.
    pub message: Option<String>,
    /// If no node takes the pod, the smallest change that we know of after which one does.
    pub change: Option<String>,
    /// What is left out.
    pub notes: Vec<String>,
}

/// A node.
#[derive(Clone, Debug, Serialize)]
pub struct NodeWhy {
    /// Its name.
    pub name: String,
    /// Whether it takes the pod.
    pub feasible: bool,
    /// The first plugin that refuses it.
    pub plugin: Option<&'static str>,
    /// The code of its refusal.
    pub code: Option<&'static str>,
    /// What all plugins refuse it for.
    pub reasons: Vec<String>,
    /// What the score of each plugin counts for.
    pub scores: BTreeMap<&'static str, i64>,
    /// Their sum.
    pub total: i64,
}

/// Why there is nothing to say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhyError {
    /// There is no such pod.
    #[error(transparent)]
    PodNotFound(#[from] PodNotFound),
    /// An amount in the pod is no quantity.
    #[error(transparent)]
    NoQuantity(#[from] ParsePodResourcesError),
    /// The pod is refused; what is wrong is neither the call nor the input.
    #[error("pod {pod} is not stored: {message}")]
    NotStored {
        /// The pod's namespace and name.
        pod: String,
        /// Why it is refused.
        message: String,
    },
    /// It is no pod, or no profile is for it.
    #[error("{0}")]
    NotDecided(String),
}

impl Engine<'_> {
    /// Judges all nodes for the pod of a row, as the cluster is at the end of the run, but without this pod.
    ///
    /// # Errors
    /// The scheduler has nothing to decide about it.
    pub(super) fn why(&self, index: usize, scheduling: &mut Scheduling) -> Result<Why, WhyError> {
        let row = &self.rows[index];
        let name = row.name();
        if let Some(status) = &row.refusal {
            return Err(WhyError::NotStored { pod: name, message: status.message.clone() });
        }
        let Some(mut pod) = row.pod().cloned() else {
            return Err(WhyError::NotDecided(format!("{name} is no pod")));
        };
        let spec = pod.spec.get_or_insert_default();
        let scheduler = spec.scheduler_name.clone().unwrap_or_default();
        spec.node_name = None;
        let profile = scheduling.profiles.iter().find(|profile| profile.scheduler_name == scheduler);
        let Some(profile) = profile else {
            let problem = format!("pod {name} is for the scheduler {scheduler:?}, which does not run here");
            return Err(WhyError::NotDecided(problem));
        };
        let metadata = &pod.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        scheduling.snapshot.remove_pod(namespace, metadata.name.as_deref().unwrap_or_default());
        let info = PodInfo::new(&pod)?;
        let explanation = explain(&info, &scheduling.snapshot, profile).map_err(WhyError::NotDecided)?;
        let mut nodes = explanation.nodes;
        nodes.sort_by(|first, second| {
            let cost = |node: &NodeExplanation| (cost(&node.refusals), -node.total);
            cost(first).partial_cmp(&cost(second)).unwrap_or(std::cmp::Ordering::Equal)
        });
        let waits = row.waits.as_ref().map(|(_, message)| message.clone());
        let message = if row.node.is_some() { None } else { waits.or_else(|| explanation.outcome.message()) };
        let closest = nodes.first().filter(|node| !node.refusals.is_empty() && row.node.is_none());
        Ok(Why {
            pod: name,
            change: closest.map(|node| change(node, &info, &scheduling.snapshot)),
            nodes: nodes.iter().map(|node| node_why(node, &scheduling.snapshot)).collect(),
            selected: row.node.clone(),
            message,
            notes: self.settings.scheduler.as_ref().map(extenders::notes).unwrap_or_default(),
        })
    }
}

fn node_why(node: &NodeExplanation, snapshot: &Snapshot) -> NodeWhy {
    let first = node.refusals.first();
    NodeWhy {
        name: snapshot.name(node.node).to_owned(),
        feasible: node.refusals.is_empty(),
        plugin: first.map(|status| status.plugin),
        code: first.map(|status| status.code.as_str()),
        reasons: node.refusals.iter().flat_map(|status| &status.reasons).map(in_words).collect(),
        scores: node.scores.iter().copied().collect(),
        total: node.total,
    }
}

/// A reason, with the amounts that it is about.
fn in_words(reason: &Reason) -> String {
    let Some(amount) = &reason.amount else { return reason.text.to_string() };
    let of = |number| resource_amount(&amount.resource, number);
    let free = amount.capacity.saturating_sub(amount.used).max(0);
    format!("{}: wants {}, {} of {} free", reason.text, of(amount.requested), of(free), of(amount.capacity))
}

/// How far a node is from taking the pod: each plugin that refuses it counts 1, amounts that don't fit the part that is missing.
#[expect(clippy::cast_precision_loss, reason = "it only orders nodes")]
fn cost(refusals: &[Status]) -> f64 {
    let missing_part = |reason: &Reason| {
        let amount = reason.amount.as_ref()?;
        let missing = amount.requested.saturating_add(amount.used).saturating_sub(amount.capacity);
        Some((missing as f64 / amount.requested.max(1) as f64).clamp(0.0, 1.0))
    };
    let of_plugin = |status: &Status| {
        let parts = status.reasons.iter().map(|reason| missing_part(reason).unwrap_or(1.0));
        parts.fold(f64::MIN_POSITIVE, f64::max)
    };
    refusals.iter().map(of_plugin).sum()
}

/// What has to change so that a node takes the pod.
fn change(node: &NodeExplanation, pod: &PodInfo<'_>, snapshot: &Snapshot) -> String {
    let name = snapshot.name(node.node);
    let changes: Vec<String> =
        node.refusals.iter().flat_map(|status| changes_for(status, node, pod, snapshot)).collect();
    format!("node {name} takes the pod if you {}", changes.join("; and "))
}

fn changes_for(
    status: &Status,
    node: &NodeExplanation,
    pod: &PodInfo<'_>,
    snapshot: &Snapshot,
) -> Vec<String> {
    let name = snapshot.name(node.node);
    match status.plugin {
        node_resources_fit::NAME => status.reasons.iter().map(|reason| make_room(reason, name)).collect(),
        node_unschedulable::NAME => vec![format!("uncordon it (kubectl uncordon {name})")],
        taint_toleration::NAME => {
            let taints = &snapshot.taint_sets()[snapshot.taint_set(node.node) as usize];
            let untolerated = plimsoll_matching::taints::find_untolerated(
                taints,
                pod.tolerations(),
                plimsoll_matching::taints::forbids_scheduling,
            );
            untolerated
                .map(|taint| {
                    let value = taint.value.as_deref().filter(|value| !value.is_empty());
                    let value = value.map(|value| format!("={value}")).unwrap_or_default();
                    format!("let the pod tolerate {}{value}:{}", taint.key, taint.effect)
                })
                .into_iter()
                .collect()
        }
        node_affinity::NAME => {
            let labels = snapshot.labels(node.node);
            let selector = pod.spec().node_selector.iter().flatten();
            let missing: Vec<String> = selector
                .filter(|(key, value)| labels.get(*key) != Some(*value))
                .map(|(key, value)| format!("label it {key}={value}, or drop that from nodeSelector"))
                .collect();
            if missing.is_empty() {
                vec!["change the pod's required node affinity".to_owned()]
            } else {
                missing
            }
        }
        plugin => vec![format!("change what {plugin} refuses it for ({})", status.message())],
    }
}

fn make_room(reason: &Reason, node: &str) -> String {
    let Some(amount) = &reason.amount else { return format!("change that: {}", reason.text) };
    let missing = amount.requested.saturating_add(amount.used).saturating_sub(amount.capacity);
    let (resource, less) = (&amount.resource, resource_amount(&amount.resource, missing));
    if amount.requested > amount.capacity {
        return format!("lower the pod's request of {resource} by {less}");
    }
    if resource == plimsoll_resource_math::resource_name::PODS {
        return format!("move {less} pods off {node}");
    }
    format!("lower the pod's request of {resource} by {less}, or free as much on {node}")
}
