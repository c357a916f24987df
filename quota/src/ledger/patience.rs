//! How long an entry is waited for before it is taken to be void.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{EntryKey, Ledger};

/// For how long after an admission an object may still be stored: the promise's 60 seconds, and some for the webhook to answer.
///
/// The API server itself gives up after 34 seconds.
pub const STORABLE_FOR: Duration = Duration::from_secs(65);

/// What one recounter has seen of one quota, and when, by its own monotonic clock. Times of different hosts are never compared:
/// a recounter that starts anew begins all waits again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Patience {
    entries: BTreeMap<EntryKey, Waiting>,
    rising_since: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Waiting {
    written_over: String,
    since: Duration,
}

/// What has been waited for in vain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overdue {
    /// Entries, each with what [`written_over`](super::Entry::written_over) it had.
    pub entries: Vec<(EntryKey, String)>,
    /// Whether whatever was admitted under a lost ledger has been stored or never will be.
    pub rising: bool,
}

impl Patience {
    /// Looks at a ledger, begins or goes on to wait for what stands in it, and tells what is overdue. `now` is monotonic.
    pub fn look(&mut self, ledger: &Ledger, now: Duration) -> Overdue {
        self.entries.retain(|key, _| ledger.entry(key).is_some());
        let mut overdue = Overdue::default();
        for (key, entry) in ledger.entries() {
            let waiting = self.entries.get(key).filter(|waiting| waiting.written_over == entry.written_over);
            let since = waiting.map_or(now, |waiting| waiting.since);
            if is_over(since, now) {
                overdue.entries.push((key.clone(), entry.written_over.clone()));
            }
            self.entries.insert(key.clone(), Waiting { written_over: entry.written_over.clone(), since });
        }
        self.rising_since = ledger.rising.then(|| self.rising_since.unwrap_or(now));
        overdue.rising = self.rising_since.is_some_and(|since| is_over(since, now));
        overdue
    }

    /// How many entries are waited for.
    pub fn waiting(&self) -> usize {
        self.entries.len()
    }

    /// When the next wait ends, if any is on.
    pub fn next(&self) -> Option<Duration> {
        let entries = self.entries.values().map(|waiting| waiting.since);
        entries.chain(self.rising_since).min().map(|since| since + STORABLE_FOR)
    }

    /// Begins the wait for a lost ledger again: it has been lost once more.
    pub fn restart_rising(&mut self) {
        self.rising_since = None;
    }
}

fn is_over(since: Duration, now: Duration) -> bool {
    now.saturating_sub(since) >= STORABLE_FOR
}
