//! Which events may make room for a pod.

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::resource::v1::DeviceClass;
use plimsoll_resource_math::pod_resources::{PodResources, PodResourcesOptions, StatusResources};
use plimsoll_resource_math::resource_list::ResourceList;
use plimsoll_resource_math::resource_name::{CPU, EPHEMERAL_STORAGE, MEMORY, PODS};

use crate::framework::{ActionType, EventRegistration, EventResource, HintRequest, HintResult, QueueingHint};
use crate::pod_info::{ResourceAmounts, fields};

/// What a resource is called that stands for a device of a class.
const DEVICE_CLASS_PREFIX: &str = "deviceclass.resource.kubernetes.io/";

pub(super) fn events() -> Vec<EventRegistration> {
    use EventResource as R;
    let node = ActionType::ADD | ActionType::UPDATE_NODE_ALLOCATABLE;
    let class = ActionType::ADD | ActionType::UPDATE;
    vec![
        EventRegistration::with(R::AssignedPod, ActionType::DELETE, after_deletion),
        EventRegistration::with(R::Node, node, after_node_change),
        EventRegistration::with(R::DeviceClass, class, after_device_class_change),
        EventRegistration::with(R::AssignedPod, ActionType::UPDATE_POD_SCALE_DOWN, after_scale_down),
        EventRegistration::always(R::TargetPod, ActionType::UPDATE_POD_SCALE_DOWN),
    ]
}

/// A pod is gone that had a node.
///
/// # Source
/// `fit.go` (`isSchedulableAfterAssignedPodDelete`)
fn after_deletion(request: &HintRequest<'_>) -> HintResult {
    let (old, _) = request.pods()?;
    Ok(QueueingHint::queue_if(old.is_some_and(fields::has_node_or_nomination)))
}

/// The pod fits on the node while that is empty, and the node is new or has more of something that the pod asks for.
///
/// # Source
/// `fit.go` (`isSchedulableAfterNodeChange`)
fn after_node_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.nodes()?;
    let Some(new) = new else { return Ok(QueueingHint::Skip) };
    let wanted = ResourceAmounts::of(&requests(request.pod, StatusResources::Ignored)?).non_negative();
    let wanted = named(&wanted);
    let has = allocatable(new)?;
    // Unlike the filter this knows of no resources to ignore; upstream's doesn't either.
    let may_be_devices =
        |name: &str| has.amount(name) <= 0 && request.listers.devices.class_for_resource(name).is_some();
    let fits = has.pods >= 1
        && wanted.iter().all(|(name, amount)| *amount <= has.amount(name) || may_be_devices(name));
    let Some(old) = old.filter(|_| fits) else { return Ok(QueueingHint::queue_if(fits)) };
    let had = allocatable(old)?;
    let has_more = |name: &str| has.amount(name) > had.amount(name) || may_be_devices(name);
    Ok(QueueingHint::queue_if(has.pods > had.pods || wanted.iter().any(|(name, _)| has_more(name))))
}

/// A class of devices stands for a resource that the pod asks for, and didn't before.
///
/// # Source
/// `fit.go` (`isSchedulableAfterDeviceClassEvent`)
fn after_device_class_change(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.device_classes()?;
    let Some(new) = new else { return Ok(QueueingHint::Skip) };
    let requests = requests(request.pod, StatusResources::Ignored)?;
    let resource =
        |class: &'_ DeviceClass| class.spec.as_ref().and_then(|spec| spec.extended_resource_name.clone());
    let is_wanted = |name: &String| requests.contains_key(name);
    let stands_for = resource(new);
    // Its own name stands for it from the start.
    let implied = format!("{DEVICE_CLASS_PREFIX}{}", new.metadata.name.as_deref().unwrap_or_default());
    let is_wanted = match old {
        Some(old) if resource(old).unwrap_or_default() == stands_for.clone().unwrap_or_default() => false,
        Some(_) => stands_for.is_some_and(|name| is_wanted(&name)),
        None => is_wanted(&implied) || stands_for.is_some_and(|name| is_wanted(&name)),
    };
    Ok(QueueingHint::queue_if(is_wanted))
}

/// A pod that has a node asks for less of something that this one asks for.
///
/// # Source
/// `fit.go` (`isSchedulableAfterAssignedPodScaleDown`)
fn after_scale_down(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.pods()?;
    let (Some(old), Some(new)) = (old, new) else { return Ok(QueueingHint::Skip) };
    if fields::node_name(new).is_empty() {
        return Ok(QueueingHint::Skip);
    }
    let amounts = |pod| -> Result<ResourceAmounts, String> {
        Ok(ResourceAmounts::of(&requests(pod, StatusResources::ContainersAndPod)?).non_negative())
    };
    let (before, after) = (amounts(old)?, amounts(new)?);
    let wanted = requests(request.pod, StatusResources::ContainersAndPod)?;
    let mut wanted = wanted.iter().filter(|(name, amount)| *name != PODS && !amount.is_zero());
    let is_freed = wanted.any(|(name, _)| before.amount(name) > after.amount(name));
    Ok(QueueingHint::queue_if(is_freed))
}

fn requests(pod: &Pod, status: StatusResources) -> Result<ResourceList, String> {
    let resources = PodResources::parse(pod).map_err(|error| error.to_string())?;
    Ok(resources.requests(&PodResourcesOptions { status, ..PodResourcesOptions::default() }))
}

fn allocatable(node: &Node) -> Result<ResourceAmounts, String> {
    let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
    let allocatable = ResourceList::parse(allocatable).map_err(|error| error.to_string())?;
    Ok(ResourceAmounts::of(&allocatable))
}

/// The amounts above 0, by name.
fn named(amounts: &ResourceAmounts) -> Vec<(&str, i64)> {
    let fixed = [
        (CPU, amounts.cpu_millis),
        (MEMORY, amounts.memory_bytes),
        (EPHEMERAL_STORAGE, amounts.ephemeral_storage_bytes),
    ];
    let scalars = amounts.scalars.iter().map(|(name, amount)| (name.as_str(), *amount));
    fixed.into_iter().chain(scalars).filter(|(_, amount)| *amount > 0).collect()
}
