//! What of a pod decides how nodes are judged that nothing else decides about.

use plimsoll_matching::node_affinity::{PreferredSchedulingTerms, RequiredNodeAffinity};

use crate::host_port::HostPort;
use crate::pod_info::{AccountedResources, PodInfo, ResourceAmounts};

/// All of a pod that node-local filters and scores may look at, and the profile that is for it: pods of equal class are judged
/// alike by them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodClass {
    /// The name of the profile.
    pub scheduler_name: String,
    /// What the pod asks a node for.
    pub requests: ResourceAmounts,
    /// What it would count for on its node.
    pub accounted: AccountedResources,
    /// What NodeResourcesFit compares nodes by.
    pub fit_score_requests: ResourceAmounts,
    /// What it tolerates: key, operator, value, effect.
    pub tolerations: Vec<[Option<String>; 4]>,
    /// What it requires of its node.
    pub required_node_affinity: RequiredNodeAffinity,
    /// What it prefers of its node.
    pub preferred_node_affinity: Option<Result<PreferredSchedulingTerms, String>>,
    /// The ports of the node that it takes.
    pub host_ports: Vec<HostPort>,
    /// The node it asks for by name.
    pub node_name: String,
    /// Its images: of init containers, containers and volumes.
    pub images: Vec<String>,
}

impl PodClass {
    /// The class of a pod under a profile.
    pub fn new(pod: &PodInfo<'_>, scheduler_name: &str) -> Self {
        let toleration = |toleration: &k8s_openapi::api::core::v1::Toleration| {
            [
                toleration.key.clone(),
                toleration.operator.clone(),
                toleration.value.clone(),
                toleration.effect.clone(),
            ]
        };
        Self {
            scheduler_name: scheduler_name.to_owned(),
            requests: pod.requests.clone(),
            accounted: pod.accounted.clone(),
            fit_score_requests: pod.fit_score_requests.clone(),
            tolerations: pod.tolerations().iter().map(toleration).collect(),
            required_node_affinity: pod.required_node_affinity.clone(),
            preferred_node_affinity: pod.preferred_node_affinity.clone(),
            host_ports: pod.host_ports.clone(),
            node_name: pod.node_name().to_owned(),
            images: pod.images().map(str::to_owned).collect(),
        }
    }
}
