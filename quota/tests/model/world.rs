//! A cluster small enough to look at every state of: a quota or two, a few claims, webhooks, recounters with caches that lag.
//!
//! All decisions are the library's own; the quota travels as its annotation and its amount, as through the API server.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, ResourceQuota};
use k8s_openapi::jiff::Timestamp;
use plimsoll_api::group::GroupResource;
use plimsoll_api::request::Operation;
use plimsoll_quota::ledger::{self, CacheView, Findings, Patience, Sighting, Version, renew};
use plimsoll_quota::{
    Admission, Charge, CountedObject, Decision, DeviceClasses, EntryKey, Ledger, NoNeighbours, Object, Quota,
    Request, Surroundings, decide,
};
use plimsoll_resource_math::{Format, Quantity, ResourceList};
use serde_json::json;

use super::replica::{self, Replica};

pub(super) const KEY: &str = "requests.storage";

/// The unit of time: an object may be stored in the one of its admission and in the next.
const TICK: Duration = Duration::from_secs(33);
const STORABLE_TICKS: u8 = 1;

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Create { name: u8, size: u8 },
    Update { name: u8, size: u8 },
    Delete { name: u8 },
}

/// A mistake that the protocol could make, each of which must be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// The recount forgets what is reserved.
    NoEntries,
    /// The recount counts from any cache, however old.
    NoWatermark,
    /// A charge that lost the race is written again without being decided again.
    UndecidedRetry,
    /// An admission of a name that waits already does not make the wait begin again.
    NoFreshWait,
    /// A lost ledger is taken for an empty one.
    NoRising,
    /// A request is admitted once the first of its quotas is written.
    FirstQuotaOnly,
    /// The recount forgets what is held in advance.
    NoAdvances,
    /// An advance is drawn on when its time is over.
    LateDraw,
    /// The replica forgets that a write is under way: it draws and notes as if there were none.
    DrawMeanwhile,
    /// An advance is drawn on though nobody knows whether it was replaced.
    DrawAfterLostWrite,
    /// What was drawn of an advance that is overdue is counted from any cache.
    NoListForAdvances,
}

/// The rules of one model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    /// The limit of each quota; all of them count every claim.
    pub(crate) hard: Vec<u8>,
    pub(crate) steps: Vec<Step>,
    pub(crate) recounters: usize,
    pub(crate) ticks: u8,
    /// Someone removes the annotation once.
    pub(crate) strips: bool,
    /// How much one of the replicas holds in advance with each write, if it does.
    pub(crate) advance: u8,
    /// How often that replica writes.
    pub(crate) sends: u8,
    /// How often its writes may be lost, or it may crash.
    pub(crate) accidents: u8,
    pub(crate) fault: Option<Fault>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct QuotaObject {
    pub(super) version: u64,
    used: String,
    annotation: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stored {
    uid: u8,
    size: u8,
    version: u64,
}

pub(super) type Objects = BTreeMap<u8, Stored>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Progress {
    Waiting,
    /// The API server waits for an answer; the webhook has read the quota.
    Reviewing {
        old: Option<Stored>,
        read: Vec<QuotaObject>,
    },
    /// Some of the quotas are written, the rest is still to be, all within the time of the answer.
    Writing(Writing),
    /// The webhook agreed.
    Admitted {
        old: Option<Stored>,
        at: u8,
    },
    Done,
}

/// What a review has still to write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Writing {
    old: Option<Stored>,
    writes: Vec<(usize, QuotaObject)>,
    since: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Recounter {
    cache: Option<(u64, Objects)>,
    /// One a quota.
    patience: Vec<Patience>,
    /// What it is about to write, over the version that stands in it.
    write: Option<(usize, QuotaObject)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(super) now: u8,
    version: u64,
    stripped: bool,
    pub(crate) quotas: Vec<QuotaObject>,
    pub(crate) objects: Objects,
    pub(crate) progress: Vec<Progress>,
    pub(crate) recounters: Vec<Recounter>,
    pub(super) replica: Replica,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// The client sends a request, which reaches a webhook.
    Send(usize),
    /// The webhook decides, or goes on, and writes one quota.
    Decide(usize),
    /// The API server stores what was admitted.
    Store(usize),
    /// Time passes.
    Tick,
    /// A recounter's cache catches up.
    Sync(usize),
    /// A recounter reads a quota and counts.
    Count(usize, usize),
    /// A recounter writes what it counted.
    Write(usize),
    /// A recounter's process is replaced.
    Restart(usize),
    /// Someone removes the first quota's annotation.
    Strip,
    /// The replica that holds room in advance does something.
    Replica(replica::Action),
}

fn claims() -> GroupResource {
    GroupResource::new("", "persistentvolumeclaims")
}

pub(super) fn amount(size: u8) -> Quantity {
    Quantity::from_units(size.into(), Format::DecimalSi)
}

fn claim(name: u8, stored: Stored) -> PersistentVolumeClaim {
    let object = json!({
        "metadata": {"name": name.to_string(), "namespace": "team", "uid": stored.uid.to_string(),
            "resourceVersion": (stored.version > 0).then(|| stored.version.to_string())},
        "spec": {"resources": {"requests": {"storage": stored.size.to_string()}}},
    });
    serde_json::from_value(object).unwrap()
}

fn with_surroundings<T>(act: impl FnOnce(&Surroundings<'_>) -> T) -> T {
    act(&Surroundings {
        now: Timestamp::UNIX_EPOCH,
        device_classes: &DeviceClasses::default(),
        neighbours: &NoNeighbours,
    })
}

/// The cache of a recounter, or a list from the store.
struct View<'a> {
    version: Version,
    objects: &'a Objects,
    consistent: bool,
}

impl CacheView for View<'_> {
    fn version(&self, resource: &GroupResource) -> Option<&Version> {
        (*resource == claims()).then_some(&self.version)
    }

    fn is_consistent(&self, _resource: &GroupResource) -> bool {
        self.consistent
    }

    fn sighting(&self, key: &EntryKey) -> Option<Sighting> {
        let stored = self.objects.get(&key.name.parse().ok()?)?;
        Some(Sighting::Stored {
            uid: stored.uid.to_string(),
            version: Version::parse(&stored.version.to_string()),
        })
    }
}

impl Script {
    pub(crate) fn begin(&self) -> World {
        let begin = |place: usize| {
            let mut quota = QuotaObject { version: 1, used: "0".to_owned(), annotation: None };
            let mut parsed = self.parse(place, &quota).unwrap_or_else(|fresh| *fresh);
            parsed.ledger.rising = false;
            quota.annotation = Some(parsed.ledger_text());
            quota
        };
        let patience = vec![Patience::default(); self.hard.len()];
        World {
            now: 0,
            version: 1,
            stripped: false,
            quotas: (0..self.hard.len()).map(begin).collect(),
            objects: Objects::new(),
            progress: vec![Progress::Waiting; self.steps.len()],
            recounters: vec![Recounter { patience, ..Recounter::default() }; self.recounters],
            replica: Replica::new(self),
        }
    }

    /// The quota; as the error, one with a new ledger if there is none to be relied upon.
    pub(super) fn parse(&self, place: usize, object: &QuotaObject) -> Result<Quota, Box<Quota>> {
        let hard = json!({KEY: self.hard[place].to_string()});
        let mut api: ResourceQuota = serde_json::from_value(json!({
            "metadata": {"name": format!("q{place}"), "namespace": "team"},
            "spec": {"hard": hard},
            "status": {"hard": hard, "used": {KEY: object.used}},
        }))
        .unwrap();
        if let Some(annotation) = &object.annotation {
            api.metadata.annotations =
                Some(BTreeMap::from([(ledger::ANNOTATION.to_owned(), annotation.clone())]));
        }
        let mut quota = Quota::parse(&api).unwrap();
        if quota.read_ledger(&api).is_ok() {
            return Ok(quota);
        }
        quota.ledger.rising = self.fault != Some(Fault::NoRising);
        Err(Box::new(quota))
    }

    pub(crate) fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (index, progress) in world.progress.iter().enumerate() {
            match progress {
                Progress::Waiting => actions.push(Action::Send(index)),
                Progress::Reviewing { .. } | Progress::Writing(_) => actions.push(Action::Decide(index)),
                Progress::Admitted { .. } if world.is_storable(index) => actions.push(Action::Store(index)),
                Progress::Admitted { .. } | Progress::Done => {}
            }
        }
        if world.now < self.ticks {
            actions.push(Action::Tick);
        }
        for (index, recounter) in world.recounters.iter().enumerate() {
            match &recounter.write {
                Some(_) => actions.push(Action::Write(index)),
                None => actions.extend((0..self.hard.len()).map(|place| Action::Count(index, place))),
            }
            if recounter.cache.as_ref().is_none_or(|(_, objects)| *objects != world.objects) {
                actions.push(Action::Sync(index));
            }
            if recounter.patience.iter().any(|patience| *patience != Patience::default()) {
                actions.push(Action::Restart(index));
            }
        }
        if self.strips && !world.stripped {
            actions.push(Action::Strip);
        }
        if self.advance > 0 {
            self.replica_actions(world, |action| actions.push(Action::Replica(action)));
        }
    }

    /// What becomes of the world; none if nothing changes.
    pub(crate) fn next(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Send(index) => self.send(&mut world, index),
            Action::Decide(index) => self.go_on(&mut world, index),
            Action::Store(index) => self.store(&mut world, index),
            Action::Tick => world.now += 1,
            Action::Sync(index) => {
                world.recounters[index].cache = Some((world.version, world.objects.clone()));
            }
            Action::Count(index, place) => self.count(&mut world, index, place),
            Action::Write(index) => {
                if let Some((place, written)) = world.recounters[index].write.take() {
                    world.write(place, written);
                }
            }
            Action::Restart(index) => {
                world.recounters[index].patience = vec![Patience::default(); self.hard.len()];
            }
            Action::Strip => {
                world.stripped = true;
                world.version += 1;
                world.quotas[0].version = world.version;
                world.quotas[0].annotation = None;
            }
            Action::Replica(action) => self.replica_acts(&mut world, action),
        }
        (world != *before).then_some(world)
    }

    fn send(&self, world: &mut World, index: usize) {
        let read = world.quotas.clone();
        world.progress[index] = match self.steps[index] {
            Step::Create { .. } => Progress::Reviewing { old: None, read },
            Step::Update { name, .. } => match world.objects.get(&name) {
                Some(old) => Progress::Reviewing { old: Some(*old), read },
                None => return,
            },
            Step::Delete { name } => {
                if world.objects.remove(&name).is_none() {
                    return;
                }
                world.version += 1;
                Progress::Done
            }
        };
    }

    /// Takes a review one write further.
    fn go_on(&self, world: &mut World, index: usize) {
        let writing = match world.progress[index].clone() {
            Progress::Reviewing { old, read } => self.decide(world, index, old, &read),
            Progress::Writing(writing) => Some(writing),
            _ => None,
        };
        let Some(Writing { old, mut writes, since }) = writing else { return };
        if since != world.now {
            // Out of time: the API server has had no answer.
            world.progress[index] = Progress::Done;
            return;
        }
        let admitted = Progress::Admitted { old, at: world.now };
        if writes.is_empty() {
            world.progress[index] = admitted;
            return;
        }
        let (place, written) = writes.remove(0);
        world.progress[index] = if !world.write(place, written) {
            Progress::Reviewing { old, read: world.quotas.clone() }
        } else if writes.is_empty() || self.fault == Some(Fault::FirstQuotaOnly) {
            admitted
        } else {
            Progress::Writing(Writing { old, writes, since })
        };
    }

    /// Decides a request; what it then has to write, if it may proceed.
    fn decide(
        &self,
        world: &mut World,
        index: usize,
        old: Option<Stored>,
        read: &[QuotaObject],
    ) -> Option<Writing> {
        let parsed: Result<Vec<Quota>, _> =
            read.iter().enumerate().map(|(place, object)| self.parse(place, object)).collect();
        let Ok(mut quotas) = parsed else {
            world.progress[index] = Progress::Reviewing { old, read: world.quotas.clone() };
            return None;
        };
        let Some((charges, key, admission)) = self.charges(index, old, &quotas) else {
            world.progress[index] = Progress::Done;
            return None;
        };
        let writes = charges.iter().filter_map(|charge| {
            let place = charge.quota;
            let version = read[place].version;
            let over = match self.fault {
                Some(Fault::NoFreshWait) => String::new(),
                _ => version.to_string(),
            };
            if self.fault == Some(Fault::UndecidedRetry) && world.quotas[place].version != version {
                let mut newer = self.parse(place, &world.quotas[place]).ok()?;
                newer.used.add(&charge.requested);
                newer.ledger.reserve(key.clone(), &admission, &charge.usage, None, &over);
                return Some((place, written(&newer, world.quotas[place].version)));
            }
            quotas[place].reserve(charge, key.clone(), &admission, &over);
            Some((place, written(&quotas[place], version)))
        });
        Some(Writing { old, writes: writes.collect(), since: world.now })
    }

    /// What a request is charged if it is admitted, and what the ledger calls it.
    pub(super) fn charges(
        &self,
        index: usize,
        old: Option<Stored>,
        quotas: &[Quota],
    ) -> Option<(Vec<Charge>, EntryKey, Admission)> {
        let (Step::Create { name, size } | Step::Update { name, size }) = self.steps[index] else {
            return None;
        };
        let uid = old.map_or_else(|| u8::try_from(index).unwrap(), |old| old.uid);
        let object = claim(name, Stored { uid, size, version: 0 });
        let old_object = old.map(|old| claim(name, old));
        let request = Request {
            operation: if old.is_some() { Operation::Update } else { Operation::Create },
            resource: &claims(),
            subresource: "",
            namespace: "team",
            name: &name.to_string(),
            object: Object::PersistentVolumeClaim(&object),
            old_object: old_object.as_ref().map(Object::PersistentVolumeClaim),
        };
        let decision = with_surroundings(|surroundings| decide(&request, quotas, &[], surroundings).unwrap());
        let Decision::Admitted(charges) = decision else { return None };
        let uid = uid.to_string();
        let admission = match old {
            None => Admission::Create { uid },
            Some(old) => Admission::Update { uid, version: Version::parse(&old.version.to_string()) },
        };
        Some((charges, EntryKey { resource: claims(), name: name.to_string() }, admission))
    }

    fn store(&self, world: &mut World, index: usize) {
        let Progress::Admitted { old, .. } = world.progress[index] else { return };
        world.progress[index] = Progress::Done;
        let (Step::Create { name, size } | Step::Update { name, size }) = self.steps[index] else { return };
        let present = world.objects.get(&name);
        if present.map(|present| present.version) != old.map(|old| old.version) {
            return;
        }
        world.version += 1;
        let uid = old.map_or_else(|| u8::try_from(index).unwrap(), |old| old.uid);
        world.objects.insert(name, Stored { uid, size, version: world.version });
    }

    fn count(&self, world: &mut World, index: usize, place: usize) {
        let now = TICK * u32::from(world.now);
        let live = (world.version, world.objects.clone());
        let (mut quota, consistent) = match self.parse(place, &world.quotas[place]) {
            Ok(quota) => (quota, false),
            Err(fresh) => (*fresh, true),
        };
        let recounter = &mut world.recounters[index];
        let overdue = recounter.patience[place].look(&quota.ledger, now);
        let list_for_advances = !overdue.advances.is_empty() && self.fault != Some(Fault::NoListForAdvances);
        let consistent = consistent || overdue.rising || list_for_advances;
        let cache = if consistent { Some(live.clone()) } else { recounter.cache.clone() };
        let Some((version, objects)) = cache else { return };
        let found = |key: &EntryKey| {
            let stored = live.1.get(&key.name.parse().ok()?)?;
            Version::parse(&stored.version.to_string())
        };
        let entries = overdue.entries.into_iter().map(|(key, written_over)| {
            let found = found(&key);
            (key, written_over, found)
        });
        let findings = Findings {
            entries: entries.collect(),
            advances: overdue.advances.clone(),
            rising: overdue.rising,
        };
        if self.fault == Some(Fault::NoEntries) {
            quota.ledger = Ledger::default();
        }
        if self.fault == Some(Fault::NoAdvances) {
            quota.ledger = without_advances(&quota);
        }
        let consistent = consistent
            || self.fault == Some(Fault::NoWatermark)
            || (self.fault == Some(Fault::NoListForAdvances) && !overdue.advances.is_empty());
        let view =
            View { version: Version::parse(&version.to_string()).unwrap(), objects: &objects, consistent };
        let claims_stored: Vec<_> = objects.iter().map(|(name, stored)| claim(*name, *stored)).collect();
        let resource = claims();
        let counted: Vec<_> = claims_stored
            .iter()
            .map(|claim| CountedObject {
                resource: &resource,
                object: Object::PersistentVolumeClaim(claim),
                usage: None,
            })
            .collect();
        with_surroundings(|surroundings| {
            renew(&mut quota, &view, &findings, (&[], &counted), surroundings).unwrap();
        });
        let result = written(&quota, world.quotas[place].version);
        if result != world.quotas[place] {
            world.recounters[index].write = Some((place, result));
        }
    }

    /// Brings a world to rest: nothing is under way any more, and the recounters have had all the time that they need.
    pub(crate) fn come_to_rest(&self, mut world: World) -> World {
        world.progress = vec![Progress::Done; self.steps.len()];
        for _ in 0..6 {
            world.now += 1;
            for index in 0..self.recounters {
                for place in 0..self.hard.len() {
                    for action in [Action::Sync(index), Action::Count(index, place), Action::Write(index)] {
                        world = self.next(&world, action).unwrap_or(world);
                    }
                }
            }
        }
        world
    }
}

pub(super) fn written(quota: &Quota, version: u64) -> QuotaObject {
    QuotaObject { version, used: quota.used.amount(KEY).to_string(), annotation: Some(quota.ledger_text()) }
}

/// The ledger of a quota as it would be if nobody held anything in advance.
fn without_advances(quota: &Quota) -> Ledger {
    let mut text: serde_json::Value = serde_json::from_str(&quota.ledger_text()).unwrap();
    text.as_object_mut().unwrap().remove("advances");
    Ledger::read(Some(&text.to_string()), &quota.hard, &quota.used).unwrap()
}

impl World {
    /// Writes a quota over the version that stands in it; false if that is not the present one.
    pub(super) fn write(&mut self, place: usize, mut written: QuotaObject) -> bool {
        if self.quotas[place].version != written.version {
            return false;
        }
        self.version += 1;
        written.version = self.version;
        self.quotas[place] = written;
        true
    }

    fn is_storable(&self, index: usize) -> bool {
        matches!(self.progress[index], Progress::Admitted { at, .. } if self.now - at <= STORABLE_TICKS)
    }

    /// What is stored, or could still be in the worst case. Two objects of one name never are.
    pub(crate) fn at_most_stored(&self, script: &Script) -> Quantity {
        let mut sizes: BTreeMap<u8, u8> =
            self.objects.iter().map(|(name, stored)| (*name, stored.size)).collect();
        for (index, step) in script.steps.iter().enumerate() {
            let (Step::Create { name, size } | Step::Update { name, size }) = *step else { continue };
            if self.is_storable(index) && self.can_be_stored(index, name) {
                let largest = sizes.entry(name).or_default();
                *largest = size.max(*largest);
            }
        }
        let mut sum = ResourceList::new();
        for size in sizes.values() {
            sum.add(&ResourceList::from_iter([(KEY.to_owned(), amount(*size))]));
        }
        sum.amount(KEY)
    }

    /// A create can be, once a present object has gone; an update only over the version that it saw.
    fn can_be_stored(&self, index: usize, name: u8) -> bool {
        match &self.progress[index] {
            Progress::Admitted { old: Some(old), .. } => {
                self.objects.get(&name).is_some_and(|present| present.version == old.version)
            }
            _ => true,
        }
    }

    /// What is stored.
    pub(crate) fn stored(&self) -> Quantity {
        let size: u8 = self.objects.values().map(|stored| stored.size).sum();
        amount(size)
    }

    /// What each quota says is used.
    pub(crate) fn used(&self) -> Vec<Quantity> {
        self.quotas.iter().map(|quota| Quantity::parse(&quota.used).unwrap()).collect()
    }
}
