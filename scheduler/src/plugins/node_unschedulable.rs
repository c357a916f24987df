//! NodeUnschedulable: a cordoned node takes only pods that tolerate being unschedulable. Asked at PreFilter and Filter.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go`

mod queueing_hint;

use fixedbitset::FixedBitSet;
use k8s_openapi::api::core::v1::{Taint, Toleration};
use plimsoll_matching::taints::{any_tolerates, effect};

use super::Registration;
use crate::framework::{Code, ExtensionPoint, Filter, FilterPlugin, Plugin, PreFilter, Status, retain};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The plugin's name.
pub const NAME: &str = "NodeUnschedulable";
/// The node is cordoned.
pub const REASON: &str = "node(s) were unschedulable";

const UNSCHEDULABLE_TAINT: &str = "node.kubernetes.io/unschedulable";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreFilter, ExtensionPoint::Filter],
    weight: 1,
    summary: "A cordoned node takes only pods that tolerate `node.kubernetes.io/unschedulable:NoSchedule`.",
    new: |_| Ok(new()),
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin {
        filter: Some(Box::new(NodeUnschedulable)),
        events: Some(queueing_hint::events()),
        ..Plugin::new(NAME)
    }
}

struct NodeUnschedulable;

impl FilterPlugin for NodeUnschedulable {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        if tolerate_being_unschedulable(pod.tolerations()) {
            PreFilter::Skip
        } else {
            PreFilter::run(NodeUnschedulableFilter { snapshot })
        }
    }
}

fn tolerate_being_unschedulable(tolerations: &[Toleration]) -> bool {
    let taint = Taint {
        key: UNSCHEDULABLE_TAINT.to_owned(),
        effect: effect::NO_SCHEDULE.to_owned(),
        ..Taint::default()
    };
    any_tolerates(tolerations, &taint)
}

struct NodeUnschedulableFilter<'a> {
    snapshot: &'a Snapshot,
}

impl Filter for NodeUnschedulableFilter<'_> {
    fn is_node_local(&self) -> bool {
        true
    }

    fn check(&self, node: NodeIndex) -> Status {
        if self.snapshot.is_unschedulable(node) {
            Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON)
        } else {
            Status::SUCCESS
        }
    }

    fn narrow(&self, candidates: &mut FixedBitSet) {
        retain(candidates, |node| !self.snapshot.is_unschedulable(node));
    }
}
