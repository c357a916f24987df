//! The quality-of-service class of a pod, from its requests and limits.
//!
//! # Source
//! kubernetes `pkg/apis/core/v1/helper/qos`

use std::fmt;

use k8s_openapi::api::core::v1::Pod;

use crate::pod_resources::{PodResources, Requirements};
use crate::resource_name::{CPU, MEMORY};

/// How much a pod may rely on what it asks for when its node runs short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QosClass {
    /// Every container limits cpu and memory and asks for as much.
    Guaranteed,
    /// Something is asked for or limited.
    Burstable,
    /// Nothing is asked for nor limited.
    BestEffort,
}

impl QosClass {
    /// The name that `status.qosClass` holds.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guaranteed => "Guaranteed",
            Self::Burstable => "Burstable",
            Self::BestEffort => "BestEffort",
        }
    }

    /// The class of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Guaranteed, Self::Burstable, Self::BestEffort].into_iter().find(|class| class.as_str() == name)
    }
}

impl fmt::Display for QosClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The class that a pod's status names; without one, the class that follows from its amounts.
///
/// # Source
/// kubernetes `pkg/apis/core/v1/helper/qos` (`GetPodQOS`)
pub fn stored_class<'a>(pod: &'a Pod, resources: &PodResources) -> &'a str {
    let stored = pod.status.as_ref().and_then(|status| status.qos_class.as_deref());
    stored.filter(|class| !class.is_empty()).unwrap_or_else(|| resources.qos_class().as_str())
}

impl PodResources {
    /// The class that follows from the amounts of the pod as a whole where it has any, else from those of its
    /// containers and init containers.
    ///
    /// # Source
    /// kubernetes `pkg/apis/core/v1/helper/qos` (`ComputePodQOS`)
    pub fn qos_class(&self) -> QosClass {
        if let Some(level) = &self.pod_level
            && self.is_pod_level_set()
        {
            return requirements_class(level);
        }
        let classes = self.all_containers().map(|container| requirements_class(&container.spec));
        classes.reduce(combine).unwrap_or(QosClass::BestEffort)
    }
}

/// What differs is Burstable.
fn combine(one: QosClass, other: QosClass) -> QosClass {
    if one == other { one } else { QosClass::Burstable }
}

fn requirements_class(requirements: &Requirements) -> QosClass {
    if requirements.is_empty() {
        return QosClass::BestEffort;
    }
    combine(resource_class(requirements, CPU), resource_class(requirements, MEMORY))
}

/// A zero amount counts as none.
fn resource_class(requirements: &Requirements, name: &str) -> QosClass {
    let (request, limit) = (requirements.requests.amount(name), requirements.limits.amount(name));
    match (request == limit, request.is_zero()) {
        (false, _) => QosClass::Burstable,
        (true, true) => QosClass::BestEffort,
        (true, false) => QosClass::Guaranteed,
    }
}

#[cfg(test)]
mod tests;
