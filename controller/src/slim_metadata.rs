//! The metadata of an object as far as controllers read it: who wrote which field is the larger part of many an object, and nobody
//! here asks for it.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use serde::Deserialize;

/// Name, namespace, uid, versions, labels, owners and times; the rest is passed over as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SlimMetadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<OwnerReference>>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
}

impl From<&ObjectMeta> for SlimMetadata {
    fn from(metadata: &ObjectMeta) -> Self {
        Self {
            name: metadata.name.clone(),
            namespace: metadata.namespace.clone(),
            uid: metadata.uid.clone(),
            resource_version: metadata.resource_version.clone(),
            generation: metadata.generation,
            labels: metadata.labels.clone(),
            owner_references: metadata.owner_references.clone(),
            creation_timestamp: metadata.creation_timestamp.clone(),
            deletion_timestamp: metadata.deletion_timestamp.clone(),
        }
    }
}

impl From<SlimMetadata> for ObjectMeta {
    fn from(slim: SlimMetadata) -> Self {
        Self {
            name: slim.name,
            namespace: slim.namespace,
            uid: slim.uid,
            resource_version: slim.resource_version,
            generation: slim.generation,
            labels: slim.labels,
            owner_references: slim.owner_references,
            creation_timestamp: slim.creation_timestamp,
            deletion_timestamp: slim.deletion_timestamp,
            ..Self::default()
        }
    }
}
