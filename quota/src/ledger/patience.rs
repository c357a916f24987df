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
    /// By the name of the replica that holds an advance.
    advances: BTreeMap<String, Waiting>,
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
    /// Advances by the name of the replica that held them, each with what [`written_over`](super::Advance::written_over) it had.
    pub advances: Vec<(String, String)>,
    /// Whether whatever was admitted under a lost ledger has been stored or never will be.
    pub rising: bool,
}

impl Patience {
    /// Looks at a ledger, begins or goes on to wait for what stands in it, and tells what is overdue. `now` is monotonic.
    pub fn look(&mut self, ledger: &Ledger, now: Duration) -> Overdue {
        let entries = ledger.entries().map(|(key, entry)| (key.clone(), entry.written_over.as_str()));
        let advances =
            ledger.advances().map(|(holder, advance)| (holder.to_owned(), advance.written_over.as_str()));
        let mut overdue = Overdue {
            entries: look_at(&mut self.entries, entries, now),
            advances: look_at(&mut self.advances, advances, now),
            rising: false,
        };
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
        let waiting = self.entries.values().chain(self.advances.values());
        waiting.map(|waiting| waiting.since).chain(self.rising_since).min().map(|since| since + STORABLE_FOR)
    }

    /// Begins the wait for a lost ledger again: it has been lost once more.
    pub fn restart_rising(&mut self) {
        self.rising_since = None;
    }
}

/// Goes on to wait for what is there, and returns what is overdue.
fn look_at<'l, K: Ord + Clone>(
    waited: &mut BTreeMap<K, Waiting>,
    there: impl Iterator<Item = (K, &'l str)>,
    now: Duration,
) -> Vec<(K, String)> {
    let mut overdue = Vec::new();
    let mut waiting = BTreeMap::new();
    for (key, written_over) in there {
        let before = waited.get(&key).filter(|waiting| waiting.written_over == written_over);
        let since = before.map_or(now, |waiting| waiting.since);
        if is_over(since, now) {
            overdue.push((key.clone(), written_over.to_owned()));
        }
        waiting.insert(key, Waiting { written_over: written_over.to_owned(), since });
    }
    *waited = waiting;
    overdue
}

fn is_over(since: Duration, now: Duration) -> bool {
    now.saturating_sub(since) >= STORABLE_FOR
}
