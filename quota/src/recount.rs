//! Measuring anew what the objects of a namespace use of a quota.
//!
//! # Source
//! apiserver `pkg/quota/v1` (`CalculateUsage`), kubernetes `pkg/controller/resourcequota` (`syncResourceQuota`)

use std::borrow::Cow;
use std::collections::HashMap;

use plimsoll_api::group::GroupResource;
use plimsoll_resource_math::{Format, Quantity, ResourceList};

use crate::evaluators::object_count::ALIASES;
use crate::evaluators::{Evaluator, UsageError};
use crate::payer::Payer;
use crate::quota::Quota;
use crate::request::Object;
use crate::scopes::UnusableScope;
use crate::surroundings::{NoNeighbours, Surroundings};

/// A stored object of the quota's namespace.
#[derive(Clone, Copy, Debug)]
pub struct CountedObject<'a> {
    /// Its resource.
    pub resource: &'a GroupResource,
    /// The object.
    pub object: Object<'a>,
    /// What it uses, if that has been [measured](Evaluator::lasting_usage) before.
    pub usage: Option<&'a ResourceList>,
}

/// What a recount can see.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// The resources, beside those with rules of their own, whose objects are known.
    pub countable: &'a [GroupResource],
    /// The resources, whatever else is said of them, whose objects are not known well enough to be counted now.
    pub uncountable: &'a [GroupResource],
    /// The stored objects of the quota's namespace.
    pub objects: &'a [CountedObject<'a>],
}

/// Brings the status of a quota up to date: the limits of its spec come into force, and what the objects use of them, or have
/// reserved if that is more, is counted from zero.
///
/// Keys of a resource that can't be counted keep what they had; such keys without a count are limits that refuse every request
/// (`status unknown for quota`). While the quota's ledger is rising no amount is lowered.
///
/// # Errors
/// An object can't be measured; the quota is left as it was.
///
/// # Source
/// kubernetes `pkg/controller/resourcequota` (`syncResourceQuota`)
pub fn recount(quota: &mut Quota, seen: Seen<'_>, surroundings: &Surroundings<'_>) -> Result<(), UsageError> {
    let counted = count(quota, seen, surroundings)?;
    let before = quota.used.mask(quota.spec_hard.keys());
    let mut used = before.clone();
    for (key, amount) in counted {
        used.insert(key, amount);
    }
    if quota.ledger.rising {
        used.max(&before);
    }
    quota.hard = quota.spec_hard.clone();
    quota.used = used;
    Ok(())
}

/// What the objects use of the keys of `spec.hard` that are counted at all.
///
/// # Source
/// apiserver `pkg/quota/v1` (`CalculateUsage`)
fn count(quota: &Quota, seen: Seen<'_>, surroundings: &Surroundings<'_>) -> Result<ResourceList, UsageError> {
    let mut total = ResourceList::new();
    let mut unknown: Vec<&str> = Vec::new();
    for resource in &all_countable(seen.countable) {
        let Some(evaluator) = Evaluator::of(resource) else {
            continue;
        };
        let hard = quota.spec_hard.keys().map(String::as_str);
        let keys = evaluator.matching(hard, surroundings.device_classes);
        if keys.is_empty() {
            continue;
        }
        if seen.uncountable.contains(resource) {
            unknown.extend(keys);
            continue;
        }
        let zero = Quantity::from_units(0, Format::DecimalSi);
        let mut used: ResourceList = keys.iter().map(|key| ((*key).to_owned(), zero.clone())).collect();
        let reserved = quota
            .ledger
            .of_resource(resource)
            .map(|(name, entry)| (name, quota.ledger.counted(name, entry, &quota.namespace, surroundings)));
        let mut reserved: HashMap<&str, Cow<'_, ResourceList>> = reserved.collect();
        for counted in seen.objects.iter().filter(|counted| counted.resource == resource) {
            match is_in_scope(quota, &evaluator, counted.object) {
                Ok(true) => {}
                Ok(false) => continue,
                // An unusable scope ends the count of this resource.
                Err(_) => break,
            }
            let name = counted.object.metadata().name.as_deref().unwrap_or_default();
            let mut usage = match counted.usage {
                Some(usage) => Cow::Borrowed(usage),
                None => Cow::Owned(measure(quota, &evaluator, counted.object, surroundings)?),
            };
            if let Some(reserved) = reserved.remove(name) {
                usage.to_mut().max(&reserved);
            }
            used.add_masked(&usage, &quota.spec_hard);
        }
        for reserved in reserved.values() {
            used.add_masked(reserved, &quota.spec_hard);
        }
        total.add(&used);
    }
    for (_, advance) in quota.ledger.advances() {
        // What could not be counted keeps the amount that it had.
        let counted = advance.usage.mask(total.keys());
        total.add(&counted);
    }
    total.retain(|key, _| !unknown.contains(&key));
    Ok(total.mask(quota.spec_hard.keys()))
}

/// What a stored object uses. Where it is not sure which claim gets what their pod has paid, this one does not.
fn measure(
    quota: &Quota,
    evaluator: &Evaluator,
    object: Object<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<ResourceList, UsageError> {
    let metadata = object.metadata();
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let name = metadata.name.as_deref().unwrap_or_default();
    let is_contested = |payer: &Payer| quota.ledger.is_contested(name, payer, namespace, surroundings);
    let surroundings = match Payer::of(object).filter(is_contested) {
        Some(_) => &Surroundings { neighbours: &NoNeighbours, ..*surroundings },
        None => surroundings,
    };
    evaluator.usage(object, namespace, surroundings)
}

/// Whether an object is in all scopes of a quota.
fn is_in_scope(quota: &Quota, evaluator: &Evaluator, object: Object<'_>) -> Result<bool, UnusableScope> {
    let mut matches_all = true;
    for scope in &quota.scopes {
        matches_all &= evaluator.matches_scope(scope, object)?;
    }
    Ok(matches_all)
}

/// The resources that are counted by rules of their own or by a bare name, and `countable`.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/registry.go` (`NewEvaluators`)
pub(crate) fn all_countable(countable: &[GroupResource]) -> Vec<GroupResource> {
    let mut resources = vec![
        GroupResource::new("", "pods"),
        GroupResource::new("", "services"),
        GroupResource::new("", "persistentvolumeclaims"),
        GroupResource::new("resource.k8s.io", "resourceclaims"),
    ];
    resources.extend(ALIASES.into_iter().map(|alias| GroupResource::new("", alias)));
    for resource in countable {
        if !resources.contains(resource) {
            resources.push(resource.clone());
        }
    }
    resources
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ResourceQuota;
    use k8s_openapi::api::resource::v1::ResourceClaim;
    use k8s_openapi::jiff::Timestamp;
    use plimsoll_fixtures::object;

    use super::*;
    use crate::device_classes::DeviceClasses;
    use crate::ledger::Holding;

    #[test]
    fn what_is_not_counted_keeps_its_amount_beside_an_advance() {
        let quota: ResourceQuota = object(
            "{metadata: {name: team}, spec: {hard: {count/jobs.batch: 5000}},
                status: {hard: {count/jobs.batch: 5000}, used: {count/jobs.batch: 3000}}}",
        );
        let quota = Quota::parse(&quota).unwrap();
        let room = ResourceList::from_iter([(
            "count/jobs.batch".to_owned(),
            Quantity::from_units(10, Format::DecimalSi),
        )]);
        let mut quota = Holding::new("replica".to_owned()).send(&quota, room, "7");
        let before = quota.used.clone();
        let device_classes = DeviceClasses::default();
        let (now, neighbours) = (Timestamp::UNIX_EPOCH, &NoNeighbours);
        let surroundings = Surroundings { now, device_classes: &device_classes, neighbours };
        recount(&mut quota, Seen::default(), &surroundings).unwrap();
        assert_eq!(quota.used, before);
    }

    /// As upstream counts: no rule matches the second key while no device class is known, and yet claims use it.
    #[test]
    fn keys_that_no_rule_matches_are_counted_with_those_that_one_does() {
        let hard = "{gpu.deviceclass.resource.k8s.io/devices: 7, requests.deviceclass.resource.kubernetes.io/gpu: 2}";
        let quota: ResourceQuota = object(&format!("{{metadata: {{name: team}}, spec: {{hard: {hard}}}}}"));
        let mut quota = Quota::parse(&quota).unwrap();
        let claim: ResourceClaim = object(
            "{metadata: {name: a}, spec: {devices: {requests: [{name: a, exactly: {deviceClassName: gpu, allocationMode: All}}]}}}",
        );
        let resource = GroupResource::new("resource.k8s.io", "resourceclaims");
        let objects =
            [CountedObject { resource: &resource, object: Object::ResourceClaim(&claim), usage: None }];
        let surroundings = Surroundings {
            now: Timestamp::UNIX_EPOCH,
            device_classes: &DeviceClasses::default(),
            neighbours: &NoNeighbours,
        };
        recount(&mut quota, Seen { objects: &objects, ..Seen::default() }, &surroundings).unwrap();
        let used: Vec<String> = quota.used.iter().map(|(key, amount)| format!("{key}={amount}")).collect();
        assert_eq!(
            used,
            [
                "gpu.deviceclass.resource.k8s.io/devices=32",
                "requests.deviceclass.resource.kubernetes.io/gpu=32"
            ]
        );
    }
}
