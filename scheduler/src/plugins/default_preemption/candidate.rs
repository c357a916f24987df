//! Which pods have to go from one node.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go` (`SelectVictimsOnNode`)

use std::cmp::Ordering;

use plimsoll_api::quote::go_quote;

use super::disruption::violates_a_budget;
use super::{NAME, REASON_NO_VICTIMS};
use crate::framework::{Code, FailedCycle, Status};
use crate::snapshot::{NodeIndex, PlacedPod};

/// A node that takes the pod if these pods go.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// The node.
    pub node: NodeIndex,
    /// The pods, the most important first; never empty.
    pub victims: Vec<&'a PlacedPod>,
    /// How many of them disruption budgets would keep.
    pub violations: i64,
}

/// Removes all pods of lower priority in thought, and brings back as many as possible, the most important first.
///
/// # Errors
/// The status of a node that doesn't take the pod even so.
pub(super) fn dry_run<'a>(failed: &FailedCycle<'a>, node: NodeIndex) -> Result<Candidate<'a>, Status> {
    let priority = failed.pod.priority();
    let no_victims = || Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON_NO_VICTIMS);
    if failed.snapshot.lowest_priority().is_none_or(|lowest| lowest >= priority) {
        return Err(no_victims());
    }
    let mut lower: Vec<&PlacedPod> =
        failed.snapshot.pods(node).iter().filter(|pod| pod.priority < priority).collect();
    let (Some(filters), false) = (failed.filters, lower.is_empty()) else { return Err(no_victims()) };
    let status = filters.check_without(node, &lower);
    if !status.is_success() {
        return Err(status);
    }
    // DIFFERENCE: D-scheduler-6.
    lower.sort_by(|first, second| by_importance(first, second));
    let violates = violates_a_budget(&lower, failed.snapshot.listers());
    let (violating, others): (Vec<_>, Vec<_>) =
        lower.iter().zip(violates).partition(|(_, violates)| *violates);
    let mut removed = lower.clone();
    let mut keep_if_possible = |pods: &[(&&'a PlacedPod, bool)]| {
        let mut victims: Vec<&'a PlacedPod> = Vec::new();
        for (pod, _) in pods {
            let place = removed.iter().position(|other| std::ptr::eq(*other, **pod));
            let taken = place.map(|place| removed.remove(place));
            if !filters.check_without(node, &removed).is_success() {
                removed.extend(taken);
                victims.push(pod);
            }
        }
        victims
    };
    let mut victims = keep_if_possible(&violating);
    let violations = i64::try_from(victims.len()).unwrap_or(i64::MAX);
    victims.extend(keep_if_possible(&others));
    if victims.is_empty() {
        return Err(Status::new(Code::Error, NAME, no_victim(failed.snapshot.name(node))));
    }
    if !violating.is_empty() && !others.is_empty() {
        victims.sort_by(|first, second| by_importance(first, second));
    }
    Ok(Candidate { node, victims, violations })
}

/// What is said of a node on which no pod would have to go.
pub(super) fn no_victim(node: &str) -> String {
    format!("expected at least one victim pod on node {}", go_quote(node))
}

/// Higher priority first, then those that have run longer; those that haven't started come last, in the order of the node.
///
/// # Source
/// `pkg/scheduler/framework/preemption/util.go` (`MoreImportantVictim`)
fn by_importance(first: &PlacedPod, second: &PlacedPod) -> Ordering {
    let by_start = match (first.started, second.started) {
        (Some(first), Some(second)) => first.cmp(&second),
        (started, other) => other.is_some().cmp(&started.is_some()),
    };
    second.priority.cmp(&first.priority).then(by_start)
}
