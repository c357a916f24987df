//! The extension points of a scheduling cycle and what plugins answer there.
//!
//! A plugin is a value with optional parts. The part for filters turns a pod into a [`Filter`], which holds all that was
//! computed once for the pod and judges nodes; the part for scores likewise. So state is typed and dropped with the cycle.
//!
//! # Source
//! kube-scheduler `framework/interface.go`, `pkg/scheduler/framework/runtime/framework.go`

mod binding;
mod change_events;
mod changed_kinds;
mod changes;
mod events;
mod grouping;
mod queueing_hint;
mod status;

use std::cmp::Ordering;
use std::collections::BTreeSet;

pub use binding::{Action, Assumed, AssumedClaim, BindingCycle, PreBindPlugin, Progress, Waiting, Write};
pub use changes::{Whose, node_events, pod_events};
pub(crate) use changes::{same_taints, same_tolerations};
pub use events::{ActionType, ClusterEvent, EventResource};
use fixedbitset::FixedBitSet;
pub use grouping::{GroupedScore, Grouping};
use k8s_openapi::api::core::v1::{Binding, Pod};
pub(crate) use queueing_hint::ANYTHING;
pub use queueing_hint::{Change, EventRegistration, Hint, HintRequest, HintResult, Object, QueueingHint};
pub use status::{Amount, Code, Reason, Status};

use crate::extender::Extenders;
use crate::fit_error::NodeStatuses;
use crate::listers::Listers;
use crate::pod_info::{PodInfo, fields};
use crate::schedule::Filters;
use crate::snapshot::{NodeIndex, PlacedPod, Snapshot};

/// The best score that a node can have from one plugin, before its weight.
pub const MAX_NODE_SCORE: i64 = 100;
/// The worst score.
pub const MIN_NODE_SCORE: i64 = 0;

/// Where in a cycle a plugin is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExtensionPoint {
    /// Whether a pod may enter the queue.
    PreEnqueue,
    /// Which of two waiting pods is next.
    QueueSort,
    /// What to compute once for a pod before nodes are judged.
    PreFilter,
    /// Whether a pod can run on a node.
    Filter,
    /// What to do when no node is left.
    PostFilter,
    /// What to compute once for a pod before nodes are compared.
    PreScore,
    /// How good a node is for a pod.
    Score,
    /// What to take note of once a node is chosen.
    Reserve,
    /// Whether a pod may be bound now.
    Permit,
    /// What to do before a pod is bound.
    PreBind,
    /// How a pod is bound.
    Bind,
    /// What to do after a pod is bound.
    PostBind,
    /// Which groups of nodes a group of pods may go to.
    PlacementGenerate,
    /// How good a group of nodes is for a group of pods.
    PlacementScore,
    /// What to do when a group of pods finds no room.
    PodGroupPostFilter,
}

impl ExtensionPoint {
    /// The points that a pod comes by, in this order.
    pub const OF_A_POD: [Self; 12] = [
        Self::PreEnqueue,
        Self::QueueSort,
        Self::PreFilter,
        Self::Filter,
        Self::PostFilter,
        Self::PreScore,
        Self::Score,
        Self::Reserve,
        Self::Permit,
        Self::PreBind,
        Self::Bind,
        Self::PostBind,
    ];

    /// The name, as messages and configuration have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreEnqueue => "PreEnqueue",
            Self::QueueSort => "QueueSort",
            Self::PreFilter => "PreFilter",
            Self::Filter => "Filter",
            Self::PostFilter => "PostFilter",
            Self::PreScore => "PreScore",
            Self::Score => "Score",
            Self::Reserve => "Reserve",
            Self::Permit => "Permit",
            Self::PreBind => "PreBind",
            Self::Bind => "Bind",
            Self::PostBind => "PostBind",
            Self::PlacementGenerate => "PlacementGenerate",
            Self::PlacementScore => "PlacementScore",
            Self::PodGroupPostFilter => "PodGroupPostFilter",
        }
    }
}

/// A plugin: its name and the parts it has.
pub struct Plugin {
    /// The name, as in the configuration.
    pub name: &'static str,
    /// Whether a pod may enter the queue.
    pub pre_enqueue: Option<fn(&PreEnqueueRequest<'_>) -> Status>,
    /// Which of two waiting pods is next.
    pub queue_sort: Option<fn(&QueuedPod<'_>, &QueuedPod<'_>) -> Ordering>,
    /// Which nodes a pod can run on.
    pub filter: Option<Box<dyn FilterPlugin>>,
    /// What to do when no node is left.
    pub post_filter: Option<Box<dyn PostFilterPlugin>>,
    /// Which of the nodes are better.
    pub score: Option<Box<dyn ScorePlugin>>,
    /// What a pod takes beside the room of its node.
    pub reserve: Option<Box<dyn ReservePlugin>>,
    /// What is written of that before the pod is bound.
    pub pre_bind: Option<Box<dyn PreBindPlugin>>,
    /// What is written to bind a pod to the node of that name.
    pub bind: Option<fn(&PodInfo<'_>, &str) -> Binding>,
    /// Which events may let in a pod that the plugin turned away; if none are given, nearly any may.
    pub events: Option<Vec<EventRegistration>>,
}

impl Plugin {
    /// A plugin without any part; the parts are then set.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            pre_enqueue: None,
            queue_sort: None,
            filter: None,
            post_filter: None,
            score: None,
            reserve: None,
            pre_bind: None,
            bind: None,
            events: None,
        }
    }

    /// Which events may let in a pod that the plugin turned away. A plugin that never turns a pod away is registered for none.
    ///
    /// # Source
    /// `pkg/scheduler/framework/runtime/framework.go` (`fillEnqueueExtensions`)
    pub fn registered_events(&self) -> &[EventRegistration] {
        let rejects = self.pre_enqueue.is_some() || self.filter.is_some() || self.reserve.is_some();
        match &self.events {
            _ if !rejects => &[],
            Some(events) => events,
            None => &ANYTHING,
        }
    }
}

/// What a plugin is asked before a pod enters the queue.
#[derive(Clone, Copy, Debug)]
pub struct PreEnqueueRequest<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// What plugins look up.
    pub listers: &'a Listers,
    /// Whether pods are being removed right now to make room for it.
    pub is_preempting: bool,
}

/// A pod that waits, as the queue orders it.
#[derive(Clone, Copy, Debug)]
pub struct QueuedPod<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// When it last entered the queue, in microseconds on any clock that all pods share.
    pub queued_at_micros: i64,
}

impl QueuedPod<'_> {
    /// The priority of the pod; 0 if none is set.
    pub fn priority(&self) -> i32 {
        fields::priority(self.pod)
    }
}

/// The part of a plugin that keeps pods off nodes.
pub trait FilterPlugin: Send + Sync {
    /// Looks at a pod before any node is judged.
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a>;
}

/// What a plugin says about a pod before any node is judged.
pub enum PreFilter<'a> {
    /// Every node passes; the plugin isn't asked about them.
    Skip,
    /// No node passes, or the plugin couldn't decide. With [`Code::Unschedulable`] other pods may be removed for the pod, and the plugin
    /// then has nothing against any node.
    Reject(Status),
    /// No node passes as things are. The filter says which would if other pods went.
    Unschedulable {
        /// Why; its code is [`Code::Unschedulable`].
        status: Status,
        /// The judge of nodes with some pods less.
        filter: Box<dyn Filter + 'a>,
    },
    /// The nodes pass that the filter lets pass; of them only those named, if `nodes` is there.
    Run {
        /// The only nodes that can pass, by name.
        nodes: Option<BTreeSet<String>>,
        /// The judge of nodes.
        filter: Box<dyn Filter + 'a>,
    },
}

impl<'a> PreFilter<'a> {
    /// Lets a filter judge all nodes.
    pub fn run(filter: impl Filter + 'a) -> Self {
        Self::Run { nodes: None, filter: Box::new(filter) }
    }
}

/// Pods that a node is thought to have less or more: those that would be removed, and those that are on their way to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct PodChanges<'a> {
    /// Pods that are on the node and are thought away.
    pub removed: &'a [&'a PlacedPod],
    /// Pods that are thought to be on the node too.
    pub added: &'a [&'a PlacedPod],
}

impl<'a> PodChanges<'a> {
    /// All of them, each with 1 if it is thought to be there and -1 if it is thought away.
    pub fn iter(self) -> impl Iterator<Item = (&'a PlacedPod, i64)> {
        let added = self.added.iter().map(|pod| (*pod, 1));
        added.chain(self.removed.iter().map(|pod| (*pod, -1)))
    }

    /// The pods that are thought to be on a node on which these are.
    pub fn apply_to(self, there: &'a [PlacedPod]) -> impl Iterator<Item = &'a PlacedPod> {
        let is_removed =
            move |pod: &PlacedPod| self.removed.iter().any(|removed| std::ptr::eq(*removed, pod));
        there.iter().filter(move |pod| !is_removed(pod)).chain(self.added.iter().copied())
    }
}

/// Judges nodes for one pod.
pub trait Filter {
    /// Whether the pod can run on a node, and if not, why.
    fn check(&self, node: NodeIndex) -> Status;

    /// Whether [`Filter::check`] depends on nothing but the node, the pods on it, and what
    /// [`PodClass`](crate::schedule::PodClass) holds of the pod. Then it isn't asked again about nodes that haven't changed.
    fn is_node_local(&self) -> bool {
        false
    }

    /// Whether [`Filter::check`] may say that it couldn't decide, which ends the search for a node. Then it is asked about nodes
    /// once more that don't pass.
    fn can_fail(&self) -> bool {
        false
    }

    /// What [`Filter::check`] would say if the node had these pods less or more. To be written where pods on the node matter.
    fn check_with(&self, node: NodeIndex, _changes: PodChanges<'_>) -> Status {
        self.check(node)
    }

    /// Removes from `candidates` the nodes for which [`Filter::check`] would not say success. To be written where there is
    /// a faster way than asking for each.
    fn narrow(&self, candidates: &mut FixedBitSet) {
        retain(candidates, |node| self.check(node).is_success());
    }
}

/// Keeps the candidates that pass.
pub fn retain(candidates: &mut FixedBitSet, passes: impl Fn(NodeIndex) -> bool) {
    for block_index in 0..candidates.as_slice().len() {
        let mut remaining = candidates.as_slice()[block_index];
        while remaining != 0 {
            let node = block_index * BLOCK_BITS + remaining.trailing_zeros() as usize;
            remaining &= remaining - 1;
            if !passes(node) {
                candidates.remove(node);
            }
        }
    }
}

const BLOCK_BITS: usize = usize::BITS as usize;

/// The part of a plugin that acts when no node is left for a pod.
pub trait PostFilterPlugin: Send + Sync {
    /// Looks for a way to make room.
    fn post_filter(&self, failed: &FailedCycle<'_>) -> PostFiltered;
}

/// A pod for which no node is left.
pub struct FailedCycle<'a> {
    /// The pod.
    pub pod: &'a PodInfo<'a>,
    /// The nodes and what runs on them.
    pub snapshot: &'a Snapshot,
    /// The filters that judge the nodes; none if a plugin refused the pod before any node was judged, and no other pod that goes would
    /// change that.
    pub filters: Option<&'a Filters<'a>>,
    /// What each node was refused for.
    pub statuses: &'a NodeStatuses,
    /// Plugins that weren't asked about the pod before any node was judged, as another had refused it, or as the profile doesn't ask
    /// them there.
    pub not_pre_filtered: &'a [&'static str],
    /// Who else has a say in which pods are removed.
    pub extenders: &'a Extenders,
    /// A number that is another one each time, if the profile wants chance to have a say.
    pub chance: u64,
}

/// What a plugin found where no node was left.
#[derive(Clone, Debug, PartialEq)]
pub struct PostFiltered {
    /// Success if there is a way to make room.
    pub status: Status,
    /// What becomes of the node that is set aside for the pod.
    pub nomination: Nomination,
    /// What is to be written so that there is more room next time.
    pub writes: Vec<Write>,
}

/// What becomes of the node that is set aside for a pod.
///
/// # Source
/// kube-scheduler `framework/interface.go` (`NominatingInfo`)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Nomination {
    /// What was set aside stays so.
    #[default]
    Keep,
    /// No node is set aside any longer.
    Clear,
    /// This node is set aside, once the pods to remove are gone.
    Set(Preemption),
}

/// A node that takes a pod if others go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preemption {
    /// The name of the node.
    pub node: String,
    /// The pods to remove, the most important first.
    pub victims: Vec<Victim>,
    /// How many of them disruption budgets would keep.
    pub disruption_budget_violations: i64,
}

/// A pod that is removed to make room for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Victim {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its priority.
    pub priority: i32,
}

/// The part of a plugin that compares nodes.
pub trait ScorePlugin: Send + Sync {
    /// Looks at a pod before its feasible nodes are compared.
    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        nodes: &'a [NodeIndex],
    ) -> PreScore<'a>;

    /// What is said where a configuration has the plugin at Score and not at PreScore, if it can't score nodes then.
    fn failure_without_pre_score(&self) -> Option<&'static str> {
        None
    }

    /// How [`Score::normalize`] works, if scores depend on nothing but the node, the pods on it, and what
    /// [`PodClass`](crate::schedule::PodClass) holds of the pod. Then nodes that haven't changed aren't scored again, and `nodes` is
    /// empty when the plugin looks at a pod. Whether it is so may depend on nothing but that of the pod and on listed objects.
    fn node_local(&self, _pod: &PodInfo<'_>, _snapshot: &Snapshot) -> Option<Normalization> {
        None
    }

    /// How far the plugin tells nodes apart. To be written where that is found out at once.
    fn grouping(&self, _pod: &PodInfo<'_>, _snapshot: &Snapshot) -> Grouping {
        Grouping::EachNode
    }
}

/// What a plugin says about a pod before its feasible nodes are compared.
pub enum PreScore<'a> {
    /// All nodes are the same to the plugin; it isn't asked about them.
    Skip,
    /// The plugin couldn't decide; the message says why.
    Error(String),
    /// The nodes are as good as the score says.
    Run(Box<dyn Score + 'a>),
}

impl<'a> PreScore<'a> {
    /// Lets a score compare the nodes.
    pub fn run(score: impl Score + 'a) -> Self {
        Self::Run(Box::new(score))
    }
}

/// Compares nodes for one pod.
pub trait Score {
    /// How good a node is.
    fn score(&self, node: NodeIndex) -> i64;

    /// How good each of these nodes is. To be written where there is a faster way than asking for each.
    fn score_all(&self, nodes: &[NodeIndex]) -> Vec<i64> {
        nodes.iter().map(|node| self.score(*node)).collect()
    }

    /// Brings the scores of all feasible nodes into the range that the framework asks for.
    fn normalize(&self, _scores: &mut [i64]) {}
}

/// The part of a plugin that takes for a pod what it needs beside the room of its node.
pub trait ReservePlugin: Send + Sync {
    /// What is taken if the pod gets this node, which all filters have let pass.
    ///
    /// # Errors
    /// What the pod needs can't be taken after all.
    fn reserve(
        &self,
        pod: &PodInfo<'_>,
        snapshot: &Snapshot,
        node: NodeIndex,
    ) -> Result<Vec<Assumed>, Status>;

    /// What is to be written so that nothing is left of what was reserved for the pod, nor of what was written of it, if the pod isn't
    /// bound after all. Objects of which nothing was written need no more than [`Snapshot::restore`].
    fn unreserve(&self, _cycle: &BindingCycle<'_>) -> Vec<Write> {
        Vec::new()
    }
}

/// What becomes of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// It stays.
    Identity,
    /// That of [`default_normalize`].
    ByMaximum {
        /// Whether less is better.
        less_is_better: bool,
    },
}

/// Scales scores so that the best one becomes [`MAX_NODE_SCORE`], and turns them round if less is better.
///
/// # Source
/// `pkg/scheduler/framework/plugins/helper/normalize_score.go` (`DefaultNormalizeScore`)
pub fn default_normalize(scores: &mut [i64], less_is_better: bool) {
    let best = scores.iter().copied().max().unwrap_or(0).max(0);
    for score in scores {
        *score = scaled(*score, best, less_is_better);
    }
}

/// A score scaled by the best one of all nodes; 0 if that is below.
pub(crate) fn scaled(score: i64, best: i64, less_is_better: bool) -> i64 {
    let scaled = if best == 0 { score } else { MAX_NODE_SCORE.wrapping_mul(score) / best };
    match (best, less_is_better) {
        (0, true) => MAX_NODE_SCORE,
        (_, true) => MAX_NODE_SCORE - scaled,
        (_, false) => scaled,
    }
}
