//! NodeName: a pod that names its node goes nowhere else. Asked at PreFilter and Filter.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/nodename/node_name.go`

use std::collections::BTreeSet;

use super::Registration;
use crate::framework::{
    ActionType, Code, EventRegistration, EventResource, ExtensionPoint, Filter, FilterPlugin, Plugin,
    PreFilter, Status,
};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The plugin's name.
pub const NAME: &str = "NodeName";
/// The node isn't the one that the pod names.
pub const REASON: &str = "node(s) didn't match the requested node name";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreFilter, ExtensionPoint::Filter],
    weight: 1,
    summary: "A pod with `nodeName` goes to that node only.",
    new: |_| Ok(new()),
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin {
        filter: Some(Box::new(NodeName)),
        events: Some(vec![EventRegistration::always(EventResource::Node, ActionType::ADD)]),
        ..Plugin::new(NAME)
    }
}

struct NodeName;

impl FilterPlugin for NodeName {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        let wanted = pod.node_name();
        if wanted.is_empty() {
            return PreFilter::Skip;
        }
        let filter = Box::new(NodeNameFilter { wanted, snapshot });
        PreFilter::Run { nodes: Some(BTreeSet::from([wanted.to_owned()])), filter }
    }
}

struct NodeNameFilter<'a> {
    wanted: &'a str,
    snapshot: &'a Snapshot,
}

impl Filter for NodeNameFilter<'_> {
    fn is_node_local(&self) -> bool {
        true
    }

    fn check(&self, node: NodeIndex) -> Status {
        if self.snapshot.name(node) == self.wanted {
            Status::SUCCESS
        } else {
            Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON)
        }
    }
}
