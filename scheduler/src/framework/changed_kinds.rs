//! The kinds of objects whose changes hints are asked about.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim, ResourceSlice};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::queueing_hint::{Change, HintRequest, Object};

macro_rules! changed_kinds {
    ($($method:ident: $kind:ident in $variant:ident),* $(,)?) => {
        impl<'a> HintRequest<'a> {$(
            #[doc = concat!("The changed ", stringify!($kind), " before and after.")]
            ///
            /// # Errors
            /// It is of another kind.
            pub fn $method(&self) -> Result<(Option<&'a $kind>, Option<&'a $kind>), String> {
                self.both(stringify!($kind), |object| match object {
                    Object::$variant(object) => Some(&**object),
                    _ => None,
                })
            }
        )*}

        impl Object {
            /// Reads an object of one of the kinds that plugins hear of.
            ///
            /// # Errors
            /// There is no such kind, or the JSON is no such object; what is wrong.
            fn read(kind: &str, json: &Value) -> Result<Self, String> {
                match kind {
                    $(stringify!($kind) => read(json).map(Self::$variant),)*
                    _ => Err(format!("no kind {kind:?}")),
                }
            }
        }
    };
}

changed_kinds! {
    pods: Pod in Pod,
    nodes: Node in Node,
    claims: PersistentVolumeClaim in PersistentVolumeClaim,
    volumes: PersistentVolume in PersistentVolume,
    storage_classes: StorageClass in StorageClass,
    csi_nodes: CSINode in CsiNode,
    csi_drivers: CSIDriver in CsiDriver,
    csi_storage_capacities: CSIStorageCapacity in CsiStorageCapacity,
    volume_attachments: VolumeAttachment in VolumeAttachment,
    device_classes: DeviceClass in DeviceClass,
    resource_claims: ResourceClaim in ResourceClaim,
    resource_slices: ResourceSlice in ResourceSlice,
}

/// A change as it is written.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WrittenChange {
    kind: String,
    old: Option<Value>,
    new: Option<Value>,
}

impl TryFrom<WrittenChange> for Change {
    type Error = String;

    fn try_from(written: WrittenChange) -> Result<Self, String> {
        let object =
            |json: &Option<Value>| json.as_ref().map(|json| Object::read(&written.kind, json)).transpose();
        Ok(Self { old: object(&written.old)?, new: object(&written.new)? })
    }
}

fn read<T: DeserializeOwned>(json: &Value) -> Result<Arc<T>, String> {
    T::deserialize(json).map(Arc::new).map_err(|error| error.to_string())
}
