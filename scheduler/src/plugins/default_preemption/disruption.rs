//! Which pods disruption budgets would keep.
//!
//! # Source
//! `pkg/scheduler/framework/preemption/util.go` (`FilterVictimsWithPDBViolation`)

use crate::listers::{DisruptionBudget, Listers};
use crate::snapshot::PlacedPod;

/// For each pod, in this order, whether its going would be more than a budget allows.
pub(super) fn violates_a_budget(pods: &[&PlacedPod], listers: &Listers) -> Vec<bool> {
    // DIFFERENCE: D-scheduler-7.
    let mut budgets: Vec<(&str, &DisruptionBudget, i32)> = listers
        .disruption_budgets()
        .map(|(namespace, budget)| (namespace, budget, budget.disruptions_allowed))
        .collect();
    pods.iter().map(|pod| uses_up(pod, &mut budgets)).collect()
}

/// Takes a pod off the budgets that are about it, up to the first that has nothing left.
fn uses_up(pod: &PlacedPod, budgets: &mut [(&str, &DisruptionBudget, i32)]) -> bool {
    let identity = &pod.identity;
    if identity.labels.is_empty() {
        return false;
    }
    let is_about = |namespace: &str, budget: &DisruptionBudget| {
        *namespace == *identity.namespace
            && budget.selector.matches(&identity.labels)
            && !budget.disrupted_pods.contains(pod.name())
    };
    for (namespace, budget, left) in budgets {
        if is_about(namespace, budget) {
            *left = left.saturating_sub(1);
            if *left < 0 {
                return true;
            }
        }
    }
    false
}
