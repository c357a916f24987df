//! The quotas of one namespace, as the API server has them and as this replica sees them.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_quota::ledger::advance::DRAWABLE_FOR;
use plimsoll_quota::{Charge, Decision, Holding, LimitedResource, Quota, Surroundings};
use plimsoll_resource_math::ResourceList;
use tokio::time::Instant;

use crate::admission::Request;
use crate::batch::Held;
use crate::server::stored_quota::StoredQuota;

/// How long a name that was drawn in advance waits until it is noted.
const NOTED_AFTER: Duration = Duration::from_millis(250);
/// After how long without a draw what is held in advance is given back.
const GIVEN_BACK_AFTER: Duration = Duration::from_millis(500);
/// Room is held in advance only if so many requests share a write: a lone client would wait for one write less now and then, and
/// everybody would see more in use than is.
const BUSY: usize = 4;

/// The quotas, in order of name.
pub(super) struct Quotas {
    /// What this task is called in ledgers.
    holder: String,
    standings: Vec<Standing>,
    /// One each, as decisions take them.
    seen: Vec<Quota>,
}

/// One quota.
struct Standing {
    stored: Arc<StoredQuota>,
    holding: Holding,
    /// Until when what is held may be drawn.
    until: Instant,
    /// When an advance was last written or drawn on.
    used: Instant,
    /// No later than the first object was drawn that is not noted yet.
    unnoted_since: Instant,
    /// How many bytes more the ledger may have.
    bytes_left: usize,
}

impl Standing {
    /// Whether there is something to be noted or given back, and that can be done.
    fn is_unsettled(&self) -> bool {
        self.stored.held.untrusted.is_none() && !self.holding.is_settled(&self.stored.held.quota)
    }

    /// When that has to be done.
    fn due(&self) -> Option<Instant> {
        let due = match self.holding.unnoted() {
            0 => self.used + GIVEN_BACK_AFTER,
            _ => self.unnoted_since + NOTED_AFTER,
        };
        self.is_unsettled().then_some(due)
    }
}

/// A quota that is about to be written.
pub(super) struct Writing {
    pub(super) stored: Arc<StoredQuota>,
    pub(super) quota: Quota,
    pub(super) sent: Instant,
    /// How many requests share the write.
    pub(super) noted: usize,
}

impl Quotas {
    /// None yet. No other task, of any replica, may have the same name.
    pub(super) fn new(holder: String) -> Self {
        Self { holder, standings: Vec::new(), seen: Vec::new() }
    }

    /// As decisions take them.
    pub(super) fn seen(&self) -> &[Quota] {
        &self.seen
    }

    /// What requests are decided against that may have to wait for a write.
    pub(super) fn held(&self) -> Vec<Held> {
        let held = self.standings.iter().zip(&self.seen).map(|(standing, seen)| Held {
            quota: seen.clone(),
            version: standing.stored.held.version.clone(),
            untrusted: standing.stored.held.untrusted.clone(),
            uncertain: standing.holding.uncertain(seen),
        });
        held.collect()
    }

    fn search(&self, name: &str) -> Result<usize, usize> {
        self.standings.binary_search_by(|standing| standing.stored.name().cmp(name))
    }

    /// Whether what was read is news.
    pub(super) fn is_news(&self, read: &StoredQuota) -> bool {
        let known = self.search(read.name()).ok().map(|place| &self.standings[place].stored);
        known.is_none_or(|known| read.supersedes(known))
    }

    /// Takes over what was read, if it is news.
    pub(super) fn take_in(&mut self, read: Arc<StoredQuota>, now: Instant) -> bool {
        match self.search(read.name()) {
            Ok(place) if read.supersedes(&self.standings[place].stored) => {
                self.rebase(place, read);
                true
            }
            Ok(_) => false,
            Err(place) => {
                let (stored, holding) = (Arc::clone(&read), Holding::new(self.holder.clone()));
                let (until, used, unnoted_since) = (now, now, now);
                let standing = Standing { stored, holding, until, used, unnoted_since, bytes_left: 0 };
                self.standings.insert(place, standing);
                self.seen.insert(place, Quota::default());
                self.rebase(place, read);
                true
            }
        }
    }

    /// Takes over a list of all quotas that there are, whatever their versions.
    pub(super) fn take_in_all(&mut self, listed: Vec<StoredQuota>, now: Instant) {
        let known = std::mem::take(&mut self.standings).into_iter().zip(std::mem::take(&mut self.seen));
        let is_listed = |name: &str| listed.iter().any(|stored| stored.name() == name);
        (self.standings, self.seen) = known.filter(|(standing, _)| is_listed(standing.stored.name())).unzip();
        for stored in listed {
            match self.search(stored.name()) {
                Ok(place) if stored.is_same_version(&self.standings[place].stored) => {}
                Ok(place) => self.rebase(place, Arc::new(stored)),
                Err(_) => drop(self.take_in(Arc::new(stored), now)),
            }
        }
    }

    fn rebase(&mut self, place: usize, stored: Arc<StoredQuota>) {
        let standing = &mut self.standings[place];
        standing.stored = stored;
        let held = &standing.stored.held;
        self.seen[place] = standing.holding.rebase(&held.quota, &held.version);
        standing.bytes_left = self.seen[place].ledger.bytes_left();
    }

    /// Admits a request with what is held in advance; returns the places of the quotas that it uses. None if it has to be decided with
    /// a write, or against what is stored now.
    pub(super) fn draw(
        &mut self,
        request: &Request,
        limited: &[LimitedResource],
        surroundings: &Surroundings<'_>,
        now: Instant,
    ) -> Option<Vec<usize>> {
        let may_be_drawn = |standing: &Standing| now < standing.until && standing.holding.has_room();
        // What pods may have paid for depends on what else is stored, which is asked before a write.
        let is_sure = request.payers().next().is_none();
        if request.dry_run || !is_sure || !self.standings.iter().any(may_be_drawn) {
            return None;
        }
        let Ok(Decision::Admitted(charges)) = request.decide(&self.seen, limited, surroundings) else {
            return None;
        };
        let (key, admission) = request.entry()?;
        let bytes = |charge: &Charge| self.seen[charge.quota].bytes_to_reserve(charge, &key);
        let bytes: Vec<usize> = charges.iter().map(bytes).collect();
        let covered = charges.iter().zip(&bytes).all(|(charge, bytes)| {
            let standing = &self.standings[charge.quota];
            now < standing.until
                && *bytes <= standing.bytes_left
                && standing.holding.covers(&self.seen[charge.quota], charge, &key, &admission)
        });
        if !covered {
            return None;
        }
        for (charge, bytes) in charges.iter().zip(bytes) {
            let standing = &mut self.standings[charge.quota];
            if standing.holding.unnoted() == 0 {
                standing.unnoted_since = now;
            }
            standing.used = now;
            standing.bytes_left -= bytes;
            let (seen, version) = (&mut self.seen[charge.quota], &standing.stored.held.version);
            standing.holding.draw(seen, charge, key.clone(), admission.clone(), version);
        }
        Some(charges.iter().map(|charge| charge.quota).collect())
    }

    /// When something has to be written though nobody waits for it.
    pub(super) fn due(&self) -> Option<Instant> {
        self.standings.iter().filter_map(Standing::due).min()
    }

    /// The places of those of which something is to be noted or given back.
    pub(super) fn unsettled(&self) -> Vec<usize> {
        (0..self.standings.len()).filter(|place| self.standings[*place].is_unsettled()).collect()
    }

    /// Begins to write a quota: as planned, with what has been drawn, and with new room in advance if enough requests share the write.
    /// `waiting` is how many wait for it.
    pub(super) fn send(
        &mut self,
        place: usize,
        planned: &Quota,
        waiting: usize,
        may_hold: bool,
        now: Instant,
    ) -> Writing {
        let Standing { stored, holding, .. } = &mut self.standings[place];
        let noted = holding.unnoted() + waiting;
        let room = if may_hold && noted >= BUSY {
            holding.room(&self.seen[place], planned)
        } else {
            ResourceList::new()
        };
        let quota = holding.send(planned, room, &stored.held.version);
        Writing { stored: Arc::clone(stored), quota, sent: now, noted }
    }

    /// Goes on after that has been written; returns what is stored now.
    pub(super) fn take_note(
        &mut self,
        place: usize,
        writing: Writing,
        version: String,
        now: Instant,
    ) -> Arc<StoredQuota> {
        let Writing { stored, quota, sent, .. } = writing;
        let standing = &mut self.standings[place];
        standing.holding.take_note();
        standing.until = sent + DRAWABLE_FOR;
        standing.used = now;
        // What was drawn meanwhile.
        standing.unnoted_since = sent;
        let stored = Arc::new(stored.written(&quota, version));
        self.rebase(place, Arc::clone(&stored));
        stored
    }

    /// Goes on after a write has failed, or nobody knows whether it has.
    pub(super) fn give_up(&mut self, place: usize) {
        self.standings[place].holding.give_up();
    }
}

#[cfg(test)]
mod tests;
