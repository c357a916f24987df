//! One pod's amounts: what was given, what is stored and where it comes from, what the kubelet makes of it, and what the
//! LimitRanges and quotas of its namespace leave room for.

mod amounts;
mod edits;
mod kubelet;
mod limit_ranges;
mod qos;
mod quotas;
mod text;

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_quota::Quota;
use plimsoll_quota::surroundings::Surroundings;
use plimsoll_resource_math::PodResources;
use plimsoll_resource_math::kubelet::{Kubelet, PodStanding};
use plimsoll_resource_math::pod_resources::{ParsePodResourcesError, PodResourcesOptions};
use plimsoll_webhook::limit_range::LimitRanges;
use serde::Serialize;

pub use amounts::{Amount, ContainerAmounts};
pub use edits::{Edit, Via};
pub use kubelet::{Cgroup, ContainerKind};
pub use limit_ranges::LimitRangeBound;
pub use quotas::QuotaRoom;

use crate::report::{Change, Outcome};

/// What there is to look at.
pub struct Subject<'a> {
    /// The pod as its author, or the template that it comes from, has it.
    pub given: &'a Pod,
    /// The pod after defaulting and admission.
    pub stored: &'a Pod,
    /// What was filled in.
    pub changes: &'a [Change],
    /// What became of it.
    pub fate: Fate,
    /// The LimitRanges of its namespace.
    pub limit_ranges: &'a LimitRanges,
    /// The quotas of its namespace, as they stand at the end.
    pub quotas: &'a [Quota],
    /// The node that it is on, or one that it might be on.
    pub node: Option<&'a Node>,
    /// What a usage depends on beside the pod.
    pub surroundings: &'a Surroundings<'a>,
}

/// What became of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fate {
    /// Whether it is stored, and whether it has a node.
    pub outcome: Outcome,
    /// Why it was refused, or waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What there is to say of a pod's amounts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub name: String,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
    /// Its quality of service class.
    pub qos_class: &'static str,
    /// The rule that decides the class.
    pub qos_reason: String,
    /// Init containers, then containers.
    pub containers: Vec<ContainerAmounts>,
    /// The amounts of the pod as a whole, where it has some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pod_level: Vec<Amount>,
    /// What the scheduler and the quotas count.
    pub totals: Vec<Amount>,
    /// The pod's own cgroup.
    pub cgroup: Cgroup,
    /// The node whose memory the order of killing is computed for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What the LimitRanges of the namespace ask of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limit_ranges: Vec<LimitRangeBound>,
    /// The quotas that count it, and what they leave.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<QuotaRoom>,
    /// What may be changed while it runs, and what the API server says to the rest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
}

/// Explains a pod.
///
/// # Errors
/// An amount in the pod that is no quantity; a stored pod has none.
pub fn explain(subject: &Subject<'_>) -> Result<Explanation, ParsePodResourcesError> {
    let resources = PodResources::parse(subject.stored)?;
    let standing = PodStanding::of(subject.stored, &resources);
    let kubelet = kubelet_of(subject.node);
    let metadata = &subject.stored.metadata;
    let options = PodResourcesOptions::default();
    Ok(Explanation {
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: metadata.name.clone().unwrap_or_default(),
        fate: subject.fate.clone(),
        qos_class: standing.qos_class.as_str(),
        qos_reason: qos::reason(&resources, standing.qos_class),
        containers: amounts::containers(subject, &resources, standing, &kubelet),
        pod_level: amounts::pod_level(subject),
        totals: amounts::totals(&resources.requests(&options), &resources.limits(&options)),
        cgroup: kubelet::pod(&resources, standing, &kubelet),
        node: subject.node.and_then(|node| node.metadata.name.clone()),
        limit_ranges: limit_ranges::bounds(subject.limit_ranges, &resources),
        quotas: quotas::room(subject, &resources),
        edits: if is_refused(subject) { Vec::new() } else { edits::edits(subject.stored) },
    })
}

/// What was refused can't be edited.
fn is_refused(subject: &Subject<'_>) -> bool {
    matches!(subject.fate.outcome, Outcome::Denied | Outcome::Invalid)
}

fn kubelet_of(node: Option<&Node>) -> Kubelet {
    let status = node.and_then(|node| node.status.as_ref());
    let memory = |list: Option<&std::collections::BTreeMap<String, _>>| {
        let quantity: &k8s_openapi::apimachinery::pkg::api::resource::Quantity = list?.get("memory")?;
        plimsoll_resource_math::Quantity::parse(&quantity.0).ok().map(|quantity| quantity.value())
    };
    Kubelet {
        memory_capacity: memory(status.and_then(|status| status.capacity.as_ref())),
        memory_allocatable: memory(status.and_then(|status| status.allocatable.as_ref())),
        ..Kubelet::default()
    }
}

impl Explanation {
    /// The explanation as text for people, as wide as the terminal.
    pub fn render(&self, width: Option<u16>) -> String {
        text::render(self, width)
    }
}

#[cfg(test)]
mod tests;
