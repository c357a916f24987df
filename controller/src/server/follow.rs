//! Lists the objects of a resource, watches them from there on, and tells of each change.
//!
//! kube's own caches do not say up to which version they have followed the store, and neither a count of a quota nor the guard against
//! [caches behind our own writes](crate::own_writes) is worth anything without that. So this lists and watches by itself, with
//! bookmarks.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, ResourceQuota, Service};
use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ListMeta, ObjectMeta};
use kube::api::{ListParams, WatchParams};
use kube::core::{ApiResource, DynamicObject, PartialObjectMeta, Request, WatchEvent};
use kube::{Client, Resource as _};
use plimsoll_api::resource_version::Version;
use plimsoll_runtime::client::if_ever;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// How many objects a list brings at once.
const PAGE: u32 = 500;
/// How long one watch lasts, in seconds; the API server allows less than 300.
const WATCH_SECONDS: u32 = 290;
/// The pause after a first failure; each later one is twice as long, up to [`DOUBLINGS`] times.
const PAUSE: Duration = Duration::from_millis(200);
const DOUBLINGS: u32 = 7;
/// After so many failures in a row the objects are listed anew: the version may mean nothing to the API server any more.
const LIST_ANEW_AFTER: u32 = 4;

/// An object that can be followed.
pub(super) trait Followed: Clone + DeserializeOwned + Send + 'static {
    /// Its metadata; at least name, namespace and version are known.
    fn metadata(&self) -> &ObjectMeta;
}

/// Has each of these followed by the metadata that it carries.
macro_rules! followed {
    ($($object:ty),+ $(,)?) => {
        $(impl Followed for $object {
            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }
        })+
    };
}

followed!(
    Pod,
    Service,
    PersistentVolumeClaim,
    ResourceClaim,
    ResourceQuota,
    DeviceClass,
    PartialObjectMeta<DynamicObject>,
);

/// Which objects are meant.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The resource.
    pub(super) place: ApiResource,
    /// Whether no more than their metadata is wanted.
    pub(super) metadata_only: bool,
}

/// What has become known.
pub(super) enum News<K> {
    /// These objects there are; others have gone.
    Listed(Vec<K>),
    /// An object has come or changed.
    Applied(K),
    /// An object has gone; this is its last state.
    Deleted(K),
    /// Nothing new up to the version told.
    Nothing,
    /// The API server doesn't answer; what comes next may take a while.
    Interrupted,
}

impl<K> News<K> {
    /// What has come or may have changed, and the keys of what has gone; `known` are the keys of what was there before.
    pub(super) fn into_changes<Q: Ord>(
        self,
        known: impl Iterator<Item = Q>,
        key_of: impl Fn(&K) -> Q,
    ) -> (Vec<K>, Vec<Q>) {
        match self {
            Self::Listed(listed) => {
                let there: BTreeSet<Q> = listed.iter().map(&key_of).collect();
                (listed, known.filter(|key| !there.contains(key)).collect())
            }
            Self::Applied(object) => (vec![object], Vec::new()),
            Self::Deleted(object) => (Vec::new(), vec![key_of(&object)]),
            Self::Nothing | Self::Interrupted => (Vec::new(), Vec::new()),
        }
    }
}

/// A list of any resource.
#[derive(Deserialize)]
struct List<K> {
    #[serde(default)]
    metadata: ListMeta,
    /// `null` where an empty list is asked for as metadata.
    items: Option<Vec<K>>,
}

/// Why a watch has ended.
enum Ended {
    /// It has lasted long enough.
    InTime,
    /// The store has forgotten what comes next.
    TooOld,
}

/// Follows a resource for as long as it is polled. `tell` is told all news, and up to which version the store is known by then.
pub(super) async fn follow<K: Followed>(
    client: Client,
    source: Source,
    mut tell: impl FnMut(News<K>, Option<Version>) + Send,
) {
    let mut failures = 0_u32;
    loop {
        let mut version = match list(&client, &source, None).await {
            Ok((objects, version)) => {
                tell(News::Listed(objects), Version::parse(&version));
                version
            }
            Err(error) => {
                pause(&error, &source, &mut failures, &mut tell).await;
                continue;
            }
        };
        loop {
            match watch(&client, &source, &mut version, &mut failures, &mut tell).await {
                Ok(Ended::InTime) => {}
                Ok(Ended::TooOld) => {
                    tokio::time::sleep(PAUSE).await;
                    break;
                }
                Err(error) => {
                    pause(&error, &source, &mut failures, &mut tell).await;
                    if failures >= LIST_ANEW_AFTER {
                        break;
                    }
                }
            }
        }
    }
}

async fn pause<K>(
    error: &anyhow::Error,
    source: &Source,
    failures: &mut u32,
    tell: &mut (impl FnMut(News<K>, Option<Version>) + Send),
) {
    let resource = &source.place.plural;
    tracing::warn!(error = format!("{error:#}"), resource, "watch interrupted");
    tell(News::Interrupted, None);
    tokio::time::sleep(PAUSE * 2_u32.pow((*failures).min(DOUBLINGS))).await;
    *failures += 1;
}

/// Watches from a version on, once.
async fn watch<K: Followed>(
    client: &Client,
    source: &Source,
    version: &mut String,
    failures: &mut u32,
    tell: &mut (impl FnMut(News<K>, Option<Version>) + Send),
) -> anyhow::Result<Ended> {
    let parameters = WatchParams::default().timeout(WATCH_SECONDS);
    let request = request(&source.place, None);
    let request = if source.metadata_only {
        request.watch_metadata(&parameters, version)?
    } else {
        request.watch(&parameters, version)?
    };
    let events = if_ever(client.request_events::<K>(request)).await?;
    let mut events = std::pin::pin!(events);
    if *failures > 0 {
        tell(News::Nothing, Version::parse(version));
    }
    while let Some(event) = events.next().await {
        let news = match event? {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                version.clone_from(&version_of(&object));
                News::Applied(object)
            }
            WatchEvent::Deleted(object) => {
                version.clone_from(&version_of(&object));
                News::Deleted(object)
            }
            WatchEvent::Bookmark(bookmark) => {
                version.clone_from(&bookmark.metadata.resource_version);
                News::Nothing
            }
            WatchEvent::Error(status) if status.code == 410 => return Ok(Ended::TooOld),
            WatchEvent::Error(status) => anyhow::bail!("{}", status.message),
        };
        *failures = 0;
        tell(news, Version::parse(version));
    }
    Ok(Ended::InTime)
}

fn version_of(object: &impl Followed) -> String {
    object.metadata().resource_version.clone().unwrap_or_default()
}

/// How the objects of a resource are asked for.
pub(super) fn request(place: &ApiResource, namespace: Option<&str>) -> Request {
    Request::new(DynamicObject::url_path(place, namespace))
}

/// Lists the objects of a resource, in one namespace or in all, from the store itself; returns the version of the list too.
pub(super) async fn list<K: DeserializeOwned>(
    client: &Client,
    source: &Source,
    namespace: Option<&str>,
) -> anyhow::Result<(Vec<K>, String)> {
    let mut objects = Vec::new();
    let mut parameters = ListParams::default().limit(PAGE);
    loop {
        let request = request(&source.place, namespace);
        let request = if source.metadata_only {
            request.list_metadata(&parameters)?
        } else {
            request.list(&parameters)?
        };
        let page: List<K> = if_ever(client.request(request)).await?;
        objects.extend(page.items.into_iter().flatten());
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => return Ok((objects, page.metadata.resource_version.unwrap_or_default())),
        }
    }
}
