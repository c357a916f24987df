//! What a usage depends on beside the object itself.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::ResourceClaim;
use k8s_openapi::jiff::Timestamp;

use crate::device_classes::DeviceClasses;

/// What a usage depends on beside the object itself.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The present time: a pod stops being counted once its deletion is overdue.
    pub now: Timestamp,
    /// The device classes of the cluster.
    pub device_classes: &'a DeviceClasses,
    /// The stored objects, for claims that were made on behalf of a pod.
    pub neighbours: &'a dyn Neighbours,
}

/// Stored objects that the usage of a claim depends on.
pub trait Neighbours {
    /// The pod of a name.
    fn pod(&self, namespace: &str, name: &str) -> Option<&Pod>;

    /// The stored claims of a namespace whose controller is the pod with this uid and that carry the annotation
    /// [`EXTENDED_RESOURCE_CLAIM`](crate::evaluators::resource_claims::EXTENDED_RESOURCE_CLAIM).
    fn extended_resource_claims(&self, namespace: &str, pod_uid: &str) -> Vec<&ResourceClaim>;
}

/// No stored objects: every claim is counted in full.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNeighbours;

impl Neighbours for NoNeighbours {
    fn pod(&self, _namespace: &str, _name: &str) -> Option<&Pod> {
        None
    }

    fn extended_resource_claims(&self, _namespace: &str, _pod_uid: &str) -> Vec<&ResourceClaim> {
        Vec::new()
    }
}
