//! Which nodes are near enough, and far enough.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/interpodaffinity/filtering.go`

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;
use plimsoll_matching::label_selector::Labels;

use super::domain_counts::DomainCounts;
use super::resolved_term::ResolvedTerm;
use super::{NAME, REASON_AFFINITY, REASON_ANTI_AFFINITY, REASON_EXISTING_ANTI_AFFINITY, is_about};
use crate::affinity_term::AffinityTerm;
use crate::framework::{Code, Filter, FilterPlugin, PodChanges, PreFilter, Status, retain};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, PlacedPod, Snapshot};

pub(super) struct AffinityFilterPlugin;

impl FilterPlugin for AffinityFilterPlugin {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        if !pod.affinity_errors.is_empty() {
            let text = format!("parsing pod: {}", plimsoll_api::aggregate::aggregate(&pod.affinity_errors));
            return PreFilter::Reject(Status::new(Code::UnschedulableAndUnresolvable, NAME, text));
        }
        let filter = AffinityFilter::new(pod, snapshot);
        if filter.existing_anti_affinity.is_empty()
            && filter.affinity.is_empty()
            && filter.anti_affinity.is_empty()
        {
            return PreFilter::Skip;
        }
        PreFilter::run(filter)
    }
}

/// A term of the pod to schedule, and how many pods meet it in each domain.
struct CountedTerm<'a> {
    resolved: ResolvedTerm<'a>,
    counts: DomainCounts,
}

struct AffinityFilter<'a> {
    pod: &'a PodInfo<'a>,
    snapshot: &'a Snapshot,
    namespace_labels: &'a Labels,
    /// Each term of required affinity with the pods that meet all of them.
    affinity: Vec<CountedTerm<'a>>,
    /// How many pods are counted there in all.
    affinity_total: i64,
    /// Whether the pod would meet all its terms itself, so that it can be the first of its kind.
    meets_own_affinity: bool,
    /// Each term of required anti-affinity with the pods that meet it.
    anti_affinity: Vec<CountedTerm<'a>>,
    /// By topology key the pods that must not be near this one.
    existing_anti_affinity: BTreeMap<&'a str, DomainCounts>,
}

impl<'a> AffinityFilter<'a> {
    fn new(pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> Self {
        let counted = |term: &'a AffinityTerm| CountedTerm {
            resolved: ResolvedTerm::new(term, snapshot),
            counts: DomainCounts::zero(snapshot, &term.topology_key),
        };
        let terms = &pod.affinity_terms;
        let mut filter = Self {
            pod,
            snapshot,
            namespace_labels: snapshot.listers().namespace_labels(pod.namespace()),
            affinity: terms.required_affinity.iter().map(counted).collect(),
            affinity_total: 0,
            meets_own_affinity: false,
            anti_affinity: terms.required_anti_affinity.iter().map(counted).collect(),
            existing_anti_affinity: BTreeMap::new(),
        };
        filter.count_affinity();
        for term in &mut filter.anti_affinity {
            for (_, nodes) in term.resolved.pods(snapshot) {
                term.counts.add(nodes, 1);
            }
        }
        filter.count_existing_anti_affinity();
        filter
    }

    fn count_affinity(&mut self) {
        let Some((first, others)) = self.affinity.split_first() else { return };
        let meets_all = first.resolved.pods(self.snapshot).into_iter().filter(|(identity, _)| {
            let matches =
                |term: &CountedTerm<'_>| term.resolved.matches(&identity.namespace, &identity.labels);
            others.iter().all(matches)
        });
        for (_, nodes) in meets_all.collect::<Vec<_>>() {
            for term in &mut self.affinity {
                term.counts.add(nodes, 1);
            }
        }
        self.affinity_total = self.affinity.iter().map(|term| term.counts.total()).sum();
        self.meets_own_affinity = self.affinity.iter().all(|term| term.resolved.matches_pod(self.pod));
    }

    fn count_existing_anti_affinity(&mut self) {
        let snapshot = self.snapshot;
        for (terms, nodes) in snapshot.existing_terms() {
            for term in terms
                .required_anti_affinity
                .iter()
                .filter(|term| is_about(term, self.pod, self.namespace_labels))
            {
                let key = term.topology_key.as_str();
                let counts = self
                    .existing_anti_affinity
                    .entry(key)
                    .or_insert_with(|| DomainCounts::zero(snapshot, key));
                counts.add(nodes, 1);
            }
        }
        self.existing_anti_affinity.retain(|_, counts| counts.total() > 0);
    }

    /// # Source
    /// `filtering.go` (`satisfyPodAffinity`)
    fn meets_affinity(&self, node: NodeIndex, changes: PodChanges<'_>) -> bool {
        let change = self.affinity_change(changes);
        let mut any_missing = false;
        let mut total = self.affinity_total;
        for term in &self.affinity {
            let Some(count) = term.counts.of(node) else { return false };
            any_missing |= count + change <= 0;
            total += change;
        }
        !any_missing || (total == 0 && self.meets_own_affinity)
    }

    /// How many pods more or less meet all terms of affinity.
    fn affinity_change(&self, changes: PodChanges<'_>) -> i64 {
        let meets_all =
            |pod: &PlacedPod| self.affinity.iter().all(|term| matches_placed(&term.resolved, pod));
        changes.iter().filter(|(pod, _)| meets_all(pod)).map(|(_, sign)| sign).sum()
    }

    /// # Source
    /// `filtering.go` (`satisfyPodAntiAffinity`)
    fn meets_anti_affinity(&self, node: NodeIndex, changes: PodChanges<'_>) -> bool {
        self.anti_affinity.iter().all(|term| {
            let Some(count) = term.counts.of(node) else { return true };
            let changed = changes.iter().filter(|(pod, _)| matches_placed(&term.resolved, pod));
            count + changed.map(|(_, sign)| sign).sum::<i64>() <= 0
        })
    }

    /// # Source
    /// `filtering.go` (`satisfyExistingPodsAntiAffinity`)
    fn is_let_near(&self, node: NodeIndex, changes: PodChanges<'_>) -> bool {
        let change_of = |key: &str| -> i64 {
            let changed = changes.iter().filter_map(|(pod, sign)| {
                let terms = &pod.terms.as_ref()?.required_anti_affinity;
                let forbidding = terms.iter().filter(|term| {
                    term.topology_key == key && is_about(term, self.pod, self.namespace_labels)
                });
                Some(sign * i64::try_from(forbidding.count()).unwrap_or(i64::MAX))
            });
            changed.sum()
        };
        let is_far = self
            .existing_anti_affinity
            .iter()
            .all(|(key, counts)| counts.of(node).is_none_or(|count| count + change_of(key) <= 0));
        is_far && self.is_let_near_by_added(node, changes)
    }

    /// The same for pods that are thought to be there, by the keys of which no pod counts otherwise.
    fn is_let_near_by_added(&self, node: NodeIndex, changes: PodChanges<'_>) -> bool {
        let terms = changes.added.iter().filter_map(|pod| pod.terms.as_ref());
        let mut terms = terms.flat_map(|terms| &terms.required_anti_affinity);
        !terms.any(|term| {
            !self.existing_anti_affinity.contains_key(term.topology_key.as_str())
                && is_about(term, self.pod, self.namespace_labels)
                && self.snapshot.labels(node).contains_key(&term.topology_key)
        })
    }
}

impl Filter for AffinityFilter<'_> {
    fn check(&self, node: NodeIndex) -> Status {
        self.check_with(node, PodChanges::default())
    }

    fn check_with(&self, node: NodeIndex, changes: PodChanges<'_>) -> Status {
        if !self.meets_affinity(node, changes) {
            return Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON_AFFINITY);
        }
        if !self.meets_anti_affinity(node, changes) {
            return Status::new(Code::Unschedulable, NAME, REASON_ANTI_AFFINITY);
        }
        if !self.is_let_near(node, changes) {
            return Status::new(Code::Unschedulable, NAME, REASON_EXISTING_ANTI_AFFINITY);
        }
        Status::SUCCESS
    }

    fn narrow(&self, candidates: &mut FixedBitSet) {
        let unchanged = PodChanges::default();
        if !self.affinity.is_empty() {
            retain(candidates, |node| self.meets_affinity(node, unchanged));
        }
        for term in &self.anti_affinity {
            retain(candidates, |node| term.counts.of(node).is_none_or(|count| count <= 0));
        }
        for counts in self.existing_anti_affinity.values() {
            retain(candidates, |node| counts.of(node).is_none_or(|count| count <= 0));
        }
    }
}

fn matches_placed(term: &ResolvedTerm<'_>, pod: &PlacedPod) -> bool {
    term.matches(&pod.identity.namespace, &pod.identity.labels)
}
