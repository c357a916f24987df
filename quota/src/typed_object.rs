//! Objects, typed where a decision looks inside them.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::resource::v1::ResourceClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::group::GroupResource;
use plimsoll_resource_math::pod_resources::ParsePodResourcesError;
use plimsoll_resource_math::resource_list::ParseResourceListError;
use plimsoll_resource_math::{PodResources, ResourceList};
use serde::Deserialize;

use crate::request::Object;

/// An object, typed where a decision looks inside it.
#[derive(Clone, Debug)]
pub enum TypedObject {
    /// A pod, and its amounts.
    Pod(Box<Pod>, Box<PodResources>),
    /// A service.
    Service(Box<Service>),
    /// A claim on a persistent volume.
    PersistentVolumeClaim(Box<PersistentVolumeClaim>),
    /// A claim on devices.
    ResourceClaim(Box<ResourceClaim>),
    /// Anything else.
    Other(Box<ObjectMeta>),
}

/// An object that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadObjectError {
    /// It has not the form that its resource has.
    #[error(transparent)]
    Form(#[from] serde_json::Error),
    /// An amount of a pod is no quantity.
    #[error(transparent)]
    Amount(#[from] ParsePodResourcesError),
}

/// The part that all objects have in common.
#[derive(Deserialize)]
struct Plain {
    #[serde(default)]
    metadata: ObjectMeta,
}

impl TypedObject {
    /// Reads the JSON of an object of a resource.
    ///
    /// # Errors
    /// Why it can't be.
    pub fn read(resource: &GroupResource, json: &str) -> Result<Self, ReadObjectError> {
        Ok(match (resource.group.as_str(), resource.resource.as_str()) {
            ("", "pods") => Self::of_pod(serde_json::from_str(json)?)?,
            ("", "services") => Self::Service(serde_json::from_str(json)?),
            ("", "persistentvolumeclaims") => Self::PersistentVolumeClaim(serde_json::from_str(json)?),
            ("resource.k8s.io", "resourceclaims") => Self::ResourceClaim(serde_json::from_str(json)?),
            _ => Self::Other(Box::new(serde_json::from_str::<Plain>(json)?.metadata)),
        })
    }

    /// A pod.
    ///
    /// # Errors
    /// An amount is no quantity.
    pub fn of_pod(pod: Pod) -> Result<Self, ReadObjectError> {
        let resources = PodResources::parse(&pod)?;
        Ok(Self::Pod(Box::new(pod), Box::new(resources)))
    }

    /// Its metadata, to be changed.
    pub fn metadata_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Self::Pod(pod, _) => &mut pod.metadata,
            Self::Service(service) => &mut service.metadata,
            Self::PersistentVolumeClaim(claim) => &mut claim.metadata,
            Self::ResourceClaim(claim) => &mut claim.metadata,
            Self::Other(metadata) => metadata,
        }
    }

    /// Its metadata.
    pub fn metadata(&self) -> &ObjectMeta {
        self.counted().metadata()
    }

    /// The object as quota reads it.
    pub fn counted(&self) -> Object<'_> {
        match self {
            Self::Pod(pod, resources) => Object::Pod(pod, resources),
            Self::Service(service) => Object::Service(service),
            Self::PersistentVolumeClaim(claim) => Object::PersistentVolumeClaim(claim),
            Self::ResourceClaim(claim) => Object::ResourceClaim(claim),
            Self::Other(metadata) => Object::Other(metadata),
        }
    }

    /// What a claim on a persistent volume requests; nothing of any other object.
    ///
    /// # Errors
    /// An amount is no quantity.
    pub fn storage_requests(&self) -> Result<ResourceList, ParseResourceListError> {
        let Self::PersistentVolumeClaim(claim) = self else { return Ok(ResourceList::new()) };
        let resources = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref());
        ResourceList::parse(resources.and_then(|resources| resources.requests.as_ref()))
    }
}
