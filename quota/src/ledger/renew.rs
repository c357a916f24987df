//! One turn of the recounter at one quota.

use plimsoll_api::group::GroupResource;

use super::settle::{self, CacheView};
use super::{EntryKey, Ledger, Version};
use crate::device_classes::DeviceClasses;
use crate::evaluators::{Evaluator, UsageError};
use crate::quota::Quota;
use crate::recount::{CountedObject, Seen, all_countable, recount};
use crate::surroundings::Surroundings;

/// What was found about what [`Patience`](super::Patience) calls overdue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Each overdue entry, what [`written_over`](super::Entry::written_over) it had, and the version of the object that a read by
    /// name from the store found afterwards, if it found one.
    pub entries: Vec<(EntryKey, String, Option<Version>)>,
    /// Each overdue advance by the name of the replica that held it, with what [`written_over`](super::Advance::written_over) it had.
    pub advances: Vec<(String, String)>,
    /// Whether the wait for a lost ledger is over.
    pub rising: bool,
}

/// Drops the entries that are settled or void, and counts anew. Write the result only over the very version of the quota that
/// came in.
///
/// A quota whose ledger can't be relied upon comes in with a new, [rising](super::Ledger::rising) one, and must be counted from
/// consistent lists; so must one whose wait for a lost ledger is over, or in which an advance is overdue.
///
/// Returns the resources that could not be counted, because the cache has not been filled or is older than an object that settled an
/// entry. Their keys keep what they had.
///
/// # Errors
/// An object can't be measured.
pub fn renew(
    quota: &mut Quota,
    view: &impl CacheView,
    findings: &Findings,
    (countable, objects): (&[GroupResource], &[CountedObject<'_>]),
    surroundings: &Surroundings<'_>,
) -> Result<Vec<GroupResource>, UsageError> {
    let mut resources = resources_of(quota.spec_keys(), countable, surroundings.device_classes);
    for resource in resources.iter().filter(|resource| view.is_consistent(resource)) {
        if let Some(version) = view.version(resource) {
            quota.ledger.lower_watermark(resource, version);
        }
    }
    settle::settle(&mut quota.ledger, view);
    for (key, written_over, stored) in &findings.entries {
        settle::expire(&mut quota.ledger, key, written_over, stored.as_ref(), view);
    }
    if findings.rising && resources.iter().all(|resource| view.is_consistent(resource)) {
        quota.ledger.rising = false;
        count_no_older_cache(&mut quota.ledger, &resources, view);
    }
    for (holder, written_over) in &findings.advances {
        let advance = quota.ledger.advances.get(holder);
        let Some(advance) = advance.filter(|advance| advance.written_over == *written_over) else { continue };
        // What the quota does not want to limit any more is not counted, nor listed.
        let keys = advance.usage.keys().filter(|key| quota.spec_hard.contains_key(key)).map(String::as_str);
        let drawn = resources_of(keys, countable, surroundings.device_classes);
        if drawn.iter().all(|resource| view.is_consistent(resource)) {
            quota.ledger.drop_advance(holder);
            count_no_older_cache(&mut quota.ledger, &drawn, view);
        }
    }
    resources.retain(|resource| {
        view.version(resource).is_none_or(|version| !quota.ledger.permits(resource, version))
    });
    recount(quota, Seen { countable, uncountable: &resources, objects }, surroundings)?;
    if !quota.ledger.rising {
        let uncounted: Vec<Evaluator> = resources.iter().filter_map(Evaluator::of).collect();
        let device_classes = surroundings.device_classes;
        quota
            .ledger
            .count_once_but(|key| uncounted.iter().any(|evaluator| evaluator.counts(key, device_classes)));
    }
    Ok(resources)
}

/// Objects that no entry names are in these lists, so whatever is older may not be counted from now on.
fn count_no_older_cache(ledger: &mut Ledger, resources: &[GroupResource], view: &impl CacheView) {
    for resource in resources {
        if let Some(version) = view.version(resource) {
            ledger.raise_watermark(resource, version);
        }
    }
}

/// The resources whose objects some of the keys count.
pub fn resources_of<'k>(
    keys: impl Iterator<Item = &'k str> + Clone,
    countable: &[GroupResource],
    device_classes: &DeviceClasses,
) -> Vec<GroupResource> {
    let mut resources = all_countable(countable);
    resources.retain(|resource| {
        Evaluator::of(resource)
            .is_some_and(|evaluator| keys.clone().any(|key| evaluator.counts(key, device_classes)))
    });
    resources
}
