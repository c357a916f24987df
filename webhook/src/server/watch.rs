//! What the webhook keeps in memory: the LimitRanges and quotas of all namespaces, and the device classes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};
use k8s_openapi::api::resource::v1::DeviceClass;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt as _};
use parking_lot::RwLock;
use plimsoll_quota::DeviceClasses;
use tokio::sync::Notify;

use super::metrics::Metrics;
use super::stored_quota::StoredQuota;
use crate::limit_range::{LimitRanges, Limits};

/// The caches, each filled by a watch of its own.
#[derive(Default)]
pub struct Caches {
    limit_ranges: RwLock<HashMap<String, Arc<LimitRanges>>>,
    quotas: RwLock<HashMap<String, HashMap<String, Arc<StoredQuota>>>>,
    device_classes: RwLock<Arc<DeviceClasses>>,
    filled: AtomicU8,
    quotas_changed: Notify,
}

const LIMIT_RANGES_FILLED: u8 = 1;
const QUOTAS_FILLED: u8 = 2;

impl Caches {
    /// The LimitRanges of a namespace, as far as they are known; none if none are.
    pub(super) fn limit_ranges(&self, namespace: &str) -> Option<Arc<LimitRanges>> {
        self.limit_ranges.read().get(namespace).cloned()
    }

    /// The quotas of a namespace, as far as they are known.
    pub(super) fn quotas(&self, namespace: &str) -> Vec<Arc<StoredQuota>> {
        self.quotas.read().get(namespace).into_iter().flat_map(HashMap::values).cloned().collect()
    }

    /// All keys that some quota wants to limit.
    pub(super) fn quota_keys(&self) -> BTreeSet<String> {
        let quotas = self.quotas.read();
        let stored = quotas.values().flat_map(HashMap::values);
        stored.flat_map(|stored| stored.held.quota.spec_hard.keys()).cloned().collect()
    }

    /// Returns once a quota has changed since the last call.
    pub(super) async fn quotas_changed(&self) {
        self.quotas_changed.notified().await;
    }

    pub(super) fn device_classes(&self) -> Arc<DeviceClasses> {
        Arc::clone(&self.device_classes.read())
    }

    /// Whether LimitRanges and quotas have been listed once.
    pub fn are_filled(&self) -> bool {
        self.filled.load(Ordering::Acquire) == LIMIT_RANGES_FILLED | QUOTAS_FILLED
    }

    /// Follows the API server for as long as the process runs.
    pub(super) async fn follow(self: Arc<Self>, client: Client, metrics: Arc<Metrics>) {
        let limit_ranges = follow(Api::<LimitRange>::all(client.clone()), &metrics, {
            let mut objects = Objects::default();
            let caches = &self;
            move |event| {
                for namespace in objects.apply(event) {
                    caches.replace_limit_ranges(&namespace, objects.of(&namespace));
                }
                if objects.filled {
                    caches.filled.fetch_or(LIMIT_RANGES_FILLED, Ordering::Release);
                }
            }
        });
        let quotas = follow(Api::<ResourceQuota>::all(client.clone()), &metrics, {
            let mut objects = Objects::default();
            let caches = &self;
            move |event| {
                for namespace in objects.apply(event) {
                    caches.replace_quotas(&namespace, objects.of(&namespace));
                }
                if objects.filled {
                    caches.filled.fetch_or(QUOTAS_FILLED, Ordering::Release);
                }
                caches.quotas_changed.notify_one();
            }
        });
        let device_classes = follow(Api::<DeviceClass>::all(client), &metrics, {
            let mut objects = Objects::default();
            let caches = &self;
            move |event| {
                if !objects.apply(event).is_empty() {
                    let classes = objects.of("").cloned().collect::<Vec<DeviceClass>>();
                    *caches.device_classes.write() = Arc::new(DeviceClasses::new(&classes));
                }
            }
        });
        tokio::join!(limit_ranges, quotas, device_classes);
    }

    fn replace_limit_ranges<'o>(&self, namespace: &str, objects: impl Iterator<Item = &'o LimitRange>) {
        let parsed: LimitRanges = objects.filter_map(parse_limits).collect();
        let mut all = self.limit_ranges.write();
        if parsed.is_empty() {
            all.remove(namespace);
        } else {
            all.insert(namespace.to_owned(), Arc::new(parsed));
        }
    }

    fn replace_quotas<'o>(&self, namespace: &str, objects: impl Iterator<Item = &'o ResourceQuota>) {
        let mut all = self.quotas.write();
        let before = all.remove(namespace).unwrap_or_default();
        let mut after = HashMap::new();
        for object in objects {
            let name = object.name_any();
            let known = before
                .get(&name)
                .filter(|known| object.metadata.resource_version.as_deref() == Some(&known.held.version));
            let stored = known.cloned().or_else(|| StoredQuota::read(object.clone()).map(Arc::new));
            after.extend(stored.map(|stored| (name, stored)));
        }
        if !after.is_empty() {
            all.insert(namespace.to_owned(), after);
        }
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

/// The objects of one watch, by namespace and name.
struct Objects<K> {
    stored: HashMap<String, HashMap<String, K>>,
    /// The objects of a list that is not complete yet.
    listing: HashMap<String, HashMap<String, K>>,
    filled: bool,
}

impl<K> Default for Objects<K> {
    fn default() -> Self {
        Self { stored: HashMap::new(), listing: HashMap::new(), filled: false }
    }
}

impl<K: kube::Resource + Clone> Objects<K> {
    /// Takes in an event; returns the namespaces that changed.
    fn apply(&mut self, event: Event<K>) -> Vec<String> {
        let place = |object: &K| (object.namespace().unwrap_or_default(), object.name_any());
        match event {
            Event::Apply(object) => {
                let (namespace, name) = place(&object);
                self.stored.entry(namespace.clone()).or_default().insert(name, object);
                vec![namespace]
            }
            Event::Delete(object) => {
                let (namespace, name) = place(&object);
                if let Some(objects) = self.stored.get_mut(&namespace) {
                    objects.remove(&name);
                    if objects.is_empty() {
                        self.stored.remove(&namespace);
                    }
                }
                vec![namespace]
            }
            Event::Init => {
                self.listing.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                let (namespace, name) = place(&object);
                self.listing.entry(namespace).or_default().insert(name, object);
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

    fn of(&self, namespace: &str) -> impl Iterator<Item = &K> {
        self.stored.get(namespace).into_iter().flat_map(HashMap::values)
    }
}

async fn follow<K>(api: Api<K>, metrics: &Metrics, mut take: impl FnMut(Event<K>))
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
                metrics.watch_errors.inc();
                tracing::warn!(%error, resource = %K::plural(&()), "watch interrupted");
            }
        }
    }
}
