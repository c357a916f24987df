//! What happens when the amounts of a running pod are changed: each kind of change is tried on the pod with the functions
//! that the API server's answer comes from.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_apiserver::prepare::pod_for_resize;
use plimsoll_apiserver::validation::pod::{Resizing, resize_rules, validate_pod_resize};
use plimsoll_resource_math::Quantity;
use serde::Serialize;

/// How a change is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Via {
    /// `kubectl edit --subresource resize`, or a patch of `pods/resize`.
    Resize,
    /// A plain `kubectl edit` or `apply`.
    Edit,
}

impl Via {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resize => "resize",
            Self::Edit => "edit",
        }
    }
}

/// One kind of change, and the API server's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// The container; absent where the change is to the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// What is changed.
    pub change: String,
    /// How it is sent.
    pub via: Via,
    /// Whether the API server takes it.
    pub allowed: bool,
    /// Whether the container is restarted for it.
    #[serde(skip_serializing_if = "is_false")]
    pub restart: bool,
    /// What the API server says to a change that it refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// The fields that a plain update may change, as upstream names them. Its message goes on with a comparison of the specs.
///
/// # Source
/// kubernetes `pkg/apis/core/validation/validation.go` (`ValidatePodUpdate`)
const PLAIN_UPDATE: &str = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// What becomes of the changes that people try.
pub(super) fn edits(stored: &Pod) -> Vec<Edit> {
    let mut edits: Vec<Edit> = resize_rules(stored)
        .into_iter()
        .map(|rule| {
            let (allowed, restart, message) = match rule.resizing {
                Resizing::InPlace => (true, false, None),
                Resizing::Restart => (true, true, None),
                Resizing::Refused(message) => (false, false, Some(message)),
            };
            let change = format!("more or less {}", rule.resource);
            Edit { container: Some(rule.container), change, via: Via::Resize, allowed, restart, message }
        })
        .collect();
    if edits.iter().any(|edit| edit.allowed) {
        edits.extend(trials(stored));
    }
    edits.push(Edit {
        container: None,
        change: "any amount".to_owned(),
        via: Via::Edit,
        allowed: false,
        restart: false,
        message: Some(PLAIN_UPDATE.to_owned()),
    });
    edits
}

/// Changes that may be refused although the amount as such can be changed.
fn trials(stored: &Pod) -> Vec<Edit> {
    let mut trials = Vec::new();
    let containers = stored.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
    for (index, container) in containers.iter().enumerate() {
        for field in [Field::Requests, Field::Limits] {
            let Some(resource) = first_resource(container, field) else { continue };
            let change = format!("no {resource} {} any more", field.singular());
            trials.push(try_resize(stored, index, container, change, |container| {
                list_mut(container, field).remove(resource);
            }));
            let change = format!("ten times the {resource} {} alone", field.singular());
            trials.push(try_resize(stored, index, container, change, |container| {
                if let Some(amount) = list_mut(container, field).get_mut(resource) {
                    *amount = tenfold(amount);
                }
            }));
        }
        if amounts(container, Field::Limits).is_empty() {
            let change = "a first cpu limit".to_owned();
            trials.push(try_resize(stored, index, container, change, |container| {
                list_mut(container, Field::Limits).insert("cpu".to_owned(), ApiQuantity("1".to_owned()));
            }));
        }
    }
    // What is taken has been said already, by resource.
    trials.retain(|edit| !edit.allowed);
    trials
}

#[derive(Clone, Copy)]
enum Field {
    Requests,
    Limits,
}

impl Field {
    fn singular(self) -> &'static str {
        match self {
            Self::Requests => "request",
            Self::Limits => "limit",
        }
    }
}

fn amounts(container: &Container, field: Field) -> BTreeMap<String, ApiQuantity> {
    let resources = container.resources.clone().unwrap_or_default();
    let list = match field {
        Field::Requests => resources.requests,
        Field::Limits => resources.limits,
    };
    list.unwrap_or_default()
}

fn list_mut(container: &mut Container, field: Field) -> &mut BTreeMap<String, ApiQuantity> {
    let resources = container.resources.get_or_insert_default();
    match field {
        Field::Requests => resources.requests.get_or_insert_default(),
        Field::Limits => resources.limits.get_or_insert_default(),
    }
}

/// Of the resources that can be changed at all, the first that the container has.
fn first_resource(container: &Container, field: Field) -> Option<&'static str> {
    let amounts = amounts(container, field);
    ["cpu", "memory"].into_iter().find(|resource| amounts.contains_key(*resource))
}

fn tenfold(amount: &ApiQuantity) -> ApiQuantity {
    let one = Quantity::parse(&amount.0).unwrap_or_default();
    let mut sum = one.clone();
    for _ in 1..10 {
        sum.add(&one);
    }
    ApiQuantity(sum.to_string())
}

fn try_resize(
    stored: &Pod,
    index: usize,
    container: &Container,
    change: String,
    edit: impl FnOnce(&mut Container),
) -> Edit {
    let mut new = stored.clone();
    if let Some(container) = new.spec.as_mut().and_then(|spec| spec.containers.get_mut(index)) {
        edit(container);
    }
    // Any version will do, as long as it is the same.
    let mut old = stored.clone();
    for pod in [&mut new, &mut old] {
        pod.metadata.resource_version = Some("1".to_owned());
    }
    let message = match pod_for_resize(&mut new, &old) {
        Ok(()) => validate_pod_resize(&new, &old).first().map(ToString::to_string),
        Err(error) => Some(error.to_string()),
    };
    Edit {
        container: Some(container.name.clone()),
        change,
        via: Via::Resize,
        allowed: message.is_none(),
        restart: false,
        message,
    }
}
