//! The work queue that workers share.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::caches::Wakes;
use super::metrics::QueueMetrics;
use crate::object_key::ObjectKey;
use crate::work_queue::WorkQueue;

/// DaemonSets that wait to be looked at.
pub(super) struct Queue {
    begun: Instant,
    keys: Mutex<WorkQueue<ObjectKey>>,
    /// Someone who waits for a key has to look again.
    changed: Notify,
    metrics: QueueMetrics,
}

impl Queue {
    pub(super) fn new(metrics: QueueMetrics) -> Self {
        Self { begun: Instant::now(), keys: Mutex::default(), changed: Notify::new(), metrics }
    }

    /// The time by which everything is measured.
    pub(super) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(super) fn wake(&self, wakes: Wakes) {
        if wakes.now.is_empty() && wakes.later.is_empty() {
            return;
        }
        let now = self.now();
        let mut keys = self.keys.lock();
        for key in wakes.now {
            if keys.add(key, now) {
                self.metrics.adds.inc();
            }
        }
        for (key, delay) in wakes.later {
            keys.add_after(key, delay, now);
        }
        self.metrics.set_depth(keys.depth());
        drop(keys);
        self.changed.notify_one();
    }

    /// The next key, once there is one.
    pub(super) async fn next(&self) -> ObjectKey {
        loop {
            let now = self.now();
            let (taken, due) = {
                let mut keys = self.keys.lock();
                let taken = keys.take(now);
                self.metrics.set_depth(keys.depth());
                (taken, keys.next_due())
            };
            if let Some(taken) = taken {
                // Someone else has to look after what is left.
                self.changed.notify_one();
                self.metrics.waited.observe(taken.waited.as_secs_f64());
                return taken.key;
            }
            match due {
                Some(due) => tokio::select! {
                    () = self.changed.notified() => {}
                    () = tokio::time::sleep_until(self.begun + due) => {}
                },
                None => self.changed.notified().await,
            }
        }
    }

    /// A key has been worked on; if that failed, it comes again after a while.
    pub(super) fn done(&self, key: &ObjectKey, failed: bool) {
        let now = self.now();
        let mut keys = self.keys.lock();
        if failed {
            keys.add_failed(key.clone(), now);
            self.metrics.retries.inc();
        } else {
            keys.forget(key);
        }
        let worked = keys.done(key, now);
        self.metrics.worked.observe(worked.as_secs_f64());
        drop(keys);
        self.changed.notify_one();
    }

    /// Tells for how long workers have been at it.
    pub(super) fn tell_running(&self) {
        let now = self.now();
        let running: Vec<Duration> = self.keys.lock().running(now).collect();
        let longest = running.iter().max().copied().unwrap_or_default();
        self.metrics.unfinished.set(running.iter().sum::<Duration>().as_secs_f64());
        self.metrics.longest.set(longest.as_secs_f64());
    }
}
