//! Persistent volume claims: how many, and how much storage, in total and by storage class.
//!
//! # Source
//! kubernetes `pkg/quota/v1/evaluator/core/persistent_volume_claims.go`

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_resource_math::resource_name::STORAGE;
use plimsoll_resource_math::{Quantity, ResourceList};

use super::UsageError;
use super::object_count::one;
use crate::scopes::{ScopeRequirement, UnusableScope, VOLUME_ATTRIBUTES_CLASS};

const COUNT_KEY: &str = "count/persistentvolumeclaims";
const CLAIMS: &str = "persistentvolumeclaims";
const REQUESTS_STORAGE: &str = "requests.storage";
const STORAGE_CLASS_INFIX: &str = ".storageclass.storage.k8s.io/";
/// The annotation that named a claim's storage class before the field did, and still precedes it.
const STORAGE_CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

pub(super) fn matches(key: &str) -> bool {
    if matches!(key, COUNT_KEY | CLAIMS | REQUESTS_STORAGE) {
        return true;
    }
    [CLAIMS, REQUESTS_STORAGE]
        .into_iter()
        .any(|refined| key.strip_suffix(refined).is_some_and(|class| class.ends_with(STORAGE_CLASS_INFIX)))
}

/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/persistent_volume_claims.go` (`Usage`)
pub(super) fn usage(claim: &PersistentVolumeClaim) -> Result<ResourceList, UsageError> {
    let mut amounts = vec![(CLAIMS, one())];
    if let Some(storage) = storage(claim)? {
        amounts.push((REQUESTS_STORAGE, storage));
    }
    let mut usage = ResourceList::new();
    usage.insert(COUNT_KEY, one());
    let class = storage_class(claim);
    for (key, amount) in amounts {
        if !class.is_empty() {
            usage.insert(format!("{class}{STORAGE_CLASS_INFIX}{key}"), amount.clone());
        }
        usage.insert(key, amount);
    }
    Ok(usage)
}

/// # Source
/// component-helpers `storage/volume` (`GetPersistentVolumeClaimClass`)
fn storage_class(claim: &PersistentVolumeClaim) -> &str {
    let annotations = claim.metadata.annotations.as_ref();
    annotations
        .and_then(|annotations| annotations.get(STORAGE_CLASS_ANNOTATION))
        .or_else(|| claim.spec.as_ref()?.storage_class_name.as_ref())
        .map(String::as_str)
        .unwrap_or_default()
}

/// The storage that a claim is charged for, in whole bytes: what it asks for or, if larger, what has been allocated to it
/// while it grows.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/persistent_volume_claims.go` (`getStorageUsage`)
fn storage(claim: &PersistentVolumeClaim) -> Result<Option<Quantity>, UsageError> {
    let requests = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
    let Some(mut storage) = storage_of("spec.resources.requests", requests)? else {
        return Ok(None);
    };
    storage.round_up_to_unit();
    let allocated = claim.status.as_ref().and_then(|status| status.allocated_resources.as_ref());
    if let Some(mut allocated) = storage_of("status.allocatedResources", allocated)?
        && allocated > storage
    {
        allocated.round_up_to_unit();
        storage = allocated;
    }
    Ok(Some(storage))
}

fn storage_of(
    field: &'static str,
    list: Option<&BTreeMap<String, ApiQuantity>>,
) -> Result<Option<Quantity>, UsageError> {
    let mut parsed = ResourceList::parse(list).map_err(|error| UsageError::NoQuantity { field, error })?;
    Ok(parsed.remove(STORAGE))
}

/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/persistent_volume_claims.go` (`pvcMatchesScopeFunc`)
pub(super) fn matches_scope(
    scope: &ScopeRequirement,
    claim: &PersistentVolumeClaim,
) -> Result<bool, UnusableScope> {
    if scope.scope_name != VOLUME_ATTRIBUTES_CLASS {
        return Ok(false);
    }
    let mut classes = volume_attributes_classes(claim).peekable();
    if scope.is_exists() {
        return Ok(classes.peek().is_some());
    }
    if classes.peek().is_none() {
        return scope.selects(None);
    }
    for class in classes {
        if scope.selects(Some(class))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The volume attributes classes that a claim has, had or is moving to.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/persistent_volume_claims.go` (`getReferencedVolumeAttributesClassNames`)
fn volume_attributes_classes(claim: &PersistentVolumeClaim) -> impl Iterator<Item = &str> {
    let wanted = claim.spec.as_ref().and_then(|spec| spec.volume_attributes_class_name.as_deref());
    let status = claim.status.as_ref();
    let current = status.and_then(|status| status.current_volume_attributes_class_name.as_deref());
    let modification = status.and_then(|status| status.modify_volume_status.as_ref());
    let target = modification.and_then(|status| status.target_volume_attributes_class_name.as_deref());
    [wanted, current, target].into_iter().flatten().filter(|name| !name.is_empty())
}
