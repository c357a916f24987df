//! On which nodes a DaemonSet's pods belong.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, PodSpec, Taint, Toleration};
use plimsoll_matching::label_selector::labels_of;
use plimsoll_matching::node_affinity::RequiredNodeAffinity;
use plimsoll_matching::taints::{effect, find_untolerated, forbids_scheduling};

use super::tolerations::add_default_tolerations;

/// What a DaemonSet asks of a node, read once for all nodes.
#[derive(Clone, Debug)]
pub struct Placement {
    node_name: Option<String>,
    affinity: RequiredNodeAffinity,
    tolerations: Vec<Toleration>,
}

/// Whether a DaemonSet's pod belongs on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeDecision {
    /// A pod is to be made if there is none.
    pub should_run: bool,
    /// A pod that is there may stay.
    pub should_continue_running: bool,
}

impl NodeDecision {
    const RUN: Self = Self { should_run: true, should_continue_running: true };
    const STAY: Self = Self { should_run: false, should_continue_running: true };
    /// Neither.
    pub const LEAVE: Self = Self { should_run: false, should_continue_running: false };
}

impl Placement {
    /// Reads what the template of a DaemonSet asks of a node. A malformed term of the node affinity chooses no node.
    pub fn new(daemon_set: &DaemonSet) -> Self {
        let empty = PodSpec::default();
        let template = daemon_set.spec.template.spec.as_ref().unwrap_or(&empty);
        let mut tolerating = PodSpec {
            host_network: template.host_network,
            tolerations: template.tolerations.clone(),
            ..PodSpec::default()
        };
        add_default_tolerations(&mut tolerating);
        Self {
            node_name: template.node_name.clone().filter(|name| !name.is_empty()),
            affinity: RequiredNodeAffinity::new(template),
            tolerations: tolerating.tolerations.unwrap_or_default(),
        }
    }

    /// Whether a pod of the DaemonSet should run, or continue running, on a node. Resources, host ports, conditions and
    /// `unschedulable` don't matter; taints do.
    ///
    /// # Source
    /// `pkg/controller/daemon/daemon_controller.go` (`NodeShouldRunDaemonPod`)
    pub fn on(&self, node: &Node) -> NodeDecision {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        if self.node_name.as_deref().is_some_and(|wanted| wanted != name)
            || !self.affinity.matches(labels_of(&node.metadata), name)
        {
            return NodeDecision::LEAVE;
        }
        let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
        if !self.has_untolerated(taints, forbids_scheduling) {
            NodeDecision::RUN
        } else if self.has_untolerated(taints, |taint| taint.effect == effect::NO_EXECUTE) {
            NodeDecision::LEAVE
        } else {
            NodeDecision::STAY
        }
    }

    fn has_untolerated(&self, taints: &[Taint], filter: impl Fn(&Taint) -> bool) -> bool {
        find_untolerated(taints, &self.tolerations, filter).is_some()
    }
}
