//! Whether an event may let a pod in, and where the pod goes then.
//!
//! # Source
//! `pkg/scheduler/backend/queue/scheduling_queue.go`

use super::backoff::is_backing_off;
use super::queued_pod::{QueuedPodInfo, identity};
use super::{Moment, Place, SchedulingQueue};
use crate::framework::{
    Change, ClusterEvent, EventRegistration, HintRequest, Object, PreEnqueueRequest, QueueingHint,
};
use crate::pod_info::fields;
use crate::profile::Profile;

/// What follows from an event for a pod, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strategy {
    /// Nothing.
    Skip,
    /// It is tried again once its backoff is over.
    AfterBackoff,
    /// It is tried again at once.
    Immediately,
}

impl SchedulingQueue {
    pub(super) fn profile_of(&self, pod: &QueuedPodInfo) -> Option<&Profile> {
        let name = fields::scheduler_name(&pod.pod);
        self.profiles.iter().find(|profile| profile.scheduler_name == name)
    }

    /// Whether an event may let a pod in, by the plugins that turned it away.
    ///
    /// # Source
    /// `scheduling_queue.go` (`isPodWorthRequeuing`)
    pub(super) fn worth_requeuing(
        &self,
        pod: &QueuedPodInfo,
        event: ClusterEvent,
        change: &Change,
        moment: Moment<'_>,
    ) -> Strategy {
        if pod.has_no_rejectors() {
            return Strategy::AfterBackoff;
        }
        if event.is_wild_card() {
            // With an object it is about that pod only.
            let is_for = |object: &Object| matches!(object, Object::Pod(other) if identity(other) == identity(&pod.pod));
            let is_meant = change.new.as_ref().is_none_or(is_for);
            return if is_meant { Strategy::AfterBackoff } else { Strategy::Skip };
        }
        let Some(profile) = self.profile_of(pod) else { return Strategy::AfterBackoff };
        let request = HintRequest { pod: &pod.pod, change, listers: moment.listers };
        let mut strategy = Strategy::Skip;
        for plugin in pod.rejectors() {
            let events = profile.registered_events(plugin);
            if !events.iter().any(|registered| says_queue(registered, event, &request)) {
                continue;
            }
            if pod.pending_plugins.contains(plugin) {
                return Strategy::Immediately;
            }
            strategy = Strategy::AfterBackoff;
            if pod.pending_plugins.is_empty() {
                break;
            }
        }
        strategy
    }

    /// What follows for a pod that comes back from all that happened while it was tried.
    ///
    /// # Source
    /// `scheduling_queue.go` (`determineSchedulingHintForInFlightPod`)
    pub(super) fn strategy_for_in_flight(&self, pod: &QueuedPodInfo, moment: Moment<'_>) -> Strategy {
        if pod.has_no_rejectors() {
            return Strategy::AfterBackoff;
        }
        let identity = identity(&pod.pod);
        let Some(happened) = self.in_flight.since(&identity) else { return Strategy::AfterBackoff };
        let mut strategy = Strategy::Skip;
        for one in happened {
            strategy = strategy.max(self.worth_requeuing(pod, one.event, &one.change, moment));
            let is_decided = strategy == Strategy::AfterBackoff && pod.pending_plugins.is_empty();
            if is_decided || strategy == Strategy::Immediately {
                break;
            }
        }
        strategy
    }

    /// Puts a pod that is nowhere in the queue where it belongs.
    ///
    /// # Source
    /// `scheduling_queue.go` (`requeueEntityWithQueueingStrategy`)
    pub(super) fn requeue(&mut self, pod: QueuedPodInfo, strategy: Strategy, moment: Moment<'_>) -> Place {
        match strategy {
            Strategy::Skip => {
                self.unschedulable.insert(pod);
                Place::Unschedulable
            }
            Strategy::AfterBackoff if is_backing_off(&pod, moment.now_micros) => {
                self.move_to(Place::Backoff, pod, moment)
            }
            Strategy::AfterBackoff | Strategy::Immediately => self.move_to(Place::Active, pod, moment),
        }
    }

    /// Lets a pod into the active or the backoff queue, if no plugin keeps it out.
    ///
    /// # Source
    /// `scheduling_queue.go` (`moveToActiveQ`, `moveToBackoffQ`)
    pub(super) fn move_to(&mut self, place: Place, mut pod: QueuedPodInfo, moment: Moment<'_>) -> Place {
        self.run_pre_enqueue(&mut pod, moment);
        if pod.is_gated() {
            pod.was_flushed_from_unschedulable = false;
            self.unschedulable.insert(pod);
            return Place::Unschedulable;
        }
        if place == Place::Active {
            self.push_active(pod, moment.now_micros);
        } else {
            self.backoff.push(pod, &order(&self.profiles));
        }
        place
    }

    /// Adds a pod to the active queue that plugins have let in.
    pub(super) fn push_active(&mut self, mut pod: QueuedPodInfo, now_micros: i64) {
        pod.initial_attempt_at_micros.get_or_insert(now_micros);
        self.active.push(pod, &order(&self.profiles));
    }

    fn run_pre_enqueue(&self, pod: &mut QueuedPodInfo, moment: Moment<'_>) {
        let is_preempting = self.preempting.contains(&identity(&pod.pod));
        let request = PreEnqueueRequest { pod: &pod.pod, listers: moment.listers, is_preempting };
        let gate = self.profile_of(pod).map(|profile| profile.pre_enqueue(&request, pod.gating_plugin));
        let gate = gate.filter(|status| !status.is_success()).map(|status| status.plugin);
        pod.unschedulable_plugins.extend(gate);
        pod.gating_plugin = gate;
    }
}

fn says_queue(registered: &EventRegistration, event: ClusterEvent, request: &HintRequest<'_>) -> bool {
    registered.event.covers(event)
        && registered.hint.as_ref().is_none_or(|hint| hint(request) != Ok(QueueingHint::Skip))
}

/// Which of two pods is tried first.
pub(super) fn order(profiles: &[Profile]) -> impl Fn(&QueuedPodInfo, &QueuedPodInfo) -> bool + '_ {
    move |first, second| {
        let sort = profiles.first();
        sort.is_some_and(|sort| sort.queue_order(&first.as_queued(), &second.as_queued()).is_lt())
    }
}
