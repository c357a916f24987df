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
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(configuration) | Event::InitApply(configuration)) => {
                tell(resources(&configuration));
            }
            Ok(Event::Delete(_)) => tell(BTreeSet::new()),
            Ok(Event::Init | Event::InitDone) => {}
            Err(error) => tracing::warn!(%error, "watch of webhook rules interrupted"),
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
