//! A heap whose items can be found by their key. Of equal items the same one comes first as in Go's heap.
//!
//! # Source
//! `pkg/scheduler/backend/heap/heap.go`, Go `container/heap`

use rustc_hash::FxHashMap;

use super::queued_pod::{PodKey, QueuedPodInfo};

/// Whether the first of two pods comes before the second.
pub(super) type Less<'a> = &'a dyn Fn(&QueuedPodInfo, &QueuedPodInfo) -> bool;

/// Pods in an order that is given anew with each call, and that must be the same each time.
#[derive(Debug, Default)]
pub(super) struct Heap {
    items: Vec<(PodKey, QueuedPodInfo)>,
    places: FxHashMap<PodKey, usize>,
}

impl Heap {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&QueuedPodInfo> {
        self.places.get(key).map(|place| &self.items[*place].1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &QueuedPodInfo> {
        self.items.iter().map(|(_, pod)| pod)
    }

    pub(super) fn first(&self) -> Option<&QueuedPodInfo> {
        self.items.first().map(|(_, pod)| pod)
    }

    /// Adds a pod, or puts it in the place of the one with its key.
    pub(super) fn push(&mut self, pod: QueuedPodInfo, less: Less<'_>) {
        let key = pod.key();
        if let Some(place) = self.places.get(&key).copied() {
            self.items[place].1 = pod;
            self.fix(place, less);
            return;
        }
        let place = self.items.len();
        self.places.insert(PodKey::clone(&key), place);
        self.items.push((key, pod));
        self.up(place, less);
    }

    /// Takes the first pod.
    pub(super) fn pop(&mut self, less: Less<'_>) -> Option<QueuedPodInfo> {
        (!self.items.is_empty()).then(|| self.take(0, less)).flatten()
    }

    /// Takes the pod of a key.
    pub(super) fn remove(&mut self, key: &str, less: Less<'_>) -> Option<QueuedPodInfo> {
        let place = self.places.get(key).copied()?;
        self.take(place, less)
    }

    /// Changes the pod of a key. Whether it is there.
    pub(super) fn update(
        &mut self,
        key: &str,
        change: impl FnOnce(&mut QueuedPodInfo),
        less: Less<'_>,
    ) -> bool {
        let Some(place) = self.places.get(key).copied() else { return false };
        change(&mut self.items[place].1);
        self.fix(place, less);
        true
    }

    fn take(&mut self, place: usize, less: Less<'_>) -> Option<QueuedPodInfo> {
        let last = self.items.len() - 1;
        self.swap(place, last);
        let (key, pod) = self.items.pop()?;
        self.places.remove(&key);
        if place < last {
            self.fix(place, less);
        }
        Some(pod)
    }

    fn fix(&mut self, place: usize, less: Less<'_>) {
        if !self.down(place, less) {
            self.up(place, less);
        }
    }

    fn up(&mut self, mut place: usize, less: Less<'_>) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if !self.is_before(place, parent, less) {
                break;
            }
            self.swap(parent, place);
            place = parent;
        }
    }

    /// Whether anything has moved.
    fn down(&mut self, start: usize, less: Less<'_>) -> bool {
        let mut place = start;
        loop {
            let left = 2 * place + 1;
            if left >= self.items.len() {
                break;
            }
            let right = left + 1;
            let takes_right = right < self.items.len() && self.is_before(right, left, less);
            let child = if takes_right { right } else { left };
            if !self.is_before(child, place, less) {
                break;
            }
            self.swap(place, child);
            place = child;
        }
        place > start
    }

    fn is_before(&self, one: usize, other: usize, less: Less<'_>) -> bool {
        less(&self.items[one].1, &self.items[other].1)
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.items.swap(one, other);
        for place in [one, other] {
            self.places.insert(PodKey::clone(&self.items[place].0), place);
        }
    }
}
