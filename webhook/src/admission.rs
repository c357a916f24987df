//! One request to the API server, read once, and what LimitRanges and quotas say to it.

use plimsoll_api::group::{GroupKind, GroupResource};
use plimsoll_api::request::{Operation, display_name};
use plimsoll_api::status::Status;
use plimsoll_quota as quota;
use plimsoll_quota::ledger::Version;
use plimsoll_quota::typed_object::ReadObjectError;
use plimsoll_quota::{
    Admission, Decision, EntryKey, LimitedResource, Payer, Quota, Surroundings, TypedObject, UsageError,
};

use crate::limit_range::{self, Handling, LimitRanges};
use crate::review;

/// A request of an AdmissionReview, with its objects read.
#[derive(Debug)]
pub struct Request {
    /// Tells this call from others.
    pub uid: String,
    /// What it does.
    pub operation: Operation,
    /// The kind of the object.
    pub kind: GroupKind,
    /// The resource that it does it to.
    pub resource: GroupResource,
    /// The subresource; empty for the object itself.
    pub subresource: String,
    /// The namespace; empty for objects that have none.
    pub namespace: String,
    /// The name in the request.
    pub name: String,
    /// Nothing will be stored.
    pub dry_run: bool,
    /// The object as it would be stored; none on deletion.
    pub object: Option<TypedObject>,
    /// The object as it is stored; none on creation.
    pub old_object: Option<TypedObject>,
}

/// A review that makes no sense. The API server never sends one.
#[derive(Debug, thiserror::Error)]
pub enum ReadRequestError {
    /// The review is of another kind or version.
    #[error("expected {} of {}, got {kind:?} of {api_version:?}", review::KIND, review::API_VERSION)]
    WrongKind {
        /// Its version.
        api_version: String,
        /// Its kind.
        kind: String,
    },
    /// There is no request in it.
    #[error("request: required")]
    NoRequest,
    /// The operation is none that there is.
    #[error("request.operation: unknown operation {0:?}")]
    UnknownOperation(String),
    /// An object can't be read.
    #[error("request.{field}: {source}")]
    Object {
        /// Which one.
        field: &'static str,
        /// Why.
        source: ReadObjectError,
    },
}

impl Request {
    /// Reads the request of a review.
    ///
    /// # Errors
    /// What is wrong with the review.
    pub fn read(question: review::Question) -> Result<Self, ReadRequestError> {
        let review::Question { api_version, kind, request } = question;
        if api_version != review::API_VERSION || kind != review::KIND {
            return Err(ReadRequestError::WrongKind { api_version, kind });
        }
        let request = request.ok_or(ReadRequestError::NoRequest)?;
        let operation = match request.operation.as_str() {
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            "DELETE" => Operation::Delete,
            "CONNECT" => Operation::Connect,
            _ => return Err(ReadRequestError::UnknownOperation(request.operation)),
        };
        let resource = GroupResource { group: request.resource.group, resource: request.resource.resource };
        let kind = GroupKind { group: request.kind.group, kind: request.kind.kind };
        let read = |field, raw: Option<Box<serde_json::value::RawValue>>| {
            let object = raw.map(|raw| TypedObject::read(&resource, raw.get()));
            object.transpose().map_err(|source| ReadRequestError::Object { field, source })
        };
        let object = read("object", request.object)?;
        let old_object = read("oldObject", request.old_object)?;
        Ok(Self {
            uid: request.uid,
            operation,
            kind,
            subresource: request.sub_resource,
            namespace: request.namespace,
            name: request.name,
            dry_run: request.dry_run.unwrap_or_default(),
            object,
            old_object,
            resource,
        })
    }

    /// What LimitRanges do to this request.
    pub fn handling(&self) -> Option<Handling> {
        let old = self.old_object.as_ref().map(TypedObject::metadata);
        limit_range::applies(self.operation, &self.kind, &self.subresource, old)
    }

    /// The name by which a refusal calls the object.
    pub fn display_name(&self) -> &str {
        let metadata = self.object.as_ref().map(TypedObject::metadata);
        let name = metadata.and_then(|metadata| metadata.name.as_deref());
        display_name(&self.name, name, metadata.and_then(|metadata| metadata.generate_name.as_deref()))
    }

    /// The changes that LimitRanges make to the object, as a JSON Patch; none if they make none.
    pub fn default_patch(&self, limit_ranges: &LimitRanges) -> Option<json_patch::Patch> {
        let (Some(Handling::PodCreate), Some(TypedObject::Pod(sent, _))) = (self.handling(), &self.object)
        else {
            return None;
        };
        let mut pod = sent.clone();
        let changes = limit_range::default_pod(&mut pod, limit_ranges);
        (!changes.is_empty()).then(|| limit_range::patch(sent, &changes))
    }

    /// Whether the object keeps within the LimitRanges of its namespace.
    ///
    /// # Errors
    /// What the API server answers if it does not.
    pub fn check_limit_ranges(&self, limit_ranges: &LimitRanges) -> Result<(), Status> {
        let verdict = match (self.handling(), &self.object) {
            (Some(Handling::PodCreate | Handling::PodResize), Some(TypedObject::Pod(_, resources))) => {
                limit_range::validate_pod(resources, limit_ranges)
            }
            (Some(Handling::PersistentVolumeClaim), Some(object @ TypedObject::PersistentVolumeClaim(_))) => {
                let requests =
                    object.storage_requests().map_err(|error| Status::bad_request(error.to_string()))?;
                limit_range::validate_persistent_volume_claim(&requests, limit_ranges)
            }
            _ => Ok(()),
        };
        verdict.map_err(|refusal| refusal.status(&self.resource, self.display_name()))
    }

    /// Decides against quotas, whose places in the list the charges then name.
    ///
    /// # Errors
    /// The object can't be measured.
    pub fn decide(
        &self,
        quotas: &[Quota],
        limited: &[LimitedResource],
        surroundings: &Surroundings<'_>,
    ) -> Result<Decision, UsageError> {
        let Some(object) = &self.object else { return Ok(Decision::Admitted(Vec::new())) };
        let request = quota::Request {
            operation: self.operation,
            resource: &self.resource,
            subresource: &self.subresource,
            namespace: &self.namespace,
            name: &self.name,
            object: object.counted(),
            old_object: self.old_object.as_ref().map(TypedObject::counted),
        };
        quota::decide(&request, quotas, limited, surroundings)
    }

    /// The pods on whose payment it depends what the request adds; none if it changes nothing about that.
    pub fn payers(&self) -> impl Iterator<Item = Payer> {
        let of = |object: &Option<TypedObject>| Payer::of(object.as_ref()?.counted());
        let (present, before) = (of(&self.object), of(&self.old_object));
        let changes = present != before;
        present.into_iter().chain(before).filter(move |_| changes)
    }

    /// What a ledger calls the object, and how it tells this admission from others.
    pub fn entry(&self) -> Option<(EntryKey, Admission)> {
        let metadata = self.object.as_ref()?.metadata();
        let key = EntryKey { resource: self.resource.clone(), name: metadata.name.clone()? };
        let uid = metadata.uid.clone().unwrap_or_default();
        let stored = self.old_object.as_ref().map(TypedObject::metadata);
        let admission = match stored {
            None => Admission::Create { uid },
            Some(old) => {
                Admission::Update { uid, version: old.resource_version.as_deref().and_then(Version::parse) }
            }
        };
        Some((key, admission))
    }
}

#[cfg(test)]
mod tests;
