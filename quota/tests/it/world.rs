//! Objects of cases and the world around them.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use plimsoll_api::group::GroupResource;
use plimsoll_quota::{DeviceClasses, Object, Stored, Surroundings};
use plimsoll_resource_math::{PodResources, ResourceList};
use serde_json::Value;

/// Reads a part of a case.
#[track_caller]
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    T::deserialize(value).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// Reads a list that may be absent.
pub(crate) fn read_list<T: serde::de::DeserializeOwned>(value: &Value) -> Vec<T> {
    read::<Option<Vec<T>>>(value).unwrap_or_default()
}

pub(crate) fn resource_of(value: &Value) -> GroupResource {
    GroupResource::new(value["group"].as_str().unwrap(), value["resource"].as_str().unwrap())
}

/// An object that a case holds.
pub(crate) enum Item {
    Pod(Box<(Pod, PodResources)>),
    Service(Box<Service>),
    PersistentVolumeClaim(Box<PersistentVolumeClaim>),
    ResourceClaim(Box<ResourceClaim>),
    Other(Box<ObjectMeta>),
}

impl Item {
    pub(crate) fn read(resource: &GroupResource, value: &Value) -> Self {
        match resource.resource.as_str() {
            "pods" => Self::of_pod(read(value)),
            "services" => Self::Service(read(value)),
            "persistentvolumeclaims" => Self::PersistentVolumeClaim(read(value)),
            "resourceclaims" => Self::ResourceClaim(read(value)),
            _ => Self::Other(read(&value["metadata"])),
        }
    }

    pub(crate) fn of_pod(pod: Pod) -> Self {
        let resources = PodResources::parse(&pod).unwrap();
        Self::Pod(Box::new((pod, resources)))
    }

    pub(crate) fn object(&self) -> Object<'_> {
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
pub(crate) struct World {
    now: Timestamp,
    device_classes: DeviceClasses,
    stored: Stored,
}

impl World {
    pub(crate) fn read(given: &Value) -> Self {
        let classes: Vec<DeviceClass> = read_list(&given["deviceClasses"]);
        Self {
            now: given["now"].as_str().map_or(Timestamp::UNIX_EPOCH, |now| now.parse().unwrap()),
            device_classes: DeviceClasses::new(&classes),
            stored: Stored { pods: read_list(&given["pods"]), claims: read_list(&given["claims"]) },
        }
    }

    pub(crate) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings { now: self.now, device_classes: &self.device_classes, neighbours: &self.stored }
    }
}

/// A resource list with its amounts as text.
pub(crate) fn amounts(list: &ResourceList) -> Value {
    list.iter().map(|(key, amount)| (key.clone(), Value::from(amount.to_string()))).collect()
}
