//! A request to the API server, as far as quota looks at it.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::resource::v1::ResourceClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::group::GroupResource;
pub use plimsoll_api::request::Operation;
use plimsoll_api::request::display_name;
use plimsoll_resource_math::PodResources;

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What it does.
    pub operation: Operation,
    /// The resource that it does it to.
    pub resource: &'a GroupResource,
    /// The subresource, such as `resize` or `status`; empty for the object itself.
    pub subresource: &'a str,
    /// The namespace; empty for an object that has none.
    pub namespace: &'a str,
    /// The name in the request; may be empty on creation.
    pub name: &'a str,
    /// The object as it would be stored.
    pub object: Object<'a>,
    /// The object as it is stored, on update.
    pub old_object: Option<Object<'a>>,
}

/// An object, typed where quota looks inside it.
#[derive(Clone, Copy, Debug)]
pub enum Object<'a> {
    /// A pod, and its amounts.
    Pod(&'a Pod, &'a PodResources),
    /// A service.
    Service(&'a Service),
    /// A claim on a persistent volume.
    PersistentVolumeClaim(&'a PersistentVolumeClaim),
    /// A claim on devices.
    ResourceClaim(&'a ResourceClaim),
    /// An object of any other kind, of which quota counts only how many there are.
    Other(&'a ObjectMeta),
}

impl<'a> Object<'a> {
    /// The object's metadata.
    pub fn metadata(self) -> &'a ObjectMeta {
        match self {
            Self::Pod(pod, _) => &pod.metadata,
            Self::Service(service) => &service.metadata,
            Self::PersistentVolumeClaim(claim) => &claim.metadata,
            Self::ResourceClaim(claim) => &claim.metadata,
            Self::Other(metadata) => metadata,
        }
    }
}

impl Request<'_> {
    /// The name by which a refusal calls the object.
    pub(crate) fn display_name(&self) -> &str {
        let metadata = self.object.metadata();
        display_name(self.name, metadata.name.as_deref(), metadata.generate_name.as_deref())
    }
}
