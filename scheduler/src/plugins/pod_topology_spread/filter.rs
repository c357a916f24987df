//! Which nodes keep the domains of hard constraints even.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/podtopologyspread/filtering.go`

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::constraint::{Constraint, Participation, Spreading, WhenUnsatisfiable, what_failed};
use super::{NAME, REASON, REASON_MISSING_LABEL};
use crate::framework::{Code, Filter, FilterPlugin, PodChanges, PreFilter, Status, retain};
use crate::pod_info::PodInfo;
use crate::snapshot::{Domain, NodeIndex, Snapshot, TopologyColumn};

pub(super) struct SpreadFilterPlugin {
    pub(super) spreading: Spreading,
}

impl FilterPlugin for SpreadFilterPlugin {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        match self.spreading.constraints(pod.pod, snapshot.listers(), WhenUnsatisfiable::DoNotSchedule) {
            Err(error) => {
                let text = format!("get constraints from pod: {}", what_failed(pod.pod, "hard", &error));
                PreFilter::Reject(Status::new(Code::Error, NAME, text))
            }
            Ok(constraints) if constraints.is_empty() => PreFilter::Skip,
            Ok(constraints) => PreFilter::run(SpreadFilter::new(pod, snapshot, constraints)),
        }
    }
}

struct SpreadFilter<'a> {
    pod: &'a PodInfo<'a>,
    participation: Participation<'a>,
    constraints: Vec<Spread>,
}

/// A constraint, and how many pods each of its domains has.
struct Spread {
    constraint: Constraint,
    column: Arc<TopologyColumn>,
    /// How many pods count in a domain; none if no node of it takes part.
    counts: Vec<Option<i64>>,
    /// The emptiest domain and what it has; then what the emptiest of the others has.
    emptiest: Option<(Domain, i64)>,
    second: Option<i64>,
    domain_count: usize,
    /// 1 if the constraint is about the pod itself.
    own: i64,
}

impl<'a> SpreadFilter<'a> {
    /// # Source
    /// `filtering.go` (`calPreFilterState`)
    fn new(pod: &'a PodInfo<'a>, snapshot: &'a Snapshot, constraints: Vec<Constraint>) -> Self {
        let participation = Participation::new(pod, snapshot, &constraints, true);
        let spread = |constraint| Spread::new(constraint, pod, snapshot, &participation);
        let constraints = constraints.into_iter().map(spread).collect();
        Self { pod, participation, constraints }
    }

    fn status(&self, node: NodeIndex, changes: PodChanges<'_>) -> Result<(), (Code, &'static str)> {
        for spread in &self.constraints {
            let Some(domain) = spread.column.domain(node) else {
                return Err((Code::UnschedulableAndUnresolvable, REASON_MISSING_LABEL));
            };
            if !spread.is_even(domain, self.change(spread, node, changes)) {
                return Err((Code::Unschedulable, REASON));
            }
        }
        Ok(())
    }

    /// How many pods more or less count in the node's domain. Unlike those that are counted, they count while being deleted too.
    ///
    /// # Source
    /// `filtering.go` (`updateWithPod`)
    fn change(&self, spread: &Spread, node: NodeIndex, changes: PodChanges<'_>) -> i64 {
        if (changes.added.is_empty() && changes.removed.is_empty())
            || !self.participation.has_labels(node)
            || !self.participation.meets_policies(&spread.constraint, node)
        {
            return 0;
        }
        let counts = changes.iter().filter(|(pod, _)| {
            *pod.identity.namespace == *self.pod.namespace()
                && spread.constraint.matches(&pod.identity.labels)
        });
        counts.map(|(_, sign)| sign).sum()
    }
}

impl Spread {
    fn new(
        constraint: Constraint,
        pod: &PodInfo<'_>,
        snapshot: &Snapshot,
        participation: &Participation<'_>,
    ) -> Self {
        let column = snapshot.topology(&constraint.topology_key);
        let takes_part = |node: NodeIndex| {
            participation.has_labels(node) && participation.meets_policies(&constraint, node)
        };
        let mut counts = vec![None; column.domain_count()];
        for node in snapshot.order().iter().filter(|node| takes_part(**node)) {
            if let Some(domain) = column.domain(*node) {
                counts[domain] = Some(0);
            }
        }
        for nodes in constraint.counted_pods(pod, snapshot) {
            for (node, count) in nodes.iter().filter(|(node, _)| takes_part(*node)) {
                if let Some(domain) = column.domain(node) {
                    counts[domain] = Some(counts[domain].unwrap_or(0) + count);
                }
            }
        }
        let own = i64::from(constraint.matches(pod.labels()));
        let mut spread =
            Self { constraint, column, counts, emptiest: None, second: None, domain_count: 0, own };
        spread.find_emptiest();
        spread
    }

    fn find_emptiest(&mut self) {
        for (domain, count) in self.counts.iter().enumerate() {
            let Some(count) = *count else { continue };
            self.domain_count += 1;
            match self.emptiest {
                Some((_, least)) if count >= least => {
                    self.second = Some(self.second.map_or(count, |second| second.min(count)));
                }
                _ => {
                    self.second = self.emptiest.map(|(_, least)| least);
                    self.emptiest = Some((domain, count));
                }
            }
        }
    }

    /// Whether a domain may have one pod more, if it has so many more already.
    fn is_even(&self, domain: Domain, change: i64) -> bool {
        let count = self.counts[domain].unwrap_or(0) + change;
        count + self.own - self.least(domain, change) <= self.constraint.max_skew
    }

    /// How many pods the emptiest domain has, if this one has so many more. With fewer domains than there should be, the missing
    /// ones are the emptiest.
    fn least(&self, domain: Domain, change: i64) -> i64 {
        if self.domain_count < self.constraint.min_domains {
            return 0;
        }
        match (self.emptiest, self.counts[domain]) {
            // As upstream starts with the largest number that it can think of.
            (None, _) => i32::MAX.into(),
            (Some((_, least)), None) => least,
            (Some((emptiest, least)), Some(count)) => {
                let of_others = if emptiest == domain { self.second } else { Some(least) };
                of_others.map_or(count + change, |others| others.min(count + change))
            }
        }
    }
}

impl Filter for SpreadFilter<'_> {
    fn check(&self, node: NodeIndex) -> Status {
        self.check_with(node, PodChanges::default())
    }

    fn check_with(&self, node: NodeIndex, changes: PodChanges<'_>) -> Status {
        match self.status(node, changes) {
            Ok(()) => Status::SUCCESS,
            Err((code, reason)) => Status::new(code, NAME, reason),
        }
    }

    fn narrow(&self, candidates: &mut FixedBitSet) {
        for spread in &self.constraints {
            let is_even: Vec<bool> =
                (0..spread.counts.len()).map(|domain| spread.is_even(domain, 0)).collect();
            retain(candidates, |node| spread.column.domain(node).is_some_and(|domain| is_even[domain]));
        }
    }
}
