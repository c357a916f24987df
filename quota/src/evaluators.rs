//! What an object uses, by the kind of object; one file a kind.
//!
//! # Source
//! kubernetes `pkg/quota/v1/evaluator/core`, `pkg/quota/v1/install`; apiserver `pkg/quota/v1/generic`

pub mod object_count;
pub mod persistent_volume_claims;
pub mod pods;
pub mod resource_claims;
pub mod services;

use plimsoll_api::group::GroupResource;
use plimsoll_resource_math::ResourceList;
use plimsoll_resource_math::resource_list::ParseResourceListError;
use plimsoll_resource_math::resource_name::is_native;

use crate::device_classes::DeviceClasses;
use crate::refusal::MissingResource;
use crate::request::{Object, Operation, Request};
use crate::scopes::{ScopeRequirement, UnusableScope};
use crate::surroundings::Surroundings;
use object_count::ObjectCount;

/// The prefix of keys that limit what is requested.
pub(crate) const REQUESTS_PREFIX: &str = "requests.";
/// The prefix of keys that limit what is requested of a device class by its own name.
pub(crate) const REQUESTS_DEVICE_CLASS_PREFIX: &str = "requests.deviceclass.resource.kubernetes.io/";

/// Virtual and short-lived resources that quota never looks at, as (group, resource).
///
/// # Source
/// kubernetes `pkg/quota/v1/install/registry.go` (`ignoredResources`)
const IGNORED_RESOURCES: [(&str, &str); 10] = [
    ("", "bindings"),
    ("", "componentstatuses"),
    ("", "events"),
    ("authentication.k8s.io", "selfsubjectreviews"),
    ("authentication.k8s.io", "tokenreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
    ("events.k8s.io", "events"),
];

/// Whether the API server asks webhooks about a resource whatever quotas name; about all others only while some quota does.
pub fn is_always_covered(resource: &GroupResource) -> bool {
    resource.group.is_empty() && matches!(resource.resource.as_str(), "pods" | "persistentvolumeclaims")
}

/// How the objects of one resource are measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evaluator {
    /// Pods.
    Pods,
    /// Services.
    Services,
    /// Persistent volume claims.
    PersistentVolumeClaims,
    /// Device claims.
    ResourceClaims,
    /// Objects of any other resource: only how many there are.
    ObjectCount(ObjectCount),
}

/// An object whose usage can't be measured; the API server stores no such object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// The object is not of the type that its resource has.
    #[error("the object is no {resource}")]
    WrongType {
        /// The resource.
        resource: &'static str,
    },
    /// An amount is no quantity.
    #[error("{field}: {error}")]
    NoQuantity {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        error: ParseResourceListError,
    },
}

/// What an object of a resource uses of a quota's keys; nothing if quota ignores the resource.
///
/// # Errors
/// The object can't be measured.
pub fn usage(
    resource: &GroupResource,
    object: Object<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<ResourceList, UsageError> {
    let namespace = object.metadata().namespace.as_deref().unwrap_or_default();
    match Evaluator::of(resource) {
        Some(evaluator) => evaluator.usage(object, namespace, surroundings),
        None => Ok(ResourceList::new()),
    }
}

impl Evaluator {
    /// The evaluator for a resource; none if quota ignores it.
    pub fn of(resource: &GroupResource) -> Option<Self> {
        let (group, name) = (resource.group.as_str(), resource.resource.as_str());
        match (group, name) {
            ("", "pods") => Some(Self::Pods),
            ("", "services") => Some(Self::Services),
            ("", "persistentvolumeclaims") => Some(Self::PersistentVolumeClaims),
            ("resource.k8s.io", "resourceclaims") => Some(Self::ResourceClaims),
            ignored if IGNORED_RESOURCES.contains(&ignored) => None,
            _ => Some(Self::ObjectCount(ObjectCount::of(resource))),
        }
    }

    /// Those of `keys` that objects of this resource use, in the order given. A key that two rules match comes twice.
    ///
    /// # Source
    /// kubernetes `pkg/quota/v1/evaluator/core` (`MatchingResources`)
    pub fn matching<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k str>,
        device_classes: &DeviceClasses,
    ) -> Vec<&'k str> {
        let mut matching = Vec::new();
        for key in keys {
            let times = match self {
                Self::Pods => pods::matches(key),
                Self::Services => usize::from(services::matches(key)),
                Self::PersistentVolumeClaims => usize::from(persistent_volume_claims::matches(key)),
                Self::ResourceClaims => usize::from(resource_claims::matches(key, device_classes)),
                Self::ObjectCount(count) => usize::from(count.matches(key)),
            };
            matching.extend(std::iter::repeat_n(key, times));
        }
        matching
    }

    /// Whether objects of this resource use a key.
    pub fn counts(&self, key: &str, device_classes: &DeviceClasses) -> bool {
        !self.matching([key], device_classes).is_empty()
    }

    /// What an object uses. `namespace` is where it is or will be stored.
    ///
    /// # Errors
    /// The object can't be measured.
    ///
    /// # Source
    /// kubernetes `pkg/quota/v1/evaluator/core` (`Usage`)
    pub fn usage(
        &self,
        object: Object<'_>,
        namespace: &str,
        surroundings: &Surroundings<'_>,
    ) -> Result<ResourceList, UsageError> {
        match (self, object) {
            (Self::Pods, Object::Pod(pod, resources)) => Ok(pods::usage(pod, resources, surroundings.now)),
            (Self::Services, Object::Service(service)) => Ok(services::usage(service)),
            (Self::PersistentVolumeClaims, Object::PersistentVolumeClaim(claim)) => {
                persistent_volume_claims::usage(claim)
            }
            (Self::ResourceClaims, Object::ResourceClaim(claim)) => {
                Ok(resource_claims::usage(claim, namespace, surroundings))
            }
            (Self::ObjectCount(count), _) => Ok(count.usage()),
            (Self::Pods, _) => Err(UsageError::WrongType { resource: "pod" }),
            (Self::Services, _) => Err(UsageError::WrongType { resource: "service" }),
            (Self::PersistentVolumeClaims, _) => {
                Err(UsageError::WrongType { resource: "persistent volume claim" })
            }
            (Self::ResourceClaims, _) => Err(UsageError::WrongType { resource: "resource claim" }),
        }
    }

    /// What an object uses as long as it does not change; none if that depends on other objects or on the time.
    pub fn lasting_usage(&self, object: Object<'_>) -> Option<ResourceList> {
        match (self, object) {
            (Self::Pods, Object::Pod(pod, resources)) => pods::lasting_usage(pod, resources),
            (Self::Services, Object::Service(service)) => Some(services::usage(service)),
            (Self::PersistentVolumeClaims, Object::PersistentVolumeClaim(claim)) => {
                persistent_volume_claims::usage(claim).ok()
            }
            (Self::ObjectCount(count), _) => Some(count.usage()),
            _ => None,
        }
    }

    /// Whether a request can change what a quota counts.
    ///
    /// # Source
    /// kubernetes `pkg/quota/v1/evaluator/core` (`Handles`)
    pub fn handles(&self, request: &Request<'_>) -> bool {
        let operation = request.operation;
        let creates_or_updates = matches!(operation, Operation::Create | Operation::Update);
        match (self, request.subresource) {
            (Self::Pods, subresource) => pods::handles(request, subresource),
            (Self::PersistentVolumeClaims, "status") => {
                // Upstream means to compare old and new but compares addresses, so every status write is handled.
                matches!(request.object, Object::PersistentVolumeClaim(_))
                    && matches!(request.old_object, Some(Object::PersistentVolumeClaim(_)))
            }
            (Self::Services | Self::PersistentVolumeClaims | Self::ResourceClaims, "") => creates_or_updates,
            (Self::ObjectCount(_), "") => operation == Operation::Create,
            _ => false,
        }
    }

    /// The keys among `required` that the object must set and does not, in order.
    ///
    /// # Source
    /// kubernetes `pkg/quota/v1/evaluator/core` (`Constraints`)
    pub fn constraints(&self, required: &[&str], object: Object<'_>) -> Vec<MissingResource> {
        match (self, object) {
            (Self::Pods, Object::Pod(_, resources)) => pods::constraints(required, resources),
            _ => Vec::new(),
        }
    }

    /// Whether an object matches a scope; objects other than pods and persistent volume claims match none.
    ///
    /// # Errors
    /// The scope's selector can't be evaluated.
    pub fn matches_scope(&self, scope: &ScopeRequirement, object: Object<'_>) -> Result<bool, UnusableScope> {
        match (self, object) {
            (Self::Pods, Object::Pod(pod, resources)) => pods::matches_scope(scope, pod, resources),
            (Self::PersistentVolumeClaims, Object::PersistentVolumeClaim(claim)) => {
                persistent_volume_claims::matches_scope(scope, claim)
            }
            _ => Ok(false),
        }
    }
}

/// Whether a key limits the requests of an extended resource or of a device class by its own name.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/pods.go` (`isExtendedResourceNameForQuota`)
pub(crate) fn is_extended_resource_key(key: &str) -> bool {
    key.starts_with(REQUESTS_PREFIX) && (!is_native(key) || key.starts_with(REQUESTS_DEVICE_CLASS_PREFIX))
}
