//! NodeResourcesFit: a node has to have what a pod asks for, and is the better the more it has left. Asked at PreFilter,
//! Filter, PreScore and Score.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/noderesources/fit.go`, `least_allocated.go`

use std::borrow::Cow;
use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;
use plimsoll_resource_math::resource_name::{CPU, EPHEMERAL_STORAGE, MEMORY, PODS, is_extended};

use super::Registration;
use super::resource_allocation::{Counting, ResourceColumn, ResourceSpec, default_resources};
use crate::framework::{
    Amount, Code, ExtensionPoint, Filter, FilterPlugin, MAX_NODE_SCORE, Plugin, PodChanges, PreFilter,
    PreScore, Reason, Score, ScorePlugin, Status, retain,
};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, PlacedPod, ResourceColumns, ResourceId, Snapshot};

/// The plugin's name.
pub const NAME: &str = "NodeResourcesFit";
/// The node takes no more pods.
pub const REASON_TOO_MANY_PODS: &str = "Too many pods";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[
        ExtensionPoint::PreFilter,
        ExtensionPoint::Filter,
        ExtensionPoint::PreScore,
        ExtensionPoint::Score,
    ],
    weight: 1,
    summary: "A node has to have room for what the pod requests; the more of its cpu and memory is left, the better (`LeastAllocated`).",
    new: || new(NodeResourcesFitArgs::default()),
};

/// What the plugin can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeResourcesFitArgs {
    /// Extended resources that needn't fit.
    pub ignored_resources: BTreeSet<String>,
    /// Domains of extended resources that needn't fit.
    pub ignored_resource_groups: BTreeSet<String>,
    /// What nodes are compared by.
    pub resources: Vec<ResourceSpec>,
}

impl Default for NodeResourcesFitArgs {
    fn default() -> Self {
        Self {
            ignored_resources: BTreeSet::new(),
            ignored_resource_groups: BTreeSet::new(),
            resources: default_resources(),
        }
    }
}

/// The plugin.
pub fn new(args: NodeResourcesFitArgs) -> Plugin {
    let score = Box::new(LeastAllocated { resources: args.resources.clone() });
    Plugin { filter: Some(Box::new(Fit { args })), score: Some(score), ..Plugin::new(NAME) }
}

struct Fit {
    args: NodeResourcesFitArgs,
}

impl FilterPlugin for Fit {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        let requests = &pod.requests;
        let mut wants = Vec::with_capacity(3 + requests.scalars.len());
        wants.push(Want::new(CPU, Some(ResourceColumns::CPU), requests.cpu_millis));
        wants.push(Want::new(MEMORY, Some(ResourceColumns::MEMORY), requests.memory_bytes));
        let storage = requests.ephemeral_storage_bytes;
        wants.push(Want::new(EPHEMERAL_STORAGE, Some(ResourceColumns::EPHEMERAL_STORAGE), storage));
        for (name, amount) in requests.scalars.iter().filter(|(name, _)| !self.is_ignored(name)) {
            wants.push(Want::new(name, snapshot.resources().id(name), *amount));
        }
        wants.retain(|want| want.amount > 0);
        PreFilter::run(FitFilter { wants, snapshot })
    }
}

impl Fit {
    fn is_ignored(&self, name: &str) -> bool {
        let domain = name.split('/').next().unwrap_or_default();
        is_extended(name)
            && (self.args.ignored_resources.contains(name)
                || self.args.ignored_resource_groups.contains(domain))
    }
}

/// An amount of one resource that the pod asks for; above 0.
struct Want<'a> {
    name: &'a str,
    /// None if no node has the resource.
    column: Option<ResourceId>,
    amount: i64,
}

impl<'a> Want<'a> {
    fn new(name: &'a str, column: Option<ResourceId>, amount: i64) -> Self {
        Self { name, column, amount }
    }
}

struct FitFilter<'a> {
    wants: Vec<Want<'a>>,
    snapshot: &'a Snapshot,
}

impl FitFilter<'_> {
    fn has_room_for_pod(&self, node: NodeIndex) -> bool {
        self.snapshot.pod_count(node) < self.snapshot.allowed_pods(node)
    }

    /// What the node has of a resource, and what pods use of it.
    fn capacity_and_used(&self, want: &Want<'_>, node: NodeIndex) -> (i64, i64) {
        let columns = self.snapshot.resources();
        want.column.map_or((0, 0), |id| (columns.allocatable(id)[node], columns.requested(id)[node]))
    }
}

impl Filter for FitFilter<'_> {
    fn check(&self, node: NodeIndex) -> Status {
        self.check_with(node, PodChanges::default())
    }

    fn check_with(&self, node: NodeIndex, changes: PodChanges<'_>) -> Status {
        let mut status = Status { code: Code::Unschedulable, plugin: NAME, reasons: Vec::new() };
        let used = self.snapshot.pod_count(node) + changes.iter().map(|(_, sign)| sign).sum::<i64>();
        let capacity = self.snapshot.allowed_pods(node);
        if used >= capacity {
            let amount = Amount { resource: PODS.to_owned(), requested: 1, used, capacity };
            status.reasons.push(Reason { text: REASON_TOO_MANY_PODS.into(), amount: Some(amount) });
        }
        for want in &self.wants {
            let (capacity, used) = self.capacity_and_used(want, node);
            let amount_of = |pod: &PlacedPod| pod.accounted.amounts.amount(want.name);
            let used =
                changes.iter().fold(used, |used, (pod, sign)| used.wrapping_add(sign * amount_of(pod)));
            if want.amount <= capacity.wrapping_sub(used) {
                continue;
            }
            if want.amount > capacity {
                status.code = Code::UnschedulableAndUnresolvable;
            }
            let amount = Amount { resource: want.name.to_owned(), requested: want.amount, used, capacity };
            status.reasons.push(Reason { text: insufficient(want.name), amount: Some(amount) });
        }
        if status.reasons.is_empty() { Status::SUCCESS } else { status }
    }

    fn narrow(&self, candidates: &mut FixedBitSet) {
        retain(candidates, |node| self.has_room_for_pod(node));
        let columns = self.snapshot.resources();
        for want in &self.wants {
            let Some(id) = want.column else { return candidates.clear() };
            let (allocatable, requested) = (columns.allocatable(id), columns.requested(id));
            retain(candidates, |node| want.amount <= allocatable[node].wrapping_sub(requested[node]));
        }
    }
}

fn insufficient(resource: &str) -> Cow<'static, str> {
    match resource {
        CPU => "Insufficient cpu".into(),
        MEMORY => "Insufficient memory".into(),
        EPHEMERAL_STORAGE => "Insufficient ephemeral-storage".into(),
        other => format!("Insufficient {other}").into(),
    }
}

struct LeastAllocated {
    resources: Vec<ResourceSpec>,
}

impl ScorePlugin for LeastAllocated {
    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        _nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        let requests = &pod.fit_score_requests;
        let columns = ResourceColumn::all(&self.resources, requests, snapshot, Counting::NonZero);
        PreScore::run(LeastAllocatedScore { columns })
    }
}

struct LeastAllocatedScore<'a> {
    columns: Vec<ResourceColumn<'a>>,
}

impl Score for LeastAllocatedScore<'_> {
    /// The weighted mean over the resources that the node has of the part that is left, of 100.
    fn score(&self, node: NodeIndex) -> i64 {
        let mut sum = 0_i64;
        let mut weights = 0_i64;
        for column in &self.columns {
            if let Some(allocatable) = column.allocatable(node) {
                let score = least_allocated(column.used_with_pod(node), allocatable);
                sum = sum.wrapping_add(score.wrapping_mul(column.weight));
                weights = weights.wrapping_add(column.weight);
            }
        }
        if weights == 0 { 0 } else { sum.wrapping_div(weights) }
    }
}

/// The part of a capacity that is left, of 100, rounded towards zero; 0 if more is used than there is.
fn least_allocated(used: i64, capacity: i64) -> i64 {
    if capacity == 0 || used > capacity {
        return 0;
    }
    capacity.wrapping_sub(used).wrapping_mul(MAX_NODE_SCORE).wrapping_div(capacity)
}
