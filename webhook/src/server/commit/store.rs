//! Quotas in the API server.

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, Resource as _};
use plimsoll_quota::Quota;
use plimsoll_runtime::client::in_time;
use serde::Deserialize;
use tokio::time::Instant;

use super::namespace::Writing;
use crate::server::stored_quota::StoredQuota;

/// All quotas of a namespace.
pub(super) struct Listed {
    /// When the API server was asked.
    pub(super) asked: Instant,
    pub(super) quotas: Vec<StoredQuota>,
}

/// Reads all quotas of a namespace.
pub(super) async fn list(client: &Client, namespace: &str) -> Result<Listed, kube::Error> {
    let asked = Instant::now();
    let api: Api<ResourceQuota> = Api::namespaced(client.clone(), namespace);
    let list = in_time(api.list(&ListParams::default())).await?;
    Ok(Listed { asked, quotas: list.items.into_iter().filter_map(StoredQuota::read).collect() })
}

/// Writes a quota, and returns the version that is stored then. Of the answer nothing else is read, as all else is known.
pub(super) async fn replace_status(client: &Client, writing: &Writing) -> Result<String, kube::Error> {
    let object = writing.stored.with(&writing.quota);
    let body = serde_json::to_vec(&object).map_err(kube::Error::SerdeError)?;
    let Quota { namespace, name, .. } = &writing.quota;
    let request = kube::core::Request::new(ResourceQuota::url_path(&(), Some(namespace)))
        .replace_subresource("status", name, &PostParams::default(), body)
        .map_err(kube::Error::BuildRequest)?;
    Ok(in_time(client.request::<Stored>(request)).await?.metadata.resource_version)
}

/// An object of which only the version matters.
#[derive(Deserialize)]
struct Stored {
    metadata: StoredMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredMetadata {
    resource_version: String,
}
