//! What a controller has asked for and its caches don't show yet: until they do, it must not decide anew.
//!
//! # Source
//! `pkg/controller/controller_utils.go` (`ControllerExpectations`)

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::object_key::ObjectKey;

/// After so long a creation or deletion is not waited for any more: its event is lost.
const PATIENCE: Duration = Duration::from_mins(5);

/// Creations and deletions that are waited for, by who asked for them. Times are measured from any one moment, by a
/// clock that doesn't jump.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    awaited: HashMap<ObjectKey, Awaited>,
}

#[derive(Clone, Debug)]
struct Awaited {
    creations: usize,
    /// The uids of what is to go.
    ///
    /// DIFFERENCE: D-DaemonSet-3.
    deletions: HashSet<String>,
    since: Duration,
}

impl Expectations {
    /// Waits for so many creations and for these objects to go, and for nothing that was waited for before.
    pub fn expect(
        &mut self,
        key: &ObjectKey,
        creations: usize,
        deletions: impl IntoIterator<Item = String>,
        now: Duration,
    ) {
        let awaited = Awaited { creations, deletions: deletions.into_iter().collect(), since: now };
        self.awaited.insert(key.clone(), awaited);
    }

    /// Takes note that so many objects have been created, or will not be.
    pub fn created(&mut self, key: &ObjectKey, count: usize) {
        if let Some(awaited) = self.awaited.get_mut(key) {
            awaited.creations = awaited.creations.saturating_sub(count);
        }
    }

    /// Takes note that an object goes or is gone, or will not go.
    pub fn deleted(&mut self, key: &ObjectKey, uid: &str) {
        if let Some(awaited) = self.awaited.get_mut(key) {
            awaited.deletions.remove(uid);
        }
    }

    /// Whether nothing is waited for any more.
    pub fn are_met(&self, key: &ObjectKey, now: Duration) -> bool {
        self.awaited.get(key).is_none_or(|awaited| {
            let nothing = awaited.creations == 0 && awaited.deletions.is_empty();
            nothing || now.saturating_sub(awaited.since) > PATIENCE
        })
    }

    /// Waits for nothing.
    pub fn forget(&mut self, key: &ObjectKey) {
        self.awaited.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ObjectKey {
        ObjectKey::new("monitoring", "exporter")
    }

    fn uids(uids: &[&str]) -> Vec<String> {
        uids.iter().map(|uid| (*uid).to_owned()).collect()
    }

    #[test]
    fn all_that_was_asked_for_is_waited_for() {
        let mut expectations = Expectations::default();
        assert!(expectations.are_met(&key(), Duration::ZERO));
        expectations.expect(&key(), 2, uids(&["a"]), Duration::ZERO);
        expectations.created(&key(), 1);
        expectations.deleted(&key(), "a");
        assert!(!expectations.are_met(&key(), Duration::ZERO));
        expectations.created(&key(), 1);
        assert!(expectations.are_met(&key(), Duration::ZERO));
    }

    #[test]
    fn an_object_goes_once_and_one_that_nobody_waits_for_does_not_count() {
        let mut expectations = Expectations::default();
        expectations.expect(&key(), 0, uids(&["a", "b"]), Duration::ZERO);
        for uid in ["a", "a", "c"] {
            expectations.deleted(&key(), uid);
        }
        assert!(!expectations.are_met(&key(), Duration::ZERO));
        expectations.deleted(&key(), "b");
        assert!(expectations.are_met(&key(), Duration::ZERO));
    }

    #[test]
    fn more_creations_than_awaited_are_no_debt() {
        let mut expectations = Expectations::default();
        expectations.expect(&key(), 1, [], Duration::ZERO);
        expectations.created(&key(), 3);
        expectations.expect(&key(), 1, [], Duration::ZERO);
        assert!(!expectations.are_met(&key(), Duration::ZERO));
    }

    #[test]
    fn a_lost_event_is_waited_for_five_minutes_and_what_is_forgotten_not_at_all() {
        let mut expectations = Expectations::default();
        let begun = Duration::from_secs(10);
        expectations.expect(&key(), 1, [], begun);
        assert!(!expectations.are_met(&key(), begun + PATIENCE));
        assert!(expectations.are_met(&key(), begun + PATIENCE + Duration::from_nanos(1)));
        expectations.forget(&key());
        assert!(expectations.are_met(&key(), begun));
    }
}
