//! The pods that wait for a node: the scheduler's own queue, and where each pod's row is.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use plimsoll_scheduler::framework::{Change, ClusterEvent};
use plimsoll_scheduler::queue::{self, Moment, Place, PodKey, QueueSettings, QueuedPodInfo};
use plimsoll_scheduler::{Listers, Profile, SchedulingQueue};
use rustc_hash::FxHashMap;

/// How long to wait until every backoff is over.
const LONGER_THAN_BACKOFF_MICROS: i64 = 60_000_000;
/// The pods that wait for a node. Nobody waits in real time here: a pod's backoff is over as soon as no other pod is left to be tried.
pub(super) struct WaitingPods {
    queue: SchedulingQueue,
    rows: FxHashMap<PodKey, usize>,
    /// The time of the queue, which goes on with whatever happens.
    now_micros: i64,
    /// Whether anything has happened since the pods were last tried that failed with an error; only then are they tried again.
    has_news: bool,
}

impl WaitingPods {
    pub(super) fn new(profiles: Arc<[Profile]>) -> Self {
        Self {
            queue: SchedulingQueue::new(profiles, QueueSettings::default()),
            rows: FxHashMap::default(),
            now_micros: 0,
            has_news: false,
        }
    }

    /// A pod is there that needs a node. One of the same name that waits is gone. Tells whether a plugin keeps it out.
    pub(super) fn add(&mut self, pod: &Arc<Pod>, row: usize, listers: &Listers) -> bool {
        let key = queue::key(pod);
        if self.queue.place(&key).is_some() {
            self.queue.delete(pod);
        }
        self.rows.insert(PodKey::clone(&key), row);
        let moment = self.moment(listers);
        self.queue.add(Arc::clone(pod), moment);
        self.queue.place(&key) == Some(Place::Unschedulable)
    }

    /// The pod to be tried next, and its row. [`Self::give_back`] or [`Self::done`] has to follow.
    pub(super) fn next(&mut self) -> Option<(QueuedPodInfo, usize)> {
        loop {
            if let Some(pod) = self.queue.pop() {
                // Each pod in the queue has come with its row.
                let row = self.rows.get(&queue::key(&pod.pod)).copied()?;
                return Some((pod, row));
            }
            if !std::mem::take(&mut self.has_news) {
                return None;
            }
            self.now_micros += LONGER_THAN_BACKOFF_MICROS;
            self.queue.flush_backoff_completed(self.now_micros);
        }
    }

    /// The pod waits no longer.
    pub(super) fn done(&mut self, pod: QueuedPodInfo) {
        self.queue.done(&pod.pod);
    }

    /// The pod found no node, because of these plugins; of none if something went wrong.
    pub(super) fn give_back(
        &mut self,
        mut pod: QueuedPodInfo,
        rejected_by: BTreeSet<&'static str>,
        listers: &Listers,
    ) {
        pod.clear_rejector_plugins();
        pod.unschedulable_plugins = rejected_by;
        let moment = self.moment(listers);
        // It can't be there already: it was taken out by `next`.
        let _ = self.queue.add_unschedulable_if_not_present(pod, moment);
    }

    /// Has those pods tried again that this may let in.
    pub(super) fn happened(&mut self, change: Change, listers: &Listers) {
        self.has_news = true;
        let moment = self.moment(listers);
        self.queue.object_changed(change, moment);
    }

    /// Has all pods tried again.
    pub(super) fn retry_all(&mut self, listers: &Listers) {
        self.has_news = true;
        let moment = self.moment(listers);
        let (event, change) = (ClusterEvent::UNSCHEDULABLE_TIMEOUT, Arc::new(Change::default()));
        self.queue.move_all_to_active_or_backoff(event, &change, &|_| true, moment);
    }

    /// How many pods are to be tried next.
    pub(super) fn active_count(&self) -> usize {
        self.queue.active_count()
    }

    fn moment<'a>(&mut self, listers: &'a Listers) -> Moment<'a> {
        self.now_micros += 1;
        Moment { now_micros: self.now_micros, listers }
    }
}
