//! Extended resources that devices serve: a claim is made up for them, by what a node doesn't have otherwise.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/dynamicresources/extendeddynamicresources.go`

mod requests;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ContainerExtendedResourceRequest, Pod};
use k8s_openapi::api::resource::v1::{DeviceClaim, DeviceRequest, ResourceClaim, ResourceClaimSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use plimsoll_resource_math::resource_name::is_extended;

use self::requests::requests_for;
use super::NAME;
use super::claims::requests_of;
use crate::framework::{Code, Status};
use crate::listers::{
    DEVICE_CLASS_RESOURCE_PREFIX, DeviceListers, EXTENDED_RESOURCE_CLAIM, is_for_extended_resources,
};
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

/// A claim that is made up for what a node has no other way to serve.
pub(super) struct MadeUp {
    pub(super) claim: ResourceClaim,
    /// Which request serves which resource of which container.
    pub(super) mappings: Vec<ContainerExtendedResourceRequest>,
}

impl<'a> ExtendedResources<'a> {
    /// Those of a pod; none if devices serve none of them.
    ///
    /// # Source
    /// `extendeddynamicresources.go` (`preFilterExtendedResources`)
    pub(super) fn read(pod: &'a PodInfo<'_>, snapshot: &'a Snapshot) -> Option<Self> {
        let listers = &snapshot.listers().devices;
        if !Self::are_served(pod, listers) {
            return None;
        }
        let names = names_of(pod).collect();
        let left_over = listers.claims_in(pod.namespace()).find(|claim| is_made_up_for(claim, pod.pod));
        Some(Self { pod: pod.pod, snapshot, left_over, names })
    }

    /// Whether devices serve any extended resource of a pod.
    ///
    /// # Source
    /// `extendeddynamicresources.go` (`hasDeviceClassMappedExtendedResource`)
    pub(super) fn are_served(pod: &PodInfo<'_>, listers: &DeviceListers) -> bool {
        names_of(pod).any(|name| listers.class_for_resource(name).is_some())
    }

    /// The claim for what a node has no other way to serve; none if it serves all itself.
    ///
    /// # Errors
    /// Why the pod can't run there.
    ///
    /// # Source
    /// `extendeddynamicresources.go` (`filterExtendedResources`)
    pub(super) fn claim_for(&self, node: NodeIndex) -> Result<Option<MadeUp>, Status> {
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
        let (requests, mappings) = requests_for(self.pod, &served);
        // DIFFERENCE: D-scheduler-39.
        Ok((!requests.is_empty()).then(|| MadeUp { claim: self.made_up(requests), mappings }))
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
pub(super) fn is_made_up_for(claim: &ResourceClaim, pod: &Pod) -> bool {
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    is_for_extended_resources(claim)
        && claim.metadata.owner_references.iter().flatten().any(|owner| {
            owner.name == fields::name(pod) && owner.controller == Some(true) && owner.uid == uid
        })
}

/// The extended resources of which a pod asks for more than nothing.
fn names_of<'a>(pod: &'a PodInfo<'_>) -> impl Iterator<Item = &'a str> {
    let scalars = pod.requests.scalars.iter().map(|(name, amount)| (name.as_str(), *amount));
    let is_wanted = |(name, amount): &(&str, i64)| {
        *amount > 0 && (is_extended(name) || name.starts_with(DEVICE_CLASS_RESOURCE_PREFIX))
    };
    scalars.filter(is_wanted).map(|(name, _)| name)
}
