//! What the controller does next for a DaemonSet: which nodes get a pod, which pods go, and the counts that its status shows.

use std::borrow::Borrow;
use std::time::Duration;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::jiff::Timestamp;
use plimsoll_matching::label_selector::Selector;

use super::failed_pods::FailedPods;
use super::new_pod::template_generation;
use super::placement::{NodeDecision, Placement};
use super::pod::{DaemonPod, Ended};
use super::pods_by_node::PodsByNode;
use super::strategy::{allows_surge, is_rolling_update};

pub use super::rolling_update::RolloutError;

/// A DaemonSet among the nodes and its pods, at some moment.
#[derive(Debug)]
pub struct Situation<'a> {
    pub(super) daemon_set: &'a DaemonSet,
    /// The hash of the current revision, which marks pods of it.
    pub(super) revision_hash: &'a str,
    /// As the pods' labels tell it.
    pub(super) template_generation: Option<String>,
    pub(super) min_ready_seconds: i32,
    pub(super) now: Timestamp,
    /// In the order given.
    nodes: Vec<(&'a str, NodeDecision)>,
    /// Without those that have ended and are being deleted.
    pub(super) pods: PodsByNode<'a>,
    /// Whether a node may have two pods.
    allows_surge: bool,
}

/// Pods to be made and pods to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// The nodes that get a pod.
    pub create_on: Vec<String>,
    /// The names of the pods that go.
    pub delete: Vec<String>,
}

impl Actions {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.create_on.is_empty() && self.delete.is_empty()
    }
}

/// A pod that has ended and is deleted, which the DaemonSet's events tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedPod {
    /// Namespace and name.
    pub pod: String,
    /// The node that it was on.
    pub node: String,
    /// How it ended.
    pub ended: Ended,
}

/// What is to be done for a DaemonSet, and how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be done.
    pub actions: Actions,
    /// The deleted pods of which events tell.
    pub ended_pods: Vec<EndedPod>,
    /// When to look again even if nothing happens.
    pub look_again_after: Option<Duration>,
    /// The counts before anything is done.
    pub status: Status,
    /// Why the rolling update can't go on.
    pub stalled: Option<RolloutError>,
}

/// The counts of a DaemonSet's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Nodes that should run a pod.
    pub desired_number_scheduled: i32,
    /// Nodes that should run a pod and have one.
    pub current_number_scheduled: i32,
    /// Nodes that have a pod and should run none.
    pub number_misscheduled: i32,
    /// Nodes that should run a pod and whose first one in the order of keeping is Ready.
    pub number_ready: i32,
    /// Nodes that should run a pod and whose first one is of the current revision.
    pub updated_number_scheduled: i32,
    /// Nodes that should run a pod and whose first one has been Ready for long enough.
    pub number_available: i32,
}

impl Status {
    /// Nodes that should run a pod and have none that is available.
    pub fn number_unavailable(&self) -> i32 {
        self.desired_number_scheduled - self.number_available
    }

    /// Whether the DaemonSet has these counts already, and its present generation has been observed: then there is nothing to
    /// write.
    ///
    /// # Source
    /// `pkg/controller/daemon/daemon_controller.go` (`storeDaemonSetStatus`)
    pub fn is_written_in(&self, daemon_set: &DaemonSet) -> bool {
        let observed = daemon_set.status.as_ref().and_then(|status| status.observed_generation);
        let is_observed = observed.unwrap_or(0) >= daemon_set.metadata.generation.unwrap_or(0);
        is_observed && self.is_counted_in(daemon_set)
    }

    /// Whether the DaemonSet has these counts already, of whatever generation.
    pub fn is_counted_in(&self, daemon_set: &DaemonSet) -> bool {
        let written = daemon_set.status.clone().unwrap_or_default();
        let counts = Self {
            desired_number_scheduled: written.desired_number_scheduled,
            current_number_scheduled: written.current_number_scheduled,
            number_misscheduled: written.number_misscheduled,
            number_ready: written.number_ready,
            updated_number_scheduled: written.updated_number_scheduled.unwrap_or(0),
            number_available: written.number_available.unwrap_or(0),
        };
        counts == *self && written.number_unavailable.unwrap_or(0) == self.number_unavailable()
    }
}

/// The selector of a DaemonSet that is cared for: one that is being deleted is not, nor one that selects everything or can't be read.
///
/// # Source
/// `pkg/controller/daemon/daemon_controller.go` (`syncDaemonSet`)
pub fn selector_in_use(daemon_set: &DaemonSet) -> Option<Selector> {
    let selector = Selector::from_label_selector(Some(&daemon_set.spec.selector)).ok()?;
    let is_deleted = daemon_set.metadata.deletion_timestamp.is_some();
    (!is_deleted && !selector.is_everything()).then_some(selector)
}

/// Plans the pods of a DaemonSet: `Some(failed)` lets pods be made and deleted, `None`, while earlier creations and deletions are not
/// observed yet, only counts.
///
/// # Source
/// `pkg/controller/daemon/daemon_controller.go` (`syncDaemonSet`, `updateDaemonSet`)
pub fn plan(situation: &Situation<'_>, failed: Option<&mut FailedPods>) -> Plan {
    let mut plan = Plan { status: situation.status(), ..Plan::default() };
    if let Some(failed) = failed {
        situation.manage(failed, &mut plan);
        // What is done first changes what a rolling update may do.
        if plan.actions.is_empty() && is_rolling_update(situation.daemon_set) {
            match situation.rolling_update() {
                Ok(actions) => plan.actions = actions,
                Err(error) => plan.stalled = Some(error),
            }
        }
    }
    let status = plan.status;
    // Clocks that disagree must not keep a pod from becoming available.
    if situation.min_ready_seconds > 0 && status.number_ready != status.number_available {
        look_again(&mut plan, Duration::from_secs(u64::from(situation.min_ready_seconds.unsigned_abs())));
    }
    plan
}

fn look_again(plan: &mut Plan, after: Duration) {
    let sooner = plan.look_again_after.map_or(after, |known| known.min(after));
    plan.look_again_after = Some(sooner);
}

impl<'a> Situation<'a> {
    /// Takes stock. `pods` are those that the DaemonSet owns.
    ///
    /// # Source
    /// `pkg/controller/daemon/daemon_controller.go` (`getNodesToDaemonPods`)
    pub fn new(
        daemon_set: &'a DaemonSet,
        revision_hash: &'a str,
        nodes: &'a [impl Borrow<Node>],
        pods: &'a [impl Borrow<DaemonPod>],
        now: Timestamp,
    ) -> Self {
        let placement = Placement::new(daemon_set);
        let decided = nodes.iter().map(|node| {
            let node: &Node = node.borrow();
            (node.metadata.name.as_deref().unwrap_or_default(), placement.on(node))
        });
        let nodes: Vec<(&str, NodeDecision)> = decided.collect();
        let pods = pods.iter().map(|pod| -> &DaemonPod { pod.borrow() });
        let pods = pods.filter(|pod| pod.ended == Ended::No || !pod.is_being_deleted());
        let pods = PodsByNode::new(nodes.iter().map(|(node, _)| *node), pods);
        Self {
            daemon_set,
            revision_hash,
            template_generation: template_generation(&daemon_set.metadata).map(|number| number.to_string()),
            min_ready_seconds: daemon_set.spec.min_ready_seconds.unwrap_or(0),
            now,
            nodes,
            pods,
            allows_surge: allows_surge(daemon_set),
        }
    }

    /// The nodes, each with what is decided for it and its pods.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (&'a str, NodeDecision, &[&'a DaemonPod])> {
        self.nodes
            .iter()
            .zip(self.pods.of_each_node())
            .map(|((node, decision), pods)| (*node, *decision, pods))
    }

    pub(super) fn is_updated(&self, pod: &DaemonPod) -> bool {
        pod.is_updated(self.revision_hash, self.template_generation.as_deref())
    }

    pub(super) fn is_available(&self, pod: &DaemonPod) -> bool {
        pod.is_available(self.min_ready_seconds, self.now)
    }

    /// The counts.
    ///
    /// # Source
    /// `pkg/controller/daemon/daemon_controller.go` (`updateDaemonSetStatus`)
    pub fn status(&self) -> Status {
        let mut status = Status::default();
        for (_, decision, pods) in self.nodes() {
            let first = pods.iter().min_by_key(|pod| pod.keep_order());
            if !decision.should_run {
                status.number_misscheduled += i32::from(first.is_some());
                continue;
            }
            status.desired_number_scheduled += 1;
            let Some(pod) = first else { continue };
            status.current_number_scheduled += 1;
            status.number_ready += i32::from(pod.is_ready());
            status.number_available += i32::from(self.is_available(pod));
            status.updated_number_scheduled += i32::from(self.is_updated(pod));
        }
        status
    }

    /// The nodes that should run a pod and have none.
    pub fn lacking(&self) -> impl Iterator<Item = &'a str> {
        let lacking = self.nodes().filter(|(_, decision, pods)| decision.should_run && pods.is_empty());
        lacking.map(|(node, _, _)| node)
    }

    /// Brings a pod to each node that should run one, and deletes those that have ended, are too many or in the wrong place.
    ///
    /// # Source
    /// `pkg/controller/daemon/daemon_controller.go` (`manage`)
    fn manage(&self, failed: &mut FailedPods, plan: &mut Plan) {
        for (node, decision, pods) in self.nodes() {
            if decision.should_run && pods.is_empty() {
                plan.actions.create_on.push(node.to_owned());
            } else if decision.should_continue_running {
                self.keep_one(node, decision, pods, failed, plan);
            } else {
                let going = pods.iter().filter(|pod| !pod.is_being_deleted());
                plan.actions.delete.extend(going.map(|pod| pod.name().to_owned()));
            }
        }
        self.delete_unbound_without_node(&mut plan.actions);
    }

    /// # Source
    /// `pkg/controller/daemon/daemon_controller.go` (`podsShouldBeOnNode`)
    fn keep_one(
        &self,
        node: &str,
        decision: NodeDecision,
        pods: &[&'a DaemonPod],
        failed: &mut FailedPods,
        plan: &mut Plan,
    ) {
        // So it is nearly always.
        if let [only] = pods
            && only.ended == Ended::No
            && !only.is_being_deleted()
        {
            return;
        }
        let metadata = &self.daemon_set.metadata;
        let uid = metadata.uid.as_deref().unwrap_or_default();
        let observed = self.daemon_set.status.as_ref().and_then(|status| status.observed_generation);
        let mut running: Vec<&DaemonPod> = Vec::new();
        for pod in pods.iter().filter(|pod| !pod.is_being_deleted()) {
            match pod.ended {
                Ended::No => {
                    running.push(pod);
                    continue;
                }
                Ended::Succeeded => {}
                Ended::Failed => {
                    if let Err(delay) = failed.delete(uid, observed.unwrap_or(0), node, self.now) {
                        look_again(plan, delay);
                        continue;
                    }
                }
            }
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            let named = format!("{namespace}/{}", pod.name());
            plan.ended_pods.push(EndedPod { pod: named, node: node.to_owned(), ended: pod.ended });
            plan.actions.delete.push(pod.name().to_owned());
        }
        running.sort_by_key(|pod| pod.keep_order());
        if !self.allows_surge {
            plan.actions.delete.extend(running.iter().skip(1).map(|pod| pod.name().to_owned()));
        } else if running.is_empty() && decision.should_run {
            // There must be one that isn't going.
            plan.actions.create_on.push(node.to_owned());
        } else {
            self.keep_one_of_each(&running, &mut plan.actions);
        }
    }

    /// Of pods in the order of keeping, one of the current revision and one of an older stay while the new one is not available and
    /// the old one is Ready.
    fn keep_one_of_each(&self, running: &[&DaemonPod], actions: &mut Actions) {
        if running.len() <= 1 {
            return;
        }
        let is_new = |pod: &&&DaemonPod| pod.revision_hash().unwrap_or_default() == self.revision_hash;
        let new = running.iter().find(is_new);
        let old = running.iter().find(|pod| !is_new(pod));
        let kept = |pod: &DaemonPod| [new, old].into_iter().flatten().any(|kept| kept.name() == pod.name());
        actions.delete.extend(running.iter().filter(|pod| !kept(pod)).map(|pod| pod.name().to_owned()));
        if let (Some(new), Some(old)) = (new, old)
            && (!old.is_ready() || self.is_available(new))
        {
            actions.delete.push(old.name().to_owned());
        }
    }

    /// Nobody else deletes a pod that waits for a node that is gone.
    ///
    /// # Source
    /// `pkg/controller/daemon/daemon_controller.go` (`getUnscheduledPodsWithoutNode`)
    fn delete_unbound_without_node(&self, actions: &mut Actions) {
        let unbound = self.pods.elsewhere.values().flatten().filter(|pod| pod.node_name.is_empty());
        actions.delete.extend(unbound.map(|pod| pod.name().to_owned()));
    }
}
