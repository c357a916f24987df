//! How good extenders find nodes.

use k8s_openapi::api::core::v1::Pod;
use rustc_hash::FxHashMap;

use super::{Extenders, HostPriority, MAX_EXTENDER_PRIORITY};
use crate::framework::MAX_NODE_SCORE;
use crate::snapshot::{NodeIndex, Snapshot};

/// What extenders add to the total of each of these nodes; none for a node that no extender has scored. One that gives no answer adds
/// nothing, whether it can be done without or not; one that only filters gives every node 0.
///
/// # Source
/// `pkg/scheduler/schedule_one.go` (`prioritizeNodes`), `pkg/scheduler/extender.go` (`Prioritize`)
pub(crate) fn scores(
    extenders: &Extenders,
    pod: &Pod,
    snapshot: &Snapshot,
    nodes: &[NodeIndex],
) -> Vec<Option<i64>> {
    let names: Vec<&str> = nodes.iter().map(|node| snapshot.name(*node)).collect();
    let mut sums = vec![None; nodes.len()];
    for extender in extenders.interested_in(pod) {
        if !extender.is_prioritizer() {
            for sum in &mut sums {
                sum.get_or_insert(0);
            }
            continue;
        }
        let Ok(answer) = extender.client.prioritize(pod, &names) else { continue };
        let weight = extender.settings.weight;
        let mut of_hosts: FxHashMap<&str, i64> = FxHashMap::default();
        for HostPriority { host, score } in &answer {
            let scaled = score.wrapping_mul(weight).wrapping_mul(MAX_NODE_SCORE / MAX_EXTENDER_PRIORITY);
            let sum = of_hosts.entry(host).or_default();
            *sum = sum.wrapping_add(scaled);
        }
        for (sum, name) in sums.iter_mut().zip(&names) {
            if let Some(score) = of_hosts.get(name) {
                *sum = Some(sum.unwrap_or(0_i64).wrapping_add(*score));
            }
        }
    }
    sums
}
