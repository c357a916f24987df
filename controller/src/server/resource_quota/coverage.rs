//! Since when the API server asks webhooks about a resource.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use plimsoll_api::group::GroupResource;
use plimsoll_quota::is_always_covered;
use tokio::time::Instant;

/// How long after a rule is written every API server is taken to follow it.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);

/// The resources about which the API server asks, beside pods and claims on persistent volumes.
#[derive(Default)]
pub(super) struct Coverage {
    since: HashMap<GroupResource, Instant>,
}

impl Coverage {
    /// Takes in the present rules.
    pub(super) fn take(&mut self, resources: BTreeSet<GroupResource>, now: Instant) {
        self.since.retain(|resource, _| resources.contains(resource));
        for resource in resources {
            self.since.entry(resource).or_insert(now);
        }
    }

    /// Whether every API server asks about a resource.
    pub(super) fn covers(&self, resource: &GroupResource, now: Instant) -> bool {
        let settled = |since: &Instant| now.duration_since(*since) >= SETTLES_WITHIN;
        is_always_covered(resource) || self.since.get(resource).is_some_and(settled)
    }

    /// Whether some rule is so new that quotas wait for it, or have just waited.
    pub(super) fn is_young(&self, now: Instant) -> bool {
        self.since.values().any(|since| now.duration_since(*since) < SETTLES_WITHIN + Duration::from_secs(3))
    }
}

/// Tells of the rules of a configuration for as long as the process runs.
pub(super) async fn follow(client: Client, name: String, tell: impl Fn(BTreeSet<GroupResource>)) {
    let only = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let events = watcher(Api::<ValidatingWebhookConfiguration>::all(client), only).default_backoff();
    let mut events = std::pin::pin!(events);
    let mut listing = Listing::default();
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                if let Some(rules) = listing.take(event) {
                    tell(rules);
                }
            }
            Err(error) => tracing::warn!(%error, "watch of webhook rules interrupted"),
        }
    }
}

/// Notices that a list lacks the configuration: it may have been deleted while nothing was watched.
#[derive(Default)]
struct Listing {
    found: bool,
}

impl Listing {
    /// Takes in an event; returns the present rules, if it tells of them.
    fn take(&mut self, event: Event<ValidatingWebhookConfiguration>) -> Option<BTreeSet<GroupResource>> {
        match event {
            Event::Apply(configuration) => Some(resources(&configuration)),
            Event::Delete(_) => Some(BTreeSet::new()),
            Event::Init => {
                self.found = false;
                None
            }
            Event::InitApply(configuration) => {
                self.found = true;
                Some(resources(&configuration))
            }
            Event::InitDone => (!self.found).then(BTreeSet::new),
        }
    }
}

fn resources(configuration: &ValidatingWebhookConfiguration) -> BTreeSet<GroupResource> {
    let rules = configuration.webhooks.iter().flatten().flat_map(|hook| hook.rules.iter().flatten());
    let named = rules.flat_map(|rule| {
        let groups = rule.api_groups.iter().flatten();
        groups.flat_map(|group| {
            let resources = rule.resources.iter().flatten();
            resources.map(|resource| GroupResource::new(group, resource))
        })
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn configuration() -> ValidatingWebhookConfiguration {
        serde_json::from_value(json!({
            "metadata": {"name": "plimsoll-quota"},
            "webhooks": [{
                "name": "quota.plimsoll.dev",
                "clientConfig": {},
                "rules": [{"apiGroups": ["batch"], "resources": ["jobs"]}],
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }],
        }))
        .unwrap()
    }

    #[test]
    fn a_list_without_the_configuration_ends_its_rules() {
        let jobs = BTreeSet::from([GroupResource::new("batch", "jobs")]);
        let mut listing = Listing::default();
        assert_eq!(listing.take(Event::Init), None);
        assert_eq!(listing.take(Event::InitApply(configuration())), Some(jobs.clone()));
        assert_eq!(listing.take(Event::InitDone), None);
        assert_eq!(listing.take(Event::Apply(configuration())), Some(jobs));
        assert_eq!(listing.take(Event::Init), None);
        assert_eq!(listing.take(Event::InitDone), Some(BTreeSet::new()));
        assert_eq!(listing.take(Event::Delete(configuration())), Some(BTreeSet::new()));
    }
}
