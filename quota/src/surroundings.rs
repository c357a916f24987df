//! What a usage depends on beside the object itself.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::ResourceClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use crate::device_classes::DeviceClasses;
use crate::payer;

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

    /// The stored claims of a namespace that [were made for](crate::payer::is_for) the pod with this uid.
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

/// Stored objects at hand.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Pods of any namespace.
    pub pods: Vec<Pod>,
    /// Claims of any namespace; their metadata are enough.
    pub claims: Vec<ResourceClaim>,
}

impl Neighbours for Stored {
    fn pod(&self, namespace: &str, name: &str) -> Option<&Pod> {
        self.pods
            .iter()
            .find(|pod| is_at(&pod.metadata, namespace) && pod.metadata.name.as_deref() == Some(name))
    }

    fn extended_resource_claims(&self, namespace: &str, pod_uid: &str) -> Vec<&ResourceClaim> {
        let claims = self.claims.iter();
        claims.filter(|claim| is_at(&claim.metadata, namespace) && payer::is_for(claim, pod_uid)).collect()
    }
}

fn is_at(metadata: &ObjectMeta, namespace: &str) -> bool {
    metadata.namespace.as_deref() == Some(namespace)
}
