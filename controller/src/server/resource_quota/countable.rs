//! Which resources can be counted, and where the API server has them.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use kube::Client;
use kube::core::discovery::v2::{APIGroupDiscovery, APIResourceDiscovery, APIVersionDiscovery};
use kube::core::{ApiResource, GroupVersionKind};
use kube::discovery::verbs;
use plimsoll_api::group::GroupResource;
use plimsoll_runtime::client::if_ever;
use tokio::time::Instant;

/// How often the API server is asked which resources there are.
///
/// # Source
/// kubernetes `cmd/kube-controller-manager/app/core.go` (`resourceQuotaController.Sync`)
const ASK_EVERY: Duration = Duration::from_secs(30);
/// How often while a quota names a resource that is not known.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// How soon after it has told of them it is asked once more because a quota names another resource that is not known.
const ASK_AT_ONCE: Duration = Duration::from_secs(1);

/// Where the API server has each resource.
type Places = HashMap<GroupResource, ApiResource>;

/// The countable resources.
pub(super) struct Countable {
    client: Client,
    resources: Vec<GroupResource>,
    places: Places,
    /// When the API server has last told of them.
    told: Option<Instant>,
    /// What quotas name, but was not known when they were looked at last.
    missed: BTreeSet<GroupResource>,
}

impl Countable {
    pub(super) fn new(client: Client) -> Self {
        Self { client, resources: Vec::new(), places: Places::new(), told: None, missed: BTreeSet::new() }
    }

    /// All of them that are known.
    pub(super) fn resources(&self) -> &[GroupResource] {
        &self.resources
    }

    /// Where a resource is.
    pub(super) fn path(&self, resource: &GroupResource) -> Option<&ApiResource> {
        self.places.get(resource)
    }

    /// Whether the API server has told of them at all.
    pub(super) fn is_known(&self) -> bool {
        self.told.is_some()
    }

    /// Whether the API server is to be asked again, even if quotas name nothing new.
    pub(super) fn is_old(&self) -> bool {
        self.is_older_than(if self.missed.is_empty() { ASK_EVERY } else { ASK_AGAIN })
    }

    fn is_older_than(&self, age: Duration) -> bool {
        self.told.is_none_or(|at| at.elapsed() >= age)
    }

    /// Asks the API server which resources there are, if what is known is old or some key counts a resource that is not known.
    pub(super) async fn discover(&mut self, keys: &BTreeSet<String>) {
        let unknown = unknown(keys, &self.places);
        let asks_at_once = !unknown.is_subset(&self.missed) && self.is_older_than(ASK_AT_ONCE);
        self.missed = unknown;
        if !asks_at_once && !self.is_old() {
            return;
        }
        match groups(&self.client).await {
            Ok(groups) => {
                self.told = Some(Instant::now());
                self.places = places(&groups, &self.places);
                self.resources = self.places.keys().cloned().collect();
                self.resources.sort();
                self.missed.retain(|resource| !self.places.contains_key(resource));
            }
            // What was known stays.
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "can't ask which resources there are");
            }
        }
    }
}

/// What keys count, but is at no place.
fn unknown(keys: &BTreeSet<String>, places: &Places) -> BTreeSet<GroupResource> {
    let counted = keys.iter().filter_map(|key| key.strip_prefix("count/")).map(GroupResource::parse);
    counted.filter(|counted| !places.contains_key(counted)).collect()
}

/// All groups of the API server.
async fn groups(client: &Client) -> anyhow::Result<Vec<APIGroupDiscovery>> {
    let mut groups = if_ever(client.list_core_api_versions_aggregated()).await?.items;
    let named = if_ever(client.list_api_groups_aggregated()).await?.items;
    // An answer in another form reads as an empty list.
    anyhow::ensure!(!groups.is_empty() && !named.is_empty(), "the API server tells of no resources");
    groups.extend(named);
    Ok(groups)
}

/// Where each resource is that can be followed: in the first version that serves it, of which the preferred one comes first.
///
/// A server behind the API server that does not answer leaves its versions stale; what was `known` of those stays.
///
/// # Source
/// client-go `discovery/discovery_client.go` (`fetchGroupVersionResources`, `ServerPreferredResources`), kubernetes
/// `pkg/controller/resourcequota/resource_quota_controller.go` (`Sync`)
fn places(groups: &[APIGroupDiscovery], known: &Places) -> Places {
    let mut places = Places::new();
    for group in groups {
        let name = group.metadata.as_ref().and_then(|metadata| metadata.name.as_deref()).unwrap_or_default();
        for version in &group.versions {
            let kept = known.values().filter(|place| is_stale(version) && is_of(place, name, version));
            for place in served(name, version).chain(kept.cloned()) {
                places.entry(GroupResource::new(&place.group, &place.plural)).or_insert(place);
            }
        }
    }
    places
}

fn is_stale(version: &APIVersionDiscovery) -> bool {
    version.freshness.as_deref() == Some("Stale")
}

fn is_of(place: &ApiResource, group: &str, version: &APIVersionDiscovery) -> bool {
    place.group == group && Some(place.version.as_str()) == version.version.as_deref()
}

/// What a version of a group serves, as far as it can be followed.
fn served(group: &str, version: &APIVersionDiscovery) -> impl Iterator<Item = ApiResource> {
    version.resources.iter().filter(|resource| is_followable(resource)).map(move |resource| {
        let kind = resource.response_kind.as_ref().and_then(|kind| kind.kind.as_deref()).unwrap_or_default();
        let version = version.version.as_deref().unwrap_or_default();
        let plural = resource.resource.as_deref().unwrap_or_default();
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    })
}

fn is_followable(resource: &APIResourceDiscovery) -> bool {
    let has = |verb: &str| resource.verbs.iter().any(|supported| supported == verb);
    let is_namespaced = resource.scope.as_deref() == Some("Namespaced");
    is_namespaced && [verbs::LIST, verbs::WATCH, verbs::CREATE].into_iter().all(has)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn resource(name: &str) -> Value {
        json!({
            "resource": name,
            "responseKind": {"kind": "Kind"},
            "scope": "Namespaced",
            "verbs": ["create", "get", "list", "watch"],
        })
    }

    fn group(name: &str, versions: Value) -> APIGroupDiscovery {
        serde_json::from_value(json!({"metadata": {"name": name}, "versions": versions})).unwrap()
    }

    /// The versions in which resources are found.
    fn found(groups: &[APIGroupDiscovery], known: &Places) -> Vec<(String, String)> {
        let places = places(groups, known).into_iter();
        let mut found: Vec<_> =
            places.map(|(resource, place)| (resource.to_string(), place.api_version)).collect();
        found.sort();
        found
    }

    fn expected(places: &[(&str, &str)]) -> Vec<(String, String)> {
        places.iter().map(|(resource, version)| ((*resource).to_owned(), (*version).to_owned())).collect()
    }

    #[test]
    fn a_resource_is_in_the_first_version_that_serves_it() {
        let groups = [
            group("", json!([{"version": "v1", "resources": [resource("pods")]}])),
            group(
                "gateway.networking.k8s.io",
                json!([
                    {"version": "v1", "resources": [resource("httproutes")]},
                    {"version": "v1beta1", "resources": [resource("httproutes")]},
                    {"version": "v1alpha2", "resources": [resource("httproutes"), resource("tcproutes")]},
                ]),
            ),
        ];
        let places = expected(&[
            ("httproutes.gateway.networking.k8s.io", "gateway.networking.k8s.io/v1"),
            ("pods", "v1"),
            ("tcproutes.gateway.networking.k8s.io", "gateway.networking.k8s.io/v1alpha2"),
        ]);
        assert_eq!(found(&groups, &Places::new()), places);
    }

    #[test]
    fn only_keys_that_count_a_resource_ask_for_it() {
        let keys = ["pods", "count/pods", "count/widgets.example.com", "requests.cpu"].map(str::to_owned);
        let groups = [group("", json!([{"version": "v1", "resources": [resource("pods")]}]))];
        let unknown = unknown(&BTreeSet::from(keys), &places(&groups, &Places::new()));
        assert_eq!(unknown, BTreeSet::from([GroupResource::new("example.com", "widgets")]));
    }

    #[test]
    fn what_cannot_be_followed_is_not_counted() {
        let mut cluster_wide = resource("nodes");
        cluster_wide["scope"] = json!("Cluster");
        let mut unwatched = resource("bindings");
        unwatched["verbs"] = json!(["create"]);
        let groups = [group("", json!([{"version": "v1", "resources": [cluster_wide, unwatched]}]))];
        assert_eq!(found(&groups, &Places::new()), Vec::new());
    }

    #[test]
    fn a_version_that_is_served_no_more_is_forgotten_unless_it_is_stale() {
        let version = |name: &str, freshness: &str, resources: Value| {
            let version = json!({"version": name, "freshness": freshness, "resources": resources});
            Value::Array(vec![version])
        };
        let known = places(
            &[
                group("example.com", version("v1beta1", "Current", json!([resource("widgets")]))),
                group("metrics.example.com", version("v1", "Current", json!([resource("samples")]))),
                group("gone.example.com", version("v1", "Current", json!([resource("things")]))),
            ],
            &Places::new(),
        );
        let groups = [
            group("example.com", version("v1", "Current", json!([resource("widgets")]))),
            group("metrics.example.com", version("v1", "Stale", json!([]))),
        ];
        let places = expected(&[
            ("samples.metrics.example.com", "metrics.example.com/v1"),
            ("widgets.example.com", "example.com/v1"),
        ]);
        assert_eq!(found(&groups, &known), places);
    }
}
