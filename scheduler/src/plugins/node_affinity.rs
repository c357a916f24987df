//! NodeAffinity: nodes have to meet `nodeSelector` and the required node affinity of a pod, and are the better the more of
//! its preferences they meet. Asked at PreFilter, Filter, PreScore and Score.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go`

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;
use k8s_openapi::api::core::v1::{NodeSelectorTerm, PodSpec};
use plimsoll_matching::node_affinity::{PreferredSchedulingTerms, RequiredNodeAffinity, node_affinity};
use plimsoll_matching::node_selector::NAME_FIELD;

use super::Registration;
use crate::framework::{
    Code, ExtensionPoint, Filter, FilterPlugin, Plugin, PreFilter, PreScore, Score, ScorePlugin, Status,
    default_normalize, retain,
};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The plugin's name.
pub const NAME: &str = "NodeAffinity";
/// The node isn't one that the pod requires.
pub const REASON: &str = "node(s) didn't match Pod's node affinity/selector";
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
    new,
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin { filter: Some(Box::new(NodeAffinity)), score: Some(Box::new(NodeAffinity)), ..Plugin::new(NAME) }
}

struct NodeAffinity;

impl FilterPlugin for NodeAffinity {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        let required = &pod.required_node_affinity;
        if required.is_empty() {
            return PreFilter::Skip;
        }
        let nodes = required_node_names(pod.spec());
        if nodes.as_ref().is_some_and(BTreeSet::is_empty) {
            return PreFilter::Reject(Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON_CONFLICT));
        }
        PreFilter::Run { nodes, filter: Box::new(AffinityFilter { required, snapshot }) }
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
    snapshot: &'a Snapshot,
}

impl AffinityFilter<'_> {
    fn matches(&self, node: NodeIndex) -> bool {
        self.required.matches(self.snapshot.labels(node), self.snapshot.name(node))
    }
}

impl Filter for AffinityFilter<'_> {
    fn check(&self, node: NodeIndex) -> Status {
        if self.matches(node) {
            Status::SUCCESS
        } else {
            Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON)
        }
    }

    fn narrow(&self, candidates: &mut FixedBitSet) {
        retain(candidates, |node| self.matches(node));
    }
}

impl ScorePlugin for NodeAffinity {
    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        _nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        match &pod.preferred_node_affinity {
            None => PreScore::Skip,
            Some(Err(message)) => PreScore::Error(message.clone()),
            Some(Ok(preferred)) => PreScore::run(AffinityScore { preferred, snapshot }),
        }
    }
}

struct AffinityScore<'a> {
    preferred: &'a PreferredSchedulingTerms,
    snapshot: &'a Snapshot,
}

impl Score for AffinityScore<'_> {
    fn score(&self, node: NodeIndex) -> i64 {
        self.preferred.score(self.snapshot.labels(node), self.snapshot.name(node))
    }

    fn normalize(&self, scores: &mut [i64]) {
        default_normalize(scores, false);
    }
}
