//! The ResourceQuota status controller: watches quotas and what they count, counts anew where something changed, and settles the
//! quota ledger.

mod countable;
mod coverage;
mod kind_cache;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::resource::v1::DeviceClass;
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::core::ApiResource;
use kube::{Api, Client, Resource, ResourceExt as _};
use plimsoll_api::group::GroupResource;
use plimsoll_quota::ledger::{Findings, Patience, renew, resources_of};
use plimsoll_quota::{CountedObject, DeviceClasses, EntryKey, Evaluator, Ledger, Quota, Surroundings};
use plimsoll_runtime::client::in_time;
use plimsoll_runtime::probe;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval};

use self::countable::Countable;
use self::coverage::Coverage;
use self::kind_cache::{Change, Following, KindCache};
use self::snapshot::Snapshot;
use super::follow::{self, News, Source};
use super::metrics::{Metrics, ResourceLabels};

/// How long changes are gathered before they are counted.
const GATHER: Duration = Duration::from_millis(100);
/// How often overdue entries are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// How often a quota is counted over its present version when webhooks charge it meanwhile, before the count waits for the next look.
const ATTEMPTS: usize = 20;
/// For how long a count that came too late waits for the watch to tell of the quota's present version.
const AWAIT_CHARGE: Duration = Duration::from_millis(50);
/// For how long counting waits at the start for device classes; if they can't be listed, all else must still be counted.
const AWAIT_DEVICE_CLASSES: Duration = Duration::from_secs(10);
/// For how long a cache may be behind a watermark before the store itself is asked.
const BEHIND: Duration = Duration::from_secs(10);

/// How a count ended.
struct Counted {
    /// The quota says what was counted; if not, someone else has written it meanwhile, or it is gone.
    written: bool,
    /// The ledger was [crowded](Ledger::is_crowded) before.
    crowded: bool,
}

/// What happens around the controller.
enum Happening {
    /// A quota came or changed.
    Quota(Box<ResourceQuota>),
    /// The quota of a namespace and name is gone.
    QuotaGone((String, String)),
    /// Objects of a namespace changed; none: of any.
    Objects(Option<String>),
    /// The API server asks webhooks about these resources.
    Rules(BTreeSet<GroupResource>),
    /// These device classes there are.
    DeviceClasses(DeviceClasses),
}

/// What the controller remembers of one quota.
#[derive(Default)]
struct Remembered {
    object: ResourceQuota,
    patience: Patience,
    behind_since: Option<Instant>,
}

/// The controller.
pub(super) struct Controller {
    client: Client,
    metrics: Arc<Metrics>,
    period: Duration,
    started: Instant,
    /// By namespace and name.
    quotas: BTreeMap<(String, String), Remembered>,
    countable: Countable,
    caches: HashMap<GroupResource, Following>,
    coverage: Coverage,
    quota_webhook_configuration: String,
    device_classes: DeviceClasses,
    /// Whether the device classes have been listed once.
    device_classes_listed: bool,
    dirty: BTreeSet<String>,
    /// Where quotas that are [marked](probe::LABEL) are not for counting.
    probe_namespace: String,
    /// What follows the API server; ends with the controller.
    tasks: JoinSet<()>,
    happenings: (mpsc::UnboundedSender<Happening>, mpsc::UnboundedReceiver<Happening>),
}

impl Controller {
    /// A controller that counts everything every `period`; if that is zero, only what may have changed.
    pub(super) fn new(
        client: Client,
        metrics: Arc<Metrics>,
        period: Duration,
        quota_webhook_configuration: String,
        probe_namespace: String,
    ) -> Self {
        Self {
            countable: Countable::new(client.clone()),
            client,
            metrics,
            period,
            started: Instant::now(),
            quotas: BTreeMap::new(),
            caches: HashMap::new(),
            coverage: Coverage::default(),
            quota_webhook_configuration,
            device_classes: DeviceClasses::default(),
            device_classes_listed: false,
            dirty: BTreeSet::new(),
            probe_namespace,
            tasks: JoinSet::new(),
            happenings: mpsc::unbounded_channel(),
        }
    }

    /// Runs for as long as the process does.
    pub(super) async fn run(mut self) {
        self.tasks.spawn(follow_quotas(self.client.clone(), self.happenings.0.clone()));
        self.tasks.spawn(coverage::follow(self.client.clone(), self.quota_webhook_configuration.clone(), {
            let happenings = self.happenings.0.clone();
            // The controller has ended if nobody listens.
            move |rules| drop(happenings.send(Happening::Rules(rules)))
        }));
        self.tasks.spawn(follow_device_classes(self.client.clone(), self.happenings.0.clone()));
        let mut look = tokio::time::interval(LOOK);
        let mut everything = (!self.period.is_zero()).then(|| tokio::time::interval(self.period));
        loop {
            tokio::select! {
                Some(happening) = self.happenings.1.recv() => self.take(happening),
                _ = look.tick() => {
                    self.look_for_waiting();
                    if self.countable.is_old() {
                        self.follow_what_quotas_name().await;
                    }
                }
                () = tick(&mut everything) => self.mark_every_namespace(),
            }
            if self.dirty.is_empty() || !self.knows_device_classes() {
                continue;
            }
            // What else changes at about the same time shares the count.
            let until = Instant::now() + GATHER;
            while let Ok(Some(happening)) = tokio::time::timeout_at(until, self.happenings.1.recv()).await {
                self.take(happening);
            }
            self.follow_what_quotas_name().await;
            for namespace in std::mem::take(&mut self.dirty) {
                self.count_namespace(&namespace).await;
            }
        }
    }

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Quota(quota) => {
                let key = (quota.namespace().unwrap_or_default(), quota.name_any());
                if key.0 == self.probe_namespace && quota.labels().contains_key(probe::LABEL) {
                    return;
                }
                self.dirty.insert(key.0.clone());
                let remembered = self.quotas.entry(key).or_default();
                if remembered.object.metadata.uid != quota.metadata.uid {
                    *remembered = Remembered::default();
                }
                remembered.object = *quota;
            }
            Happening::QuotaGone(key) => drop(self.quotas.remove(&key)),
            Happening::Objects(Some(namespace)) => {
                if self.in_namespace(&namespace).next().is_some() {
                    self.dirty.insert(namespace);
                }
            }
            Happening::Objects(None) => self.mark_every_namespace(),
            Happening::Rules(resources) => self.coverage.take(resources, Instant::now()),
            Happening::DeviceClasses(classes) => {
                self.device_classes_listed = true;
                if self.device_classes != classes {
                    self.device_classes = classes;
                    self.mark_every_namespace();
                }
            }
        }
    }

    fn mark_every_namespace(&mut self) {
        self.dirty.extend(self.quotas.keys().map(|(namespace, _)| namespace.clone()));
    }

    /// Whether it is known which keys device classes concern: a key that seems to concern none would be counted without claims.
    fn knows_device_classes(&self) -> bool {
        let claims = self.countable.path(&GroupResource::new("resource.k8s.io", "resourceclaims"));
        let serves_classes = claims.is_some_and(|place| place.api_version == DeviceClass::api_version(&()));
        self.device_classes_listed
            || (self.countable.is_known() && !serves_classes)
            || self.started.elapsed() >= AWAIT_DEVICE_CLASSES
    }

    fn in_namespace<'c>(&'c self, namespace: &'c str) -> impl Iterator<Item = &'c (String, String)> {
        let first = (namespace.to_owned(), String::new());
        self.quotas.range(first..).map(|(key, _)| key).take_while(move |(of, _)| of == namespace)
    }

    /// Marks the namespaces in which something is waited for.
    fn look_for_waiting(&mut self) {
        if self.coverage.is_young(Instant::now()) {
            self.mark_every_namespace();
        }
        let mut entries = 0;
        for ((namespace, _), remembered) in &self.quotas {
            let waiting = remembered.patience.waiting();
            entries += waiting;
            if waiting > 0 || remembered.behind_since.is_some() || remembered.patience.next().is_some() {
                self.dirty.insert(namespace.clone());
            }
        }
        self.metrics.entries.set(i64::try_from(entries).unwrap_or(i64::MAX));
    }

    /// Begins to follow each resource that some quota counts, where it is now.
    async fn follow_what_quotas_name(&mut self) {
        let keys =
            self.quotas.values().filter_map(|remembered| remembered.object.spec.as_ref()?.hard.as_ref());
        let keys: BTreeSet<String> = keys.flat_map(BTreeMap::keys).cloned().collect();
        self.countable.discover(&keys).await;
        self.drop_outdated_caches();
        let names = keys.iter().map(String::as_str);
        let named = resources_of(names, self.countable.resources(), &self.device_classes);
        for resource in named {
            if self.caches.contains_key(&resource) {
                continue;
            }
            let Some(path) = self.countable.path(&resource) else { continue };
            let following = KindCache::follow(self.client.clone(), &resource, path, {
                let (changes, followed) = (self.happenings.0.clone(), self.metrics.followed.clone());
                let labels = ResourceLabels { resource: resource.to_string() };
                move |change| match change {
                    Change::Followed(is) => drop(followed.get_or_create(&labels).set(i64::from(is))),
                    // The controller has ended if nobody listens.
                    Change::Objects(namespace) => drop(changes.send(Happening::Objects(namespace))),
                }
            });
            self.caches.insert(resource, following);
        }
    }

    fn drop_outdated_caches(&mut self) {
        let followed = self.caches.iter().map(|(resource, following)| (resource, &following.place));
        for resource in outdated(followed, |resource| self.countable.path(resource)) {
            tracing::info!(%resource, "not served any more where it was followed");
            self.caches.remove(&resource);
            self.metrics.followed.remove(&ResourceLabels { resource: resource.to_string() });
        }
    }

    fn surroundings<'s>(&'s self, neighbours: &'s Snapshot) -> Surroundings<'s> {
        #[expect(clippy::disallowed_methods, reason = "the edge at which the clock is read")]
        let now = Timestamp::now();
        Surroundings { now, device_classes: &self.device_classes, neighbours }
    }

    async fn count_namespace(&mut self, namespace: &str) {
        let keys: Vec<(String, String)> = self.in_namespace(namespace).cloned().collect();
        for key in keys {
            if let Err(error) = self.count_until_written(&key).await {
                self.metrics.failures.inc();
                tracing::warn!(error = format!("{error:#}"), namespace, quota = key.1, "can't count");
                self.look_again(&key);
            }
        }
    }

    /// Has a quota counted again at the next look, or when something changes.
    fn look_again(&mut self, key: &(String, String)) {
        if let Some(remembered) = self.quotas.get_mut(key) {
            remembered.behind_since.get_or_insert_with(Instant::now);
        }
    }

    /// Counts a quota, over its present version if webhooks charge it meanwhile.
    async fn count_until_written(&mut self, key: &(String, String)) -> anyhow::Result<()> {
        for _ in 0..ATTEMPTS {
            let Some(mut remembered) = self.quotas.remove(key) else { return Ok(()) };
            self.metrics.recounts.inc();
            let counted = self.count(&mut remembered).await;
            let version = remembered.object.resource_version();
            self.quotas.insert(key.clone(), remembered);
            let counted = counted?;
            if counted.written {
                return Ok(());
            }
            self.metrics.conflicts.inc();
            if !counted.crowded {
                // Webhooks are about to write again; a later count settles more at once.
                self.dirty.insert(key.0.clone());
                return Ok(());
            }
            // They pause after the next write.
            self.await_later_version(key, version).await?;
        }
        self.look_again(key);
        Ok(())
    }

    /// Waits until the watch tells of another version of a quota, or reads it.
    async fn await_later_version(
        &mut self,
        key: &(String, String),
        version: Option<String>,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + AWAIT_CHARGE;
        let is_known = |remembered: &Remembered| remembered.object.resource_version() == version;
        while self.quotas.get(key).is_some_and(is_known) {
            if let Ok(Some(happening)) = tokio::time::timeout_at(until, self.happenings.1.recv()).await {
                self.take(happening);
                continue;
            }
            let api: Api<ResourceQuota> = Api::namespaced(self.client.clone(), &key.0);
            match in_time(api.get_opt(&key.1)).await? {
                Some(present) => self.take(Happening::Quota(Box::new(present))),
                None => drop(self.quotas.remove(key)),
            }
            return Ok(());
        }
        Ok(())
    }

    async fn count(&self, remembered: &mut Remembered) -> anyhow::Result<Counted> {
        let object = &remembered.object;
        let mut quota = Quota::parse(object)?;
        let untrusted = quota.read_ledger(object).err();
        if let Some(problem) = &untrusted {
            tracing::warn!(namespace = quota.namespace, quota = quota.name, %problem, "begins a new ledger");
            quota.ledger = Ledger::begun_anew();
            remembered.patience.restart_rising();
        }
        let now = Instant::now();
        let (countable, device_classes) = (self.countable.resources(), &self.device_classes);
        let mut resources = resources_of(quota.spec_keys(), countable, device_classes);
        resources.retain(|resource| !self.coverage.covers(resource, now));
        let uncovered: Vec<Evaluator> = resources.iter().filter_map(Evaluator::of).collect();
        // DIFFERENCE: D-quota-7.
        // What the API server does not ask about can't be enforced, so it is not in force yet.
        quota
            .spec_hard
            .retain(|key, _| !uncovered.iter().any(|evaluator| evaluator.counts(key, device_classes)));
        let overdue = remembered.patience.look(&quota.ledger, self.started.elapsed());
        let behind = remembered.behind_since.is_some_and(|since| since.elapsed() >= BEHIND);
        let resources = resources_of(quota.spec_keys(), countable, device_classes);
        let must_list = quota.has_keys_to_come() || untrusted.is_some() || overdue.rising || behind;
        let listed = if must_list || !overdue.advances.is_empty() {
            match Snapshot::list(&self.client, &self.countable, &quota.namespace, &resources).await {
                Ok(listed) => Some(listed),
                Err(error) if must_list => return Err(error),
                Err(error) => {
                    let problem = format!("{error:#}");
                    tracing::warn!(problem, namespace = quota.namespace, "what is held in advance stays");
                    None
                }
            }
        } else {
            None
        };
        let snapshot =
            listed.unwrap_or_else(|| Snapshot::of_caches(&self.caches, &quota.namespace, &resources));
        let mut findings =
            Findings { entries: Vec::new(), advances: overdue.advances, rising: overdue.rising };
        for (key, written_over) in overdue.entries {
            let stored = snapshot::stored(&self.client, &self.countable, &quota.namespace, &key).await?;
            findings.entries.push((key, written_over, stored));
        }
        let waited_for: Vec<EntryKey> = findings.entries.iter().map(|(key, ..)| key.clone()).collect();
        let before = (quota.hard.clone(), quota.used.clone(), quota.ledger.clone());
        let counted: Vec<CountedObject<'_>> = snapshot.counted().collect();
        let surroundings = self.surroundings(&snapshot);
        let uncounted = renew(&mut quota, &snapshot, &findings, (countable, &counted), &surroundings)?;
        let expired = waited_for.iter().filter(|key| quota.ledger.entry(key).is_none()).count();
        self.metrics.expired.inc_by(u64::try_from(expired).unwrap_or(u64::MAX));
        remembered.behind_since = if uncounted.is_empty() {
            None
        } else {
            Some(remembered.behind_since.unwrap_or_else(Instant::now))
        };
        let initialised = remembered.object.status.as_ref().is_some_and(|status| status.hard.is_some());
        let changed = untrusted.is_some()
            || !initialised
            || before != (quota.hard.clone(), quota.used.clone(), quota.ledger.clone());
        // Whoever tells of changes need not copy what is not looked at any more.
        drop(counted);
        drop(snapshot);
        let written = !changed || self.write(remembered, &quota).await?;
        Ok(Counted { written, crowded: before.2.is_crowded() })
    }

    /// Writes what was counted over the version that was read; false if that is not the present one any more.
    async fn write(&self, remembered: &mut Remembered, quota: &Quota) -> anyhow::Result<bool> {
        let mut object = remembered.object.clone();
        object.metadata.managed_fields = None;
        quota.write_to(&mut object);
        let api: Api<ResourceQuota> = Api::namespaced(self.client.clone(), &quota.namespace);
        match in_time(api.replace_status(&quota.name, &PostParams::default(), &object)).await {
            Ok(written) => {
                remembered.object = written;
                self.metrics.writes.inc();
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// The next time of an interval, if there is one.
async fn tick(interval: &mut Option<Interval>) {
    match interval {
        Some(interval) => _ = interval.tick().await,
        None => std::future::pending().await,
    }
}

/// Those of the followed resources that are at another place now, or nowhere.
fn outdated<'p>(
    followed: impl Iterator<Item = (&'p GroupResource, &'p ApiResource)>,
    present: impl Fn(&GroupResource) -> Option<&'p ApiResource>,
) -> Vec<GroupResource> {
    let outdated = followed.filter(|(resource, place)| present(resource) != Some(*place));
    outdated.map(|(resource, _)| resource.clone()).collect()
}

/// All objects of a type, whole.
fn source<K: Resource<DynamicType = ()>>() -> Source {
    Source { place: ApiResource::erase::<K>(&()), metadata_only: false }
}

/// Tells of quotas for as long as it is polled.
async fn follow_quotas(client: Client, happenings: mpsc::UnboundedSender<Happening>) {
    let place = |quota: &ResourceQuota| (quota.namespace().unwrap_or_default(), quota.name_any());
    // What a new list lacks is gone.
    let mut known: BTreeSet<(String, String)> = BTreeSet::new();
    // The controller has ended if nobody listens.
    let tell = |happening| drop(happenings.send(happening));
    let take = |news: News<ResourceQuota>, _| {
        let (come, gone) = news.into_changes(known.iter().cloned(), place);
        for quota in come {
            known.insert(place(&quota));
            tell(Happening::Quota(Box::new(quota)));
        }
        for key in gone {
            known.remove(&key);
            tell(Happening::QuotaGone(key));
        }
    };
    follow::follow(client, source::<ResourceQuota>(), take).await;
}

/// Tells of device classes for as long as it is polled.
async fn follow_device_classes(client: Client, happenings: mpsc::UnboundedSender<Happening>) {
    let mut known: BTreeMap<String, DeviceClass> = BTreeMap::new();
    let take = |news: News<DeviceClass>, _| {
        if matches!(news, News::Nothing | News::Interrupted) {
            return;
        }
        let (come, gone) = news.into_changes(known.keys().cloned(), DeviceClass::name_any);
        known.extend(come.into_iter().map(|class| (class.name_any(), class)));
        known.retain(|name, _| !gone.contains(name));
        // The controller has ended if nobody listens.
        drop(happenings.send(Happening::DeviceClasses(DeviceClasses::new(known.values()))));
    };
    follow::follow(client, source::<DeviceClass>(), take).await;
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use kube::core::GroupVersionKind;

    use super::*;

    fn place(version: &str, plural: &str) -> (GroupResource, ApiResource) {
        let kind = GroupVersionKind::gvk("example.com", version, "Kind");
        let place = ApiResource::from_gvk_with_plural(&kind, plural);
        (GroupResource::new("example.com", plural), place)
    }

    #[test]
    fn a_cache_is_outdated_once_its_resource_is_elsewhere_or_gone() {
        let followed =
            BTreeMap::from([place("v1", "kept"), place("v1beta1", "moved"), place("v1beta1", "gone")]);
        let present = BTreeMap::from([place("v1", "kept"), place("v1", "moved"), place("v1", "new")]);
        let outdated = outdated(followed.iter(), |resource| present.get(resource));
        let expected = ["gone", "moved"].map(|plural| GroupResource::new("example.com", plural));
        assert_eq!(outdated, expected);
    }

    #[tokio::test]
    async fn no_interval_never_ticks() {
        assert_eq!(tick(&mut None).now_or_never(), None);
        tick(&mut Some(tokio::time::interval(Duration::from_hours(1)))).await;
    }
}
