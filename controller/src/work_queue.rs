//! What waits to be worked on: each key once, none by two workers at the same time, and after a failure only after a while.
//!
//! # Source
//! client-go `util/workqueue`

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::time::Duration;

/// The wait after a key's first failure; each later one is twice as long.
const SHORTEST: Duration = Duration::from_millis(5);
/// The longest wait after a failure.
const LONGEST: Duration = Duration::from_secs(1000);
/// How many failures a second all keys together may have before more of them wait.
const PER_SECOND: f64 = 10.0;
/// How many failures at once are nothing out of the ordinary.
const BURST: f64 = 100.0;

/// Keys that wait to be worked on. Times are measured from any one moment, by a clock that doesn't jump.
///
/// kube-runtime's scheduler is no help here: asked for the same key now and later, it drops the later time.
#[derive(Clone, Debug)]
pub struct WorkQueue<K> {
    /// In the order of their turn, each with the time since when it waits.
    ready: VecDeque<(K, Duration)>,
    /// Those that have to be worked on: the ready ones, and those that have changed while a worker has them.
    dirty: HashSet<K>,
    /// Those that a worker has, and since when.
    processing: HashMap<K, Duration>,
    /// Those whose time has not come.
    waiting: BTreeSet<(Duration, K)>,
    due: HashMap<K, Duration>,
    failures: HashMap<K, u32>,
    bucket: Bucket,
}

/// Gives out so many tokens a second; who comes too early is told for how long to wait.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Duration,
}

impl Bucket {
    /// # Source
    /// golang.org/x/time `rate` (`Limiter.Reserve`)
    fn take(&mut self, now: Duration) -> Duration {
        let gained = now.saturating_sub(self.at).as_secs_f64() * PER_SECOND;
        self.tokens = (self.tokens + gained).min(BURST) - 1.0;
        self.at = now;
        Duration::from_secs_f64((-self.tokens / PER_SECOND).max(0.0))
    }
}

/// A key that a worker gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken<K> {
    /// The key.
    pub key: K,
    /// For how long it has been ready.
    pub waited: Duration,
}

impl<K> Default for WorkQueue<K> {
    fn default() -> Self {
        Self {
            ready: VecDeque::new(),
            dirty: HashSet::new(),
            processing: HashMap::new(),
            waiting: BTreeSet::new(),
            due: HashMap::new(),
            failures: HashMap::new(),
            bucket: Bucket { tokens: BURST, at: Duration::ZERO },
        }
    }
}

impl<K: Clone + Ord + Hash> WorkQueue<K> {
    /// Has a key worked on; false if it is known already that it has to be.
    pub fn add(&mut self, key: K, now: Duration) -> bool {
        if !self.dirty.insert(key.clone()) {
            return false;
        }
        if !self.processing.contains_key(&key) {
            self.ready.push_back((key, now));
        }
        true
    }

    /// Has a key worked on after a while, whether or not it is worked on before.
    pub fn add_after(&mut self, key: K, delay: Duration, now: Duration) {
        let at = now + delay;
        if let Some(known) = self.due.get(&key).copied() {
            if known <= at {
                return;
            }
            self.waiting.remove(&(known, key.clone()));
        }
        self.due.insert(key.clone(), at);
        self.waiting.insert((at, key));
    }

    /// Has a key worked on again that has failed. Returns after which time.
    ///
    /// # Source
    /// client-go `util/workqueue` (`DefaultTypedControllerRateLimiter`)
    pub fn add_failed(&mut self, key: K, now: Duration) -> Duration {
        let failures = self.failures.entry(key.clone()).or_default();
        let own = 2_u32.checked_pow(*failures).and_then(|times| SHORTEST.checked_mul(times));
        *failures = failures.saturating_add(1);
        let delay = own.map_or(LONGEST, |own| own.min(LONGEST)).max(self.bucket.take(now));
        self.add_after(key, delay, now);
        delay
    }

    /// Forgets that a key has failed.
    pub fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// The next key, which nobody else gets until it is [done](Self::done).
    pub fn take(&mut self, now: Duration) -> Option<Taken<K>> {
        while let Some((at, key)) = self.waiting.pop_first() {
            if at > now {
                self.waiting.insert((at, key));
                break;
            }
            self.due.remove(&key);
            self.add(key, now);
        }
        let (key, since) = self.ready.pop_front()?;
        self.dirty.remove(&key);
        self.processing.insert(key.clone(), now);
        Some(Taken { key, waited: now.saturating_sub(since) })
    }

    /// A key has been worked on. If it was added meanwhile, it is ready again. Returns how long the work took.
    pub fn done(&mut self, key: &K, now: Duration) -> Duration {
        let begun = self.processing.remove(key);
        if self.dirty.contains(key) {
            self.ready.push_back((key.clone(), now));
        }
        now.saturating_sub(begun.unwrap_or(now))
    }

    /// When the next of those that wait is due.
    pub fn next_due(&self) -> Option<Duration> {
        self.waiting.first().map(|(at, _)| *at)
    }

    /// How many are ready.
    pub fn depth(&self) -> usize {
        self.ready.len()
    }

    /// For how long workers have had each key that they have.
    pub fn running(&self, now: Duration) -> impl Iterator<Item = Duration> {
        self.processing.values().map(move |since| now.saturating_sub(*since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn take(queue: &mut WorkQueue<&'static str>, milliseconds: u64) -> Option<&'static str> {
        queue.take(at(milliseconds)).map(|taken| taken.key)
    }

    #[test]
    fn a_key_waits_once_and_in_turn() {
        let mut queue = WorkQueue::default();
        assert!(queue.add("a", at(0)));
        assert!(queue.add("b", at(1)));
        assert!(!queue.add("a", at(2)));
        assert_eq!(queue.take(at(5)), Some(Taken { key: "a", waited: at(5) }));
        assert_eq!(queue.depth(), 1);
        assert_eq!(take(&mut queue, 5), Some("b"));
        assert_eq!(take(&mut queue, 5), None);
    }

    #[test]
    fn what_changes_while_a_worker_has_it_comes_again_and_not_before_it_is_done() {
        let mut queue = WorkQueue::default();
        queue.add("a", at(0));
        assert_eq!(take(&mut queue, 0), Some("a"));
        assert!(queue.add("a", at(1)));
        assert_eq!(take(&mut queue, 1), None);
        assert_eq!(queue.running(at(3)).collect::<Vec<_>>(), [at(3)]);
        assert_eq!(queue.done(&"a", at(4)), at(4));
        assert_eq!(take(&mut queue, 4), Some("a"));
        queue.done(&"a", at(5));
        assert_eq!(take(&mut queue, 5), None);
    }

    #[test]
    fn the_earliest_of_several_times_counts_and_work_before_it_does_not_replace_it() {
        let mut queue = WorkQueue::default();
        queue.add_after("a", at(30), at(0));
        queue.add_after("a", at(50), at(0));
        queue.add_after("a", at(10), at(5));
        assert_eq!(queue.next_due(), Some(at(15)));
        queue.add("a", at(6));
        assert_eq!(take(&mut queue, 6), Some("a"));
        queue.done(&"a", at(7));
        assert_eq!(take(&mut queue, 14), None);
        assert_eq!(take(&mut queue, 15), Some("a"));
        queue.done(&"a", at(16));
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn failures_double_the_wait_until_they_are_forgotten() {
        let mut queue = WorkQueue::default();
        let delays: Vec<_> = (0..20).map(|_| queue.add_failed("a", at(0)).as_millis()).collect();
        assert_eq!(delays[..5], [5, 10, 20, 40, 80]);
        assert_eq!(delays[17..], [655_360, 1_000_000, 1_000_000]);
        for _ in 0..50 {
            queue.add_failed("a", at(0));
        }
        queue.forget(&"a");
        assert_eq!(queue.add_failed("a", at(0)), at(5));
    }

    #[test]
    fn what_always_fails_is_tried_fourteen_times_in_the_first_minute_and_once_in_the_second() {
        let mut queue = WorkQueue::default();
        queue.add("a", at(0));
        let mut tries = Vec::new();
        while let Some(due) = if tries.is_empty() { Some(at(0)) } else { queue.next_due() }
            && due < Duration::from_mins(2)
        {
            assert_eq!(queue.take(due).map(|taken| taken.key), Some("a"));
            queue.add_failed("a", due);
            queue.done(&"a", due);
            tries.push(due);
        }
        let in_minute = |minute: u64| tries.iter().filter(|at| at.as_secs() / 60 == minute).count();
        assert_eq!((in_minute(0), in_minute(1)), (14, 1));
    }

    #[test]
    fn many_that_fail_share_ten_tries_a_second() {
        let mut queue: WorkQueue<u32> = WorkQueue::default();
        for key in 0..100 {
            assert_eq!(queue.add_failed(key, at(0)), at(5));
        }
        assert_eq!(queue.add_failed(100, at(0)), at(100));
        assert_eq!(queue.add_failed(101, at(0)), at(200));
        assert_eq!(queue.add_failed(102, at(1000)), at(5));
    }
}
