//! Pods that wait a while before they are tried again: the longer, the more often they were tried in vain.
//!
//! # Source
//! `pkg/scheduler/backend/queue/backoff_queue.go`

use super::MICROS_PER_SECOND;
use super::heap::{Heap, Less};
use super::queued_pod::QueuedPodInfo;

/// How long pods wait before they are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// At first.
    pub initial_seconds: i64,
    /// At most; 0 if they don't wait.
    pub max_seconds: i64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { initial_seconds: 1, max_seconds: 10 }
    }
}

impl Backoff {
    /// How long a pod waits after that many tries in vain.
    ///
    /// # Source
    /// `backoff_queue.go` (`calculateBackoffDuration`)
    pub fn duration_seconds(self, count: u32) -> i64 {
        if count == 0 || self.max_seconds <= 0 {
            return 0;
        }
        let doubled = 1_i64.checked_shl(count - 1).filter(|factor| *factor > 0);
        let duration = doubled.and_then(|factor| self.initial_seconds.checked_mul(factor));
        duration.map_or(self.max_seconds, |duration| duration.min(self.max_seconds))
    }

    /// In which second the backoff of a pod ends that waits since then; none if it has none.
    ///
    /// # Source
    /// `backoff_queue.go` (`getBackoffTime`)
    pub(super) fn expiration_seconds(self, pod: &QueuedPodInfo) -> Option<i64> {
        let errors = pod.consecutive_errors_count;
        let count = if errors > 0 { errors } else { pod.unschedulable_count };
        let expiration = || second_of(pod.queued_at_micros).saturating_add(self.duration_seconds(count));
        (count > 0 && self.max_seconds > 0).then(expiration)
    }
}

fn second_of(micros: i64) -> i64 {
    micros.div_euclid(MICROS_PER_SECOND)
}

/// Whether a pod is still to wait. In the second in which its backoff ends it is.
///
/// # Source
/// `backoff_queue.go` (`isEntityBackingoff`)
pub(super) fn is_backing_off(pod: &QueuedPodInfo, now_micros: i64) -> bool {
    pod.backoff_expiration_seconds.is_some_and(|expiration| expiration >= second_of(now_micros))
}

/// The pods that wait: those that were turned away, and those for which something went wrong.
#[derive(Debug, Default)]
pub(super) struct BackoffQueue {
    rejected: Heap,
    failed: Heap,
}

impl BackoffQueue {
    pub(super) fn push(&mut self, pod: QueuedPodInfo, order: Less<'_>) {
        if pod.has_no_rejectors() {
            self.failed.push(pod, &by_expiration);
        } else {
            self.rejected.push(pod, &by_expiration_and(order));
        }
    }

    /// Takes the pod that would be tried next, though its backoff isn't over. One for which something went wrong is never taken.
    pub(super) fn pop(&mut self, order: Less<'_>) -> Option<QueuedPodInfo> {
        self.rejected.pop(&by_expiration_and(order))
    }

    /// Takes all pods whose backoff is over.
    pub(super) fn pop_completed(&mut self, now_micros: i64, order: Less<'_>) -> Vec<QueuedPodInfo> {
        let by_expiration_and_order = by_expiration_and(order);
        let mut completed = pop_completed(&mut self.rejected, now_micros, &by_expiration_and_order);
        completed.extend(pop_completed(&mut self.failed, now_micros, &by_expiration));
        completed
    }

    pub(super) fn remove(&mut self, key: &str, order: Less<'_>) -> Option<QueuedPodInfo> {
        let rejected = self.rejected.remove(key, &by_expiration_and(order));
        rejected.or_else(|| self.failed.remove(key, &by_expiration))
    }

    /// Changes the pod of a key. Whether it is there.
    pub(super) fn update(
        &mut self,
        key: &str,
        change: impl FnOnce(&mut QueuedPodInfo),
        order: Less<'_>,
    ) -> bool {
        if self.rejected.contains(key) {
            self.rejected.update(key, change, &by_expiration_and(order))
        } else {
            self.failed.update(key, change, &by_expiration)
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&QueuedPodInfo> {
        self.rejected.get(key).or_else(|| self.failed.get(key))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &QueuedPodInfo> {
        self.rejected.iter().chain(self.failed.iter())
    }

    /// The first second in which the backoff of any pod ends.
    pub(super) fn next_expiration_seconds(&self) -> Option<i64> {
        let first = [self.rejected.first(), self.failed.first()];
        first.into_iter().flatten().filter_map(|pod| pod.backoff_expiration_seconds).min()
    }
}

fn by_expiration(first: &QueuedPodInfo, second: &QueuedPodInfo) -> bool {
    first.backoff_expiration_seconds < second.backoff_expiration_seconds
}

/// Pods whose backoff ends in the same second come in the order in which they would be tried.
fn by_expiration_and(order: Less<'_>) -> impl Fn(&QueuedPodInfo, &QueuedPodInfo) -> bool {
    move |first, second| {
        let (one, other) = (first.backoff_expiration_seconds, second.backoff_expiration_seconds);
        if one == other { order(first, second) } else { one < other }
    }
}

fn pop_completed(heap: &mut Heap, now_micros: i64, less: Less<'_>) -> Vec<QueuedPodInfo> {
    let mut completed = Vec::new();
    while heap.first().is_some_and(|pod| !is_backing_off(pod, now_micros)) {
        completed.extend(heap.pop(less));
    }
    completed
}
