//! Which of the pods that wait for something to happen are tried again, and when.
//!
//! # Source
//! `pkg/scheduler/backend/queue/scheduling_queue.go`

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;

use super::queued_pod::{PodKey, QueuedPodInfo};
use super::requeue::{Strategy, order};
use super::{MICROS_PER_SECOND, Moment, SchedulingQueue};
use crate::framework::{Change, ClusterEvent};

impl SchedulingQueue {
    /// Has those pods tried again that an event may let in, of those that `check` lets pass.
    ///
    /// # Source
    /// `scheduling_queue.go` (`MoveAllToActiveOrBackoffQueue`)
    pub fn move_all_to_active_or_backoff(
        &mut self,
        event: ClusterEvent,
        change: &Arc<Change>,
        check: &dyn Fn(&Pod) -> bool,
        moment: Moment<'_>,
    ) {
        if self.unschedulable.is_empty() && self.in_flight.is_empty() {
            return;
        }
        let interested: Vec<&str> =
            self.events.iter().filter(|(_, events)| covers(events, event)).map(|(name, _)| *name).collect();
        if interested.is_empty() && !event.is_wild_card() {
            return;
        }
        // What follows for one pod doesn't depend on what follows for the others, so all are looked at before any is moved.
        let worth = |(key, pod): (&PodKey, &QueuedPodInfo)| {
            let strategy = self.worth_waking(pod, event, change, check, moment);
            (strategy != Strategy::Skip).then(|| (PodKey::clone(key), strategy))
        };
        let woken: Vec<(PodKey, Strategy)> = if event.is_wild_card() {
            self.unschedulable.iter().filter_map(worth).collect()
        } else {
            self.unschedulable.rejected_by(&interested).into_iter().filter_map(worth).collect()
        };
        for (key, strategy) in woken {
            self.requeue_from_pool(&key, strategy, moment);
        }
        if !self.in_flight.is_empty() {
            self.in_flight.take_down(event, change);
        }
    }

    fn worth_waking(
        &self,
        pod: &QueuedPodInfo,
        event: ClusterEvent,
        change: &Change,
        check: &dyn Fn(&Pod) -> bool,
        moment: Moment<'_>,
    ) -> Strategy {
        // Nothing but what its gate is registered for lets a gated pod in.
        let may_open = |plugin| self.events.get(plugin).is_some_and(|events| covers(events, event));
        let stays_gated = !event.is_wild_card() && pod.gating_plugin.is_some_and(|plugin| !may_open(plugin));
        if stays_gated || !check(&pod.pod) {
            return Strategy::Skip;
        }
        self.worth_requeuing(pod, event, change, moment)
    }

    pub(super) fn requeue_from_pool(&mut self, key: &PodKey, strategy: Strategy, moment: Moment<'_>) {
        if strategy != Strategy::Skip
            && let Some(pod) = self.unschedulable.remove(key)
        {
            self.requeue(pod, strategy, moment);
        }
    }

    /// Has those pods tried whose backoff is over.
    pub fn flush_backoff_completed(&mut self, now_micros: i64) {
        let completed = self.backoff.pop_completed(now_micros, &order(&self.profiles));
        for pod in completed {
            self.push_active(pod, now_micros);
        }
    }

    /// Has those pods tried again that have waited for long, though nothing happened that may let them in.
    ///
    /// # Source
    /// `scheduling_queue.go` (`flushUnschedulableEntitiesLeftover`)
    pub fn flush_unschedulable_left_over(&mut self, moment: Moment<'_>) {
        let longest = self.settings.max_in_unschedulable_seconds.saturating_mul(MICROS_PER_SECOND);
        let now = moment.now_micros;
        let has_waited = |(_, pod): &(&PodKey, &QueuedPodInfo)| {
            let since = pod.queued_at_micros.max(pod.flushed_at_micros.unwrap_or(i64::MIN));
            now.saturating_sub(since) > longest
        };
        let left_over: Vec<PodKey> =
            self.unschedulable.iter().filter(has_waited).map(|(key, _)| PodKey::clone(key)).collect();
        if left_over.is_empty() {
            return;
        }
        let change = Arc::new(Change::default());
        for key in &left_over {
            let Some(mut pod) = self.unschedulable.remove(key) else { continue };
            pod.was_flushed_from_unschedulable = true;
            pod.flushed_at_micros = Some(now);
            self.requeue(pod, Strategy::AfterBackoff, moment);
        }
        if !self.in_flight.is_empty() {
            self.in_flight.take_down(ClusterEvent::UNSCHEDULABLE_TIMEOUT, &change);
        }
    }
}

fn covers(events: &[ClusterEvent], event: ClusterEvent) -> bool {
    events.iter().any(|registered| registered.covers(event))
}
