//! Extended resources that devices serve: a claim is made up for them, by what a node doesn't have otherwise.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/dynamicresources/extendeddynamicresources.go`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::api::resource::v1::{
    DeviceClaim, DeviceRequest, ExactDeviceRequest, ResourceClaim, ResourceClaimSpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use plimsoll_resource_math::Quantity;
use plimsoll_resource_math::resource_name::is_extended;

use super::NAME;
use super::claims::requests_of;
use crate::framework::{Code, Status};
use crate::listers::{DEVICE_CLASS_RESOURCE_PREFIX, EXTENDED_RESOURCE_CLAIM, is_for_extended_resources};
use crate::pod_info::{PodInfo, fields};
use crate::snapshot::{NodeIndex, Snapshot};

/// How a claim is called that isn't created yet.
const NAME_IN_MEMORY: &str = "<extended-resources>";
/// The node has nothing of the resource.
pub(super) const REASON_NONE: &str = "cannot fit resource";
/// A claim is left over from an earlier attempt.
pub(super) const REASON_LEFT_OVER: &str = "cannot schedule extended resource claim";

/// The extended resources of a pod, at least one of which devices serve.
pub(super) struct ExtendedResources<'a> {
    pod: &'a Pod,
    snapshot: &'a Snapshot,
    /// The claim that an earlier attempt left over.
    pub(super) left_over: Option<&'a ResourceClaim>,
    /// Their names; of each more than nothing is wanted.
    names: BTreeSet<&'a str>,
}

impl<'a> ExtendedResources<'a> {
    /// Those of a pod; none if devices serve none of them.
    ///
    /// # Source
    /// `extendeddynamicresources.go` (`preFilterExtendedResources`)
    pub(super) fn read(pod: &'a PodInfo<'_>, snapshot: &'a Snapshot) -> Option<Self> {
        let listers = &snapshot.listers().devices;
        let scalars = pod.requests.scalars.iter().map(|(name, amount)| (name.as_str(), *amount));
        let names: BTreeSet<&str> = scalars
            .filter(|(name, amount)| {
                *amount > 0 && (is_extended(name) || name.starts_with(DEVICE_CLASS_RESOURCE_PREFIX))
            })
            .map(|(name, _)| name)
            .collect();
        if !names.iter().any(|name| listers.class_for_resource(name).is_some()) {
            return None;
        }
        let left_over = listers.claims_in(pod.namespace()).find(|claim| is_made_up_for(claim, pod.pod));
        Some(Self { pod: pod.pod, snapshot, left_over, names })
    }

    /// The claim for what a node has no other way to serve; none if it serves all itself.
    ///
    /// # Errors
    /// Why the pod can't run there.
    ///
    /// # Source
    /// `extendeddynamicresources.go` (`filterExtendedResources`)
    pub(super) fn claim_for(&self, node: NodeIndex) -> Result<Option<ResourceClaim>, Status> {
        let refuse = |reason| Err(Status::new(Code::UnschedulableAndUnresolvable, NAME, reason));
        if self.left_over.is_some_and(|claim| !requests_of(claim).is_empty()) {
            return refuse(REASON_LEFT_OVER);
        }
        let listers = &self.snapshot.listers().devices;
        let columns = self.snapshot.resources();
        let mut served = Vec::new();
        for name in &self.names {
            let allocatable = columns.id(name).map_or(0, |id| columns.allocatable(id)[node]);
            if allocatable != 0 {
                continue;
            }
            match listers.class_for_resource(name) {
                Some(class) => served.push((*name, class.metadata.name.as_deref().unwrap_or_default())),
                // DIFFERENCE: D-scheduler-33.
                None => return refuse(REASON_NONE),
            }
        }
        let requests = requests_for(self.pod, &served);
        Ok(Some(self.made_up(requests)).filter(|claim| !requests_of(claim).is_empty()))
    }

    fn made_up(&self, requests: Vec<DeviceRequest>) -> ResourceClaim {
        let pod_name = fields::name(self.pod);
        let owner = OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            name: pod_name.to_owned(),
            uid: self.pod.metadata.uid.clone().unwrap_or_default(),
            controller: Some(true),
            ..OwnerReference::default()
        };
        ResourceClaim {
            metadata: ObjectMeta {
                namespace: Some(fields::namespace(self.pod).to_owned()),
                name: Some(NAME_IN_MEMORY.to_owned()),
                generate_name: Some(format!("{pod_name}-extended-resources-")),
                owner_references: Some(vec![owner]),
                annotations: Some([(EXTENDED_RESOURCE_CLAIM.to_owned(), "true".to_owned())].into()),
                ..ObjectMeta::default()
            },
            spec: Some(ResourceClaimSpec {
                devices: Some(DeviceClaim { requests: Some(requests), ..DeviceClaim::default() }),
            }),
            status: None,
        }
    }
}

/// # Source
/// `extendeddynamicresources.go` (`findExtendedResourceClaim`)
fn is_made_up_for(claim: &ResourceClaim, pod: &Pod) -> bool {
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    is_for_extended_resources(claim)
        && claim.metadata.owner_references.iter().flatten().any(|owner| {
            owner.name == fields::name(pod) && owner.controller == Some(true) && owner.uid == uid
        })
}

/// One request a container and resource. Init containers that end use what those after them have.
///
/// # Source
/// `extendeddynamicresources.go` (`createRequestsAndMappings`)
fn requests_for(pod: &Pod, served: &[(&str, &str)]) -> Vec<DeviceRequest> {
    let spec = fields::spec(pod);
    let init_count = spec.init_containers.as_ref().map_or(0, Vec::len);
    let containers: Vec<&Container> = spec.init_containers.iter().flatten().chain(&spec.containers).collect();
    let ends =
        |index: usize| index < init_count && containers[index].restart_policy.as_deref() != Some("Always");
    let mut requests: Vec<DeviceRequest> = Vec::new();
    for (resource, class) in served {
        let request = |index: usize, there: i64| {
            let wanted = requested(containers[index], resource)?;
            (wanted > there)
                .then(|| device_request(index, containers[index], resource, class, wanted - there))
        };
        let lasting: Vec<Option<DeviceRequest>> =
            (0..containers.len()).map(|index| if ends(index) { None } else { request(index, 0) }).collect();
        let mut most: Option<DeviceRequest> = None;
        for index in (0..init_count).filter(|index| ends(*index)) {
            let there = lasting[index..].iter().flatten().map(count).fold(0, i64::saturating_add);
            if let Some(request) = request(index, there)
                && most.as_ref().is_none_or(|most| count(most) < count(&request))
            {
                most = Some(request);
            }
        }
        requests.extend(most);
        requests.extend(lasting.into_iter().flatten());
    }
    requests.sort_by(|first, second| first.name.cmp(&second.name));
    requests
}

fn count(request: &DeviceRequest) -> i64 {
    request.exactly.as_ref().and_then(|exactly| exactly.count).unwrap_or(0)
}

/// How much of a resource a container asks for; none if it asks for nothing, or for a part of a unit.
fn requested(container: &Container, resource: &str) -> Option<i64> {
    let requests = container.resources.as_ref()?.requests.as_ref()?;
    let amount = Quantity::parse(requests.get(resource)?.0.trim()).ok()?;
    amount.to_whole_units().filter(|units| *units != 0)
}

/// # Source
/// `extendeddynamicresources.go` (`createResourceRequestAndMappings`)
fn device_request(
    index: usize,
    container: &Container,
    resource: &str,
    class: &str,
    count: i64,
) -> DeviceRequest {
    // Requests are named by the place of the resource among those of the container, in order of name.
    let requests = container.resources.iter().flat_map(|resources| resources.requests.iter().flatten());
    let place = requests.take_while(|(name, _)| name.as_str() != resource).count();
    DeviceRequest {
        name: format!("container-{index}-request-{place}"),
        exactly: Some(ExactDeviceRequest {
            device_class_name: class.to_owned(),
            allocation_mode: Some("ExactCount".to_owned()),
            count: Some(count),
            ..ExactDeviceRequest::default()
        }),
        first_available: None,
    }
}
