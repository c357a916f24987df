//! What the webhook keeps in memory: the LimitRanges and quotas of all namespaces, and the device classes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};
use k8s_openapi::api::resource::v1::DeviceClass;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt as _};
use parking_lot::RwLock;
use plimsoll_quota::DeviceClasses;
use tokio::sync::Notify;

use super::metrics::{Metrics, QuotaLabels};
use super::stored_quota::StoredQuota;
use crate::limit_range::{LimitRanges, Limits};

/// The caches, each filled by a watch of its own.
#[derive(Default)]
pub struct Caches {
    limit_range_objects: RwLock<Objects<Limits>>,
    /// The same by namespace, as decisions take them.
    limit_ranges: RwLock<HashMap<String, Arc<LimitRanges>>>,
    quotas: RwLock<Objects<Arc<StoredQuota>>>,
    /// Whether a watch tells of new quotas.
    quotas_followed: AtomicBool,
    device_classes: RwLock<Arc<DeviceClasses>>,
    quota_keys_changed: Notify,
    quota_changed: Notify,
}

impl Caches {
    /// The LimitRanges of a namespace, as far as they are known; none if none are.
    pub(super) fn limit_ranges(&self, namespace: &str) -> Option<Arc<LimitRanges>> {
        self.limit_ranges.read().get(namespace).cloned()
    }

    /// The quotas of a namespace, as far as they are known.
    pub(super) fn quotas(&self, namespace: &str) -> Vec<Arc<StoredQuota>> {
        self.quotas.read().of(namespace).cloned().collect()
    }

    /// Whether the quotas of any namespace are known as they are, but for the time that an event takes. They are not before the first
    /// list is complete, nor from a break of the watch until it has told of something again.
    pub(super) fn are_quotas_followed(&self) -> bool {
        self.quotas_followed.load(Ordering::Acquire)
    }

    /// Takes in what this process itself has written, before the watch tells of it.
    pub(super) fn note(&self, namespace: &str, written: &Arc<StoredQuota>) {
        let mut quotas = self.quotas.write();
        let known = quotas.stored.get_mut(namespace).and_then(|quotas| quotas.get_mut(written.name()));
        if let Some(known) = known.filter(|known| written.supersedes(known)) {
            *known = Arc::clone(written);
        }
    }

    /// All keys that some quota wants to limit.
    pub(super) fn quota_keys(&self) -> BTreeSet<String> {
        let quotas = self.quotas.read();
        let stored = quotas.stored.values().flat_map(HashMap::values);
        stored.flat_map(|stored| stored.held.quota.spec_hard.keys()).cloned().collect()
    }

    /// Returns once what quotas want to limit may have changed since the last call.
    pub(super) async fn quota_keys_changed(&self) {
        self.quota_keys_changed.notified().await;
    }

    /// Returns at the next event of any quota after this call, which need not be awaited at once.
    pub(super) fn quota_changed(&self) -> impl Future<Output = ()> {
        self.quota_changed.notified()
    }

    pub(super) fn device_classes(&self) -> Arc<DeviceClasses> {
        Arc::clone(&self.device_classes.read())
    }

    /// Whether LimitRanges and quotas have been listed once.
    pub fn are_filled(&self) -> bool {
        self.limit_range_objects.read().filled && self.quotas.read().filled
    }

    /// Follows the API server for as long as the process runs.
    pub async fn follow(self: Arc<Self>, client: Client, metrics: Arc<Metrics>) {
        let limit_ranges = follow(
            Api::<LimitRange>::all(client.clone()),
            &metrics,
            || {},
            |event| {
                let mut objects = self.limit_range_objects.write();
                for namespace in objects.apply(event, |object| parse_limits(&object)) {
                    let merged: LimitRanges = objects.of(&namespace).cloned().collect();
                    let mut all = self.limit_ranges.write();
                    if merged.is_empty() {
                        all.remove(&namespace);
                    } else {
                        all.insert(namespace, Arc::new(merged));
                    }
                }
            },
        );
        let quotas_unknown = || self.quotas_followed.store(false, Ordering::Release);
        let quotas = follow(Api::<ResourceQuota>::all(client.clone()), &metrics, quotas_unknown, |event| {
            // Most events tell of a charge, many of one of our own.
            let (known, limits_the_same) = match &event {
                Event::Apply(object) => match self.quotas.read().get(object) {
                    Some(stored) => (stored.is_as_late_as(object), stored.limits_the_same(object)),
                    None => (false, false),
                },
                Event::Init | Event::InitApply(_) => (false, true),
                Event::Delete(_) | Event::InitDone => (false, false),
            };
            let is_listing = matches!(event, Event::Init | Event::InitApply(_));
            if let Event::Delete(gone) = &event {
                let (namespace, resourcequota) = (gone.namespace().unwrap_or_default(), gone.name_any());
                metrics.denials.remove(&QuotaLabels { namespace, resourcequota });
            }
            if !known {
                self.quotas.write().apply(event, |object| StoredQuota::read(object).map(Arc::new));
                self.quota_changed.notify_waiters();
            }
            if !limits_the_same {
                self.quota_keys_changed.notify_one();
            }
            if !is_listing {
                self.quotas_followed.store(true, Ordering::Release);
            }
        });
        let mut classes = Objects::default();
        let device_classes = follow(
            Api::<DeviceClass>::all(client),
            &metrics,
            || {},
            |event| {
                if !classes.apply(event, Some).is_empty() {
                    *self.device_classes.write() = Arc::new(DeviceClasses::new(classes.of("")));
                }
            },
        );
        tokio::join!(limit_ranges, quotas, device_classes);
    }
}

/// Reads a LimitRange; none if an amount is no quantity, which the API server does not store.
pub(super) fn parse_limits(object: &LimitRange) -> Option<Limits> {
    Limits::parse(object)
        .inspect_err(
            |error| tracing::error!(%error, limit_range = object.name_any(), "can't read a LimitRange"),
        )
        .ok()
}

/// What was read of the objects of one watch, by namespace and name.
struct Objects<V> {
    stored: HashMap<String, HashMap<String, V>>,
    /// The objects of a list that is not complete yet.
    listing: HashMap<String, HashMap<String, V>>,
    filled: bool,
}

impl<V> Default for Objects<V> {
    fn default() -> Self {
        Self { stored: HashMap::new(), listing: HashMap::new(), filled: false }
    }
}

impl<V> Objects<V> {
    /// Takes in an event; returns the namespaces that changed. What can't be read is as if it were not there.
    fn apply<K: kube::Resource>(&mut self, event: Event<K>, read: impl Fn(K) -> Option<V>) -> Vec<String> {
        let place = |object: &K| (object.namespace().unwrap_or_default(), object.name_any());
        match event {
            Event::Apply(object) => {
                let (namespace, name) = place(&object);
                match read(object) {
                    Some(value) => {
                        self.stored.entry(namespace.clone()).or_default().insert(name, value);
                    }
                    None => self.remove(&namespace, &name),
                }
                vec![namespace]
            }
            Event::Delete(object) => {
                let (namespace, name) = place(&object);
                self.remove(&namespace, &name);
                vec![namespace]
            }
            Event::Init => {
                self.listing.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                let (namespace, name) = place(&object);
                if let Some(value) = read(object) {
                    self.listing.entry(namespace).or_default().insert(name, value);
                }
                Vec::new()
            }
            Event::InitDone => {
                let mut changed: Vec<String> = self.stored.keys().cloned().collect();
                self.stored = std::mem::take(&mut self.listing);
                changed.extend(self.stored.keys().cloned());
                changed.sort();
                changed.dedup();
                self.filled = true;
                changed
            }
        }
    }

    fn remove(&mut self, namespace: &str, name: &str) {
        if let Some(objects) = self.stored.get_mut(namespace) {
            objects.remove(name);
            if objects.is_empty() {
                self.stored.remove(namespace);
            }
        }
    }

    fn get<K: kube::Resource>(&self, object: &K) -> Option<&V> {
        self.stored.get(object.namespace()?.as_str())?.get(object.name_any().as_str())
    }

    fn of(&self, namespace: &str) -> impl Iterator<Item = &V> {
        self.stored.get(namespace).into_iter().flat_map(HashMap::values)
    }
}

/// Takes in what a watch tells; `interrupted` is called when it breaks off.
async fn follow<K>(api: Api<K>, metrics: &Metrics, interrupted: impl Fn(), mut take: impl FnMut(Event<K>))
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + 'static,
{
    let events = watcher(api, watcher::Config::default()).default_backoff();
    let mut events = std::pin::pin!(events);
    loop {
        match events.try_next().await {
            Ok(Some(event)) => take(event),
            Ok(None) => return,
            Err(error) => {
                interrupted();
                metrics.watch_errors.inc();
                tracing::warn!(%error, resource = %K::plural(&()), "watch interrupted");
            }
        }
    }
}
