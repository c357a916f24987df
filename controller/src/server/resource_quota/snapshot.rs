//! What is known of the objects of one namespace at one moment.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::ResourceClaim;
use kube::Client;
use kube::core::{DynamicObject, PartialObjectMeta, Status};
use plimsoll_api::group::GroupResource;
use plimsoll_quota::ledger::{CacheView, Sighting, Version};
use plimsoll_quota::{CountedObject, EntryKey, Neighbours, TypedObject, payer};
use plimsoll_runtime::client::in_time;

use super::countable::Countable;
use super::kind_cache::{self, Following, KindCache, Measured, Objects};
use crate::server::follow;

/// The objects of one namespace, by resource.
pub(super) struct Snapshot {
    kinds: BTreeMap<GroupResource, Kind>,
    consistent: bool,
    namespace: String,
    /// For what has been deleted.
    caches: HashMap<GroupResource, Arc<KindCache>>,
}

struct Kind {
    version: Option<Version>,
    objects: Arc<Objects>,
}

impl Snapshot {
    /// Takes what the caches have.
    pub(super) fn of_caches(
        caches: &HashMap<GroupResource, Following>,
        namespace: &str,
        resources: &[GroupResource],
    ) -> Self {
        let known = resources.iter().filter_map(|resource| Some((resource, &caches.get(resource)?.cache)));
        let kinds = known.clone().map(|(resource, cache)| {
            let (version, objects) = cache.of_namespace(namespace);
            (resource.clone(), Kind { version, objects })
        });
        let kinds = kinds.collect();
        let caches = known.map(|(resource, cache)| (resource.clone(), Arc::clone(cache))).collect();
        Self { kinds, consistent: false, namespace: namespace.to_owned(), caches }
    }

    /// Asks the store.
    pub(super) async fn list(
        client: &Client,
        countable: &Countable,
        namespace: &str,
        resources: &[GroupResource],
    ) -> anyhow::Result<Self> {
        let mut kinds = BTreeMap::new();
        for resource in resources {
            let Some(place) = countable.path(resource) else { continue };
            let (objects, version) = kind_cache::list(client, resource, place, namespace).await?;
            let named = objects.into_iter().map(|object| {
                let name = object.metadata().name.clone().unwrap_or_default();
                (name, Arc::new(Measured::new(resource, object)))
            });
            kinds.insert(
                resource.clone(),
                Kind { version: Version::parse(&version), objects: Arc::new(named.collect()) },
            );
        }
        Ok(Self { kinds, consistent: true, namespace: namespace.to_owned(), caches: HashMap::new() })
    }

    fn of_resource(&self, resource: &GroupResource, namespace: &str) -> Option<&Objects> {
        self.kinds.get(resource).filter(|_| namespace == self.namespace).map(|kind| &*kind.objects)
    }

    /// All objects.
    pub(super) fn counted(&self) -> impl Iterator<Item = CountedObject<'_>> {
        self.kinds.iter().flat_map(|(resource, kind)| {
            kind.objects.values().map(move |measured| CountedObject {
                resource,
                object: measured.object.counted(),
                usage: measured.usage.as_ref(),
            })
        })
    }
}

impl CacheView for Snapshot {
    fn version(&self, resource: &GroupResource) -> Option<&Version> {
        self.kinds.get(resource)?.version.as_ref()
    }

    fn is_consistent(&self, resource: &GroupResource) -> bool {
        self.consistent && self.kinds.contains_key(resource)
    }

    fn sighting(&self, key: &EntryKey) -> Option<Sighting> {
        if let Some(object) = self.kinds.get(&key.resource)?.objects.get(&key.name) {
            let metadata = object.object.metadata();
            let version = metadata.resource_version.as_deref().and_then(Version::parse);
            return Some(Sighting::Stored { uid: metadata.uid.clone().unwrap_or_default(), version });
        }
        let uid = self.caches.get(&key.resource)?.deleted(&self.namespace, &key.name)?;
        Some(Sighting::Deleted { uid })
    }
}

/// Where a quota limits what pods can pay for claims, it counts both, so both are known.
impl Neighbours for Snapshot {
    fn pod(&self, namespace: &str, name: &str) -> Option<&Pod> {
        match &self.of_resource(&GroupResource::new("", "pods"), namespace)?.get(name)?.object {
            TypedObject::Pod(pod, _) => Some(pod),
            _ => None,
        }
    }

    fn extended_resource_claims(&self, namespace: &str, pod_uid: &str) -> Vec<&ResourceClaim> {
        let resource = GroupResource::new("resource.k8s.io", "resourceclaims");
        let claims = self.of_resource(&resource, namespace).into_iter().flat_map(|claims| claims.values());
        let claims = claims.filter_map(|measured| match &measured.object {
            TypedObject::ResourceClaim(claim) => Some(&**claim),
            _ => None,
        });
        claims.filter(|claim| payer::is_for(claim, pod_uid)).collect()
    }
}

/// The version of the object of a name in the store, if there is one.
pub(super) async fn stored(
    client: &Client,
    countable: &Countable,
    namespace: &str,
    key: &EntryKey,
) -> anyhow::Result<Option<Version>> {
    let Some(place) = countable.path(&key.resource) else {
        // What is not served has no objects, as far as it is known what is.
        anyhow::ensure!(countable.is_known(), "it is not known where {} are", key.resource);
        return Ok(None);
    };
    let request =
        follow::request(place, Some(namespace)).get_metadata(&key.name, &kube::api::GetParams::default())?;
    match in_time(client.request::<PartialObjectMeta<DynamicObject>>(request)).await {
        Ok(object) => Ok(object.metadata.resource_version.as_deref().and_then(Version::parse)),
        Err(kube::Error::Api(status)) if is_absence(&status, &key.name) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether an answer says that there is no object of a name. A resource that is not served where it is looked for is not found
/// either, but then no object is named.
fn is_absence(status: &Status, name: &str) -> bool {
    status.code == 404 && status.details.as_ref().is_some_and(|details| details.name == name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(status: Value, is: bool) {
        assert_eq!(is_absence(&serde_json::from_value(status).unwrap(), "a"), is);
    }

    #[test]
    fn only_an_answer_about_the_object_says_that_it_is_absent() {
        let details = |name: &str| json!({"name": name, "group": "example.com", "kind": "widgets"});
        check(json!({"code": 404, "reason": "NotFound", "details": details("a")}), true);
        check(json!({"code": 404, "reason": "NotFound", "details": details("b")}), false);
        check(json!({"code": 404, "reason": "NotFound", "details": {}}), false);
        check(json!({"code": 404, "message": "404 page not found"}), false);
        check(json!({"code": 403, "reason": "Forbidden", "details": details("a")}), false);
    }
}
