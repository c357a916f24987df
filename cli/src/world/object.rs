//! An object of any kind: typed where the engines look inside it, else as it was given.

use std::sync::Arc;

use k8s_openapi::Resource;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, ReplicationController,
    ResourceQuota, Service, ServiceAccount,
};
use k8s_openapi::api::node::v1::RuntimeClass;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::resource::v1::{
    DeviceClass, DeviceTaintRule, ResourceClaim, ResourceClaimTemplate, ResourceSlice,
};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use crate::manifests::decode::{DecodeError, decode};

/// An object that only its metadata is read of.
#[derive(Clone, Debug, PartialEq)]
pub struct Untyped {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// All of it but the metadata.
    pub value: Value,
}

macro_rules! objects {
    ($($kind:ident in $pointer:ident),* $(,)?) => {
        /// An object of any kind. Pods are shared with the scheduler's queue.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Object {
            $(#[doc = concat!("A ", stringify!($kind), ".")] $kind($pointer<$kind>),)*
            /// An object of a kind that no engine looks inside.
            Untyped(Box<Untyped>),
        }

        impl Object {
            /// Reads an object; tells which fields its type does not know.
            ///
            /// # Errors
            /// The first value that does not fit the type.
            pub fn read(api_version: &str, kind: &str, value: Value) -> Result<(Self, Vec<String>), DecodeError> {
                $(if kind == $kind::KIND && api_version == $kind::API_VERSION {
                    let decoded = decode::<$kind>(value)?;
                    return Ok((Self::$kind($pointer::new(decoded.object)), decoded.unknown_fields));
                })*
                Untyped::read(value).map(|untyped| (Self::Untyped(Box::new(untyped)), Vec::new()))
            }

            /// Its metadata.
            pub fn metadata(&self) -> &ObjectMeta {
                match self {
                    $(Self::$kind(object) => &object.metadata,)*
                    Self::Untyped(object) => &object.metadata,
                }
            }

            /// Its metadata, to be changed.
            pub fn metadata_mut(&mut self) -> &mut ObjectMeta {
                match self {
                    $(Self::$kind(object) => &mut object.to_mut().metadata,)*
                    Self::Untyped(object) => &mut object.metadata,
                }
            }

            /// The object as JSON.
            pub fn to_value(&self) -> Value {
                match self {
                    $(Self::$kind(object) => serde_json::to_value(&**object).unwrap_or_default(),)*
                    Self::Untyped(object) => object.to_value(),
                }
            }
        }

        $(impl From<$kind> for Object {
            fn from(object: $kind) -> Self {
                Self::$kind($pointer::new(object))
            }
        })*
    };
}

/// What holds an object.
trait Pointer {
    type Object;

    /// The object, to be changed; a copy of its own where it is shared.
    fn to_mut(&mut self) -> &mut Self::Object;
}

impl<T> Pointer for Box<T> {
    type Object = T;

    fn to_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: Clone> Pointer for Arc<T> {
    type Object = T;

    fn to_mut(&mut self) -> &mut T {
        Arc::make_mut(self)
    }
}

objects! {
    CSIDriver in Box,
    CSINode in Box,
    CSIStorageCapacity in Box,
    CronJob in Box,
    DaemonSet in Box,
    Deployment in Box,
    DeviceClass in Box,
    DeviceTaintRule in Box,
    Job in Box,
    LimitRange in Box,
    Namespace in Box,
    Node in Box,
    PersistentVolume in Box,
    PersistentVolumeClaim in Box,
    Pod in Arc,
    PodDisruptionBudget in Box,
    PriorityClass in Box,
    ReplicaSet in Box,
    ReplicationController in Box,
    ResourceClaim in Box,
    ResourceClaimTemplate in Box,
    ResourceQuota in Box,
    ResourceSlice in Box,
    RuntimeClass in Box,
    Service in Box,
    ServiceAccount in Box,
    StatefulSet in Box,
    StorageClass in Box,
    VolumeAttachment in Box,
}

impl Object {
    /// The pod, to be changed; none if it is of another kind.
    pub fn pod_mut(&mut self) -> Option<&mut Pod> {
        match self {
            Self::Pod(pod) => Some(pod.to_mut()),
            _ => None,
        }
    }
}

impl Untyped {
    fn read(mut value: Value) -> Result<Self, DecodeError> {
        let metadata = value.as_object_mut().and_then(|fields| fields.remove("metadata")).unwrap_or_default();
        let decoded = decode::<ObjectMeta>(metadata).map_err(|mut error| {
            error.path.insert(0, crate::manifests::yaml::PathStep::Key("metadata".to_owned()));
            error
        })?;
        Ok(Self { metadata: decoded.object, value })
    }

    fn to_value(&self) -> Value {
        let mut value = self.value.clone();
        if let (Some(fields), Ok(metadata)) = (value.as_object_mut(), serde_json::to_value(&self.metadata)) {
            fields.insert("metadata".to_owned(), metadata);
        }
        value
    }
}
