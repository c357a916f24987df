//! Which resources can be counted, and where the API server has them.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use kube::Client;
use kube::core::ApiResource;
use kube::discovery::{Discovery, Scope, verbs};
use plimsoll_api::group::GroupResource;
use tokio::time::Instant;

/// How often the API server is asked for new resources while a quota names one that is not known.
///
/// # Source
/// kubernetes `cmd/kube-controller-manager/app/core.go` (`quotaController.Sync`, every 30 seconds)
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// The countable resources.
pub(super) struct Countable {
    client: Client,
    resources: Vec<GroupResource>,
    places: HashMap<GroupResource, ApiResource>,
    asked: Option<Instant>,
}

impl Countable {
    pub(super) fn new(client: Client) -> Self {
        Self { client, resources: Vec::new(), places: HashMap::new(), asked: None }
    }

    /// All of them that are known.
    pub(super) fn resources(&self) -> &[GroupResource] {
        &self.resources
    }

    /// Where a resource is.
    pub(super) fn path(&self, resource: &GroupResource) -> Option<&ApiResource> {
        self.places.get(resource)
    }

    /// Asks the API server which resources there are, if it has not been asked or some key counts a resource that is not known.
    pub(super) async fn discover(&mut self, keys: &BTreeSet<String>) {
        let unknown = |key: &String| {
            let counted = key.strip_prefix("count/").map(GroupResource::parse);
            counted.is_some_and(|counted| !self.places.contains_key(&counted))
        };
        let due = self.asked.is_none_or(|at| keys.iter().any(unknown) && at.elapsed() >= ASK_AGAIN);
        if !due {
            return;
        }
        let discovery = match Discovery::new(self.client.clone()).run_aggregated().await {
            Ok(discovery) => discovery,
            Err(error) => {
                tracing::warn!(%error, "can't ask which resources there are");
                return;
            }
        };
        self.asked = Some(Instant::now());
        for group in discovery.groups() {
            for (place, capabilities) in group.recommended_resources() {
                let followable = capabilities.supports_operation(verbs::LIST)
                    && capabilities.supports_operation(verbs::WATCH)
                    && capabilities.supports_operation(verbs::CREATE);
                if capabilities.scope == Scope::Namespaced && followable {
                    let resource = GroupResource::new(&place.group, &place.plural);
                    if self.places.insert(resource.clone(), place).is_none() {
                        self.resources.push(resource);
                    }
                }
            }
        }
        self.resources.sort();
    }
}
