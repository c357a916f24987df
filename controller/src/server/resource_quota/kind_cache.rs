//! The objects of one resource, as the API server tells of them.
//!
//! kube's own caches do not say up to which version they have followed the store, and a count is worth nothing without that. So
//! this one lists and watches by itself, with bookmarks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ListMeta, ObjectMeta};
use kube::Client;
use kube::api::{ListParams, WatchParams};
use kube::core::{ApiResource, Request, WatchEvent};
use parking_lot::RwLock;
use plimsoll_api::group::GroupResource;
use plimsoll_quota::TypedObject;
use plimsoll_quota::ledger::Version;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

/// For how long a deleted object is remembered: longer than any admission waits for it.
const REMEMBERED_FOR: Duration = Duration::from_mins(2);
/// How many objects a list brings at once.
const PAGE: u32 = 500;

/// The objects of one namespace, by name.
pub(super) type Objects = BTreeMap<String, Arc<TypedObject>>;

/// The objects of one resource.
#[derive(Default)]
pub(super) struct KindCache {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    version: Option<Version>,
    objects: HashMap<String, Objects>,
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

/// An object of any resource, unread, and its metadata.
#[derive(Clone, Deserialize)]
struct RawObject {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
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
    /// Begins to follow a resource. `changed` is told the namespace of each change, none after a list, and whether the API server
    /// answers.
    pub(super) fn follow(
        client: Client,
        resource: GroupResource,
        place: &ApiResource,
        changed: impl Fn(Option<String>, bool) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let cache = Arc::new(Self::default());
        let (following, place) = (Arc::clone(&cache), place.clone());
        tokio::spawn(async move {
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
        });
        cache
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
                for (name, object) in names {
                    let uid = object.metadata().uid.clone().unwrap_or_default();
                    state.deleted.insert((namespace.clone(), name), (uid, now));
                }
            }
            for object in objects {
                state.store(object);
            }
            state.version = Version::parse(&version);
        }
        changed(None, true);
        let metadata_only = needs_metadata_only(resource);
        let parameters = WatchParams::default().timeout(290);
        let mut from = version;
        loop {
            let request = request(place, None);
            let watch = if metadata_only {
                request.watch_metadata(&parameters, &from)?
            } else {
                request.watch(&parameters, &from)?
            };
            let events = client.request_events::<RawObject>(watch).await?;
            let mut events = std::pin::pin!(events);
            while let Some(event) = events.next().await {
                let namespace = match event? {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                        from = object.metadata.resource_version.clone().unwrap_or_default();
                        let namespace = object.metadata.namespace.clone().unwrap_or_default();
                        let mut state = self.state.write();
                        match object.read(resource) {
                            Ok(object) => state.store(object),
                            Err(error) => tracing::error!(%error, %resource, "can't read an object"),
                        }
                        state.version = Version::parse(&from);
                        namespace
                    }
                    WatchEvent::Deleted(object) => {
                        from = object.metadata.resource_version.clone().unwrap_or_default();
                        let mut state = self.state.write();
                        state.remove(&object.metadata);
                        state.version = Version::parse(&from);
                        object.metadata.namespace.unwrap_or_default()
                    }
                    WatchEvent::Bookmark(bookmark) => {
                        from.clone_from(&bookmark.metadata.resource_version);
                        let mut state = self.state.write();
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

    /// The version of the cache, and the objects of a namespace.
    pub(super) fn of_namespace(&self, namespace: &str) -> (Option<Version>, Objects) {
        let state = self.state.read();
        (state.version.clone(), state.objects.get(namespace).cloned().unwrap_or_default())
    }

    /// The uid of the last object of a name, if it has been deleted lately.
    pub(super) fn deleted(&self, namespace: &str, name: &str) -> Option<String> {
        let key = (namespace.to_owned(), name.to_owned());
        self.state.read().deleted.get(&key).map(|(uid, _)| uid.clone())
    }
}

impl State {
    fn store(&mut self, object: TypedObject) {
        let metadata = object.metadata();
        let (namespace, name) =
            (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        self.objects.entry(namespace).or_default().insert(name, Arc::new(object));
    }

    fn remove(&mut self, metadata: &ObjectMeta) {
        let (namespace, name) =
            (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        if let Some(objects) = self.objects.get_mut(&namespace) {
            objects.remove(&name);
            if objects.is_empty() {
                self.objects.remove(&namespace);
            }
        }
        let uid = metadata.uid.clone().unwrap_or_default();
        self.deleted.insert((namespace, name), (uid, Instant::now()));
    }
}

impl RawObject {
    fn read(mut self, resource: &GroupResource) -> anyhow::Result<TypedObject> {
        self.metadata.managed_fields = None;
        let mut object = serde_json::Value::Object(self.rest);
        object["metadata"] = serde_json::to_value(self.metadata)?;
        Ok(TypedObject::read(resource, &object.to_string())?)
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
