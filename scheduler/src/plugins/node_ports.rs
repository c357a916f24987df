//! NodePorts: a pod doesn't go where another has taken a port of the node that it wants. Asked at PreFilter and Filter.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/nodeports/node_ports.go`

mod queueing_hint;

use fixedbitset::FixedBitSet;

use super::Registration;
use crate::framework::{
    Code, ExtensionPoint, Filter, FilterPlugin, Plugin, PodChanges, PreFilter, Status, retain,
};
use crate::host_port::HostPort;
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The plugin's name.
pub const NAME: &str = "NodePorts";
/// A port is taken.
pub const REASON: &str = "node(s) didn't have free ports for the requested pod ports";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreFilter, ExtensionPoint::Filter],
    weight: 1,
    summary: "A node takes a pod only if the `hostPort`s that it wants are free.",
    new: |_| Ok(new()),
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin { filter: Some(Box::new(NodePorts)), events: Some(queueing_hint::events()), ..Plugin::new(NAME) }
}

struct NodePorts;

impl FilterPlugin for NodePorts {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        if pod.host_ports.is_empty() {
            PreFilter::Skip
        } else {
            PreFilter::run(NodePortsFilter { wanted: &pod.host_ports, snapshot })
        }
    }
}

struct NodePortsFilter<'a> {
    wanted: &'a [HostPort],
    snapshot: &'a Snapshot,
}

impl NodePortsFilter<'_> {
    fn are_free(&self, node: NodeIndex) -> bool {
        let used = self.snapshot.used_ports(node);
        !used.iter().any(|used| self.wants(used))
    }

    fn are_free_with(&self, node: NodeIndex, changes: PodChanges<'_>) -> bool {
        // DIFFERENCE: D-scheduler-2.
        let in_the_way = |ports: &[HostPort]| {
            i64::try_from(ports.iter().filter(|port| self.wants(port)).count()).unwrap_or(i64::MAX)
        };
        let there = in_the_way(self.snapshot.used_ports(node));
        let changed = changes.iter().map(|(pod, sign)| sign * in_the_way(&pod.host_ports));
        there + changed.sum::<i64>() <= 0
    }

    /// Whether the pod can't run beside a pod that has this port.
    fn wants(&self, used: &HostPort) -> bool {
        self.wanted.iter().any(|wanted| used.conflicts_with(wanted))
    }
}

impl Filter for NodePortsFilter<'_> {
    fn is_node_local(&self) -> bool {
        true
    }

    fn check(&self, node: NodeIndex) -> Status {
        self.check_with(node, PodChanges::default())
    }

    fn check_with(&self, node: NodeIndex, changes: PodChanges<'_>) -> Status {
        if self.are_free_with(node, changes) {
            Status::SUCCESS
        } else {
            Status::new(Code::Unschedulable, NAME, REASON)
        }
    }

    fn narrow(&self, candidates: &mut FixedBitSet) {
        retain(candidates, |node| self.are_free(node));
    }
}
