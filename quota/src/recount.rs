//! Measuring anew what the objects of a namespace use of a quota.
//!
//! # Source
//! apiserver `pkg/quota/v1` (`CalculateUsage`), kubernetes `pkg/controller/resourcequota` (`syncResourceQuota`)

use plimsoll_api::group::GroupResource;
use plimsoll_resource_math::{Format, Quantity, ResourceList};

use crate::evaluators::object_count::ALIASES;
use crate::evaluators::{Evaluator, UsageError};
use crate::quota::Quota;
use crate::request::Object;
use crate::surroundings::Surroundings;

/// A stored object of the quota's namespace.
#[derive(Clone, Copy, Debug)]
pub struct CountedObject<'a> {
    /// Its resource.
    pub resource: &'a GroupResource,
    /// The object.
    pub object: Object<'a>,
}

/// Brings the status of a quota up to date: the limits of its spec come into force, and what `objects` use of them is
/// counted from zero.
///
/// Keys of a resource that is neither among `countable` nor counted by a rule of its own keep what they had; such keys
/// without a count are limits that refuse every request (`status unknown for quota`).
///
/// # Errors
/// An object can't be measured; the quota is left as it was.
///
/// # Source
/// kubernetes `pkg/controller/resourcequota` (`syncResourceQuota`)
pub fn recount(
    quota: &mut Quota,
    countable: &[GroupResource],
    objects: &[CountedObject<'_>],
    surroundings: &Surroundings<'_>,
) -> Result<(), UsageError> {
    let counted = count(quota, countable, objects, surroundings)?;
    let mut used = quota.used.mask(quota.spec_hard.keys());
    for (key, amount) in counted {
        used.insert(key, amount);
    }
    quota.hard = quota.spec_hard.clone();
    quota.used = used;
    Ok(())
}

/// What the objects use of the keys of `spec.hard` that are counted at all.
///
/// # Source
/// apiserver `pkg/quota/v1` (`CalculateUsage`)
fn count(
    quota: &Quota,
    countable: &[GroupResource],
    objects: &[CountedObject<'_>],
    surroundings: &Surroundings<'_>,
) -> Result<ResourceList, UsageError> {
    let mut total = ResourceList::new();
    let mut resources = always_countable();
    for resource in countable {
        if !resources.contains(resource) {
            resources.push(resource.clone());
        }
    }
    for resource in &resources {
        let Some(evaluator) = Evaluator::of(resource) else {
            continue;
        };
        let hard = quota.spec_hard.keys().map(String::as_str);
        let keys = evaluator.matching(hard, surroundings.device_classes);
        if keys.is_empty() {
            continue;
        }
        let zero = Quantity::from_units(0, Format::DecimalSi);
        let mut used: ResourceList = keys.iter().map(|key| ((*key).to_owned(), zero.clone())).collect();
        for counted in objects.iter().filter(|counted| counted.resource == resource) {
            let Some(usage) = usage_under(quota, &evaluator, counted.object, surroundings)? else {
                // An unusable scope ends the count of this resource.
                break;
            };
            used.add(&usage);
        }
        total.add(&used);
    }
    Ok(total.mask(quota.spec_hard.keys()))
}

/// What an object uses of a quota, nothing if it is out of its scopes; none if a scope can't be evaluated.
fn usage_under(
    quota: &Quota,
    evaluator: &Evaluator,
    object: Object<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<Option<ResourceList>, UsageError> {
    let mut matches_all = true;
    for scope in &quota.scopes {
        match evaluator.matches_scope(scope, object) {
            Ok(matches) => matches_all &= matches,
            Err(_) => return Ok(None),
        }
    }
    if !matches_all {
        return Ok(Some(ResourceList::new()));
    }
    let namespace = object.metadata().namespace.as_deref().unwrap_or_default();
    evaluator.usage(object, namespace, surroundings).map(Some)
}

/// The resources that are counted by rules of their own or by a bare name.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/registry.go` (`NewEvaluators`)
fn always_countable() -> Vec<GroupResource> {
    let mut resources = vec![
        GroupResource::new("", "pods"),
        GroupResource::new("", "services"),
        GroupResource::new("", "persistentvolumeclaims"),
        GroupResource::new("resource.k8s.io", "resourceclaims"),
    ];
    resources.extend(ALIASES.into_iter().map(|alias| GroupResource::new("", alias)));
    resources
}
