//! Claims for the extended resources of pods: whatever happens between admission and storage, no more is stored than the quota allows.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::resource::v1::DeviceClass;
use k8s_openapi::jiff::Timestamp;
use plimsoll_api::group::GroupResource;
use plimsoll_quota::ledger::{CacheView, Findings, Sighting, Version, renew};
use plimsoll_quota::{
    Admission, CountedObject, Decision, DeviceClasses, EntryKey, Operation, Quota, Request, Seen, Stored,
    Surroundings, decide, recount,
};
use plimsoll_resource_math::Quantity;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{Item, read};

const NAMESPACE: &str = "team";
const KEY: &str = "requests.example.com/gpu";
/// Of which there is enough.
const OTHER_KEY: &str = "requests.cpu";
/// How many devices may be used.
const LIMIT: u32 = 4;

const PODS: [&str; 2] = ["p", "q"];
const CLAIMS: [&str; 3] = ["a", "b", "c"];
/// How many devices each claim asks for; each pod asks for two.
const DEVICES: [u32; 3] = [2, 1, 2];

/// What can happen.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// Someone wants to create a pod.
    CreatePod(usize),
    /// Someone wants to create a claim, for the pod of this place if for any.
    CreateClaim(usize, Option<usize>),
    /// Someone wants to change for whom a stored claim is.
    ChangeClaim(usize, Option<usize>),
    /// What was admitted is stored, if it can be.
    Store(usize),
    /// It is not, and never will be.
    Fail(usize),
    /// Someone wants to change what a stored pod may use of something else.
    ResizePod(usize),
    DeletePod(usize),
    FinishPod(usize),
    DeleteClaim(usize),
    /// A cache catches up.
    SeePods,
    SeeClaims,
    Recount,
}

fn happening() -> impl Strategy<Value = Happening> {
    let pod = 0..PODS.len();
    let owner = prop_oneof![Just(None), Just(Some(0)), Just(Some(0)), Just(Some(1))];
    let claim = 0..CLAIMS.len();
    prop_oneof![
        3 => pod.clone().prop_map(Happening::CreatePod),
        4 => (claim.clone(), owner.clone()).prop_map(|(claim, owner)| Happening::CreateClaim(claim, owner)),
        1 => (claim.clone(), owner).prop_map(|(claim, owner)| Happening::ChangeClaim(claim, owner)),
        8 => (0_usize..4).prop_map(Happening::Store),
        1 => (0_usize..4).prop_map(Happening::Fail),
        1 => pod.clone().prop_map(Happening::ResizePod),
        1 => pod.clone().prop_map(Happening::DeletePod),
        1 => pod.prop_map(Happening::FinishPod),
        1 => claim.prop_map(Happening::DeleteClaim),
        3 => Just(Happening::SeePods),
        3 => Just(Happening::SeeClaims),
        5 => Just(Happening::Recount),
    ]
}

/// The objects of one resource, stored or as a cache has them.
#[derive(Clone)]
struct Objects {
    resource: GroupResource,
    version: Version,
    by_name: BTreeMap<String, Value>,
    /// The uid of what was deleted last, by name.
    deleted: BTreeMap<String, String>,
}

impl Objects {
    fn none(resource: GroupResource) -> Self {
        let version = Version::parse("1").unwrap();
        Self { resource, version, by_name: BTreeMap::new(), deleted: BTreeMap::new() }
    }

    fn uid(&self, name: &str) -> Option<&Value> {
        Some(&self.by_name.get(name)?["metadata"]["uid"])
    }

    fn version_of(&self, name: &str) -> Option<Version> {
        Version::parse(self.by_name.get(name)?["metadata"]["resourceVersion"].as_str()?)
    }

    fn delete(&mut self, name: &str) {
        if let Some(object) = self.by_name.remove(name) {
            let uid = object["metadata"]["uid"].as_str().unwrap().to_owned();
            self.deleted.insert(name.to_owned(), uid);
        }
    }

    fn items(&self) -> Vec<Item> {
        self.by_name.values().map(|object| Item::read(&self.resource, object)).collect()
    }
}

/// Pods and claims, as they are stored or as caches have them.
#[derive(Clone)]
struct Both {
    pods: Objects,
    claims: Objects,
}

impl Both {
    fn of(&self, resource: &GroupResource) -> &Objects {
        if *resource == self.pods.resource { &self.pods } else { &self.claims }
    }

    fn of_mut(&mut self, resource: &GroupResource) -> &mut Objects {
        if *resource == self.pods.resource { &mut self.pods } else { &mut self.claims }
    }

    /// Calls back with everything, as objects to be counted and as neighbours.
    fn with<T>(&self, look: impl FnOnce(&[CountedObject<'_>], &Surroundings<'_>) -> T) -> T {
        let class: DeviceClass =
            read(&json!({"metadata": {"name": "gpu"}, "spec": {"extendedResourceName": "example.com/gpu"}}));
        let stored = Stored {
            pods: self.pods.by_name.values().map(read).collect(),
            claims: self.claims.by_name.values().map(read).collect(),
        };
        let surroundings = Surroundings {
            now: Timestamp::UNIX_EPOCH,
            device_classes: &DeviceClasses::new([&class]),
            neighbours: &stored,
        };
        let (pods, claims) = (self.pods.items(), self.claims.items());
        let pods = pods.iter().map(|pod| counted(&self.pods.resource, pod));
        let claims = claims.iter().map(|claim| counted(&self.claims.resource, claim));
        look(&pods.chain(claims).collect::<Vec<_>>(), &surroundings)
    }
}

fn counted<'a>(resource: &'a GroupResource, item: &'a Item) -> CountedObject<'a> {
    CountedObject { resource, object: item.object(), usage: None }
}

impl CacheView for Both {
    fn version(&self, resource: &GroupResource) -> Option<&Version> {
        Some(&self.of(resource).version)
    }

    fn is_consistent(&self, _resource: &GroupResource) -> bool {
        false
    }

    fn sighting(&self, key: &EntryKey) -> Option<Sighting> {
        let objects = self.of(&key.resource);
        let Some(uid) = objects.uid(&key.name) else {
            return objects.deleted.get(&key.name).map(|uid| Sighting::Deleted { uid: uid.clone() });
        };
        Some(Sighting::Stored {
            uid: uid.as_str().unwrap().to_owned(),
            version: objects.version_of(&key.name),
        })
    }
}

/// An object that was admitted and is not stored yet.
struct Flight {
    key: EntryKey,
    object: Value,
    /// What it is to be stored over, if it was stored before.
    over: Option<Version>,
}

struct World {
    version: u64,
    stored: Both,
    caches: Both,
    quota: Quota,
    flights: Vec<Flight>,
}

fn quota() -> Quota {
    let limit = json!({KEY: LIMIT, OTHER_KEY: 1000});
    let object: ResourceQuota = read(&json!({
        "metadata": {"name": "devices", "namespace": NAMESPACE},
        "spec": {"hard": limit},
        "status": {"hard": limit, "used": {KEY: 0, OTHER_KEY: 0}},
    }));
    Quota::parse(&object).unwrap()
}

impl World {
    fn new() -> Self {
        let pods = Objects::none(GroupResource::new("", "pods"));
        let claims = Objects::none(GroupResource::new("resource.k8s.io", "resourceclaims"));
        let stored = Both { pods, claims };
        Self { version: 1, caches: stored.clone(), stored, quota: quota(), flights: Vec::new() }
    }

    fn next_version(&mut self) -> Version {
        self.version += 1;
        Version::parse(&self.version.to_string()).unwrap()
    }

    /// Metadata as the API server gives them to a new object.
    fn new_metadata(&mut self, name: &str) -> Value {
        let version = self.next_version();
        json!({"name": name, "namespace": NAMESPACE, "uid": format!("uid-{version}"),
            "creationTimestamp": Timestamp::from_second(self.version.cast_signed() / 16).unwrap().to_string()})
    }

    /// Says in a claim's metadata for which pod it is made, if there is one of that name.
    fn own(&self, metadata: &mut Value, owner: Option<usize>) {
        let uid = owner.and_then(|owner| self.stored.pods.uid(PODS[owner]));
        metadata["annotations"] =
            uid.map_or(Value::Null, |_| json!({"resource.kubernetes.io/extended-resource-claim": "true"}));
        metadata["ownerReferences"] = uid.map_or(Value::Null, |uid| {
            json!([{"apiVersion": "v1", "kind": "Pod", "name": PODS[owner.unwrap()], "uid": uid, "controller": true}])
        });
    }

    fn admit(&mut self, resource: GroupResource, object: Value, old: Option<Value>) {
        let is_resize = old.is_some() && resource == self.stored.pods.resource;
        let item = Item::read(&resource, &object);
        let old_item = old.as_ref().map(|old| Item::read(&resource, old));
        let metadata = item.object().metadata();
        let (name, uid) = (metadata.name.clone().unwrap(), metadata.uid.clone().unwrap());
        let over = old.is_some().then(|| self.stored.of(&resource).version_of(&name).unwrap());
        let request = Request {
            operation: if old.is_some() { Operation::Update } else { Operation::Create },
            resource: &resource,
            subresource: if is_resize { "resize" } else { "" },
            namespace: NAMESPACE,
            name: &name,
            object: item.object(),
            old_object: old_item.as_ref().map(Item::object),
        };
        let quotas = std::slice::from_ref(&self.quota);
        let decision =
            self.stored.with(|_, surroundings| decide(&request, quotas, &[], surroundings).unwrap());
        let Decision::Admitted(charges) = decision else { return };
        let key = EntryKey { resource, name };
        let admission = match &over {
            None => Admission::Create { uid },
            Some(version) => Admission::Update { uid, version: Some(version.clone()) },
        };
        for charge in &charges {
            let written_over = self.next_version().to_string();
            self.quota.reserve(charge, key.clone(), &admission, &written_over);
        }
        self.flights.push(Flight { key, object, over });
    }

    fn store(&mut self, flight: Flight) {
        let version = self.next_version();
        let Flight { key, mut object, over } = flight;
        let objects = self.stored.of_mut(&key.resource);
        if objects.version_of(&key.name) == over {
            object["metadata"]["resourceVersion"] = version.to_string().into();
            objects.by_name.insert(key.name, object);
        }
    }

    fn take(&mut self, happening: Happening) {
        let (pods, claims) = (self.stored.pods.resource.clone(), self.stored.claims.resource.clone());
        match happening {
            Happening::CreatePod(place) => {
                let metadata = self.new_metadata(PODS[place]);
                let amounts = json!({"example.com/gpu": "2", "cpu": "1"});
                let resources = json!({"requests": amounts, "limits": amounts});
                let spec = json!({"containers": [{"name": "a", "resources": resources}]});
                self.admit(pods, json!({"metadata": metadata, "spec": spec}), None);
            }
            Happening::CreateClaim(place, owner) => {
                let mut metadata = self.new_metadata(CLAIMS[place]);
                self.own(&mut metadata, owner);
                let devices = json!({"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": DEVICES[place]});
                let spec = json!({"devices": {"requests": [{"name": "a", "exactly": devices}]}});
                self.admit(claims, json!({"metadata": metadata, "spec": spec}), None);
            }
            Happening::ChangeClaim(place, owner) => {
                let Some(old) = self.stored.claims.by_name.get(CLAIMS[place]).cloned() else { return };
                let mut object = old.clone();
                self.own(&mut object["metadata"], owner);
                self.admit(claims, object, Some(old));
            }
            Happening::Store(place) if place < self.flights.len() => {
                let flight = self.flights.remove(place);
                self.store(flight);
            }
            Happening::Fail(place) if place < self.flights.len() => drop(self.flights.remove(place)),
            Happening::Store(_) | Happening::Fail(_) => {}
            Happening::ResizePod(place) => {
                let Some(old) = self.stored.pods.by_name.get(PODS[place]).cloned() else { return };
                let mut object = old.clone();
                let requests = &mut object["spec"]["containers"][0]["resources"]["requests"];
                let cpu: u32 = requests["cpu"].as_str().unwrap().parse().unwrap();
                requests["cpu"] = (cpu + 1).to_string().into();
                self.admit(pods, object, Some(old));
            }
            Happening::DeletePod(place) => self.stored.pods.delete(PODS[place]),
            Happening::FinishPod(place) => {
                let version = self.next_version().to_string();
                if let Some(pod) = self.stored.pods.by_name.get_mut(PODS[place]) {
                    pod["metadata"]["resourceVersion"] = version.into();
                    pod["status"] = json!({"phase": "Succeeded"});
                }
            }
            Happening::DeleteClaim(place) => self.stored.claims.delete(CLAIMS[place]),
            Happening::SeePods => {
                let version = self.next_version();
                self.caches.pods = Objects { version, ..self.stored.pods.clone() };
            }
            Happening::SeeClaims => {
                let version = self.next_version();
                self.caches.claims = Objects { version, ..self.stored.claims.clone() };
            }
            Happening::Recount => self.recount(),
        }
    }

    fn recount(&mut self) {
        let is_under_way = |key: &EntryKey| self.flights.iter().any(|flight| flight.key == *key);
        let overdue = self.quota.ledger.entries().filter(|(key, _)| !is_under_way(key));
        let overdue = overdue.map(|(key, entry)| {
            (key.clone(), entry.written_over.clone(), self.stored.of(&key.resource).version_of(&key.name))
        });
        let findings = Findings { entries: overdue.collect(), ..Findings::default() };
        let (quota, caches) = (&mut self.quota, &self.caches);
        caches.with(|objects, surroundings| {
            renew(quota, caches, &findings, (&[], objects), surroundings).unwrap();
        });
    }

    /// How many devices are in use.
    fn truth(&self) -> Quantity {
        let mut quota = quota();
        self.stored.with(|objects, surroundings| {
            recount(&mut quota, Seen { objects, ..Seen::default() }, surroundings).unwrap();
        });
        quota.used.amount(KEY)
    }
}

/// A pod with a claim, both stored and counted.
const PAID: [Happening; 8] = [
    Happening::CreatePod(0),
    Happening::Store(0),
    Happening::CreateClaim(0, Some(0)),
    Happening::Store(0),
    Happening::SeePods,
    Happening::SeeClaims,
    Happening::Recount,
    Happening::Recount,
];

#[track_caller]
fn check_limit(happenings: &[Happening]) {
    let mut world = World::new();
    let limit = quota().hard.amount(KEY);
    for happening in PAID.iter().chain(happenings) {
        world.take(*happening);
        assert!(world.truth() <= limit, "{happening:?}");
    }
}

#[test]
fn a_pod_in_the_place_of_one_that_is_resized_is_charged() {
    check_limit(&[
        Happening::ResizePod(0),
        Happening::DeletePod(0),
        Happening::CreatePod(0),
        Happening::CreatePod(1),
        Happening::Store(1),
        Happening::Store(1),
    ]);
}

#[test]
fn a_pod_that_is_resized_before_it_is_seen_does_not_pass_for_the_one_before() {
    check_limit(&[
        Happening::DeletePod(0),
        Happening::CreatePod(0),
        Happening::Store(0),
        Happening::ResizePod(0),
        Happening::Recount,
        Happening::CreatePod(1),
        Happening::Store(1),
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_more_is_stored_than_the_quota_allows(happenings in proptest::collection::vec(happening(), 0..80)) {
        let mut world = World::new();
        let limit = quota().hard.amount(KEY);
        for happening in happenings {
            world.take(happening);
            prop_assert!(world.truth() <= limit, "{happening:?}");
        }
        // Once nothing is under way and everything is seen, the count is right.
        world.flights.clear();
        for happening in [Happening::SeePods, Happening::SeeClaims, Happening::Recount] {
            world.take(happening);
        }
        prop_assert_eq!(world.quota.used.amount(KEY), world.truth());
    }
}
