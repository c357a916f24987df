//! What the families of quota share: reading objects and the world around them, and printing amounts.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use plimsoll_api::group::GroupResource;
use plimsoll_quota::{DeviceClasses, Object, Stored, Surroundings};
use plimsoll_resource_math::{PodResources, ResourceList};
use serde::Deserialize;
use serde_json::Value;

use super::decode;

/// A resource as cases write it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Resource {
    group: String,
    resource: String,
}

impl Resource {
    pub(super) fn group_resource(&self) -> GroupResource {
        GroupResource::new(&self.group, &self.resource)
    }
}

/// An object that a case holds.
#[derive(Debug)]
pub(super) enum Item {
    Pod(Box<(Pod, PodResources)>),
    Service(Box<Service>),
    PersistentVolumeClaim(Box<PersistentVolumeClaim>),
    ResourceClaim(Box<ResourceClaim>),
    Other(Box<ObjectMeta>),
}

impl Item {
    pub(super) fn read(resource: &GroupResource, value: &Value) -> anyhow::Result<Self> {
        Ok(match (resource.group.as_str(), resource.resource.as_str()) {
            ("", "pods") => {
                let pod: Pod = decode(value)?;
                let resources = PodResources::parse(&pod)?;
                Self::Pod(Box::new((pod, resources)))
            }
            ("", "services") => Self::Service(decode(value)?),
            ("", "persistentvolumeclaims") => Self::PersistentVolumeClaim(decode(value)?),
            ("resource.k8s.io", "resourceclaims") => Self::ResourceClaim(decode(value)?),
            _ => Self::Other(decode(&value["metadata"])?),
        })
    }

    pub(super) fn object(&self) -> Object<'_> {
        match self {
            Self::Pod(pod) => Object::Pod(&pod.0, &pod.1),
            Self::Service(service) => Object::Service(service),
            Self::PersistentVolumeClaim(claim) => Object::PersistentVolumeClaim(claim),
            Self::ResourceClaim(claim) => Object::ResourceClaim(claim),
            Self::Other(metadata) => Object::Other(metadata),
        }
    }
}

/// What usage depends on beside the object itself.
#[derive(Debug)]
pub(super) struct World {
    now: Timestamp,
    device_classes: DeviceClasses,
    stored: Stored,
}

impl World {
    pub(super) fn read(input: &Value) -> anyhow::Result<Self> {
        let now: String = decode(&input["now"])?;
        let classes: Vec<DeviceClass> = decode(&input["deviceClasses"])?;
        let stored = Stored { pods: decode(&input["pods"])?, claims: decode(&input["claims"])? };
        Ok(Self { now: now.parse()?, device_classes: DeviceClasses::new(&classes), stored })
    }

    pub(super) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings { now: self.now, device_classes: &self.device_classes, neighbours: &self.stored }
    }
}

/// A resource list with its amounts as text.
pub(super) fn amounts(list: &ResourceList) -> Value {
    list.iter().map(|(key, amount)| (key.clone(), Value::from(amount.to_string()))).collect()
}

/// Whether the case has two device classes for one extended resource, of which upstream counts one at random.
pub(super) fn shares_extended_resource(input: &Value) -> bool {
    let classes = input["deviceClasses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> =
        classes.iter().filter_map(|class| class["spec"]["extendedResourceName"].as_str()).collect();
    names.iter().enumerate().any(|(index, name)| names[..index].contains(name))
}
