//! NodeResourcesFit: a node has to have what a pod asks for, and is the better the more it has left. Asked at PreFilter,
//! Filter, PreScore and Score.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/noderesources/fit.go`, `least_allocated.go`

mod queueing_hint;
mod strategy;

use std::borrow::Cow;
use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;
use plimsoll_api::field::aggregate;
use plimsoll_resource_math::resource_name::{CPU, EPHEMERAL_STORAGE, MEMORY, PODS, is_extended};

use self::strategy::Strategy;
use super::Registration;
use crate::config::{NodeResourcesFitArgs, PluginArgs, validate_node_resources_fit};
use crate::framework::{
    Amount, Code, ExtensionPoint, Filter, FilterPlugin, Plugin, PodChanges, PreFilter, Reason, Status, retain,
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
    summary: "A node has to have room for what the pod requests; the more of it is left, the better (`LeastAllocated`), or the less (`MostAllocated`), or as a line says (`RequestedToCapacityRatio`).",
    new: |args| match args {
        Some(PluginArgs::NodeResourcesFit(typed)) => new(&typed.args),
        _ => Ok(with(&NodeResourcesFitArgs::default())),
    },
};

/// The plugin.
///
/// # Errors
/// All that is wrong with the arguments; upstream finds it when the plugin is made, not when the file is read.
pub fn new(args: &NodeResourcesFitArgs) -> Result<Plugin, String> {
    let errors = validate_node_resources_fit(args);
    if errors.is_empty() { Ok(with(args)) } else { Err(aggregate(&errors)) }
}

fn with(args: &NodeResourcesFitArgs) -> Plugin {
    let filter = Fit {
        ignored_resources: args.ignored_resources.iter().cloned().collect(),
        ignored_resource_groups: args.ignored_resource_groups.iter().cloned().collect(),
    };
    let score = Strategy::new(args.scoring_strategy.as_ref());
    Plugin {
        filter: Some(Box::new(filter)),
        score: Some(Box::new(score)),
        events: Some(queueing_hint::events()),
        ..Plugin::new(NAME)
    }
}

struct Fit {
    ignored_resources: BTreeSet<String>,
    ignored_resource_groups: BTreeSet<String>,
}

impl FilterPlugin for Fit {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        let requests = &pod.requests;
        let mut wants = Vec::with_capacity(3 + requests.scalars.len());
        wants.push(Want::new(CPU, Some(ResourceColumns::CPU), requests.cpu_millis));
        wants.push(Want::new(MEMORY, Some(ResourceColumns::MEMORY), requests.memory_bytes));
        let storage = requests.ephemeral_storage_bytes;
        wants.push(Want::new(EPHEMERAL_STORAGE, Some(ResourceColumns::EPHEMERAL_STORAGE), storage));
        let devices = &snapshot.listers().devices;
        for (name, amount) in requests.scalars.iter().filter(|(name, _)| !self.is_ignored(name)) {
            let may_be_devices = devices.class_for_resource(name).is_some();
            let want = Want::new(name, snapshot.resources().id(name), *amount);
            wants.push(Want { may_be_devices, ..want });
        }
        wants.retain(|want| want.amount > 0);
        PreFilter::run(FitFilter { wants, snapshot })
    }
}

impl Fit {
    fn is_ignored(&self, name: &str) -> bool {
        let domain = name.split('/').next().unwrap_or_default();
        is_extended(name)
            && (self.ignored_resources.contains(name) || self.ignored_resource_groups.contains(domain))
    }
}

/// An amount of one resource that the pod asks for; above 0.
struct Want<'a> {
    name: &'a str,
    /// None if no node has the resource.
    column: Option<ResourceId>,
    amount: i64,
    /// Whether devices serve it where nodes have none of it; DynamicResources looks for them then.
    may_be_devices: bool,
}

impl<'a> Want<'a> {
    fn new(name: &'a str, column: Option<ResourceId>, amount: i64) -> Self {
        Self { name, column, amount, may_be_devices: false }
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
    fn is_node_local(&self) -> bool {
        true
    }

    fn check(&self, node: NodeIndex) -> Status {
        self.check_with(node, PodChanges::default())
    }

    fn check_with(&self, node: NodeIndex, changes: PodChanges<'_>) -> Status {
        let mut status = Status { code: Code::Unschedulable, plugin: NAME, reasons: Vec::new() };
        let used = self.snapshot.pod_count(node) + changes.iter().map(|(_, sign)| sign).sum::<i64>();
        let capacity = self.snapshot.allowed_pods(node);
        if used >= capacity {
            let amount = Amount { resource: PODS.into(), requested: 1, used, capacity };
            status.reasons.push(Reason { text: REASON_TOO_MANY_PODS.into(), amount: Some(amount) });
        }
        for want in &self.wants {
            let (capacity, used) = self.capacity_and_used(want, node);
            if want.may_be_devices && capacity <= 0 {
                continue;
            }
            let amount_of = |pod: &PlacedPod| pod.accounted.amounts.amount(want.name);
            let used =
                changes.iter().fold(used, |used, (pod, sign)| used.wrapping_add(sign * amount_of(pod)));
            if want.amount <= capacity.wrapping_sub(used) {
                continue;
            }
            if want.amount > capacity {
                status.code = Code::UnschedulableAndUnresolvable;
            }
            let amount =
                Amount { resource: resource_name(want.name), requested: want.amount, used, capacity };
            status.reasons.push(Reason { text: insufficient(want.name), amount: Some(amount) });
        }
        if status.reasons.is_empty() { Status::SUCCESS } else { status }
    }

    fn narrow(&self, candidates: &mut FixedBitSet) {
        retain(candidates, |node| self.has_room_for_pod(node));
        let columns = self.snapshot.resources();
        for want in &self.wants {
            let Some(id) = want.column else {
                if want.may_be_devices {
                    continue;
                }
                return candidates.clear();
            };
            let (allocatable, requested) = (columns.allocatable(id), columns.requested(id));
            retain(candidates, |node| {
                want.amount <= allocatable[node].wrapping_sub(requested[node])
                    || (want.may_be_devices && allocatable[node] <= 0)
            });
        }
    }
}

fn resource_name(name: &str) -> Cow<'static, str> {
    [CPU, MEMORY, EPHEMERAL_STORAGE]
        .into_iter()
        .find(|known| *known == name)
        .map_or_else(|| name.to_owned().into(), Cow::Borrowed)
}

fn insufficient(resource: &str) -> Cow<'static, str> {
    match resource {
        CPU => "Insufficient cpu".into(),
        MEMORY => "Insufficient memory".into(),
        EPHEMERAL_STORAGE => "Insufficient ephemeral-storage".into(),
        other => format!("Insufficient {other}").into(),
    }
}
