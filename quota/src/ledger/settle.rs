//! Confirming entries by what a cache shows, and dropping those that waited in vain.

use plimsoll_api::group::GroupResource;

use super::{Awaits, Entry, EntryKey, Ledger, Version, uid_end};

/// What is known of a name in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// An object is stored.
    Stored {
        /// Its uid.
        uid: String,
        /// Its version; none if the API server's versions are not in order.
        version: Option<Version>,
    },
    /// No object is stored now, and the last one seen had this uid.
    Deleted {
        /// Its uid.
        uid: String,
    },
}

/// One cache of the objects of one resource, as of one version.
pub trait CacheView {
    /// The version up to which the cache has followed the store; none if it has not been filled, or versions are not in order.
    fn version(&self, resource: &GroupResource) -> Option<&Version>;

    /// Whether the cache is a list that was read from the store, not from another cache, after the quota was.
    fn is_consistent(&self, resource: &GroupResource) -> bool;

    /// What the cache shows of a name in the quota's namespace; none if it shows nothing.
    fn sighting(&self, key: &EntryKey) -> Option<Sighting>;
}

/// Drops every entry that the cache settles. A cache older than a resource's watermark settles nothing of it.
pub(super) fn settle(ledger: &mut Ledger, view: &impl CacheView) {
    let settled: Vec<(EntryKey, Proof)> = ledger
        .entries()
        .filter_map(|(key, entry)| {
            let cache = view.version(&key.resource)?;
            let valid = ledger.permits(&key.resource, cache);
            let proof = valid.then(|| proof(entry, view.sighting(key), cache)).flatten()?;
            let stays = matches!(proof, Proof::Stored(_)) && ledger.is_needed(entry);
            (!stays).then(|| (key.clone(), proof))
        })
        .collect();
    for (key, proof) in settled {
        match proof {
            Proof::Stored(version) => ledger.drop_entry(&key, Some(&version)),
            Proof::Gone => ledger.drop_entry(&key, None),
        }
    }
}

/// What settles an entry.
enum Proof {
    /// An object of this version.
    Stored(Version),
    /// There is no object any more.
    Gone,
}

fn proof(entry: &Entry, sighting: Option<Sighting>, cache: &Version) -> Option<Proof> {
    match (&entry.awaits, sighting) {
        (Awaits::Create { uid }, Some(Sighting::Stored { uid: seen, version: Some(version) })) => {
            (uid == uid_end(&seen)).then_some(Proof::Stored(version))
        }
        // What was stored and deleted again uses nothing, and will not come back.
        (Awaits::Create { uid }, Some(Sighting::Deleted { uid: seen })) => {
            (uid == uid_end(&seen)).then_some(Proof::Gone)
        }
        (Awaits::Update { after }, Some(Sighting::Stored { version: Some(version), .. })) => {
            (version > *after).then_some(Proof::Stored(version))
        }
        // The object was there at `after`; a cache that has got that far and lacks it shows that it is gone.
        (Awaits::Update { after }, Some(Sighting::Deleted { .. }) | None) => {
            (cache >= after).then_some(Proof::Gone)
        }
        _ => None,
    }
}

/// Drops an entry whose admissions can't be stored any more ([`Patience`](super::Patience) tells), unless it changed since.
///
/// `stored` is the version of the object that a live read by name then found, if it found one. The entry stays as long as the
/// cache has not got that far, for the object must be counted from the moment at which its entry goes.
pub(super) fn expire(
    ledger: &mut Ledger,
    key: &EntryKey,
    written_over: &str,
    stored: Option<&Version>,
    view: &impl CacheView,
) {
    let may_go =
        |entry: &Entry| entry.written_over == written_over && (stored.is_none() || !ledger.is_needed(entry));
    let may_go = ledger.entry(key).is_some_and(may_go);
    let counted =
        stored.is_none_or(|version| view.version(&key.resource).is_some_and(|cache| cache >= version));
    if may_go && counted {
        ledger.drop_entry(key, stored);
    }
}
