//! Which nodes are near the pods that had better be near.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/interpodaffinity/scoring.go`

use std::collections::BTreeMap;

use super::domain_counts::DomainCounts;
use super::is_about;
use super::resolved_term::ResolvedTerm;
use crate::affinity_term::{AffinityTerm, WeightedAffinityTerm};
use crate::framework::{Grouping, MAX_NODE_SCORE, PreScore, Score, ScorePlugin};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeCounts, NodeIndex, Snapshot};

pub(super) struct AffinityScorePlugin {
    pub(super) hard_pod_affinity_weight: i32,
    pub(super) ignores_preferred_terms_of_existing_pods: bool,
}

impl ScorePlugin for AffinityScorePlugin {
    fn failure_without_pre_score(&self) -> Option<&'static str> {
        Some("failed to read \"PreScoreInterPodAffinity\" from cycleState: not found")
    }

    fn grouping(&self, pod: &PodInfo<'_>, snapshot: &Snapshot) -> Grouping {
        let terms = &pod.affinity_terms;
        let is_indifferent = terms.preferred_affinity.is_empty()
            && terms.preferred_anti_affinity.is_empty()
            && matches!(self.pre_score(pod, snapshot, &[]), PreScore::Skip);
        if is_indifferent { Grouping::Indifferent } else { Grouping::EachNode }
    }

    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        _nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        let terms = &pod.affinity_terms;
        let prefers = !terms.preferred_affinity.is_empty() || !terms.preferred_anti_affinity.is_empty();
        if self.ignores_preferred_terms_of_existing_pods && !prefers {
            return PreScore::Skip;
        }
        if !pod.affinity_errors.is_empty() {
            let errors = plimsoll_api::aggregate::aggregate(&pod.affinity_errors);
            return PreScore::Error(format!("failed to parse pod: {errors}"));
        }
        let mut sums = Sums { snapshot, by_key: BTreeMap::new() };
        sums.add_own(&terms.preferred_affinity, 1);
        sums.add_own(&terms.preferred_anti_affinity, -1);
        sums.add_existing(pod, self.hard_pod_affinity_weight);
        if sums.by_key.is_empty() { PreScore::Skip } else { PreScore::run(AffinityScore { sums }) }
    }
}

/// By topology key what each domain is worth.
struct Sums<'a> {
    snapshot: &'a Snapshot,
    by_key: BTreeMap<&'a str, DomainCounts>,
}

impl<'a> Sums<'a> {
    /// Running pods that the pod would be near, or away from.
    fn add_own(&mut self, terms: &'a [WeightedAffinityTerm], sign: i32) {
        for WeightedAffinityTerm { term, weight } in terms {
            for (_, nodes) in ResolvedTerm::new(term, self.snapshot).pods(self.snapshot) {
                self.add(&term.topology_key, nodes, weight.wrapping_mul(sign));
            }
        }
    }

    /// Running pods that would be near the pod, or away from it.
    fn add_existing(&mut self, pod: &PodInfo<'_>, hard_weight: i32) {
        let snapshot = self.snapshot;
        let namespace_labels = snapshot.listers().namespace_labels(pod.namespace());
        let matches = |term: &AffinityTerm| is_about(term, pod, namespace_labels);
        for (terms, nodes) in snapshot.existing_terms() {
            if hard_weight > 0 {
                for term in terms.required_affinity.iter().filter(|term| matches(term)) {
                    self.add(&term.topology_key, nodes, hard_weight);
                }
            }
            for (list, sign) in [(&terms.preferred_affinity, 1), (&terms.preferred_anti_affinity, -1)] {
                for WeightedAffinityTerm { term, weight } in list.iter().filter(|one| matches(&one.term)) {
                    self.add(&term.topology_key, nodes, weight.wrapping_mul(sign));
                }
            }
        }
    }

    fn add(&mut self, key: &'a str, nodes: &NodeCounts, amount: i32) {
        let snapshot = self.snapshot;
        let is_new = !self.by_key.contains_key(key);
        let sums = self.by_key.entry(key).or_insert_with(|| DomainCounts::zero(snapshot, key));
        // A key that none of those nodes has doesn't count as one that was looked at.
        if !sums.add(nodes, i64::from(amount)) && is_new {
            self.by_key.remove(key);
        }
    }
}

struct AffinityScore<'a> {
    sums: Sums<'a>,
}

impl Score for AffinityScore<'_> {
    fn score(&self, node: NodeIndex) -> i64 {
        let worth = self.sums.by_key.values().filter_map(|counts| counts.of(node));
        worth.fold(0, i64::wrapping_add)
    }

    /// Spreads the scores from the worst, 0, to the best, 100.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "upstream computes in float64"
    )]
    fn normalize(&self, scores: &mut [i64]) {
        let (Some(worst), Some(best)) = (scores.iter().copied().min(), scores.iter().copied().max()) else {
            return;
        };
        let range = best.wrapping_sub(worst);
        for score in scores {
            *score = if range > 0 {
                (MAX_NODE_SCORE as f64 * (score.wrapping_sub(worst) as f64 / range as f64)) as i64
            } else {
                0
            };
        }
    }
}
