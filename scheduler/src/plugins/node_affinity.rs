//! NodeAffinity: nodes have to meet `nodeSelector` and the required node affinity of a pod, and are the better the more of
//! its preferences they meet. Asked at PreFilter, Filter, PreScore and Score.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go`

mod queueing_hint;

use std::collections::BTreeSet;
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use k8s_openapi::api::core::v1::{NodeSelectorTerm, PodSpec};
use plimsoll_api::field::aggregate;
use plimsoll_matching::node_affinity::{PreferredSchedulingTerms, RequiredNodeAffinity, node_affinity};
use plimsoll_matching::node_selector::{NAME_FIELD, NodeSelector};

use super::Registration;
use crate::config::{NodeAffinityArgs, PluginArgs};
use crate::framework::{
    Code, ExtensionPoint, Filter, FilterPlugin, Normalization, Plugin, PreFilter, PreScore, Score,
    ScorePlugin, Status, default_normalize, retain,
};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The plugin's name.
pub const NAME: &str = "NodeAffinity";
/// The node isn't one that the pod requires.
pub const REASON: &str = "node(s) didn't match Pod's node affinity/selector";
/// The node isn't one that the configuration requires.
pub const REASON_ENFORCED: &str = "node(s) didn't match scheduler-enforced node affinity";
/// The pod requires that its node has several names at once.
pub const REASON_CONFLICT: &str = "pod affinity terms conflict";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[
        ExtensionPoint::PreFilter,
        ExtensionPoint::Filter,
        ExtensionPoint::PreScore,
        ExtensionPoint::Score,
    ],
    weight: 2,
    summary: "A node has to meet `nodeSelector` and the required node affinity; the more preferred terms it meets, the better.",
    new: |args| match args {
        Some(PluginArgs::NodeAffinity(typed)) => new(&typed.args),
        _ => Ok(with(AddedAffinity::default())),
    },
};

/// The plugin.
///
/// # Errors
/// The added affinity is malformed.
pub fn new(args: &NodeAffinityArgs) -> Result<Plugin, String> {
    let Some(affinity) = &args.added_affinity else { return Ok(with(AddedAffinity::default())) };
    let required = affinity.required_during_scheduling_ignored_during_execution.as_ref();
    let required = required.map(NodeSelector::new);
    let preferred = affinity.preferred_during_scheduling_ignored_during_execution.as_deref();
    let preferred =
        preferred.filter(|terms| !terms.is_empty()).map(PreferredSchedulingTerms::new).transpose();
    match (required, preferred) {
        (Some((_, errors)), _) if !errors.is_empty() => Err(format!(
            "parsing addedAffinity.requiredDuringSchedulingIgnoredDuringExecution: {}",
            aggregate(&errors)
        )),
        (_, Err(errors)) => Err(format!(
            "parsing addedAffinity.preferredDuringSchedulingIgnoredDuringExecution: {}",
            aggregate(&errors)
        )),
        (required, Ok(preferred)) => {
            Ok(with(AddedAffinity { required: required.map(|(selector, _)| selector), preferred }))
        }
    }
}

fn with(added: AddedAffinity) -> Plugin {
    let added = Arc::new(added);
    Plugin {
        filter: Some(Box::new(NodeAffinity { added: Arc::clone(&added) })),
        score: Some(Box::new(NodeAffinity { added: Arc::clone(&added) })),
        events: Some(queueing_hint::events(added)),
        ..Plugin::new(NAME)
    }
}

/// What every pod asks of its node beside what it asks itself.
#[derive(Default)]
struct AddedAffinity {
    required: Option<NodeSelector>,
    preferred: Option<PreferredSchedulingTerms>,
}

struct NodeAffinity {
    added: Arc<AddedAffinity>,
}

impl FilterPlugin for NodeAffinity {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        let required = &pod.required_node_affinity;
        let added = self.added.required.as_ref();
        if required.is_empty() && added.is_none() {
            return PreFilter::Skip;
        }
        let nodes = required_node_names(pod.spec());
        if nodes.as_ref().is_some_and(BTreeSet::is_empty) {
            return PreFilter::Reject(Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON_CONFLICT));
        }
        PreFilter::Run { nodes, filter: Box::new(AffinityFilter { required, added, snapshot }) }
    }
}

/// The only names that a node can have, if every required term asks for names; none if some term doesn't.
fn required_node_names(pod: &PodSpec) -> Option<BTreeSet<String>> {
    let required = node_affinity(pod)?.required_during_scheduling_ignored_during_execution.as_ref()?;
    let terms = &required.node_selector_terms;
    if terms.is_empty() {
        return None;
    }
    let of_each_term: Option<Vec<BTreeSet<String>>> = terms.iter().map(names_of_term).collect();
    Some(of_each_term?.into_iter().flatten().collect())
}

fn names_of_term(term: &NodeSelectorTerm) -> Option<BTreeSet<String>> {
    let of_requirements = term
        .match_fields
        .iter()
        .flatten()
        .filter(|requirement| requirement.key == NAME_FIELD && requirement.operator == "In")
        .map(|requirement| requirement.values.iter().flatten().cloned().collect::<BTreeSet<String>>());
    of_requirements.reduce(|names, others| names.intersection(&others).cloned().collect())
}

struct AffinityFilter<'a> {
    required: &'a RequiredNodeAffinity,
    added: Option<&'a NodeSelector>,
    snapshot: &'a Snapshot,
}

impl AffinityFilter<'_> {
    fn meets_added(&self, node: NodeIndex) -> bool {
        self.added.is_none_or(|added| added.matches(self.snapshot.labels(node), self.snapshot.name(node)))
    }

    fn meets_required(&self, node: NodeIndex) -> bool {
        self.required.is_empty()
            || self.required.matches(self.snapshot.labels(node), self.snapshot.name(node))
    }
}

impl Filter for AffinityFilter<'_> {
    fn is_node_local(&self) -> bool {
        true
    }

    fn check(&self, node: NodeIndex) -> Status {
        if !self.meets_added(node) {
            return Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON_ENFORCED);
        }
        if !self.meets_required(node) {
            return Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON);
        }
        Status::SUCCESS
    }

    fn narrow(&self, candidates: &mut FixedBitSet) {
        retain(candidates, |node| self.meets_added(node) && self.meets_required(node));
    }
}

impl ScorePlugin for NodeAffinity {
    fn node_local(&self, _pod: &PodInfo<'_>, _snapshot: &Snapshot) -> Option<Normalization> {
        Some(Normalization::ByMaximum { less_is_better: false })
    }

    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        _nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        let added = self.added.preferred.as_ref();
        match &pod.preferred_node_affinity {
            None if added.is_none() => PreScore::Skip,
            None => PreScore::run(AffinityScore { preferred: None, added, snapshot }),
            Some(Err(message)) => PreScore::Error(message.clone()),
            Some(Ok(preferred)) => {
                PreScore::run(AffinityScore { preferred: Some(preferred), added, snapshot })
            }
        }
    }
}

struct AffinityScore<'a> {
    preferred: Option<&'a PreferredSchedulingTerms>,
    added: Option<&'a PreferredSchedulingTerms>,
    snapshot: &'a Snapshot,
}

impl Score for AffinityScore<'_> {
    fn score(&self, node: NodeIndex) -> i64 {
        let (labels, name) = (self.snapshot.labels(node), self.snapshot.name(node));
        self.preferred.into_iter().chain(self.added).map(|terms| terms.score(labels, name)).sum()
    }

    fn normalize(&self, scores: &mut [i64]) {
        default_normalize(scores, false);
    }
}
