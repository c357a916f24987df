//! Which pods of older revisions go, and which nodes get a new pod beside the old one, within the limits of the strategy.
//!
//! # Source
//! `pkg/controller/daemon/update.go`

use super::placement::NodeDecision;
use super::plan::{Actions, Situation};
use super::pod::DaemonPod;
use super::strategy::{max_surge, max_unavailable};
use crate::int_or_percent::CountError;

/// Why a rolling update can't go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RolloutError {
    /// `maxUnavailable` can't be read.
    #[error("couldn't get unavailable numbers: invalid value for MaxUnavailable: {0}")]
    MaxUnavailable(CountError),
    /// `maxSurge` can't be read.
    #[error("couldn't get unavailable numbers: invalid value for MaxSurge: {0}")]
    MaxSurge(CountError),
    /// A pod is on a node that is gone.
    #[error("couldn't get node for nodeName {0:?}: node {0:?} not found")]
    NoNode(String),
}

/// The pods of a node that are not being deleted.
enum OnNode<'a> {
    /// Neither of the current revision nor of an older.
    Nothing,
    /// One of the current revision.
    New(&'a DaemonPod),
    /// One of an older.
    Old(&'a DaemonPod),
    /// One of each.
    Both { new: &'a DaemonPod, old: &'a DaemonPod },
    /// Several of the same.
    Excess,
}

impl<'a> Situation<'a> {
    /// The next step of a rolling update, for a DaemonSet whose pods are where they should be.
    ///
    /// # Source
    /// `pkg/controller/daemon/update.go` (`rollingUpdate`, `updatedDesiredNodeCounts`)
    pub(super) fn rolling_update(&self) -> Result<Actions, RolloutError> {
        let desired = self.nodes().filter(|(_, decision, _)| decision.should_run).count();
        let desired = i32::try_from(desired).unwrap_or(i32::MAX);
        let mut unavailable =
            max_unavailable(self.daemon_set, desired).map_err(RolloutError::MaxUnavailable)?;
        let surge = max_surge(self.daemon_set, desired).map_err(RolloutError::MaxSurge)?;
        if desired > 0 && unavailable == 0 && surge == 0 {
            unavailable = 1;
        }
        if surge == 0 { Ok(self.replace(unavailable)) } else { self.surge(surge, desired) }
    }

    /// The nodes that have pods or should have one.
    fn places(&self) -> impl Iterator<Item = (&'a str, Option<NodeDecision>, OnNode<'a>)> {
        let nodes = self.nodes().filter(|(_, decision, pods)| decision.should_run || !pods.is_empty());
        let nodes = nodes.map(|(node, decision, pods)| (node, Some(decision), self.on_node(pods)));
        let elsewhere = self.pods.elsewhere.iter().map(|(node, pods)| (*node, None, self.on_node(pods)));
        nodes.chain(elsewhere)
    }

    /// # Source
    /// `pkg/controller/daemon/update.go` (`findUpdatedPodsOnNode`)
    fn on_node(&self, pods: &[&'a DaemonPod]) -> OnNode<'a> {
        let (mut new, mut old) = (None, None);
        for pod in pods.iter().filter(|pod| !pod.is_being_deleted()) {
            let place = if self.is_updated(pod) { &mut new } else { &mut old };
            if place.replace(*pod).is_some() {
                return OnNode::Excess;
            }
        }
        match (new, old) {
            (None, None) => OnNode::Nothing,
            (Some(new), None) => OnNode::New(new),
            (None, Some(old)) => OnNode::Old(old),
            (Some(new), Some(old)) => OnNode::Both { new, old },
        }
    }

    /// Old pods go before new ones come: those that are not available at once, others as long as not too many are missing.
    fn replace(&self, max_unavailable: i64) -> Actions {
        let mut unavailable = 0;
        let (mut broken, mut candidates) = (Vec::new(), Vec::new());
        for (_, _, on_node) in self.places() {
            match on_node {
                OnNode::Excess | OnNode::Nothing | OnNode::Both { .. } => unavailable += 1,
                OnNode::New(pod) => unavailable += i64::from(!self.is_available(pod)),
                OnNode::Old(pod) if self.is_available(pod) => candidates.push(pod.name()),
                OnNode::Old(pod) => {
                    unavailable += 1;
                    broken.push(pod.name());
                }
            }
        }
        candidates.truncate(at_least_none(max_unavailable - unavailable));
        broken.extend(candidates);
        Actions { create_on: Vec::new(), delete: broken.into_iter().map(str::to_owned).collect() }
    }

    /// New pods come before old ones go.
    fn surge(&self, max_surge: i64, desired: i32) -> Result<Actions, RolloutError> {
        let mut actions = Actions::default();
        let (mut unwanted, mut candidates) = (Vec::new(), Vec::new());
        let (mut surge, mut available) = (0_i64, 0_i64);
        for (node, decision, on_node) in self.places() {
            let counted = match on_node {
                OnNode::Both { old, .. } | OnNode::Old(old) => Some(old),
                OnNode::New(new) => Some(new),
                OnNode::Nothing | OnNode::Excess => None,
            };
            available += i64::from(counted.is_some_and(|pod| self.is_available(pod)));
            match on_node {
                OnNode::Excess => surge += 1,
                OnNode::Nothing | OnNode::New(_) => {}
                OnNode::Both { new, old } if self.is_available(new) => {
                    actions.delete.push(old.name().to_owned());
                }
                OnNode::Both { .. } => surge += 1,
                OnNode::Old(old) => {
                    let decision = decision.ok_or_else(|| RolloutError::NoNode(node.to_owned()))?;
                    match (self.is_available(old), decision.should_run) {
                        (false, true) => actions.create_on.push(node.to_owned()),
                        (false, false) => actions.delete.push(old.name().to_owned()),
                        (true, true) => candidates.push(node),
                        (true, false) => unwanted.push(old.name().to_owned()),
                    }
                }
            }
        }
        // Where the wanted nodes have moved, the old places go only as the new ones become available.
        unwanted.truncate(at_least_none(available - i64::from(desired)));
        actions.delete.extend(unwanted);
        candidates.truncate(at_least_none(max_surge - surge));
        actions.create_on.extend(candidates.into_iter().map(str::to_owned));
        Ok(actions)
    }
}

fn at_least_none(count: i64) -> usize {
    usize::try_from(count.max(0)).unwrap_or(usize::MAX)
}
