//! What is kept of a pod that runs on a node.

use std::sync::Arc;

use jiff::Timestamp;
use plimsoll_matching::label_requirement::Labels;
use plimsoll_matching::label_selector::labels_of;

use crate::affinity_term::PodAffinityTerms;
use crate::host_port::HostPort;
use crate::pod_info::{AccountedResources, PodInfo, PodVolumes};

/// What selectors tell pods apart by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodIdentity {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The labels.
    pub labels: Labels,
    /// Whether the pod is being deleted.
    pub is_terminating: bool,
}

/// A pod that runs on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedPod {
    /// Its namespace and name.
    pub key: Arc<str>,
    /// What selectors see of it.
    pub identity: Arc<PodIdentity>,
    /// Its terms of affinity and anti-affinity; none if it has none.
    pub terms: Option<Arc<PodAffinityTerms>>,
    /// Its priority.
    pub priority: i32,
    /// When it started; none if it hasn't.
    pub started: Option<Timestamp>,
    /// Whether it is being deleted to make room for a pod of higher priority.
    pub is_preempted: bool,
    /// What it counts for.
    pub accounted: Arc<AccountedResources>,
    /// The ports of the node that it takes.
    pub host_ports: Arc<[HostPort]>,
    /// Its claims and disks; none if it has no such volume.
    pub volumes: Option<Arc<PodVolumes>>,
}

impl PlacedPod {
    /// What is kept of a pod of that namespace and name.
    pub(super) fn new(pod: &PodInfo<'_>, key: Arc<str>) -> Self {
        let metadata = &pod.pod.metadata;
        let terms = &pod.affinity_terms;
        Self {
            key,
            identity: Arc::new(PodIdentity {
                namespace: pod.namespace().into(),
                labels: labels_of(metadata).clone(),
                is_terminating: metadata.deletion_timestamp.is_some(),
            }),
            terms: (!terms.is_empty()).then(|| Arc::new(terms.clone())),
            priority: pod.priority(),
            started: pod.pod.status.as_ref().and_then(|status| Some(status.start_time.as_ref()?.0)),
            is_preempted: is_preempted(pod),
            accounted: Arc::new(pod.accounted.clone()),
            host_ports: pod.host_ports.as_slice().into(),
            volumes: pod.volumes.clone(),
        }
    }

    /// Its name, without its namespace.
    pub fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }
}

pub(crate) fn pod_key(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// # Source
/// `pkg/scheduler/framework/preemption/util.go` (`PodTerminatingByPreemption`)
fn is_preempted(pod: &PodInfo<'_>) -> bool {
    let conditions = pod.pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let disrupted = conditions.into_iter().flatten().find(|condition| condition.type_ == "DisruptionTarget");
    pod.pod.metadata.deletion_timestamp.is_some()
        && disrupted.is_some_and(|condition| {
            condition.status == "True" && condition.reason.as_deref() == Some("PreemptionByScheduler")
        })
}
