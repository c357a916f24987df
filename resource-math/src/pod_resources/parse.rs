//! From the pod object to its amounts.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodSpec, PodStatus, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::field::Path;

use super::{ContainerResources, PodResources, PodStatusResources, Requirements};
use crate::resource_list::{ParseResourceListError, ResourceList};

/// An amount of a pod that is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {error}")]
pub struct ParsePodResourcesError {
    /// The field that holds the list, such as `spec.containers[0].resources.limits`.
    pub field: String,
    /// What is wrong in that list.
    pub error: ParseResourceListError,
}

type ApiList = BTreeMap<String, ApiQuantity>;

impl PodResources {
    /// Reads all amounts of a pod, spec and status.
    ///
    /// # Errors
    /// The first amount that is no quantity.
    pub fn parse(pod: &Pod) -> Result<Self, ParsePodResourcesError> {
        match &pod.spec {
            Some(spec) => parse_pod(spec, pod.status.as_ref()),
            None => Ok(Self::default()),
        }
    }

    /// Reads the amounts of a pod that has no status yet, such as one made from a template.
    ///
    /// # Errors
    /// The first amount that is no quantity.
    pub fn parse_spec(spec: &PodSpec) -> Result<Self, ParsePodResourcesError> {
        parse_pod(spec, None)
    }
}

fn parse_pod(spec: &PodSpec, status: Option<&PodStatus>) -> Result<PodResources, ParsePodResourcesError> {
    let root = Path::root("spec");
    let statuses = Statuses(status);
    let parse_all = |field: &str, containers: &[Container]| {
        let list = root.child(field);
        let parse = |(index, container)| parse_container(&list.index(index), container, &statuses);
        containers.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()
    };
    Ok(PodResources {
        containers: parse_all("containers", &spec.containers)?,
        init_containers: parse_all("initContainers", spec.init_containers.as_deref().unwrap_or_default())?,
        overhead: parse_list(&root.child("overhead"), spec.overhead.as_ref())?,
        pod_level: match &spec.resources {
            Some(resources) => Some(parse_requirements(&root.child("resources"), Some(resources))?),
            None => None,
        },
        status: parse_status(status)?,
    })
}

fn parse_container(
    path: &Path<'_>,
    container: &Container,
    statuses: &Statuses<'_>,
) -> Result<ContainerResources, ParsePodResourcesError> {
    let mut parsed = ContainerResources {
        name: container.name.clone(),
        sidecar: container.restart_policy.as_deref() == Some("Always"),
        spec: parse_requirements(&path.child("resources"), container.resources.as_ref())?,
        ..ContainerResources::default()
    };
    if let Some((field, index, status)) = statuses.find(&container.name) {
        let root = Path::root("status");
        let list = root.child(field);
        let path = list.index(index);
        parsed.allocated =
            parse_present(&path.child("allocatedResources"), status.allocated_resources.as_ref())?;
        (parsed.actual_requests, parsed.actual_limits) =
            parse_actual(&path.child("resources"), status.resources.as_ref())?;
    }
    Ok(parsed)
}

/// The statuses of a pod's containers of both kinds.
struct Statuses<'a>(Option<&'a PodStatus>);

impl<'a> Statuses<'a> {
    /// The status of a container, with the field and index where it stands. Upstream looks for it among those of
    /// containers first, then among those of init containers, whichever kind the container is.
    fn find(&self, name: &str) -> Option<(&'static str, usize, &'a ContainerStatus)> {
        let status = self.0?;
        let lists = [
            ("containerStatuses", &status.container_statuses),
            ("initContainerStatuses", &status.init_container_statuses),
        ];
        lists.into_iter().find_map(|(field, list)| {
            let mut statuses = list.as_deref().unwrap_or_default().iter().enumerate();
            statuses.find(|(_, status)| status.name == name).map(|(index, status)| (field, index, status))
        })
    }
}

fn parse_status(status: Option<&PodStatus>) -> Result<PodStatusResources, ParsePodResourcesError> {
    let Some(status) = status else {
        return Ok(PodStatusResources::default());
    };
    let root = Path::root("status");
    let (actual_requests, actual_limits) = parse_actual(&root.child("resources"), status.resources.as_ref())?;
    Ok(PodStatusResources {
        allocated: parse_present(&root.child("allocatedResources"), status.allocated_resources.as_ref())?,
        actual: status.resources.is_some(),
        actual_requests,
        actual_limits,
        resize_infeasible: is_resize_infeasible(status),
    })
}

/// # Source
/// component-helpers `resource` (`IsPodResizeInfeasible`)
fn is_resize_infeasible(status: &PodStatus) -> bool {
    let mut conditions = status.conditions.as_deref().unwrap_or_default().iter();
    let pending = conditions.find(|condition| condition.type_ == "PodResizePending");
    pending.is_some_and(|condition| condition.reason.as_deref() == Some("Infeasible"))
}

type Actual = (Option<ResourceList>, Option<ResourceList>);

fn parse_actual(
    path: &Path<'_>,
    resources: Option<&ResourceRequirements>,
) -> Result<Actual, ParsePodResourcesError> {
    let Some(resources) = resources else {
        return Ok((None, None));
    };
    let requests = parse_present(&path.child("requests"), resources.requests.as_ref())?;
    let limits = parse_present(&path.child("limits"), resources.limits.as_ref())?;
    Ok((requests, limits))
}

fn parse_requirements(
    path: &Path<'_>,
    resources: Option<&ResourceRequirements>,
) -> Result<Requirements, ParsePodResourcesError> {
    let Some(resources) = resources else {
        return Ok(Requirements::default());
    };
    Ok(Requirements {
        requests: parse_list(&path.child("requests"), resources.requests.as_ref())?,
        limits: parse_list(&path.child("limits"), resources.limits.as_ref())?,
    })
}

fn parse_present(
    path: &Path<'_>,
    list: Option<&ApiList>,
) -> Result<Option<ResourceList>, ParsePodResourcesError> {
    list.map(|list| parse_list(path, Some(list))).transpose()
}

fn parse_list(path: &Path<'_>, list: Option<&ApiList>) -> Result<ResourceList, ParsePodResourcesError> {
    ResourceList::parse(list).map_err(|error| ParsePodResourcesError { field: path.to_string(), error })
}
