//! The scheduling queue: which pod is tried next, and when one that was turned away is tried again.
//!
//! A pod waits in one of three places. In the *active* queue the next one is found. In the *backoff* queue a pod waits a
//! while, as it was tried in vain; it is taken early if the active queue is empty. In the pool of *unschedulable* pods it
//! waits until something happens that may let it in, which the plugins that turned it away say
//! ([`EventRegistration`](crate::framework::EventRegistration)). A pod that a plugin keeps from entering the queue is there
//! too; it is *gated*. What happens while a pod is being tried is remembered, and looked at when it comes back.
//!
//! The queue has no clock: each call says what time it is. Somebody has to call [`SchedulingQueue::flush_backoff_completed`]
//! at every full second, and [`SchedulingQueue::flush_unschedulable_left_over`] every 30 seconds.
//!
//! Upstream scans the whole pool at each event. Here the pods are found by the plugins that turned them away, of which only
//! those count that are registered for the event; the outcome is the same.
//!
//! Groups of pods, which are an alpha feature, aren't queued as one.
//!
//! # Source
//! `pkg/scheduler/backend/queue`

mod backoff;
mod heap;
mod in_flight;
mod nominator;
mod object_events;
mod queued_pod;
#[cfg(any(test, feature = "replay"))]
pub mod replay;
mod requeue;
mod unschedulable;
mod waking;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;

pub use self::backoff::Backoff;
use self::backoff::BackoffQueue;
use self::heap::Heap;
use self::in_flight::InFlight;
use self::nominator::Nominator;
use self::queued_pod::identity;
pub use self::queued_pod::{PodKey, QueuedPodInfo, key};
use self::requeue::order;
use self::unschedulable::UnschedulablePods;
use crate::extender;
use crate::framework::{Change, ClusterEvent, Nomination, Object, Whose, pod_events};
use crate::listers::Listers;
use crate::profile::Profile;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// What is so when the queue is asked.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// What time it is, in microseconds.
    pub now_micros: i64,
    /// What plugins look up.
    pub listers: &'a Listers,
}

/// How long pods wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// Before they are tried again.
    pub backoff: Backoff,
    /// For something to happen, before they are tried again even so.
    pub max_in_unschedulable_seconds: i64,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self { backoff: Backoff::default(), max_in_unschedulable_seconds: 5 * 60 }
    }
}

/// Where a pod waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To be tried next.
    Active,
    /// For its backoff to be over.
    Backoff,
    /// For something to happen.
    Unschedulable,
}

/// The pods that wait for a node.
pub struct SchedulingQueue {
    profiles: Arc<[Profile]>,
    settings: QueueSettings,
    active: Heap,
    backoff: BackoffQueue,
    unschedulable: UnschedulablePods,
    in_flight: InFlight,
    nominator: Nominator,
    /// The identities of pods for which others are being removed.
    preempting: BTreeSet<String>,
    /// What each plugin is registered for, in any profile; likewise the extenders.
    events: BTreeMap<&'static str, Vec<ClusterEvent>>,
}

impl SchedulingQueue {
    /// A queue without pods. The first profile says which pod is next.
    pub fn new(profiles: Arc<[Profile]>, settings: QueueSettings) -> Self {
        let mut events: BTreeMap<&'static str, Vec<ClusterEvent>> = BTreeMap::new();
        for profile in profiles.iter() {
            let names = profile.plugins().iter().map(|plugin| plugin.name).chain([extender::NAME]);
            for name in names {
                let registered = profile.registered_events(name).iter().map(|registered| registered.event);
                events.entry(name).or_default().extend(registered);
            }
        }
        Self {
            profiles,
            settings,
            active: Heap::default(),
            backoff: BackoffQueue::default(),
            unschedulable: UnschedulablePods::default(),
            in_flight: InFlight::default(),
            nominator: Nominator::default(),
            preempting: BTreeSet::new(),
            events,
        }
    }

    /// Adds a new pod.
    pub fn add(&mut self, pod: Arc<Pod>, moment: Moment<'_>) {
        self.nominator.add(&pod, &Nomination::Keep);
        self.move_to(Place::Active, QueuedPodInfo::new(pod, moment.now_micros), moment);
    }

    /// Takes the next pod to be tried; none if there is none. [`Self::add_unschedulable_if_not_present`] or [`Self::done`] has to
    /// follow.
    ///
    /// # Source
    /// `active_queue.go` (`unlockedPop`)
    pub fn pop(&mut self) -> Option<QueuedPodInfo> {
        loop {
            let order = order(&self.profiles);
            let mut pod = self.active.pop(&order).or_else(|| self.backoff.pop(&order))?;
            pod.attempts = pod.attempts.saturating_add(1);
            // A pod that is being tried already is dropped.
            if self.in_flight.begin(identity(&pod.pod)) {
                return Some(pod);
            }
        }
    }

    /// A pod is no longer being tried.
    pub fn done(&mut self, pod: &Pod) {
        self.in_flight.done(&identity(pod));
    }

    /// Takes back a pod that found no node. Its rejector plugins say who turned it away; none if something went wrong.
    ///
    /// # Errors
    /// It is in the queue already.
    ///
    /// # Source
    /// `scheduling_queue.go` (`AddUnschedulablePodIfNotPresent`)
    pub fn add_unschedulable_if_not_present(
        &mut self,
        mut pod: QueuedPodInfo,
        moment: Moment<'_>,
    ) -> Result<Place, String> {
        let identity = identity(&pod.pod);
        let place = match self.place(&pod.key()) {
            None => {
                if pod.has_no_rejectors() {
                    pod.consecutive_errors_count = pod.consecutive_errors_count.saturating_add(1);
                } else {
                    pod.unschedulable_count = pod.unschedulable_count.saturating_add(1);
                    pod.consecutive_errors_count = 0;
                }
                pod.queued_at_micros = moment.now_micros;
                pod.backoff_expiration_seconds = self.settings.backoff.expiration_seconds(&pod);
                pod.was_flushed_from_unschedulable = false;
                pod.flushed_at_micros = None;
                let strategy = self.strategy_for_in_flight(&pod, moment);
                Ok(self.requeue(pod, strategy, moment))
            }
            Some(place) => {
                let queue = match place {
                    Place::Active => "the active queue",
                    Place::Backoff => "the backoff queue",
                    Place::Unschedulable => "unschedulable queue",
                };
                Err(format!("Pod {} is already present in {queue}", pod.key().trim_start_matches('/')))
            }
        };
        self.in_flight.done(&identity);
        place
    }

    /// Takes over the new state of a pod that waits or is being tried.
    ///
    /// # Source
    /// `scheduling_queue.go` (`Update`)
    pub fn update(&mut self, old: &Arc<Pod>, new: Arc<Pod>, moment: Moment<'_>) {
        let events = pod_events(old, &new, Whose::Target);
        let change = Arc::new(Change::updated(Object::Pod(Arc::clone(old)), Object::Pod(Arc::clone(&new))));
        if self.in_flight.contains(&identity(&new)) {
            for event in events {
                self.in_flight.take_down(event, &change);
            }
            return;
        }
        let key = key(old);
        let profiles = Arc::clone(&self.profiles);
        let order = order(&profiles);
        let renew = |pod: &mut QueuedPodInfo| pod.pod = Arc::clone(&new);
        if self.active.update(&key, renew, &order) || self.backoff.update(&key, renew, &order) {
            self.nominator.update(old, &new);
            return;
        }
        let Some(mut pod) = self.unschedulable.remove(&key) else { return self.add(new, moment) };
        renew(&mut pod);
        self.nominator.update(old, &new);
        self.unschedulable.insert(pod);
        for event in events {
            let Some(pod) = self.unschedulable.get(&key) else { break };
            let strategy = self.worth_requeuing(pod, event, &change, moment);
            self.requeue_from_pool(&key, strategy, moment);
        }
    }

    /// Drops a pod that is gone or has a node.
    pub fn delete(&mut self, pod: &Pod) {
        self.nominator.remove(pod);
        let key = key(pod);
        let order = order(&self.profiles);
        if self.active.remove(&key, &order).is_none() && self.backoff.remove(&key, &order).is_none() {
            self.unschedulable.remove(&key);
        }
    }

    /// Has pods tried again, whatever turned them away. Those that are being tried are tried once more.
    ///
    /// # Source
    /// `scheduling_queue.go` (`Activate`)
    pub fn activate(&mut self, pods: &[Arc<Pod>], moment: Moment<'_>) {
        for pod in pods {
            let key = key(pod);
            let in_pool = self.unschedulable.remove(&key);
            let in_backoff = if in_pool.is_some() { None } else { self.take_from_backoff(&key) };
            let is_active = match (in_pool, in_backoff) {
                (Some(waiting), _) => self.move_to(Place::Active, waiting, moment) == Place::Active,
                (None, Some(waiting)) => {
                    self.push_active(waiting, moment.now_micros);
                    true
                }
                (None, None) => false,
            };
            if !is_active && self.in_flight.contains(&identity(pod)) {
                let change = Arc::new(Change::added(Object::Pod(Arc::clone(pod))));
                self.in_flight.take_down(ClusterEvent::FORCE_ACTIVATE, &change);
            }
        }
    }

    fn take_from_backoff(&mut self, key: &str) -> Option<QueuedPodInfo> {
        self.backoff.remove(key, &order(&self.profiles))
    }

    /// Sets a node aside for a pod, or no longer.
    pub fn nominate(&mut self, pod: &Pod, nomination: &Nomination) {
        self.nominator.add(pod, nomination);
    }

    /// No longer sets a node aside for a pod.
    pub fn clear_nomination(&mut self, pod: &Pod) {
        self.nominator.remove(pod);
    }

    /// The pods for which a node is set aside.
    pub fn nominated_pods(&self, node: &str) -> impl Iterator<Item = &PodKey> {
        self.nominator.pods(node)
    }

    /// The nodes that are set aside for any pod.
    pub fn nominated_nodes(&self) -> impl Iterator<Item = &str> {
        self.nominator.nodes()
    }

    /// Takes down that other pods are being removed for a pod, or that they are gone.
    pub fn set_preempting(&mut self, pod: &Pod, is_preempting: bool) {
        let identity = identity(pod);
        if is_preempting {
            self.preempting.insert(identity);
        } else {
            self.preempting.remove(&identity);
        }
    }

    /// Where the pod of that key waits; none if it doesn't.
    pub fn place(&self, key: &str) -> Option<Place> {
        if self.active.contains(key) {
            Some(Place::Active)
        } else if self.backoff.get(key).is_some() {
            Some(Place::Backoff)
        } else {
            self.unschedulable.get(key).map(|_| Place::Unschedulable)
        }
    }

    /// The pods that are to be tried next, in no order.
    pub fn active(&self) -> impl Iterator<Item = &QueuedPodInfo> {
        self.active.iter()
    }

    /// The pods that wait for their backoff to be over, in no order.
    pub fn backing_off(&self) -> impl Iterator<Item = &QueuedPodInfo> {
        self.backoff.iter()
    }

    /// The pods that wait for something to happen, gated ones among them, in order of key.
    pub fn unschedulable(&self) -> impl Iterator<Item = &QueuedPodInfo> {
        self.unschedulable.iter().map(|(_, pod)| pod)
    }

    /// The UIDs of the pods that are being tried, in no order.
    pub fn in_flight(&self) -> impl Iterator<Item = &str> {
        self.in_flight.pods()
    }

    /// How many events are remembered for pods that are being tried.
    pub fn in_flight_event_count(&self) -> usize {
        self.in_flight.event_count()
    }

    /// How many pods are to be tried next.
    pub fn active_count(&self) -> usize {
        self.active.len()
    }

    /// The first second in which the backoff of any pod ends.
    pub fn next_backoff_expiration_seconds(&self) -> Option<i64> {
        self.backoff.next_expiration_seconds()
    }
}

#[cfg(test)]
mod case_tests;
#[cfg(test)]
mod event_tests;
#[cfg(test)]
mod tests;
