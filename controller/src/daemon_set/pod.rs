//! What the controller's decisions need of a pod.

use k8s_openapi::api::core::v1::{Affinity, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use plimsoll_matching::label_selector::labels_of;
use serde::Deserialize;

use super::node_affinity::target_of;
use super::{CONTROLLER_REVISION_HASH_LABEL, POD_TEMPLATE_GENERATION_LABEL};
use crate::slim_metadata::SlimMetadata;

/// A pod as far as the controller looks at it: a cluster has many, and most of what they hold decides nothing here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Received")]
pub struct DaemonPod {
    /// Name, namespace, uid, versions, labels, owners and times; nothing else.
    pub metadata: ObjectMeta,
    /// The node that it is bound to; empty while it is Pending.
    pub node_name: String,
    /// The node that it is on or was made for, if it tells.
    pub target: Option<String>,
    /// Whether it has ended.
    pub ended: Ended,
    /// Whether it is Ready.
    pub readiness: Readiness,
}

/// How a pod has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ended {
    /// It hasn't.
    #[default]
    No,
    /// Its phase is `Failed`.
    Failed,
    /// Its phase is `Succeeded`.
    Succeeded,
}

/// Whether a pod is Ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readiness {
    /// It isn't.
    #[default]
    NotReady,
    /// It is.
    Ready {
        /// Since when, if its condition says so.
        since: Option<Timestamp>,
    },
}

impl DaemonPod {
    /// Its name.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// The hash of the revision that it was made of, if a label says so.
    pub fn revision_hash(&self) -> Option<&str> {
        labels_of(&self.metadata).get(CONTROLLER_REVISION_HASH_LABEL).map(String::as_str)
    }

    /// The generation of the template that it was made of, if a label says so.
    pub fn template_generation(&self) -> Option<i64> {
        labels_of(&self.metadata).get(POD_TEMPLATE_GENERATION_LABEL)?.parse().ok()
    }

    /// Gives it the hash of another revision.
    pub fn set_revision_hash(&mut self, hash: &str) {
        let labels = self.metadata.labels.get_or_insert_default();
        labels.insert(CONTROLLER_REVISION_HASH_LABEL.to_owned(), hash.to_owned());
    }

    /// Whether it is being deleted.
    pub fn is_being_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// Whether it is Ready.
    ///
    /// # Source
    /// `pkg/api/v1/pod/util.go` (`IsPodReady`)
    pub fn is_ready(&self) -> bool {
        self.readiness != Readiness::NotReady
    }

    /// Whether it has been Ready for so many seconds.
    ///
    /// # Source
    /// `pkg/api/v1/pod/util.go` (`IsPodAvailable`)
    pub fn is_available(&self, min_ready_seconds: i32, now: Timestamp) -> bool {
        match self.readiness {
            Readiness::NotReady => false,
            Readiness::Ready { .. } if min_ready_seconds == 0 => true,
            Readiness::Ready { since } => since.is_some_and(|since| {
                now.duration_since(since) >= SignedDuration::from_secs(i64::from(min_ready_seconds))
            }),
        }
    }

    /// Whether it is of the current revision, by its hash or else by the generation of the template, written as in its label.
    ///
    /// # Source
    /// `pkg/controller/daemon/util/daemonset_util.go` (`IsPodUpdated`)
    pub fn is_updated(&self, revision_hash: &str, template_generation: Option<&str>) -> bool {
        let is_of_generation = || {
            let label = labels_of(&self.metadata).get(POD_TEMPLATE_GENERATION_LABEL).map(String::as_str);
            template_generation.is_some() && label == template_generation
        };
        (!revision_hash.is_empty() && self.revision_hash() == Some(revision_hash)) || is_of_generation()
    }

    /// The order in which pods of one node are kept: bound before unbound, older before younger, then by name.
    ///
    /// # Source
    /// `pkg/controller/daemon/daemon_controller.go` (`podByCreationTimestampAndPhase`)
    pub fn keep_order(&self) -> impl Ord {
        (self.node_name.is_empty(), self.metadata.creation_timestamp.as_ref(), self.name())
    }
}

/// The parts of a pod as the API server sends it.
#[derive(Deserialize)]
struct Received {
    #[serde(default)]
    metadata: SlimMetadata,
    spec: Option<ReceivedSpec>,
    status: Option<ReceivedStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedSpec {
    node_name: Option<String>,
    affinity: Option<Affinity>,
}

#[derive(Deserialize)]
struct ReceivedStatus {
    phase: Option<String>,
    conditions: Option<Vec<ReceivedCondition>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedCondition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    last_transition_time: Option<Time>,
}

impl From<Received> for DaemonPod {
    fn from(received: Received) -> Self {
        let (spec, status) = (received.spec.as_ref(), received.status.as_ref());
        let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        let condition = conditions.iter().find(|condition| condition.type_ == "Ready");
        Self::of_parts(
            received.metadata.into(),
            spec.and_then(|spec| spec.node_name.as_deref()),
            spec.and_then(|spec| spec.affinity.as_ref()),
            status.and_then(|status| status.phase.as_deref()),
            condition.map(|condition| (condition.status == "True", &condition.last_transition_time)),
        )
    }
}

impl From<&Pod> for DaemonPod {
    fn from(pod: &Pod) -> Self {
        let (spec, status) = (pod.spec.as_ref(), pod.status.as_ref());
        let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        let condition = conditions.iter().find(|condition| condition.type_ == "Ready");
        Self::of_parts(
            SlimMetadata::from(&pod.metadata).into(),
            spec.and_then(|spec| spec.node_name.as_deref()),
            spec.and_then(|spec| spec.affinity.as_ref()),
            status.and_then(|status| status.phase.as_deref()),
            condition.map(|condition| (condition.status == "True", &condition.last_transition_time)),
        )
    }
}

impl DaemonPod {
    fn of_parts(
        metadata: ObjectMeta,
        node_name: Option<&str>,
        affinity: Option<&Affinity>,
        phase: Option<&str>,
        ready: Option<(bool, &Option<Time>)>,
    ) -> Self {
        let target = target_of(&metadata, node_name, affinity).ok().map(str::to_owned);
        Self {
            metadata,
            node_name: node_name.unwrap_or_default().to_owned(),
            target,
            ended: match phase {
                Some("Failed") => Ended::Failed,
                Some("Succeeded") => Ended::Succeeded,
                _ => Ended::No,
            },
            readiness: match ready {
                Some((true, since)) => Readiness::Ready { since: since.as_ref().map(|since| since.0) },
                _ => Readiness::NotReady,
            },
        }
    }
}
