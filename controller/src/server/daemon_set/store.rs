//! The calls to the API server, and how it refuses them.

use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{DeleteParams, GetParams, Patch, PatchParams};
use kube::core::{Request, Status};
use plimsoll_runtime::client::if_ever;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::slim_metadata::SlimMetadata;

/// What asks for no more than the metadata of an object that is written.
const METADATA_ONLY: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");

/// Why a call came to nothing. What the API server says is told in its own words.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The API server refuses.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// There is no answer, or none that can be read.
    #[error(transparent)]
    Failed(kube::Error),
}

impl From<kube::Error> for CallError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused(status),
            other => Self::Failed(other),
        }
    }
}

impl From<kube::core::request::Error> for CallError {
    fn from(error: kube::core::request::Error) -> Self {
        Self::Failed(kube::Error::BuildRequest(error))
    }
}

impl CallError {
    fn code(&self) -> u16 {
        match self {
            Self::Refused(status) => status.code,
            Self::Failed(_) => 0,
        }
    }

    /// There is no such object.
    pub(super) fn is_not_found(&self) -> bool {
        self.code() == 404
    }

    /// The object would not be valid.
    pub(super) fn is_invalid(&self) -> bool {
        self.code() == 422
    }

    /// There is an object of that name.
    pub(super) fn is_already_exists(&self) -> bool {
        matches!(self, Self::Refused(status) if status.reason == "AlreadyExists")
    }

    /// The namespace is being deleted, so nothing new comes into it.
    pub(super) fn is_namespace_terminating(&self) -> bool {
        let Self::Refused(status) = self else { return false };
        let causes = status.details.iter().flat_map(|details| &details.causes);
        causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
    }
}

/// What is of interest of an object that was written.
#[derive(Deserialize)]
#[serde(from = "Received")]
pub(super) struct Stored {
    pub(super) metadata: ObjectMeta,
}

#[derive(Deserialize)]
struct Received {
    #[serde(default)]
    metadata: SlimMetadata,
}

impl From<Received> for Stored {
    fn from(received: Received) -> Self {
        Self { metadata: received.metadata.into() }
    }
}

impl Stored {
    pub(super) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    pub(super) fn version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }
}

/// The objects of one resource in one namespace.
#[derive(Clone)]
pub(super) struct Store {
    client: Client,
    request: Request,
}

impl Store {
    pub(super) fn pods(client: &Client, namespace: &str) -> Self {
        Self::at(client, format!("/api/v1/namespaces/{namespace}/pods"))
    }

    pub(super) fn daemon_sets(client: &Client, namespace: &str) -> Self {
        Self::at(client, format!("/apis/apps/v1/namespaces/{namespace}/daemonsets"))
    }

    pub(super) fn revisions(client: &Client, namespace: &str) -> Self {
        Self::at(client, format!("/apis/apps/v1/namespaces/{namespace}/controllerrevisions"))
    }

    fn at(client: &Client, path: String) -> Self {
        Self { client: client.clone(), request: Request::new(path) }
    }

    async fn call<K: DeserializeOwned>(&self, request: http::Request<Vec<u8>>) -> Result<K, CallError> {
        Ok(if_ever(self.client.request(request)).await?)
    }

    pub(super) async fn create(&self, object: Vec<u8>) -> Result<Stored, CallError> {
        // Templates go as they came: the API server need not look for fields that it doesn't know, which costs it a second reading.
        let request = http::Request::post(format!("{}?fieldValidation=Ignore", self.request.url_path))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, METADATA_ONLY)
            .body(object)
            .map_err(kube::Error::HttpError)?;
        self.call(request).await
    }

    pub(super) async fn get<K: DeserializeOwned>(&self, name: &str) -> Result<K, CallError> {
        let request = self.request.get(name, &GetParams::default())?;
        self.call(request).await
    }

    /// Changes an object, but for its status.
    pub(super) async fn patch(&self, name: &str, patch: &Patch<Value>) -> Result<Stored, CallError> {
        let request = self.request.patch(name, &PatchParams::default(), patch)?;
        self.call(request).await
    }

    /// Changes the status of an object.
    pub(super) async fn patch_status(&self, name: &str, patch: Value) -> Result<Stored, CallError> {
        let patch = Patch::Merge(patch);
        let request = self.request.patch_subresource("status", name, &PatchParams::default(), &patch)?;
        self.call(request).await
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), CallError> {
        let request = self.request.delete(name, &DeleteParams::default())?;
        self.call::<IgnoredAny>(request).await.map(drop)
    }
}
