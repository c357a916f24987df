//! One scheduling cycle: which node a pod gets, or why it gets none.
//!
//! # Source
//! `pkg/scheduler/schedule_one.go`, `pkg/scheduler/framework/runtime/framework.go`

mod class_cache;
mod explaining;
mod filtering;
mod finding;
mod group_index;
mod nodes_by_total;
mod pod_class;
mod refusals;
mod scoring;

use fixedbitset::FixedBitSet;

use self::class_cache::{ClassCache, ClassState};
pub use self::explaining::{Explanation, NodeExplanation, explain};
pub use self::filtering::{Filters, PreFiltered, pre_filter};
use self::finding::{FoundNodes, find_nodes, wants_all_nodes};
use self::nodes_by_total::nth_of;
pub use self::pod_class::PodClass;
pub use self::scoring::{PluginScores, score_nodes};
use self::scoring::{Scorer, Wanted};
use crate::extender;
use crate::fit_error::{FitError, NodeStatuses};
use crate::framework::{
    Code, ExtensionPoint, FailedCycle, GroupedScore, Grouping, Nomination, PostFiltered, Write,
};
use crate::pod_info::PodInfo;
use crate::profile::{Profile, TieBreak};
use crate::select_node::{seeded_number, select_node};
use crate::snapshot::{NodeIndex, Snapshot};

/// What one decision leaves to the next.
#[derive(Clone, Debug, Default)]
pub struct CycleState {
    /// At which place in the order of nodes the next search begins.
    pub next_start_node_index: usize,
    /// How many pods got a node from among several.
    pub decisions: u64,
    /// Room that each decision uses again.
    candidates: FixedBitSet,
    classes: ClassCache,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The pod gets a node.
    Placed(Placement),
    /// No node is left.
    Unschedulable(Box<FitError>),
    /// There are no nodes at all. Upstream's sentence is [`NO_NODES_AVAILABLE`].
    NoNodes,
    /// A plugin couldn't decide; the message says why.
    Error(String),
}

/// What is said of a pod if there is no node at all.
pub const NO_NODES_AVAILABLE: &str = "no nodes available to schedule pods";

impl Outcome {
    /// The sentence that says why the pod gets no node; none if it gets one.
    pub fn message(&self) -> Option<String> {
        match self {
            Self::Placed(_) => None,
            Self::Unschedulable(error) => Some(error.message()),
            Self::NoNodes => Some(NO_NODES_AVAILABLE.to_owned()),
            Self::Error(message) => Some(message.clone()),
        }
    }
}

/// The node that a pod gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The name of the node.
    pub node: String,
    /// How many nodes were looked at.
    pub evaluated_nodes: usize,
    /// How many of them the pod could run on.
    pub feasible_nodes: usize,
}

/// Decides about one pod. The snapshot isn't changed: if the pod is placed, add it there.
///
/// # Source
/// `pkg/scheduler/schedule_one.go` (`schedulePod`)
pub fn schedule(
    pod: &PodInfo<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    state: &mut CycleState,
) -> Outcome {
    if snapshot.node_count() == 0 {
        return Outcome::NoNodes;
    }
    let filters = match filtering::pre_filter(pod, snapshot, profile) {
        PreFiltered::Run(filters) => filters,
        PreFiltered::Rejected { status, filters, named_by, asked } if status.is_rejected() => {
            let message = status.message();
            let statuses = NodeStatuses::new(status);
            let judged = Judged { filters: filters.as_ref(), statuses, asked };
            let mut error = unschedulable(pod, snapshot, profile, judged, state);
            error.pre_filter_message = message;
            error.statuses.add_rejectors(named_by);
            return Outcome::Unschedulable(Box::new(error));
        }
        PreFiltered::Rejected { status, .. } => return Outcome::Error(status.message()),
    };
    // Taken out while it is used, so that the rest of the state can be used beside it.
    let mut classes = std::mem::take(&mut state.classes);
    let outcome = decide(pod, snapshot, profile, &filters, state, &mut classes);
    state.classes = classes;
    outcome
}

fn decide(
    pod: &PodInfo<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    filters: &Filters<'_>,
    state: &mut CycleState,
    classes: &mut ClassCache,
) -> Outcome {
    let (local, mut class) = class_of(pod, snapshot, profile, filters, classes);
    if let Some(placement) = best_of_class(pod, snapshot, profile, filters, class.as_deref_mut(), state) {
        return Outcome::Placed(placement);
    }
    let class = class.as_deref();
    let found = match find_nodes(pod, snapshot, profile, filters, class, state) {
        Ok(found) => found,
        Err(message) => return Outcome::Error(message),
    };
    match found.feasible.as_slice() {
        [] => {
            let refusals = if found.refused_nodes.is_some() {
                refusals::with_verdicts(snapshot, filters, &found)
            } else if class.is_some() && filters.are_all_node_local() {
                classes.refusals(PodClass::new(pod, &profile.scheduler_name), snapshot, filters)
            } else {
                refusals::of_all_nodes(snapshot, filters, found.refused_nominated)
            };
            let statuses = match refusals {
                Ok(statuses) => statuses,
                Err(message) => return Outcome::Error(message),
            };
            let judged = Judged { filters: Some(filters), statuses, asked: usize::MAX };
            let mut error = unschedulable(pod, snapshot, profile, judged, state);
            error.statuses.add_rejectors(found.rejected_by_extenders.then_some(extender::NAME));
            error.statuses.add_rejectors(filters.named_by());
            Outcome::Unschedulable(Box::new(error))
        }
        [only] => placed(snapshot, *only, &found),
        several => {
            let wanted = if class.is_some() { Wanted::Global } else { Wanted::All };
            let totals = scoring::scorers(pod, snapshot, profile, several, wanted)
                .and_then(|global| scoring::totals(local.iter().chain(&global), several, class));
            match totals {
                Ok(totals) => {
                    let place = if profile.extenders.is_empty() {
                        select_node(&totals, profile.tie_break, state.decisions)
                    } else {
                        let totals = with_extenders_scores(&totals, pod, snapshot, profile, several);
                        select_node(&totals, profile.tie_break, state.decisions)
                    };
                    let place = place.unwrap_or(0);
                    state.decisions = state.decisions.wrapping_add(1);
                    placed(snapshot, several[place], &found)
                }
                Err(message) => Outcome::Error(message),
            }
        }
    }
}

/// The totals with what extenders add, and whether an extender scored the node: of nodes with equal totals those that one did are
/// better.
fn with_extenders_scores(
    totals: &[i64],
    pod: &PodInfo<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    nodes: &[NodeIndex],
) -> Vec<(i64, bool)> {
    // DIFFERENCE: D-scheduler-52. Upstream takes any of the best that an extender scored.
    let added = extender::scores(&profile.extenders, pod.pod, snapshot, nodes);
    let sum = |(total, added): (&i64, Option<i64>)| (total.wrapping_add(added.unwrap_or(0)), added.is_some());
    totals.iter().zip(added).map(sum).collect()
}

/// What is kept of the pod's class, and the scores that it is kept up by; none if the pod is the first of its class, if its nodes
/// are few anyway, or if scoring may fail: what is said then depends on whether several nodes are left.
///
/// DIFFERENCE: D-scheduler-13.
fn class_of<'a, 'c>(
    pod: &'a PodInfo<'a>,
    snapshot: &'a Snapshot,
    profile: &'a Profile,
    filters: &Filters<'_>,
    classes: &'c mut ClassCache,
) -> (Vec<Scorer<'a>>, Option<&'c mut ClassState>) {
    let none = (Vec::new(), None);
    if filters.name_nodes() || !pod.nominated_node_name().is_empty() || !profile.scores_as_it_pre_scores() {
        return none;
    }
    let class = PodClass::new(pod, &profile.scheduler_name);
    if classes.is_first(&class) {
        return none;
    }
    let Ok(local) = scoring::scorers(pod, snapshot, profile, &[], Wanted::NodeLocal) else { return none };
    let state = classes.get(class, snapshot, filters, &local);
    (local, Some(state))
}

/// One of the best nodes, if nothing but what is kept of the pod's class decides about it, or a score that puts nodes in groups
/// beside, and no extender. So no pass over the nodes is needed.
fn best_of_class(
    pod: &PodInfo<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    filters: &Filters<'_>,
    class: Option<&mut ClassState>,
    state: &mut CycleState,
) -> Option<Placement> {
    let TieBreak::Seeded { seed } = profile.tie_break else { return None };
    let class = class?;
    if !wants_all_nodes(snapshot.node_count(), profile)
        || !filters.are_all_node_local()
        || profile.extenders.decide_about(pod.pod)
    {
        return None;
    }
    let feasible_nodes = class.pass_count();
    if feasible_nodes == 0 {
        return None;
    }
    let grouped = grouped_score(pod, snapshot, profile)?;
    let best = class.best(grouped, pod, snapshot)?;
    let node = if feasible_nodes == 1 {
        nth_of(&best, 0)?
    } else {
        let count: usize = best.iter().map(|nodes| nodes.len()).sum();
        let chosen = usize::try_from(seeded_number(seed, state.decisions) % count as u64).ok()?;
        state.decisions = state.decisions.wrapping_add(1);
        nth_of(&best, chosen)?
    };
    Some(Placement {
        node: snapshot.name(node).to_owned(),
        evaluated_nodes: snapshot.node_count(),
        feasible_nodes,
    })
}

/// A score and what it counts for.
type Weighted = (Box<dyn GroupedScore>, i64);

/// The one score that isn't node-local, if there is one and it puts nodes in groups; nothing at all if there are more, or if it tells
/// each node apart.
#[expect(clippy::option_option, reason = "that there is none is another answer than that it can't be told")]
fn grouped_score(pod: &PodInfo<'_>, snapshot: &Snapshot, profile: &Profile) -> Option<Option<Weighted>> {
    let mut found = None;
    for (plugin, weight) in profile.at(ExtensionPoint::Score) {
        let Some(score) = plugin.score.as_deref() else { continue };
        if score.node_local(pod, snapshot).is_some() {
            continue;
        }
        match score.grouping(pod, snapshot) {
            Grouping::Indifferent => {}
            Grouping::Groups(score) if found.is_none() => found = Some((score, weight)),
            Grouping::Groups(_) | Grouping::EachNode => return None,
        }
    }
    Some(found)
}

fn placed(snapshot: &Snapshot, node: NodeIndex, found: &FoundNodes) -> Outcome {
    Outcome::Placed(Placement {
        node: snapshot.name(node).to_owned(),
        evaluated_nodes: found.feasible.len() + found.refused_count(),
        feasible_nodes: found.feasible.len(),
    })
}

/// What is known of a pod for which no node is left.
struct Judged<'a> {
    /// They judge the nodes with some pods less, if that may help.
    filters: Option<&'a Filters<'a>>,
    statuses: NodeStatuses,
    /// How many plugins were asked at PreFilter.
    asked: usize,
}

/// The answer for a pod for which no node is left.
fn unschedulable(
    pod: &PodInfo<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    judged: Judged<'_>,
    state: &mut CycleState,
) -> FitError {
    let Judged { filters, statuses, asked } = judged;
    let not_pre_filtered = not_pre_filtered(profile, asked);
    let failed = FailedCycle {
        pod,
        snapshot,
        filters,
        statuses: &statuses,
        not_pre_filtered: &not_pre_filtered,
        extenders: &profile.extenders,
        chance: chance(profile, state),
    };
    let (message, nomination, writes) = post_filter(&failed, profile);
    let error = FitError::new(snapshot.node_count(), statuses);
    FitError { post_filter_message: message, nomination, writes, ..error }
}

/// The plugins that are asked once no node is left and that weren't asked before any was judged.
fn not_pre_filtered(profile: &Profile, asked: usize) -> Vec<&'static str> {
    let is_asked =
        |name: &str| profile.at(ExtensionPoint::PreFilter).take(asked).any(|(plugin, _)| plugin.name == name);
    let plugins = profile.at(ExtensionPoint::PostFilter).map(|(plugin, _)| plugin.name);
    plugins.filter(|name| !is_asked(name)).collect()
}

/// Asks the plugins for a way to make room, until one has found it or knows that there is none. What one wants written is written
/// before the next is asked.
///
/// # Source
/// `pkg/scheduler/framework/runtime/framework.go` (`RunPostFilterPlugins`)
fn post_filter(failed: &FailedCycle<'_>, profile: &Profile) -> (String, Nomination, Vec<Write>) {
    let plugins =
        profile.at(ExtensionPoint::PostFilter).filter_map(|(plugin, _)| plugin.post_filter.as_deref());
    let (mut messages, mut all_writes) = (Vec::new(), Vec::new());
    let mut kept = Nomination::Keep;
    for plugin in plugins {
        let PostFiltered { status, nomination, writes } = plugin.post_filter(failed);
        all_writes.extend(writes);
        if matches!(status.code, Code::Success | Code::UnschedulableAndUnresolvable | Code::Error) {
            return (status.message(), nomination, all_writes);
        }
        if nomination != Nomination::Keep {
            kept = nomination;
        }
        messages.extend(status.reasons.into_iter().map(|reason| reason.text));
    }
    (messages.join(", "), kept, all_writes)
}

/// A number that differs from decision to decision, or 0 if the profile leaves nothing to chance.
fn chance(profile: &Profile, state: &mut CycleState) -> u64 {
    state.decisions = state.decisions.wrapping_add(1);
    match profile.tie_break {
        TieBreak::Upstream => 0,
        TieBreak::Seeded { seed } => seeded_number(seed, state.decisions),
    }
}

#[cfg(test)]
mod framework_tests;
#[cfg(test)]
mod tests;
