//! The AdmissionReview, version 1, as it travels between the API server and a webhook.
//!
//! # Source
//! k8s.io/api `admission/v1`

use std::collections::BTreeMap;

use plimsoll_api::status::Status;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The API version that is understood.
pub const API_VERSION: &str = "admission.k8s.io/v1";
/// The kind of both question and answer.
pub const KIND: &str = "AdmissionReview";

/// What the API server asks.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Must be [`API_VERSION`].
    pub api_version: String,
    /// Must be [`KIND`].
    pub kind: String,
    /// The request that is to be admitted.
    pub request: Option<Request>,
}

/// The request that is to be admitted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Tells this call from others; the answer repeats it.
    pub uid: String,
    /// The kind of the object.
    pub kind: GroupVersionKind,
    /// The resource that the rule matched.
    pub resource: GroupVersionResource,
    /// The subresource, such as `resize`; empty for the object itself.
    #[serde(default)]
    pub sub_resource: String,
    /// The name in the request; empty where it is still to be generated.
    #[serde(default)]
    pub name: String,
    /// The namespace; empty for objects that have none.
    #[serde(default)]
    pub namespace: String,
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    pub operation: String,
    /// The object as it would be stored.
    #[serde(default)]
    pub object: Option<Box<RawValue>>,
    /// The object as it is stored.
    #[serde(default)]
    pub old_object: Option<Box<RawValue>>,
    /// Nothing will be stored.
    #[serde(default)]
    pub dry_run: Option<bool>,
}

/// A kind of an API group and version.
#[derive(Debug, Deserialize)]
pub struct GroupVersionKind {
    /// The group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
}

/// A resource of an API group and version.
#[derive(Debug, Deserialize)]
pub struct GroupVersionResource {
    /// The group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The resource.
    pub resource: String,
}

/// What the webhook answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    api_version: &'static str,
    kind: &'static str,
    response: Response,
}

/// The verdict.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    uid: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<WireStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<&'static str, String>,
}

#[derive(Debug, Serialize)]
struct WireStatus {
    status: &'static str,
    code: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<WireDetails>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireDetails {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u32>,
}

impl Answer {
    /// Agrees.
    pub fn allow(uid: &str) -> Self {
        Self::new(Response { uid: uid.to_owned(), allowed: true, ..Response::default() })
    }

    /// Agrees, if the object is changed by a JSON Patch (RFC 6902), given as base64.
    pub fn patch(uid: &str, patch: String) -> Self {
        let patch = Some(patch);
        let response = Response { uid: uid.to_owned(), allowed: true, patch, ..Response::default() };
        Self::new(Response { patch_type: Some("JSONPatch"), ..response })
    }

    /// Refuses.
    pub fn deny(uid: &str, status: &Status) -> Self {
        let details = status.details.as_ref().map(|details| WireDetails {
            name: details.name.clone(),
            group: details.group.clone(),
            kind: details.kind.clone(),
            retry_after_seconds: details.retry_after_seconds,
        });
        let wire = WireStatus {
            status: "Failure",
            code: status.code,
            reason: status.reason.as_str(),
            message: status.message.clone(),
            details,
        };
        Self::new(Response { uid: uid.to_owned(), status: Some(wire), ..Response::default() })
    }

    fn new(response: Response) -> Self {
        Self { api_version: API_VERSION, kind: KIND, response }
    }

    /// Adds sentences that the client is shown.
    pub fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.response.warnings = warnings;
        self
    }

    /// Notes something for the audit log, under the hook's name.
    pub fn with_audit_annotation(mut self, key: &'static str, value: String) -> Self {
        self.response.audit_annotations.insert(key, value);
        self
    }

    /// Whether it agrees.
    pub fn is_allowed(&self) -> bool {
        self.response.allowed
    }
}
