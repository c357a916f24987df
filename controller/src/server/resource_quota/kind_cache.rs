//! The objects of one resource, as the API server tells of them.
//!
//! kube's own caches do not say up to which version they have followed the store, and a count is worth nothing without that. So
//! this one lists and watches by itself, with bookmarks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::resource::v1::ResourceClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ListMeta, ObjectMeta};
use kube::Client;
use kube::api::{ListParams, WatchParams};
use kube::core::{ApiResource, DynamicObject, PartialObjectMeta, Request, WatchEvent};
use parking_lot::RwLock;
use plimsoll_api::group::GroupResource;
use plimsoll_quota::ledger::Version;
use plimsoll_quota::typed_object::ReadObjectError;
use plimsoll_quota::{Evaluator, TypedObject};
use plimsoll_resource_math::ResourceList;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::Instant;

/// For how long a deleted object is remembered: longer than any admission waits for it.
const REMEMBERED_FOR: Duration = Duration::from_mins(2);
/// How many objects a list brings at once.
const PAGE: u32 = 500;

/// The objects of one namespace, by name.
pub(super) type Objects = BTreeMap<String, Arc<Measured>>;

/// An object, and what it uses as far as that lasts: it is counted far more often than it changes.
pub(super) struct Measured {
    pub(super) object: TypedObject,
    pub(super) usage: Option<ResourceList>,
}

impl Measured {
    pub(super) fn new(resource: &GroupResource, object: TypedObject) -> Self {
        let evaluator = Evaluator::of(resource);
        let usage = evaluator.and_then(|evaluator| evaluator.lasting_usage(object.counted()));
        Self { object, usage }
    }
}

/// The objects of one resource.
#[derive(Default)]
pub(super) struct KindCache {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    version: Option<Version>,
    /// By namespace; shared with whoever counts at the moment.
    objects: HashMap<String, Arc<Objects>>,
    deleted: HashMap<(String, String), (String, Instant)>,
}

/// A list of any resource, its objects unread.
#[derive(Deserialize)]
struct RawList {
    #[serde(default)]
    metadata: ListMeta,
    /// `null` where an empty list is asked for as metadata.
    items: Option<Vec<Box<RawValue>>>,
}

/// How the objects of a resource are asked for.
pub(super) fn request(place: &ApiResource, namespace: Option<&str>) -> Request {
    let root = if place.group.is_empty() {
        format!("/api/{}", place.version)
    } else {
        format!("/apis/{}/{}", place.group, place.version)
    };
    Request::new(match namespace {
        Some(namespace) => format!("{root}/namespaces/{namespace}/{}", place.plural),
        None => format!("{root}/{}", place.plural),
    })
}

/// Whether counting needs no more than the metadata.
pub(super) fn needs_metadata_only(resource: &GroupResource) -> bool {
    !matches!(
        (resource.group.as_str(), resource.resource.as_str()),
        ("", "pods" | "services" | "persistentvolumeclaims") | ("resource.k8s.io", "resourceclaims")
    )
}

impl KindCache {
    /// A cache, and what fills it and follows the resource for as long as it is polled. `changed` is told the namespace of each change, none after a list, and whether the API server
    /// answers.
    pub(super) fn follow(
        client: Client,
        resource: GroupResource,
        place: &ApiResource,
        changed: impl Fn(Option<String>, bool) + Send + Sync + 'static,
    ) -> (Arc<Self>, impl Future<Output = ()> + Send + 'static) {
        let cache = Arc::new(Self::default());
        let (following, place) = (Arc::clone(&cache), place.clone());
        let follow = async move {
            let mut failures = 0_u32;
            loop {
                match following.list_and_watch(&client, &resource, &place, &changed).await {
                    Ok(()) => failures = 0,
                    Err(error) => {
                        tracing::warn!(error = format!("{error:#}"), %resource, "watch interrupted");
                        failures += 1;
                        changed(None, false);
                    }
                }
                let longest = Duration::from_millis(200) * 2_u32.pow(failures.min(7));
                tokio::time::sleep(longest).await;
            }
        };
        (cache, follow)
    }

    async fn list_and_watch(
        &self,
        client: &Client,
        resource: &GroupResource,
        place: &ApiResource,
        changed: &(impl Fn(Option<String>, bool) + Send + Sync),
    ) -> anyhow::Result<()> {
        let (objects, version) = list(client, resource, place, None).await?;
        {
            let mut state = self.state.write();
            let gone = std::mem::take(&mut state.objects);
            let now = Instant::now();
            for (namespace, names) in gone {
                for (name, object) in &*names {
                    let uid = object.object.metadata().uid.clone().unwrap_or_default();
                    state.deleted.insert((namespace.clone(), name.clone()), (uid, now));
                }
            }
            for object in objects {
                state.store(resource, object);
            }
            state.version = Version::parse(&version);
        }
        changed(None, true);
        let watching = Watching { cache: self, client, resource, place, changed };
        match (resource.group.as_str(), resource.resource.as_str()) {
            ("", "pods") => watching.watch::<Pod>(version).await,
            ("", "services") => watching.watch::<Service>(version).await,
            ("", "persistentvolumeclaims") => watching.watch::<PersistentVolumeClaim>(version).await,
            ("resource.k8s.io", "resourceclaims") => watching.watch::<ResourceClaim>(version).await,
            _ => watching.watch::<PartialObjectMeta<DynamicObject>>(version).await,
        }
    }

    /// The version of the cache, and the objects of a namespace.
    pub(super) fn of_namespace(&self, namespace: &str) -> (Option<Version>, Arc<Objects>) {
        let state = self.state.read();
        (state.version.clone(), state.objects.get(namespace).cloned().unwrap_or_default())
    }

    /// The uid of the last object of a name, if it has been deleted lately.
    pub(super) fn deleted(&self, namespace: &str, name: &str) -> Option<String> {
        let key = (namespace.to_owned(), name.to_owned());
        self.state.read().deleted.get(&key).map(|(uid, _)| uid.clone())
    }
}

/// What a watch needs at hand.
struct Watching<'w, F> {
    cache: &'w KindCache,
    client: &'w Client,
    resource: &'w GroupResource,
    place: &'w ApiResource,
    changed: &'w F,
}

impl<F: Fn(Option<String>, bool) + Send + Sync> Watching<'_, F> {
    /// Watches from a version on, until the store has forgotten what comes next.
    async fn watch<K: Told>(&self, mut from: String) -> anyhow::Result<()> {
        let Self { cache, client, resource, place, changed } = self;
        let parameters = WatchParams::default().timeout(290);
        loop {
            let request = request(place, None);
            let watch = if needs_metadata_only(resource) {
                request.watch_metadata(&parameters, &from)?
            } else {
                request.watch(&parameters, &from)?
            };
            let events = client.request_events::<K>(watch).await?;
            let mut events = std::pin::pin!(events);
            while let Some(event) = events.next().await {
                let namespace = match event? {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                        let metadata = object.metadata();
                        from = metadata.resource_version.clone().unwrap_or_default();
                        let namespace = metadata.namespace.clone().unwrap_or_default();
                        let mut state = cache.state.write();
                        match object.read() {
                            Ok(object) => state.store(resource, object),
                            Err(error) => tracing::error!(%error, %resource, "can't read an object"),
                        }
                        state.version = Version::parse(&from);
                        namespace
                    }
                    WatchEvent::Deleted(object) => {
                        let metadata = object.metadata();
                        from = metadata.resource_version.clone().unwrap_or_default();
                        let mut state = cache.state.write();
                        state.remove(metadata);
                        state.version = Version::parse(&from);
                        metadata.namespace.clone().unwrap_or_default()
                    }
                    WatchEvent::Bookmark(bookmark) => {
                        from.clone_from(&bookmark.metadata.resource_version);
                        let mut state = cache.state.write();
                        state.version = Version::parse(&from);
                        let now = Instant::now();
                        state.deleted.retain(|_, (_, at)| now.duration_since(*at) < REMEMBERED_FOR);
                        continue;
                    }
                    // The version is too old by now: list again.
                    WatchEvent::Error(status) if status.code == 410 => return Ok(()),
                    WatchEvent::Error(status) => anyhow::bail!("{}", status.message),
                };
                changed(Some(namespace), true);
            }
        }
    }
}

impl State {
    fn store(&mut self, resource: &GroupResource, mut object: TypedObject) {
        object.metadata_mut().managed_fields = None;
        let metadata = object.metadata();
        let (namespace, name) =
            (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        let measured = Arc::new(Measured::new(resource, object));
        Arc::make_mut(self.objects.entry(namespace).or_default()).insert(name, measured);
    }

    fn remove(&mut self, metadata: &ObjectMeta) {
        let (namespace, name) =
            (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        if let Some(objects) = self.objects.get_mut(&namespace) {
            Arc::make_mut(objects).remove(&name);
            if objects.is_empty() {
                self.objects.remove(&namespace);
            }
        }
        let uid = metadata.uid.clone().unwrap_or_default();
        self.deleted.insert((namespace, name), (uid, Instant::now()));
    }
}

/// An object as a watch tells of it.
trait Told: Clone + DeserializeOwned + 'static {
    fn metadata(&self) -> &ObjectMeta;

    fn read(self) -> Result<TypedObject, ReadObjectError>;
}

impl Told for Pod {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn read(self) -> Result<TypedObject, ReadObjectError> {
        TypedObject::of_pod(self)
    }
}

impl Told for Service {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn read(self) -> Result<TypedObject, ReadObjectError> {
        Ok(TypedObject::Service(Box::new(self)))
    }
}

impl Told for PersistentVolumeClaim {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn read(self) -> Result<TypedObject, ReadObjectError> {
        Ok(TypedObject::PersistentVolumeClaim(Box::new(self)))
    }
}

impl Told for ResourceClaim {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn read(self) -> Result<TypedObject, ReadObjectError> {
        Ok(TypedObject::ResourceClaim(Box::new(self)))
    }
}

/// Of every other resource its metadata are enough.
impl Told for PartialObjectMeta<DynamicObject> {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn read(self) -> Result<TypedObject, ReadObjectError> {
        Ok(TypedObject::Other(Box::new(self.metadata)))
    }
}

/// Lists the objects of a resource, in one namespace or in all, from the store itself; returns the version of the list too.
pub(super) async fn list(
    client: &Client,
    resource: &GroupResource,
    place: &ApiResource,
    namespace: Option<&str>,
) -> anyhow::Result<(Vec<TypedObject>, String)> {
    let mut objects = Vec::new();
    let mut parameters = ListParams::default().limit(PAGE);
    loop {
        let request = request(place, namespace);
        let request = if needs_metadata_only(resource) {
            request.list_metadata(&parameters)?
        } else {
            request.list(&parameters)?
        };
        let page: RawList = client.request(request).await?;
        for item in page.items.unwrap_or_default() {
            objects.push(TypedObject::read(resource, item.get())?);
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => return Ok((objects, page.metadata.resource_version.unwrap_or_default())),
        }
    }
}
