//! Room that one replica of the webhook holds in advance, so that under load it can answer before it writes.
//!
//! With a write that it has to make anyway a replica raises `status.used` by more than it has admitted: by its [`Advance`]. On that it
//! *draws* for a while, which needs no write: it agrees to a request, and *notes* the name in the ledger with the next write that it
//! begins. While that write is under way either advance may be stored, the former or the new one, so only what both cover is drawn. A replica
//! that crashes leaves its advance behind, which covers whatever was drawn until the recount has waited long enough.
//!
//! An object may be stored, and counted, before its name is noted. Then it counts twice for a moment: once as itself and once in the
//! advance, or in what was noted since. So too much may be counted, never too little; and what is [uncertain](Holding::uncertain) in
//! this way is no reason to refuse anything.
//!
//! DIFFERENCE: D-quota-5.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_resource_math::{Quantity, ResourceList};

use super::patience::STORABLE_FOR;
use super::{Admission, EntryKey};
use crate::charge::Charge;
use crate::quota::Quota;

/// For how long after a write was sent its advance may be drawn on, by the monotonic clock of the replica.
pub const DRAWABLE_FOR: Duration = Duration::from_secs(2);

// Whoever sees an advance sees it after it was sent, and waits for the last object that was drawn as long as for any other.
const _: () = assert!(STORABLE_FOR.as_secs() >= 60 + DRAWABLE_FOR.as_secs());

/// An advance is no more than one part in two to the power of this, 128, of the room that is left: what a replica leaves behind when it
/// crashes is hardly missed by others, and a quota of a few hundred objects is never held in advance.
const PART_OF_ROOM: u32 = 7;

/// Room in a quota that a replica may give away before it writes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    /// How much, of the quota's keys.
    pub usage: Arc<ResourceList>,
    /// The resource version of the quota over which it was written.
    pub written_over: String,
}

/// What one replica holds of one quota.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// What the replica is called in the ledger.
    holder: String,
    /// What is left of the advance that stands in the quota, or less where nobody knew which one that is.
    left: ResourceList,
    /// What has been drawn and is not noted in the ledger yet.
    unnoted: Vec<Drawn>,
    /// How much that is.
    unnoted_usage: ResourceList,
    /// The write that is under way.
    sent: Option<Sent>,
}

/// A write that may or may not have reached the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sent {
    /// What is left of the advance that it brings.
    left: ResourceList,
    /// How many of the unnoted it notes.
    notes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Drawn {
    key: EntryKey,
    admission: Admission,
    usage: ResourceList,
}

impl Holding {
    /// Nothing, of a replica whose name no other has.
    pub fn new(holder: String) -> Self {
        Self { holder, ..Self::default() }
    }

    /// The quota as the replica sees it: what it holds in advance is free to be drawn, and what it has drawn is used.
    ///
    /// Nothing is left where a version of the quota has no advance of the replica's, as the ledger was lost or the recount has waited in
    /// vain; nor where a key is about to come into force, for what is drawn then would not be charged to it. What has been drawn is
    /// noted all the same, whatever has become of the write that was to note it.
    pub fn rebase(&mut self, stored: &Quota, version: &str) -> Quota {
        let mut seen = stored.clone();
        if !seen.release(&self.holder) || seen.has_keys_to_come() {
            self.left = ResourceList::new();
        }
        for drawn in &self.unnoted {
            drawn.note(&mut seen, version);
        }
        seen
    }

    /// Whether a request can be drawn. `seen` is the quota as the replica sees it.
    pub fn covers(&self, seen: &Quota, charge: &Charge, key: &EntryKey, admission: &Admission) -> bool {
        // What is reserved for the name already makes the charge less than its usage.
        matches!(admission, Admission::Create { .. })
            && seen.ledger.entry(key).is_none()
            && self.advances_left().all(|left| {
                let has = |(name, amount): (&String, &Quantity)| {
                    amount.is_zero() || left.get(name).is_some_and(|left| left >= amount)
                };
                charge.usage.iter().all(has)
            })
    }

    /// What is left of each advance that may be the one that is stored.
    fn advances_left(&self) -> impl Iterator<Item = &ResourceList> {
        std::iter::once(&self.left).chain(self.sent.iter().map(|sent| &sent.left))
    }

    /// Draws what is [covered](Self::covers). `version` is the one of the quota that was read last.
    pub fn draw(
        &mut self,
        seen: &mut Quota,
        charge: &Charge,
        key: EntryKey,
        admission: Admission,
        version: &str,
    ) {
        let drawn = Drawn { key, admission, usage: charge.usage.clone() };
        drawn.note(seen, version);
        self.left.sub(&drawn.usage);
        if let Some(sent) = &mut self.sent {
            sent.left.sub(&drawn.usage);
        }
        self.unnoted_usage.add(&drawn.usage);
        self.unnoted.push(drawn);
    }

    /// How many objects have been drawn and are not noted yet.
    pub fn unnoted(&self) -> usize {
        self.unnoted.len()
    }

    /// Whether anything is left to be drawn.
    pub fn has_room(&self) -> bool {
        self.advances_left().all(|left| !left.is_zero())
    }

    /// Whether there is nothing to be noted, and nothing to be given back in the quota as it is stored.
    pub fn is_settled(&self, stored: &Quota) -> bool {
        self.unnoted.is_empty() && !stored.ledger.advances.contains_key(&self.holder)
    }

    /// How much may be counted that is not used: what other replicas hold in advance, and what may count twice.
    pub fn uncertain(&self, seen: &Quota) -> ResourceList {
        let mut uncertain = seen.ledger.maybe_twice.clone();
        uncertain.add(&self.unnoted_usage);
        for (_, advance) in seen.ledger.advances() {
            uncertain.add(&advance.usage);
        }
        uncertain
    }

    /// What to hold in advance beside `planned`, the quota as the replica sees it with all that it is about to admit: twice as much as
    /// is noted with this write, as long as that is little of the room that is left; else nothing. Nor is anything held while a key is
    /// about to come into force.
    pub fn room(&self, seen: &Quota, planned: &Quota) -> ResourceList {
        let mut noted = planned.used.clone();
        noted.sub(&seen.used);
        noted.add(&self.unnoted_usage);
        noted.remove_zeros();
        let mut room = noted.clone();
        room.add(&noted);
        let is_little = |(name, amount): (&String, &_)| {
            let (Some(used), Some(hard)) = (planned.used.get(name), planned.hard.get(name)) else {
                return false;
            };
            let mut needed = Quantity::clone(amount);
            for _ in 0..PART_OF_ROOM {
                needed.add(&needed.clone());
            }
            needed.add(used);
            needed <= *hard
        };
        if !planned.has_keys_to_come() && room.iter().all(is_little) { room } else { ResourceList::new() }
    }

    /// Begins a write over a version, and returns what is to be written: `planned`, as the replica sees the quota, and `room`, which it holds
    /// in advance from then on. All that has been drawn must be in `planned`.
    ///
    /// Until the write is known [to be done](Self::take_note) or [not](Self::give_up) only that may be drawn which both the former advance
    /// and the new one cover.
    pub fn send(&mut self, planned: &Quota, room: ResourceList, version: &str) -> Quota {
        let mut quota = planned.clone();
        quota.ledger.maybe_twice.add(&self.unnoted_usage);
        if !room.is_empty() {
            quota.hold(&self.holder, &room, version);
        }
        self.sent = Some(Sent { left: room, notes: self.unnoted.len() });
        quota
    }

    /// Goes on after what was [sent](Self::send) has been written.
    pub fn take_note(&mut self) {
        let Sent { left, notes } = self.sent.take().unwrap_or_default();
        self.left = left;
        for noted in self.unnoted.drain(..notes) {
            self.unnoted_usage.sub(&noted.usage);
        }
        self.unnoted_usage.remove_zeros();
    }

    /// Goes on after a write has failed, or nobody knows whether it has: whatever is drawn then has to be covered by what stood there
    /// before as well as by what was sent.
    pub fn give_up(&mut self) {
        if let Some(sent) = self.sent.take() {
            self.left.min(&sent.left);
        }
    }
}

impl Drawn {
    /// Counts it in full, whatever is reserved for the name: whoever reserved that took the object for one that is counted.
    fn note(&self, quota: &mut Quota, version: &str) {
        quota.use_more(&self.usage);
        quota.ledger.reserve(self.key.clone(), &self.admission, &self.usage, None, version);
    }
}

impl Quota {
    /// Holds room for a replica.
    fn hold(&mut self, holder: &str, room: &ResourceList, version: &str) {
        self.use_more(room);
        let advance = Advance { usage: Arc::new(room.clone()), written_over: version.to_owned() };
        self.ledger.advances.insert(holder.to_owned(), advance);
    }

    /// Gives back what is held for a replica; false if nothing is.
    fn release(&mut self, holder: &str) -> bool {
        let Some(advance) = self.ledger.advances.remove(holder) else { return false };
        self.use_less(&advance.usage);
        true
    }
}

#[cfg(test)]
mod tests;
