//! On which of several nodes pods have to go.
//!
//! # Source
//! `pkg/scheduler/framework/preemption/preemption.go` (`pickOneNodeForPreemption`)

use std::cmp::Reverse;

use jiff::Timestamp;

use super::candidate::Candidate;

/// The candidates on which the least is lost, in the order in which they came: the fewest violated budgets, then the lowest
/// highest priority, then the smallest sum of priorities, then the fewest pods, then the shortest time that the longest running of
/// the most important ones has run.
pub fn best_candidates<'c, 'a>(candidates: &'c [Candidate<'a>]) -> Vec<&'c Candidate<'a>> {
    let Some(least) = candidates.iter().map(loss).min() else { return Vec::new() };
    candidates.iter().filter(|candidate| loss(candidate) == least).collect()
}

/// What is lost; less is better.
fn loss(candidate: &Candidate<'_>) -> (i64, i32, i64, usize, Reverse<Timestamp>) {
    // Added to each, so that fewer pods of negative priority are better too.
    const ABOVE_ZERO: i64 = 1 << 31;
    let highest = candidate.victims.iter().map(|pod| pod.priority).max().unwrap_or(i32::MIN);
    let first = candidate.victims.first().map_or(i32::MIN, |pod| pod.priority);
    let sum = candidate.victims.iter().map(|pod| i64::from(pod.priority) + ABOVE_ZERO).sum();
    let most_important = candidate.victims.iter().filter(|pod| pod.priority == highest);
    // One that hasn't started starts now at the earliest.
    let started = most_important.map(|pod| pod.started.unwrap_or(Timestamp::MAX)).min();
    let started = started.unwrap_or(Timestamp::MAX);
    (candidate.violations, first, sum, candidate.victims.len(), Reverse(started))
}
