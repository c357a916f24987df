//! On which nodes extenders let pods be removed, and which.
//!
//! # Source
//! `pkg/scheduler/framework/preemption/preemption.go` (`callExtenders`), `pkg/scheduler/extender.go` (`ProcessPreemption`)

use plimsoll_api::quote::go_quote;

use super::candidate::{Candidate, no_victim};
use crate::extender::{Extender, MetaPod, MetaVictims, VictimsOfNodes};
use crate::framework::FailedCycle;
use crate::snapshot::{NodeIndex, PlacedPod};

/// The candidates that extenders leave, each asked about what the one before it left. They may name other pods, and other nodes:
/// those come last.
///
/// # Errors
/// An extender that can't be done without gave no answer, or one that makes no sense.
pub fn call_extenders<'a>(
    failed: &FailedCycle<'a>,
    candidates: Vec<Candidate<'a>>,
) -> Result<Vec<Candidate<'a>>, String> {
    let pod = failed.pod.pod;
    let mut left = candidates;
    let asked = failed.extenders.interested_in(pod).filter(|extender| extender.supports_preemption());
    for extender in asked {
        if left.is_empty() {
            break;
        }
        let mut answer = match process_preemption(extender, failed, &left) {
            Ok(answer) => answer,
            Err(_) if extender.is_ignorable() => continue,
            Err(message) => return Err(message),
        };
        if extender.is_ignorable() {
            answer.retain(|candidate| !candidate.victims.is_empty());
        } else if let Some(empty) = answer.iter().find(|candidate| candidate.victims.is_empty()) {
            return Err(no_victim(failed.snapshot.name(empty.node)));
        }
        let place = |node: NodeIndex| left.iter().position(|candidate| candidate.node == node);
        answer.sort_by_cached_key(|candidate| place(candidate.node).unwrap_or(usize::MAX));
        left = answer;
    }
    Ok(left)
}

fn process_preemption<'a>(
    extender: &Extender,
    failed: &FailedCycle<'a>,
    candidates: &[Candidate<'a>],
) -> Result<Vec<Candidate<'a>>, String> {
    let snapshot = failed.snapshot;
    let uid = |pod: &PlacedPod| extender.pod_uid(&pod.identity.namespace, pod.name());
    let named = |candidate: &Candidate<'_>| {
        let pods = candidate.victims.iter().map(|pod| MetaPod { uid: uid(pod) }).collect();
        let victims = MetaVictims { pods, num_pdb_violations: candidate.violations };
        (snapshot.name(candidate.node).to_owned(), victims)
    };
    let question: VictimsOfNodes = candidates.iter().map(named).collect();
    let answer = extender.process_preemption(failed.pod.pod, &question)?;
    let candidate = |(name, victims): (String, MetaVictims)| {
        let node = snapshot.node(&name);
        let node = node.ok_or_else(|| format!("nodeinfo not found for node name {}", go_quote(&name)))?;
        let find = |meta: &MetaPod| {
            let found = snapshot.pods(node).iter().find(|pod| uid(pod) == meta.uid);
            found.ok_or_else(|| {
                format!(
                    "extender: {} claims to preempt pod (UID: &{{{}}}) on node: {name}, but the pod is not found on that node",
                    extender.name(),
                    meta.uid
                )
            })
        };
        let pods: Result<Vec<&PlacedPod>, String> = victims.pods.iter().map(find).collect();
        Ok(Candidate { node, victims: pods?, violations: victims.num_pdb_violations })
    };
    answer.into_iter().map(candidate).collect()
}
