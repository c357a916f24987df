//! The API server's answer to a request that it does not carry out: HTTP code, reason, message, details.

use crate::field::{self, ErrorList};
use crate::group::{GroupKind, GroupResource};
use crate::quote::go_quote;

/// Why a request failed, in one machine-readable word.
///
/// # Source
/// apimachinery `pkg/apis/meta/v1` (`StatusReason`)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// 400, the request itself is malformed.
    BadRequest,
    /// 403, refused by admission.
    Forbidden,
    /// 404, no such object.
    NotFound,
    /// 409, an object of this name exists already.
    AlreadyExists,
    /// 409, the object has changed meanwhile.
    Conflict,
    /// 413, the request body is too large.
    RequestEntityTooLarge,
    /// 422, the object is not valid.
    Invalid,
    /// 429, to be repeated later.
    TooManyRequests,
    /// 500, the server failed.
    InternalError,
    /// An error without a reason of its own; upstream leaves the field empty.
    Unknown,
}

impl Reason {
    /// The word as it stands in `Status.reason`; empty for [`Reason::Unknown`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::Conflict => "Conflict",
            Self::RequestEntityTooLarge => "RequestEntityTooLarge",
            Self::Invalid => "Invalid",
            Self::TooManyRequests => "TooManyRequests",
            Self::InternalError => "InternalError",
            Self::Unknown => "",
        }
    }
}

/// A failed request, as the API server words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The HTTP status code.
    pub code: u16,
    /// The machine-readable reason.
    pub reason: Reason,
    /// The sentence for people.
    pub message: String,
    /// What the message is about.
    pub details: Option<Box<Details>>,
}

/// The object and the fields that a [`Status`] is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The name of the object.
    pub name: String,
    /// Its API group.
    pub group: String,
    /// Its resource, or its kind where the failure is [`Reason::Invalid`].
    pub kind: String,
    /// One entry a bad field.
    pub causes: Vec<Cause>,
    /// After how many seconds the client may try again.
    pub retry_after_seconds: Option<u32>,
}

/// One bad field of an invalid object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The machine-readable type, such as `FieldValueInvalid`.
    pub reason: &'static str,
    /// The message without the field.
    pub message: String,
    /// The path of the field.
    pub field: String,
}

impl Status {
    /// 403: admission refuses the request because of `cause`.
    ///
    /// # Source
    /// apimachinery `pkg/api/errors` (`NewForbidden`)
    pub fn forbidden(resource: &GroupResource, name: &str, cause: &str) -> Self {
        let message = if name.is_empty() {
            format!("{resource} is forbidden: {cause}")
        } else {
            format!("{resource} {} is forbidden: {cause}", go_quote(name))
        };
        Self {
            code: 403,
            reason: Reason::Forbidden,
            message,
            details: Some(Box::new(details(resource, name))),
        }
    }

    /// 404: there is no such object.
    ///
    /// # Source
    /// apimachinery `pkg/api/errors` (`NewNotFound`)
    pub fn not_found(resource: &GroupResource, name: &str) -> Self {
        let message = format!("{resource} {} not found", go_quote(name));
        Self {
            code: 404,
            reason: Reason::NotFound,
            message,
            details: Some(Box::new(details(resource, name))),
        }
    }

    /// 409: an object of this name exists already.
    ///
    /// # Source
    /// apimachinery `pkg/api/errors` (`NewAlreadyExists`)
    pub fn already_exists(resource: &GroupResource, name: &str) -> Self {
        let message = format!("{resource} {} already exists", go_quote(name));
        Self {
            code: 409,
            reason: Reason::AlreadyExists,
            message,
            details: Some(Box::new(details(resource, name))),
        }
    }

    /// 400: the request is malformed.
    ///
    /// # Source
    /// apimachinery `pkg/api/errors` (`NewBadRequest`)
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { code: 400, reason: Reason::BadRequest, message: message.into(), details: None }
    }

    /// 429: ask again after some seconds; clients do so by themselves.
    ///
    /// # Source
    /// apimachinery `pkg/api/errors` (`NewTooManyRequests`)
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: u32) -> Self {
        let details = Details { retry_after_seconds: Some(retry_after_seconds), ..Details::default() };
        Self {
            code: 429,
            reason: Reason::TooManyRequests,
            message: message.into(),
            details: Some(Box::new(details)),
        }
    }

    /// 500: a plain error, which the API server sends with its text alone.
    ///
    /// # Source
    /// apiserver `pkg/endpoints/handlers/responsewriters` (`ErrorToAPIStatus`)
    pub fn plain_error(message: impl Into<String>) -> Self {
        Self { code: 500, reason: Reason::Unknown, message: message.into(), details: None }
    }

    /// 422: the object has bad fields.
    ///
    /// # Source
    /// apimachinery `pkg/api/errors` (`NewInvalid`)
    pub fn invalid(kind: &GroupKind, name: &str, errors: &ErrorList) -> Self {
        let name_quoted = go_quote(name);
        let message = if errors.is_empty() {
            format!("{kind} {name_quoted} is invalid")
        } else {
            format!("{kind} {name_quoted} is invalid: {}", field::aggregate(errors))
        };
        let causes = errors
            .iter()
            .map(|error| Cause {
                reason: error.kind.as_str(),
                message: error.body(),
                field: error.field.clone(),
            })
            .collect();
        let details = Details {
            name: name.to_owned(),
            group: kind.group.clone(),
            kind: kind.kind.clone(),
            causes,
            retry_after_seconds: None,
        };
        Self { code: 422, reason: Reason::Invalid, message, details: Some(Box::new(details)) }
    }
}

fn details(resource: &GroupResource, name: &str) -> Details {
    Details {
        name: name.to_owned(),
        group: resource.group.clone(),
        kind: resource.resource.clone(),
        ..Details::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Error, Path};

    #[test]
    fn words_failures_as_the_api_server_does() {
        let pods = GroupResource::new("", "pods");
        assert_eq!(Status::forbidden(&pods, "web", "no").message, r#"pods "web" is forbidden: no"#);
        assert_eq!(Status::forbidden(&pods, "", "no").message, "pods is forbidden: no");
        let claims = GroupResource::new("resource.k8s.io", "resourceclaims");
        assert_eq!(
            Status::not_found(&claims, "c").message,
            r#"resourceclaims.resource.k8s.io "c" not found"#
        );
    }

    #[test]
    fn lists_each_bad_field_once_in_the_message_and_all_in_the_causes() {
        let spec = Path::root("spec");
        let bad = Error::invalid(&spec.child("x"), "v", "why");
        let status = Status::invalid(&GroupKind::new("", "Pod"), "web", &vec![bad.clone(), bad]);
        assert_eq!(status.message, r#"Pod "web" is invalid: spec.x: Invalid value: "v": why"#);
        assert_eq!(status.details.map(|details| details.causes.len()), Some(2));
    }
}
