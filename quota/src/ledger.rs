//! What has been admitted and is not known to be stored yet, kept in the quota object itself.
//!
//! Between the answer to an admission review and the moment at which the recount sees the object in the store, only this ledger
//! knows of it. A charge *reserves*: it raises `status.used` and notes the object's name and whole usage in one write. Seeing the
//! object *confirms* ([`settle`]); waiting in vain *expires* ([`patience`]). Only the recount drops entries ([`renew`](mod@renew)).
//!
//! Entries stand by name: two objects of one name never exist at once, so a name counts once, at the larger of what is stored
//! and what is reserved, and repeated calls never stack.
//!
//! Under load a replica of the webhook reserves in [`advance`] as well.
//!
//! DIFFERENCE: D-quota-5. Upstream notes nothing but the sum.

pub mod advance;
pub mod annotation;
pub mod patience;
mod payment;
pub mod renew;
pub mod settle;

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_api::group::GroupResource;
use plimsoll_resource_math::ResourceList;

use crate::payer::Payer;

pub use advance::{Advance, Holding};
pub use annotation::{ANNOTATION, Untrusted};
pub use patience::Patience;
pub use plimsoll_api::resource_version::Version;
pub use renew::{Findings, renew, resources_of};
pub use settle::{CacheView, Sighting};

/// How many entries make a ledger crowded.
const CROWD: usize = 100;

/// The ledger of one quota.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: BTreeMap<EntryKey, Entry>,
    /// By resource: no count from a cache older than this is valid, because an entry was dropped for an object of this version.
    watermarks: BTreeMap<GroupResource, Version>,
    /// Entries may have been lost, so for a while the usage may only rise.
    pub rising: bool,
    /// By the name of the replica that holds it.
    advances: BTreeMap<String, Advance>,
    /// How much may be counted twice: what was drawn in advance and noted since the last recount.
    maybe_twice: ResourceList,
}

/// What an entry is about: one name of one resource, in the quota's namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey {
    /// The resource.
    pub resource: GroupResource,
    /// The name.
    pub name: String,
}

/// What is reserved for one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The whole usage that the object would have, of the quota's keys; shared by entries that are alike.
    pub usage: Arc<ResourceList>,
    /// What must be seen for the entry to be settled.
    pub awaits: Awaits,
    /// The resource version of the quota over which the latest admission was written. Tells an entry from any earlier one of the
    /// same name, so that the wait for its expiry begins again.
    pub written_over: String,
    /// The pods that may have paid for it, as far as admissions under way differ; nothing if none of them names any.
    pub payers: Vec<Option<Payer>>,
}

/// What must be seen in the store for an entry to be settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaits {
    /// The object with this uid.
    Create {
        /// The [end](uid_end) of the uid.
        uid: String,
    },
    /// A later version than the one that the admission saw, or the object's absence: the store writes only over the version that
    /// admission saw.
    Update {
        /// The version that the admission saw.
        after: Version,
    },
    /// Nothing: several admissions are under way, of which one may still be stored after another has been. Only time settles them.
    Expiry,
}

/// One admission, as the ledger tells it from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// An object with this uid is about to be stored.
    Create {
        /// The uid.
        uid: String,
    },
    /// The object with this uid and version is about to be changed.
    Update {
        /// The uid.
        uid: String,
        /// The version before the change; none if the API server's versions are not in order.
        version: Option<Version>,
    },
}

impl Ledger {
    /// The ledger of a quota whose former one can't be relied upon: what that one reserved may still be stored.
    pub fn begun_anew() -> Self {
        Self { rising: true, ..Self::default() }
    }

    /// What is reserved for a name, if anything is.
    pub fn reserved(&self, key: &EntryKey) -> Option<&ResourceList> {
        self.entries.get(key).map(|entry| &*entry.usage)
    }

    /// The entries, in order of resource and name.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&EntryKey, &Entry)> {
        self.entries.iter()
    }

    /// Whether there are so many entries that webhooks, after a charge, leave the recount time to settle them: each write carries them
    /// all, and while charges follow one another at once the recount's own write always comes too late.
    pub fn is_crowded(&self) -> bool {
        self.entries.len() >= CROWD
    }

    /// The entry for a name.
    pub fn entry(&self, key: &EntryKey) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// What replicas hold in advance, by name.
    pub fn advances(&self) -> impl Iterator<Item = (&str, &Advance)> {
        self.advances.iter().map(|(holder, advance)| (holder.as_str(), advance))
    }

    /// Drops an advance that can't be drawn on any more.
    pub(crate) fn drop_advance(&mut self, holder: &str) {
        if let Some(advance) = self.advances.remove(holder)
            && self.rising
        {
            // It stays counted until the usage may fall again.
            self.maybe_twice.add(&advance.usage);
        }
    }

    /// All keys but these have been counted anew, so nothing counts twice in them.
    pub(crate) fn count_once_but(&mut self, uncounted: impl Fn(&str) -> bool) {
        self.maybe_twice.retain(|key, _| uncounted(key));
    }

    /// The entries of one resource.
    pub(crate) fn of_resource<'l>(
        &'l self,
        resource: &'l GroupResource,
    ) -> impl Iterator<Item = (&'l str, &'l Entry)> {
        let of_resource = self.entries.iter().filter(move |(key, _)| key.resource == *resource);
        of_resource.map(|(key, entry)| (key.name.as_str(), entry))
    }

    /// Whether a count from a cache of this version is valid.
    pub(crate) fn permits(&self, resource: &GroupResource, cache: &Version) -> bool {
        self.watermarks.get(resource).is_none_or(|watermark| cache >= watermark)
    }

    /// Notes an admission. The usage of a name only rises here: an earlier admission may be the one that is stored.
    ///
    /// `written_over` is the resource version of the quota over which this will be written.
    pub fn reserve(
        &mut self,
        key: EntryKey,
        admission: &Admission,
        usage: &ResourceList,
        payer: Option<&Payer>,
        written_over: &str,
    ) {
        let written_over = written_over.to_owned();
        if let Some(entry) = self.entries.get_mut(&key) {
            Arc::make_mut(&mut entry.usage).max(usage);
            entry.awaits = entry.awaits.and(admission);
            entry.written_over = written_over;
            entry.note_payer(payer);
        } else {
            let (usage, awaits) = (Arc::new(usage.clone()), Awaits::of(admission));
            let payers = payer.cloned().map(Some).into_iter().collect();
            self.entries.insert(key, Entry { usage, awaits, written_over, payers });
        }
    }

    /// Drops an entry, and remembers the version of the object that settled it.
    pub(crate) fn drop_entry(&mut self, key: &EntryKey, seen: Option<&Version>) {
        self.entries.remove(key);
        if let Some(version) = seen {
            self.raise_watermark(&key.resource, version);
        }
    }

    /// Makes counts from caches older than this version invalid.
    pub(crate) fn raise_watermark(&mut self, resource: &GroupResource, version: &Version) {
        match self.watermarks.get_mut(resource) {
            Some(watermark) if *watermark >= *version => {}
            Some(watermark) => *watermark = version.clone(),
            None => {
                self.watermarks.insert(resource.clone(), version.clone());
            }
        }
    }

    /// Brings a watermark down to the version of a consistent list, which is valid whatever its version: so a store whose
    /// versions went back, as after a restored backup, is counted again.
    pub(crate) fn lower_watermark(&mut self, resource: &GroupResource, consistent: &Version) {
        if let Some(watermark) = self.watermarks.get_mut(resource)
            && *watermark > *consistent
        {
            *watermark = consistent.clone();
        }
    }
}

/// What a ledger keeps of a uid: 48 random bits tell enough where the name is the same, and every write carries all of them.
pub fn uid_end(uid: &str) -> &str {
    const UUID: usize = 36;
    const END: usize = 12;
    if uid.len() == UUID { uid.get(UUID - END..).unwrap_or(uid) } else { uid }
}

impl Awaits {
    fn of(admission: &Admission) -> Self {
        match admission {
            Admission::Create { uid } => Self::Create { uid: uid_end(uid).to_owned() },
            Admission::Update { version: Some(version), .. } => Self::Update { after: version.clone() },
            Admission::Update { version: None, .. } => Self::Expiry,
        }
    }

    /// What settles this and one more admission.
    fn and(&self, admission: &Admission) -> Self {
        match (self, admission) {
            // The API server asks again with the same object, as after a lost connection.
            (Self::Create { uid }, Admission::Create { uid: again }) if uid == uid_end(again) => self.clone(),
            // Whoever changes an object has seen it stored.
            (Self::Create { uid }, Admission::Update { uid: changed, version: Some(version) })
                if uid == uid_end(changed) =>
            {
                Self::Update { after: version.clone() }
            }
            // An update of an older version can't be stored any more.
            (Self::Update { after }, Admission::Update { version: Some(version), .. }) => {
                Self::Update { after: after.max(version).clone() }
            }
            _ => Self::Expiry,
        }
    }
}

#[cfg(test)]
mod tests;
