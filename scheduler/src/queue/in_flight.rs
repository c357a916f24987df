//! Pods that are being tried, and what happened meanwhile.
//!
//! # Source
//! `pkg/scheduler/backend/queue/active_queue.go` (`inFlightPods`, `inFlightEvents`)

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::framework::{Change, ClusterEvent};

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Happened {
    pub(super) event: ClusterEvent,
    pub(super) change: Arc<Change>,
}

#[derive(Debug)]
enum Entry {
    /// A pod began to be tried.
    Began,
    Happened(Happened),
}

/// Pods that are being tried and events, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    entries: BTreeMap<u64, Entry>,
    next: u64,
    began: HashMap<String, u64>,
}

impl InFlight {
    /// Takes down that a pod is being tried. False if it is already.
    pub(super) fn begin(&mut self, pod: String) -> bool {
        if self.began.contains_key(&pod) {
            return false;
        }
        let place = self.push(Entry::Began);
        self.began.insert(pod, place);
        true
    }

    pub(super) fn contains(&self, pod: &str) -> bool {
        self.began.contains_key(pod)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.began.is_empty()
    }

    pub(super) fn pods(&self) -> impl Iterator<Item = &str> {
        self.began.keys().map(String::as_str)
    }

    /// How many events are remembered.
    pub(super) fn event_count(&self) -> usize {
        self.entries.len() - self.began.len()
    }

    pub(super) fn take_down(&mut self, event: ClusterEvent, change: &Arc<Change>) {
        self.push(Entry::Happened(Happened { event, change: Arc::clone(change) }));
    }

    /// What happened since a pod began to be tried; none if it isn't.
    pub(super) fn since(&self, pod: &str) -> Option<impl Iterator<Item = &Happened>> {
        let began = *self.began.get(pod)?;
        let later = self.entries.range(began..);
        Some(later.filter_map(|(_, entry)| match entry {
            Entry::Happened(happened) => Some(happened),
            Entry::Began => None,
        }))
    }

    /// A pod is no longer tried. What happened before the others began is forgotten.
    pub(super) fn done(&mut self, pod: &str) {
        let Some(place) = self.began.remove(pod) else { return };
        self.entries.remove(&place);
        while let Some(first) = self.entries.first_entry() {
            if matches!(first.get(), Entry::Began) {
                break;
            }
            first.remove();
        }
    }

    fn push(&mut self, entry: Entry) -> u64 {
        let place = self.next;
        self.next += 1;
        self.entries.insert(place, entry);
        place
    }
}
