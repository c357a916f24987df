//! How long a failed daemon pod is left alone, so that the controller and a kubelet that refuses its pods don't chase each other.
//!
//! # Source
//! client-go `util/flowcontrol/backoff.go`

use std::collections::HashMap;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// How long the second failed pod of a node is left alone; each one after it twice as long.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest that a failed pod is left alone.
const LONGEST: Duration = Duration::from_mins(15);

/// On whose account pods fail: a DaemonSet, by its uid, in the state of an observed generation, on a node.
type Key = (String, i64, String);

/// When failed pods were deleted last, by DaemonSet and node.
#[derive(Clone, Debug, Default)]
pub struct FailedPods {
    entries: HashMap<Key, Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    delay: Duration,
    deleted_at: Timestamp,
}

impl Entry {
    fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.deleted_at)
    }

    fn is_forgotten(&self, now: Timestamp) -> bool {
        self.age(now) > SignedDuration::try_from(2 * LONGEST).unwrap_or(SignedDuration::MAX)
    }
}

impl FailedPods {
    /// Takes note that a failed pod is deleted now, unless the last one was deleted too lately: then says for how long to leave
    /// it alone.
    pub(super) fn delete(
        &mut self,
        daemon_set_uid: &str,
        observed_generation: i64,
        node: &str,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let key = (daemon_set_uid.to_owned(), observed_generation, node.to_owned());
        let known = self.entries.get(&key).filter(|entry| !entry.is_forgotten(now));
        let delay = match known {
            None => SHORTEST,
            Some(entry) => {
                let is_over = Duration::try_from(entry.age(now)).is_ok_and(|age| age >= entry.delay);
                if !is_over {
                    return Err(entry.delay);
                }
                LONGEST.min(entry.delay * 2)
            }
        };
        self.entries.insert(key, Entry { delay, deleted_at: now });
        Ok(())
    }

    /// Forgets what is long past.
    pub fn forget_old(&mut self, now: Timestamp) {
        self.entries.retain(|_, entry| !entry.is_forgotten(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn each_failure_doubles_the_delay_up_to_a_quarter_of_an_hour() {
        let mut failed = FailedPods::default();
        let mut now = 0;
        for delay in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(failed.delete("u", 1, "a", at(now)), Ok(()));
            assert_eq!(
                failed.delete("u", 1, "a", at(now + delay - 1)),
                Err(Duration::from_secs(delay.unsigned_abs()))
            );
            now += delay;
        }
    }

    #[test]
    fn what_is_long_past_and_what_failed_elsewhere_does_not_count() {
        let mut failed = FailedPods::default();
        assert_eq!(failed.delete("u", 1, "a", at(0)), Ok(()));
        assert_eq!(failed.delete("u", 1, "b", at(0)), Ok(()));
        assert_eq!(failed.delete("u", 2, "a", at(0)), Ok(()));
        failed.forget_old(at(1800));
        assert_eq!(failed.entries.len(), 3);
        failed.forget_old(at(1801));
        assert!(failed.entries.is_empty());
    }

    #[test]
    fn a_clock_that_jumps_back_leaves_a_failed_pod_alone() {
        let mut failed = FailedPods::default();
        assert_eq!(failed.delete("u", 1, "a", at(100)), Ok(()));
        assert_eq!(failed.delete("u", 1, "a", at(50)), Err(Duration::from_secs(1)));
    }
}
