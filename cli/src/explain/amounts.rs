//! Requests and limits: given, stored, and where what was not given comes from.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_resource_math::kubelet::{Kubelet, PodStanding};
use plimsoll_resource_math::{PodResources, ResourceList};
use serde::Serialize;

use super::Subject;
use super::kubelet::{self, Cgroup, ContainerKind};

/// One request or limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// `requests` or `limits`.
    pub field: &'static str,
    /// The resource.
    pub resource: String,
    /// What the author wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    /// What is stored.
    pub stored: String,
    /// Where a value that was not given comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContainerAmounts {
    /// Its name.
    pub name: String,
    /// When it runs.
    pub kind: ContainerKind,
    /// Its requests and limits.
    pub amounts: Vec<Amount>,
    /// What the container runtime sets.
    pub cgroup: Cgroup,
}

/// The containers of a pod, init containers first.
pub(super) fn containers(
    subject: &Subject<'_>,
    resources: &PodResources,
    standing: PodStanding,
    kubelet: &Kubelet,
) -> Vec<ContainerAmounts> {
    let Some(spec) = &subject.stored.spec else { return Vec::new() };
    let given = subject.given.spec.as_ref();
    let given_init = given.and_then(|spec| spec.init_containers.as_deref()).unwrap_or_default();
    let given_app = given.map(|spec| spec.containers.as_slice()).unwrap_or_default();
    let groups = [
        ("initContainers", spec.init_containers.as_deref().unwrap_or_default(), given_init),
        ("containers", spec.containers.as_slice(), given_app),
    ];
    let mut parsed = resources.all_containers();
    let mut explained = Vec::new();
    for (list, stored, given) in groups {
        for (index, container) in stored.iter().enumerate() {
            let Some(amounts_of_container) = parsed.next() else { break };
            let kind = match (list, amounts_of_container.sidecar) {
                ("initContainers", true) => ContainerKind::Sidecar,
                ("initContainers", false) => ContainerKind::Init,
                _ => ContainerKind::Container,
            };
            let path = format!("spec.{list}[{index}].resources");
            explained.push(ContainerAmounts {
                name: container.name.clone(),
                kind,
                amounts: of_container(
                    subject,
                    &path,
                    container,
                    given.iter().find(|g| g.name == container.name),
                ),
                cgroup: kubelet::container(resources, amounts_of_container, standing, kubelet),
            });
        }
    }
    explained
}

fn of_container(
    subject: &Subject<'_>,
    path: &str,
    stored: &Container,
    given: Option<&Container>,
) -> Vec<Amount> {
    let given = given.and_then(|container| container.resources.as_ref());
    let stored = stored.resources.as_ref();
    let mut amounts = Vec::new();
    for field in ["requests", "limits"] {
        for (resource, value) in list(stored, field).into_iter().flatten() {
            let given =
                list(given, field).and_then(|list| list.get(resource)).map(|quantity| quantity.0.clone());
            let from = match given {
                Some(_) => None,
                None => Some(source(subject, &format!("{path}.{field}[{resource}]"), field)),
            };
            amounts.push(Amount { field, resource: resource.clone(), given, stored: value.0.clone(), from });
        }
    }
    amounts
}

fn source(subject: &Subject<'_>, path: &str, field: &str) -> String {
    match subject.changes.iter().find(|change| change.path == path) {
        Some(change) => change.from.clone(),
        None if field == "requests" => "the limit".to_owned(),
        None => "admission".to_owned(),
    }
}

/// The amounts of the pod as a whole.
pub(super) fn pod_level(subject: &Subject<'_>) -> Vec<Amount> {
    let stored = subject.stored.spec.as_ref().and_then(|spec| spec.resources.as_ref());
    let given = subject.given.spec.as_ref().and_then(|spec| spec.resources.as_ref());
    let mut amounts = Vec::new();
    for field in ["requests", "limits"] {
        for (resource, value) in list(stored, field).into_iter().flatten() {
            let given =
                list(given, field).and_then(|list| list.get(resource)).map(|quantity| quantity.0.clone());
            let from = given.is_none().then(|| "the containers".to_owned());
            amounts.push(Amount { field, resource: resource.clone(), given, stored: value.0.clone(), from });
        }
    }
    amounts
}

fn list<'a>(
    resources: Option<&'a ResourceRequirements>,
    field: &str,
) -> Option<&'a BTreeMap<String, ApiQuantity>> {
    let resources = resources?;
    if field == "requests" { resources.requests.as_ref() } else { resources.limits.as_ref() }
}

/// What is counted of the pod as a whole.
pub(super) fn totals(requests: &ResourceList, limits: &ResourceList) -> Vec<Amount> {
    let mut totals = Vec::new();
    for (field, list) in [("requests", requests), ("limits", limits)] {
        for (resource, amount) in list {
            let (resource, stored) = (resource.clone(), amount.to_string());
            totals.push(Amount { field, resource, given: None, stored, from: None });
        }
    }
    totals
}
