//! What the API server fills into the amounts of a pod: requests from limits, amounts of the pod as a whole from those of
//! its containers, whole thousandths.
//!
//! Amounts are written back as the API server stores them, so that `1.5` becomes `1500m`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodSpec, PodStatus, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::field::Path;

use crate::pod_resources::{ParsePodResourcesError, PodResources, PodResourcesOptions, Requirements};
use crate::quantity::{ParseQuantityError, Quantity};
use crate::resource_list::{ParseResourceListError, ResourceList};
use crate::resource_name::{CPU, MEMORY, is_hugepages, is_supported_pod_level};

type ApiList = BTreeMap<String, ApiQuantity>;

/// Fills in what a pod's amounts leave open when the API server reads it, and rounds all of them to whole thousandths.
///
/// # Errors
/// The first amount that is no quantity; the pod may then be changed in part.
///
/// # Source
/// kubernetes `pkg/apis/core/v1` (`SetDefaults_Pod`, `SetDefaults_ResourceList`)
pub fn default_pod(pod: &mut Pod) -> Result<(), ParsePodResourcesError> {
    if let Some(spec) = &mut pod.spec {
        default_requests_to_limits(spec);
        round_pod_spec(&Path::root("spec"), spec)?;
    }
    match &mut pod.status {
        Some(status) => round_pod_status(status),
        None => Ok(()),
    }
}

/// Gives every container and init container a request for each resource that it limits and does not ask for. This is
/// for pods; the templates of workloads stay as they are.
///
/// # Source
/// kubernetes `pkg/apis/core/v1` (`SetDefaults_Pod`)
pub fn default_requests_to_limits(spec: &mut PodSpec) {
    let init_containers = spec.init_containers.iter_mut().flatten();
    for resources in spec.containers.iter_mut().chain(init_containers).filter_map(|c| c.resources.as_mut()) {
        let Some(limits) = resources.limits.as_ref().filter(|limits| !limits.is_empty()) else {
            continue;
        };
        let requests = resources.requests.get_or_insert_default();
        for (name, limit) in limits {
            requests.entry(name.clone()).or_insert_with(|| limit.clone());
        }
    }
}

/// Rounds all amounts of a pod's spec, or of the spec in a workload's template, to whole thousandths.
///
/// # Errors
/// The first amount that is no quantity; the spec may then be changed in part.
///
/// # Source
/// kubernetes `pkg/apis/core/v1` (`SetObjectDefaults_Pod`)
pub fn round_pod_spec(path: &Path<'_>, spec: &mut PodSpec) -> Result<(), ParsePodResourcesError> {
    round_list(&path.child("overhead"), spec.overhead.as_mut())?;
    round_requirements(&path.child("resources"), spec.resources.as_mut())?;
    let containers = path.child("containers");
    for (index, container) in spec.containers.iter_mut().enumerate() {
        round_requirements(&containers.index(index).child("resources"), container.resources.as_mut())?;
    }
    let containers = path.child("initContainers");
    for (index, container) in spec.init_containers.iter_mut().flatten().enumerate() {
        round_requirements(&containers.index(index).child("resources"), container.resources.as_mut())?;
    }
    let containers = path.child("ephemeralContainers");
    for (index, container) in spec.ephemeral_containers.iter_mut().flatten().enumerate() {
        round_requirements(&containers.index(index).child("resources"), container.resources.as_mut())?;
    }
    Ok(())
}

fn round_pod_status(status: &mut PodStatus) -> Result<(), ParsePodResourcesError> {
    let path = Path::root("status");
    round_list(&path.child("allocatedResources"), status.allocated_resources.as_mut())?;
    round_requirements(&path.child("resources"), status.resources.as_mut())?;
    let lists = [
        ("containerStatuses", &mut status.container_statuses),
        ("initContainerStatuses", &mut status.init_container_statuses),
        ("ephemeralContainerStatuses", &mut status.ephemeral_container_statuses),
    ];
    for (field, list) in lists {
        let path = path.child(field);
        for (index, container) in list.iter_mut().flatten().enumerate() {
            let path = path.index(index);
            round_list(&path.child("allocatedResources"), container.allocated_resources.as_mut())?;
            round_requirements(&path.child("resources"), container.resources.as_mut())?;
        }
    }
    Ok(())
}

fn round_requirements(
    path: &Path<'_>,
    resources: Option<&mut ResourceRequirements>,
) -> Result<(), ParsePodResourcesError> {
    let Some(resources) = resources else {
        return Ok(());
    };
    round_list(&path.child("limits"), resources.limits.as_mut())?;
    round_list(&path.child("requests"), resources.requests.as_mut())
}

fn round_list(path: &Path<'_>, list: Option<&mut ApiList>) -> Result<(), ParsePodResourcesError> {
    match list {
        Some(list) => round_resource_list(list)
            .map_err(|error| ParsePodResourcesError { field: path.to_string(), error }),
        None => Ok(()),
    }
}

/// Rounds the amounts of one list of an API object away from zero to whole thousandths.
///
/// # Errors
/// The first amount, in order of name, that is no quantity.
///
/// # Source
/// kubernetes `pkg/apis/core/v1` (`SetDefaults_ResourceList`)
pub fn round_resource_list(list: &mut ApiList) -> Result<(), ParseResourceListError> {
    for (name, quantity) in list {
        let mut amount = parse(quantity).map_err(|error| ParseResourceListError {
            name: name.clone(),
            value: quantity.0.clone(),
            error,
        })?;
        amount.round_up_to_milli();
        write(quantity, &amount);
    }
    Ok(())
}

/// Writes a quantity as the API server stores it, which for most is how it stands there.
///
/// # Errors
/// The text is no quantity.
pub fn normalize_quantity(quantity: &mut ApiQuantity) -> Result<(), ParseQuantityError> {
    let amount = parse(quantity)?;
    write(quantity, &amount);
    Ok(())
}

fn parse(quantity: &ApiQuantity) -> Result<Quantity, ParseQuantityError> {
    Quantity::parse(quantity.0.trim())
}

fn write(quantity: &mut ApiQuantity, amount: &Quantity) {
    let text = amount.to_string();
    if quantity.0 != text {
        quantity.0 = text;
    }
}

/// Fills in the amounts of the pod as a whole, if it has any, when a pod is created or resized: limits of huge pages
/// from the containers; requests from the containers, else from the limits; limits where every container has one.
///
/// # Errors
/// The first amount that is no quantity; the spec is then as it was.
///
/// # Source
/// kubernetes `pkg/api/pod` (`DefaultPodLevelResources`)
pub fn default_pod_level_resources(spec: &mut PodSpec) -> Result<(), ParsePodResourcesError> {
    if spec.resources.is_none() {
        return Ok(());
    }
    let pod = PodResources::parse_spec(spec)?;
    let Some(mut level) = pod.pod_level.clone().filter(|level| !level.is_empty()) else {
        return Ok(());
    };
    let options = PodResourcesOptions::default();
    let (requests, limits) = (pod.container_requests(&options), pod.container_limits(&options));
    default_hugepages_limits(&mut level, &limits);
    default_requests(&mut level, &requests);
    default_limits(&mut level, &limits, |name| every_container_limits(spec, name));
    if let Some(resources) = &mut spec.resources {
        write_list(&mut resources.requests, &level.requests);
        write_list(&mut resources.limits, &level.limits);
    }
    Ok(())
}

fn default_hugepages_limits(level: &mut Requirements, container_limits: &ResourceList) {
    for (name, limit) in container_limits.iter().filter(|(name, _)| is_hugepages(name)) {
        if !level.requests.contains_key(name) && !level.limits.contains_key(name) {
            level.limits.insert(name.clone(), limit.clone());
        }
    }
}

fn default_requests(level: &mut Requirements, container_requests: &ResourceList) {
    // Huge pages can't be overcommitted, so the request of a pod comes from its limit.
    let from_containers = container_requests.iter().filter(|(name, _)| matches!(name.as_str(), CPU | MEMORY));
    let from_limits = level.limits.iter().filter(|(name, _)| is_supported_pod_level(name));
    for (name, amount) in from_containers.chain(from_limits) {
        if !level.requests.contains_key(name) {
            level.requests.insert(name.clone(), amount.clone());
        }
    }
}

fn default_limits(
    level: &mut Requirements,
    container_limits: &ResourceList,
    every_container_limits: impl Fn(&str) -> bool,
) {
    for (name, request) in &level.requests {
        if !is_supported_pod_level(name) || level.limits.contains_key(name) || !every_container_limits(name) {
            continue;
        }
        if let Some(limit) = container_limits.get(name) {
            // No less than what the pod asks for, or validation would refuse it.
            level.limits.insert(name.clone(), request.max(limit).clone());
        }
    }
}

fn every_container_limits(spec: &PodSpec, name: &str) -> bool {
    let init_containers = spec.init_containers.iter().flatten().map(|container| &container.resources);
    let containers = spec.containers.iter().map(|container| &container.resources);
    let ephemeral = spec.ephemeral_containers.iter().flatten().map(|container| &container.resources);
    init_containers.chain(containers).chain(ephemeral).all(|resources| {
        let limits = resources.as_ref().and_then(|resources| resources.limits.as_ref());
        limits.is_some_and(|limits| limits.contains_key(name))
    })
}

fn write_list(target: &mut Option<ApiList>, list: &ResourceList) {
    if !list.is_empty() {
        *target = Some(list.to_api());
    }
}

#[cfg(test)]
mod tests;
