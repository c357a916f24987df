//! The objects of one resource, as the API server tells of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::resource::v1::ResourceClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::core::{ApiResource, DynamicObject, PartialObjectMeta};
use parking_lot::RwLock;
use plimsoll_api::group::GroupResource;
use plimsoll_api::resource_version::Version;
use plimsoll_quota::typed_object::ReadObjectError;
use plimsoll_quota::{Evaluator, TypedObject};
use plimsoll_resource_math::ResourceList;
use serde_json::value::RawValue;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::server::follow::{self, Followed, News, Source};

/// For how long a deleted object is remembered: longer than any admission waits for it.
const REMEMBERED_FOR: Duration = Duration::from_mins(2);

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

/// A cache that follows its resource for as long as this lasts.
pub(super) struct Following {
    pub(super) cache: Arc<KindCache>,
    /// Where it follows the resource.
    pub(super) place: ApiResource,
    /// What fills it.
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct State {
    version: Option<Version>,
    /// By namespace; shared with whoever counts at the moment.
    objects: HashMap<String, Arc<Objects>>,
    deleted: HashMap<(String, String), (String, Instant)>,
}

/// What the cache tells of itself.
pub(super) enum Change {
    /// Objects of a namespace have changed; none: of any.
    Objects(Option<String>),
    /// Whether the API server answers.
    Followed(bool),
}

/// Where the objects of a resource are had, and as much of them as counting needs.
fn source(resource: &GroupResource, place: &ApiResource) -> Source {
    Source { place: place.clone(), metadata_only: needs_metadata_only(resource) }
}

/// Whether counting needs no more than the metadata.
pub(super) fn needs_metadata_only(resource: &GroupResource) -> bool {
    !matches!(
        (resource.group.as_str(), resource.resource.as_str()),
        ("", "pods" | "services" | "persistentvolumeclaims") | ("resource.k8s.io", "resourceclaims")
    )
}

impl KindCache {
    /// Begins to follow a resource. `changed` is told of each change.
    pub(super) fn follow(
        client: Client,
        resource: &GroupResource,
        place: &ApiResource,
        changed: impl Fn(Change) + Send + 'static,
    ) -> Following {
        let cache = Arc::new(Self::default());
        let filling = Filling {
            cache: Arc::clone(&cache),
            client,
            source: source(resource, place),
            resource: resource.clone(),
            changed,
        };
        let filling = match (resource.group.as_str(), resource.resource.as_str()) {
            ("", "pods") => filling.fill::<Pod>().boxed(),
            ("", "services") => filling.fill::<Service>().boxed(),
            ("", "persistentvolumeclaims") => filling.fill::<PersistentVolumeClaim>().boxed(),
            ("resource.k8s.io", "resourceclaims") => filling.fill::<ResourceClaim>().boxed(),
            _ => filling.fill::<PartialObjectMeta<DynamicObject>>().boxed(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(filling);
        Following { cache, place: place.clone(), _tasks: tasks }
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

/// What fills a cache.
struct Filling<F> {
    cache: Arc<KindCache>,
    client: Client,
    source: Source,
    resource: GroupResource,
    changed: F,
}

impl<F: Fn(Change) + Send + 'static> Filling<F> {
    fn fill<K: Read>(self) -> impl Future<Output = ()> + Send {
        let Self { cache, client, source, resource, changed } = self;
        follow::follow(client, source, move |news: News<K>, version| {
            let change = cache.take(&resource, news, version);
            let followed = !matches!(change, Change::Followed(false));
            if matches!(change, Change::Objects(_)) {
                changed(change);
            }
            changed(Change::Followed(followed));
        })
    }
}

impl KindCache {
    fn take<K: Read>(&self, resource: &GroupResource, news: News<K>, version: Option<Version>) -> Change {
        let mut state = self.state.write();
        let change = match news {
            News::Listed(objects) => {
                let gone = std::mem::take(&mut state.objects);
                let now = Instant::now();
                for (namespace, names) in gone {
                    for (name, object) in &*names {
                        let uid = object.object.metadata().uid.clone().unwrap_or_default();
                        state.deleted.insert((namespace.clone(), name.clone()), (uid, now));
                    }
                }
                for object in objects {
                    state.read(resource, object);
                }
                Change::Objects(None)
            }
            News::Applied(object) => {
                let namespace = object.metadata().namespace.clone().unwrap_or_default();
                state.read(resource, object);
                Change::Objects(Some(namespace))
            }
            News::Deleted(object) => {
                state.remove(object.metadata());
                Change::Objects(Some(object.metadata().namespace.clone().unwrap_or_default()))
            }
            News::Nothing => {
                let now = Instant::now();
                state.deleted.retain(|_, (_, at)| now.duration_since(*at) < REMEMBERED_FOR);
                Change::Followed(true)
            }
            News::Interrupted => return Change::Followed(false),
        };
        state.version = version;
        change
    }
}

impl State {
    /// Stores an object as it came, unless it can't be read.
    fn read(&mut self, resource: &GroupResource, object: impl Read) {
        match object.read() {
            Ok(object) => self.store(resource, object),
            Err(error) => tracing::error!(%error, %resource, "can't read an object"),
        }
    }

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

/// An object as the API server tells of it.
trait Read: Followed {
    fn read(self) -> Result<TypedObject, ReadObjectError>;
}

impl Read for Pod {
    fn read(self) -> Result<TypedObject, ReadObjectError> {
        TypedObject::of_pod(self)
    }
}

impl Read for Service {
    fn read(self) -> Result<TypedObject, ReadObjectError> {
        Ok(TypedObject::Service(Box::new(self)))
    }
}

impl Read for PersistentVolumeClaim {
    fn read(self) -> Result<TypedObject, ReadObjectError> {
        Ok(TypedObject::PersistentVolumeClaim(Box::new(self)))
    }
}

impl Read for ResourceClaim {
    fn read(self) -> Result<TypedObject, ReadObjectError> {
        Ok(TypedObject::ResourceClaim(Box::new(self)))
    }
}

/// Of every other resource its metadata are enough.
impl Read for PartialObjectMeta<DynamicObject> {
    fn read(self) -> Result<TypedObject, ReadObjectError> {
        Ok(TypedObject::Other(Box::new(self.metadata)))
    }
}

/// Lists the objects of a resource in a namespace, from the store itself; returns the version of the list too.
pub(super) async fn list(
    client: &Client,
    resource: &GroupResource,
    place: &ApiResource,
    namespace: &str,
) -> anyhow::Result<(Vec<TypedObject>, String)> {
    let source = source(resource, place);
    let (objects, version) = follow::list::<Box<RawValue>>(client, &source, Some(namespace)).await?;
    let objects = objects.iter().map(|object| TypedObject::read(resource, object.get()));
    Ok((objects.collect::<Result<_, _>>()?, version))
}
