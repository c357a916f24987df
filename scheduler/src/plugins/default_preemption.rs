//! DefaultPreemption: if no node takes a pod, which pods of lower priority to remove so that one does. Asked at PreEnqueue
//! (a pod waits while others are being removed for it) and PostFilter.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go`, `pkg/scheduler/framework/preemption`

mod candidate;
mod choice;
mod disruption;
mod extenders;

pub use self::candidate::Candidate;
pub use self::choice::best_candidates;
pub use self::extenders::call_extenders;
use super::Registration;
use crate::config::{DefaultPreemptionArgs, PluginArgs};
use crate::fit_error::{FitError, NodeStatuses};
use crate::framework::{
    ActionType, Code, EventRegistration, EventResource, ExtensionPoint, FailedCycle, HintRequest, HintResult,
    Nomination, Plugin, PostFilterPlugin, PostFiltered, PreEnqueueRequest, Preemption, QueueingHint, Status,
    Victim,
};
use crate::snapshot::PlacedPod;

/// The plugin's name.
pub const NAME: &str = "DefaultPreemption";
/// The pod may remove no other.
pub const REASON_NEVER: &str = "not eligible due to preemptionPolicy=Never.";
/// Pods that the pod has removed are still going.
pub const REASON_TERMINATING: &str = "not eligible due to a terminating pod on the nominated node.";
/// Pods are being removed for the pod.
pub const REASON_PREEMPTING: &str = "waiting for the preemption for this pod to be finished";
/// No pod on the node has a lower priority.
pub const REASON_NO_VICTIMS: &str = "No preemption victims found for incoming pod";
/// The node refuses the pod for something else than the pods on it.
pub const REASON_NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
/// Extenders have left no node on which pods may be removed.
pub const REASON_NO_CANDIDATE: &str = "no candidate node for preemption";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreEnqueue, ExtensionPoint::PostFilter],
    weight: 1,
    summary: "If no node takes a pod: removes pods of lower priority where that makes room, and sets the node aside.",
    new: |args| match args {
        Some(PluginArgs::DefaultPreemption(typed)) => Ok(new(CandidateLimits::new(&typed.args))),
        _ => Ok(new(CandidateLimits::default())),
    },
};

/// How many nodes on which preemption would help are looked at before one is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandidateLimits {
    /// In per cent of the nodes on which it might help.
    pub percentage: usize,
    /// At least so many.
    pub absolute: usize,
}

impl Default for CandidateLimits {
    fn default() -> Self {
        Self { percentage: 10, absolute: 100 }
    }
}

impl CandidateLimits {
    fn new(args: &DefaultPreemptionArgs) -> Self {
        let or = |given: Option<i32>, default| {
            given.map_or(default, |number| usize::try_from(number).unwrap_or(default))
        };
        let Self { percentage, absolute } = Self::default();
        Self {
            percentage: or(args.min_candidate_nodes_percentage, percentage),
            absolute: or(args.min_candidate_nodes_absolute, absolute),
        }
    }

    /// How many candidates are enough among so many nodes.
    ///
    /// # Source
    /// `default_preemption.go` (`calculateNumCandidates`)
    fn candidates_to_find(self, nodes: usize) -> usize {
        (nodes * self.percentage / 100).max(self.absolute).min(nodes)
    }
}

/// The plugin.
pub fn new(limits: CandidateLimits) -> Plugin {
    Plugin {
        pre_enqueue: Some(pre_enqueue),
        post_filter: Some(Box::new(DefaultPreemption { limits })),
        events: Some(vec![EventRegistration::with(
            EventResource::AssignedPod,
            ActionType::DELETE,
            after_deletion,
        )]),
        ..Plugin::new(NAME)
    }
}

/// A pod doesn't enter the queue while others are being removed for it.
fn pre_enqueue(request: &PreEnqueueRequest<'_>) -> Status {
    if request.is_preempting {
        Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON_PREEMPTING)
    } else {
        Status::SUCCESS
    }
}

/// Whether the pod is tried again is for the plugins to say that turned it away; without this event it would stay gated even
/// so.
#[allow(clippy::unnecessary_wraps, reason = "the form of a hint")]
fn after_deletion(_: &HintRequest<'_>) -> HintResult {
    Ok(QueueingHint::Skip)
}

struct DefaultPreemption {
    limits: CandidateLimits,
}

impl PostFilterPlugin for DefaultPreemption {
    fn post_filter(&self, failed: &FailedCycle<'_>) -> PostFiltered {
        if let Some(reason) = why_not_eligible(failed) {
            return unschedulable(reason.to_owned(), Nomination::Keep);
        }
        let (candidates, statuses) = find_candidates(failed, self.limits);
        if candidates.is_empty() {
            let errors = statuses.judged().iter().filter(|(_, status)| status.code == Code::Error);
            let errors: Vec<String> = errors.map(|(_, status)| status.message()).collect();
            if !errors.is_empty() {
                return undecided(&plimsoll_api::aggregate::aggregate(&errors));
            }
            let error = FitError::new(failed.snapshot.node_count(), statuses);
            return unschedulable(error.to_string(), Nomination::Clear);
        }
        let candidates = match call_extenders(failed, candidates) {
            Ok(candidates) => candidates,
            Err(message) => return undecided(&message),
        };
        let Some(best) = best_candidates(&candidates).into_iter().next() else {
            return unschedulable(REASON_NO_CANDIDATE.to_owned(), Nomination::Keep);
        };
        let preemption = preemption(failed, best);
        let text = format!(
            "preemption: found a potential placement for pod on node {}, preempting {} victims",
            preemption.node,
            preemption.victims.len()
        );
        let status = Status::new(Code::Success, NAME, text);
        PostFiltered { status, nomination: Nomination::Set(preemption), writes: Vec::new() }
    }
}

fn undecided(message: &str) -> PostFiltered {
    let status = Status::new(Code::Error, NAME, format!("preemption: {message}"));
    PostFiltered { status, nomination: Nomination::Keep, writes: Vec::new() }
}

fn unschedulable(reason: String, nomination: Nomination) -> PostFiltered {
    let status = Status::new(Code::Unschedulable, NAME, format!("preemption: {reason}"));
    PostFiltered { status, nomination, writes: Vec::new() }
}

/// Why a pod may not remove others; none if it may.
///
/// # Source
/// `default_preemption.go` (`PodEligibleToPreemptOthers`)
fn why_not_eligible(failed: &FailedCycle<'_>) -> Option<&'static str> {
    if failed.pod.spec().preemption_policy.as_deref() == Some("Never") {
        return Some(REASON_NEVER);
    }
    let node = failed.snapshot.node(failed.pod.nominated_node_name())?;
    // Then removing others there doesn't help, and waiting for them neither.
    if failed.statuses.of(node).code == Code::UnschedulableAndUnresolvable {
        return None;
    }
    let priority = failed.pod.priority();
    let is_going = |pod: &PlacedPod| pod.priority < priority && pod.is_preempted;
    failed.snapshot.pods(node).iter().any(is_going).then_some(REASON_TERMINATING)
}

/// Nodes that would take the pod if others went, and what the others say.
///
/// # Source
/// `preemption.go` (`findCandidates`, `DryRunPreemption`)
pub fn find_candidates<'a>(
    failed: &FailedCycle<'a>,
    limits: CandidateLimits,
) -> (Vec<Candidate<'a>>, NodeStatuses) {
    let nothing_helps = Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON_NOT_HELPFUL);
    let mut statuses = NodeStatuses::new(nothing_helps);
    let nodes = failed.statuses.with_code(Code::Unschedulable, failed.snapshot);
    let (mut unharmed, mut harmed) = (Vec::new(), Vec::new());
    if nodes.is_empty() {
        return (unharmed, statuses);
    }
    let wanted = limits.candidates_to_find(nodes.len());
    // DIFFERENCE: D-scheduler-1.
    let first = usize::try_from(failed.chance % nodes.len() as u64).unwrap_or(0);
    let (before, after) = nodes.split_at(first);
    for node in after.iter().chain(before) {
        match candidate::dry_run(failed, *node) {
            Err(status) => statuses.push(*node, status),
            Ok(candidate) => {
                let list = if candidate.violations == 0 { &mut unharmed } else { &mut harmed };
                list.push(candidate);
            }
        }
        if !unharmed.is_empty() && unharmed.len() + harmed.len() >= wanted {
            break;
        }
    }
    unharmed.append(&mut harmed);
    (unharmed, statuses)
}

fn preemption(failed: &FailedCycle<'_>, candidate: &Candidate<'_>) -> Preemption {
    let victim = |pod: &&PlacedPod| Victim {
        namespace: pod.identity.namespace.to_string(),
        name: pod.name().to_owned(),
        priority: pod.priority,
    };
    Preemption {
        node: failed.snapshot.name(candidate.node).to_owned(),
        victims: candidate.victims.iter().map(victim).collect(),
        disruption_budget_violations: candidate.violations,
    }
}
