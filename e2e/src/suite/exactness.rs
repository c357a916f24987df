//! The promise of the quota ledger on a real API server: never one too many, and nothing charged for nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::{FutureExt as _, StreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use parking_lot::Mutex;
use rand::RngExt as _;
use serde_json::json;
use tokio::time::Instant;

use super::Test;
use super::client::Sandbox;

pub(super) const TESTS: &[(&str, Test)] = &[
    ("exactness::never_one_too_many_while_processes_crash", |sandbox| {
        never_one_too_many(sandbox).boxed_local()
    }),
    ("exactness::room_in_advance_outlives_crashes", |sandbox| room_in_advance(sandbox).boxed_local()),
    ("exactness::what_fails_later_is_given_back", |sandbox| given_back(sandbox).boxed_local()),
];

const HARD: usize = 500;
/// So many that replicas hold room in advance.
const LARGE_HARD: usize = 6001;
/// How often something crashes in the test of room held in advance.
const CRASHES: usize = 12;
const CLIENTS: usize = 64;
/// For how long clients go on trying.
const TRIES_FOR: Duration = Duration::from_mins(3);

/// What the clients met.
#[derive(Default)]
struct Met {
    /// By HTTP code.
    refusals: Mutex<BTreeMap<u16, usize>>,
    conflicts: Mutex<Vec<String>>,
}

/// Clients at work, and who watches them.
struct Storm {
    api: Api<Pod>,
    met: Arc<Met>,
    done: Arc<AtomicBool>,
    deadline: Instant,
    most: tokio::task::JoinHandle<anyhow::Result<usize>>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Storm {
    /// 64 clients that create pods against a quota.
    async fn begin(sandbox: &Sandbox, hard: usize) -> anyhow::Result<Self> {
        sandbox
            .quota(&format!(
                "{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: team}}, spec: {{hard: {{pods: {hard}}}}}}}"
            ))
            .await?;
        let api: Api<Pod> = Api::namespaced(sandbox.client.clone(), &sandbox.namespace);
        let (met, done) = (Arc::new(Met::default()), Arc::new(AtomicBool::new(false)));
        let most = tokio::spawn(most_stored(api.clone(), Arc::clone(&done)));
        let deadline = Instant::now() + TRIES_FOR;
        let client = |number| create_pods(api.clone(), number, deadline, Arc::clone(&met), Arc::clone(&done));
        let clients = (0..CLIENTS).map(|number| tokio::spawn(client(number))).collect();
        Ok(Self { api, met, done, deadline, most, clients })
    }

    /// Ends it, and makes sure that there were never too many pods, and in the end exactly as many as may be.
    async fn end(self, hard: usize, crashes: usize) -> anyhow::Result<()> {
        self.done.store(true, Ordering::Release);
        for client in self.clients {
            client.await.context("a client ended early")?;
        }
        let most = self.most.await.context("the watch ended early")??;
        let stored = stored(&self.api).await?;
        let refusals = self.met.refusals.lock().clone();
        ensure!(most <= hard, "at one moment {most} pods were stored");
        ensure!(
            stored == hard,
            "{stored} pods are stored after {crashes} crashes; refused by code: {refusals:?}"
        );
        ensure!(self.met.conflicts.lock().is_empty(), "clients saw 409: {:?}", self.met.conflicts.lock());
        Ok(())
    }
}

/// How many pods are stored.
async fn stored(api: &Api<Pod>) -> anyhow::Result<usize> {
    Ok(api.list_metadata(&ListParams::default()).await?.items.len())
}

/// 64 clients create pods against a quota of 500, while replicas of the webhook and the controller crash at random.
async fn never_one_too_many(sandbox: Sandbox) -> anyhow::Result<()> {
    let storm = Storm::begin(&sandbox, HARD).await?;
    let plimsoll = sandbox.cluster.plimsoll()?;
    let mut validated = vec![0; plimsoll.webhooks()];
    let mut crashes = 0;
    // How many each replica has decided, in processes that have ended and in the present one.
    let decided = async |ended: &[u64]| -> anyhow::Result<Vec<u64>> {
        let mut decided = ended.to_vec();
        for (place, count) in decided.iter_mut().enumerate() {
            *count += plimsoll.validated(place).await?;
        }
        Ok(decided)
    };
    let has_its_part = |decided: &[u64]| {
        let all: u64 = decided.iter().sum();
        decided.iter().all(|count| count * 10 >= all)
    };
    // Connections stay with their replica, so it takes a while until one that has crashed has its part again.
    while Instant::now() < storm.deadline
        && (stored(&storm.api).await? < HARD || !has_its_part(&decided(&validated).await?))
    {
        crash_something(&sandbox, &mut validated).await?;
        crashes += 1;
    }
    let decided = decided(&validated).await?;
    storm.end(HARD, crashes).await?;
    ensure!(has_its_part(&decided), "the replicas decided {decided:?}");
    sandbox.uses("team", json!({"pods": HARD.to_string()})).await
}

/// Replicas of the webhook hold room of a larger quota in advance, and crash. What they leave behind is given back in time.
async fn room_in_advance(sandbox: Sandbox) -> anyhow::Result<()> {
    let storm = Storm::begin(&sandbox, LARGE_HARD).await?;
    let plimsoll = sandbox.cluster.plimsoll()?;
    let mut drawn = 0;
    let drawn_by =
        async |place| plimsoll.metric(place, "plimsoll_webhook_quota_drawn_in_advance_total", "").await;
    for crash in 0..CRASHES {
        let place = crash % plimsoll.webhooks();
        drawn += drawn_by(place).await?;
        plimsoll.crash_webhook(place).await?;
    }
    sandbox
        .eventually_within(TRIES_FOR, "as many pods are stored as may be", async || {
            Ok(stored(&storm.api).await? >= LARGE_HARD)
        })
        .await?;
    for place in 0..plimsoll.webhooks() {
        drawn += drawn_by(place).await?;
    }
    storm.end(LARGE_HARD, CRASHES).await?;
    ensure!(drawn > 0, "nothing was admitted with room held in advance");
    sandbox.uses("team", json!({"pods": LARGE_HARD.to_string()})).await
}

/// One client: creates pods under names of its own until told to end.
async fn create_pods(api: Api<Pod>, number: usize, deadline: Instant, met: Arc<Met>, done: Arc<AtomicBool>) {
    let mut next = 0;
    while !done.load(Ordering::Acquire) && Instant::now() < deadline {
        let pod = json!({
            "metadata": {"name": format!("client-{number}-{next}")},
            "spec": {"schedulerName": "none", "containers": [{"name": "a", "image": "pause"}]},
        });
        let Ok(pod) = serde_json::from_value(pod) else { return };
        match api.create(&PostParams::default(), &pod).await {
            Ok(_) => next += 1,
            // The answer to an earlier try was lost.
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => next += 1,
            Err(kube::Error::Api(status)) => {
                *met.refusals.lock().entry(status.code).or_default() += 1;
                if status.code == 409 {
                    met.conflicts.lock().push(status.message.clone());
                }
                // A client that is refused tries again, as controllers do, after a while.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// The largest number of pods that were stored at the same time.
async fn most_stored(api: Api<Pod>, done: Arc<AtomicBool>) -> anyhow::Result<usize> {
    let (mut stored, mut most) = (0_usize, 0);
    let mut version =
        api.list_metadata(&ListParams::default()).await?.metadata.resource_version.unwrap_or_default();
    while !done.load(Ordering::Acquire) {
        let mut events = api.watch_metadata(&WatchParams::default().timeout(5), &version).await?.boxed();
        while let Some(event) = events.next().await {
            match event? {
                WatchEvent::Added(pod) => {
                    stored += 1;
                    version = pod.metadata.resource_version.unwrap_or_default();
                }
                WatchEvent::Deleted(pod) => {
                    stored -= 1;
                    version = pod.metadata.resource_version.unwrap_or_default();
                }
                WatchEvent::Modified(pod) => version = pod.metadata.resource_version.unwrap_or_default(),
                WatchEvent::Bookmark(bookmark) => version = bookmark.metadata.resource_version,
                WatchEvent::Error(status) => anyhow::bail!("{}", status.message),
            }
            most = most.max(stored);
        }
    }
    Ok(most)
}

/// Ends a replica of the webhook or the controller, and begins it again.
async fn crash_something(sandbox: &Sandbox, validated: &mut [u64]) -> anyhow::Result<()> {
    let plimsoll = sandbox.cluster.plimsoll()?;
    let victim = rand::rng().random_range(0..validated.len() + plimsoll.controllers());
    match validated.get_mut(victim) {
        Some(count) => {
            *count += plimsoll.validated(victim).await?;
            plimsoll.crash_webhook(victim).await
        }
        None => plimsoll.crash_controller(victim - validated.len()).await,
    }
}

/// Half of the pods of a burst are refused after our webhook has agreed, by another one that is called at the same time.
async fn given_back(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create_cluster_wide(&format!(
            "{{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {{name: e2e-refuser}},
                webhooks: [{{name: refuser.e2e.plimsoll.dev, admissionReviewVersions: [v1], sideEffects: None,
                failurePolicy: Fail, timeoutSeconds: 1, clientConfig: {{url: 'https://127.0.0.1:1/refuse'}},
                namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {}}}}},
                objectSelector: {{matchLabels: {{refused: 'yes'}}}},
                rules: [{{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]}}]}}",
            sandbox.namespace
        ))
        .await?;
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 200}}}")
        .await?;
    let api: Api<Pod> = Api::namespaced(sandbox.client.clone(), &sandbox.namespace);
    let creates = (0..100).map(|number| {
        let api = api.clone();
        async move {
            let refused = if number % 2 == 0 { "yes" } else { "no" };
            let pod = json!({
                "metadata": {"name": format!("pod-{number}"), "labels": {"refused": refused}},
                "spec": {"schedulerName": "none", "containers": [{"name": "a", "image": "pause"}]},
            });
            let pod = serde_json::from_value(pod)?;
            anyhow::Ok(api.create(&PostParams::default(), &pod).await.is_ok())
        }
    });
    let outcomes: Vec<bool> = futures::stream::iter(creates)
        .buffer_unordered(16)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    let stored = outcomes.iter().filter(|stored| **stored).count();
    ensure!(stored == 50, "{stored} of 100 pods are stored");
    let since = Instant::now();
    sandbox
        .eventually_within(Duration::from_secs(90), "the quota says 50", async || {
            Ok(sandbox.used("team").await? == json!({"pods": "50"}))
        })
        .await?;
    ensure!(since.elapsed() < Duration::from_secs(90), "it took {:?}", since.elapsed());
    Ok(())
}
