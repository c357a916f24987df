//! Charging quotas: one task a namespace decides all requests that wait for it and writes each quota once for all of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, Resource as _};
use parking_lot::Mutex;
use plimsoll_api::status::Status;
use plimsoll_quota::{LimitedResource, NoNeighbours, Quota, Surroundings};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::metrics::Metrics;
use super::stored_quota::StoredQuota;
use super::watch::Caches;
use crate::admission::Request;
use crate::batch::{Held, Outcome, Plan, plan};

/// For how long a list of a namespace's quotas is believed to be complete, while the watch tells of new ones.
const BELIEVED_FOR: Duration = Duration::from_secs(5);
/// For how long a request is tried.
const PATIENCE: Duration = Duration::from_secs(5);
/// After how long a request is answered whatever happens: when the API server's own answers stall, it must not be left waiting too, for
/// it gives up after 10 seconds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(7);
/// How many requests are decided together at most.
const LARGEST_BATCH: usize = 512;
/// For how long after a write a [crowded](Ledger::is_crowded) quota is left to the recount, at most.
const PAUSE: Duration = Duration::from_millis(40);
/// For how long a namespace's task outlives its last request.
const IDLE: Duration = Duration::from_mins(1);
/// After how many seconds a client may try again what could not be decided.
const RETRY_AFTER_SECONDS: u32 = 1;

/// What quota says to a request.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It may proceed; whatever it uses is charged to these quotas.
    Admitted {
        /// The quotas as they stand after the charge.
        charged: Vec<Quota>,
    },
    /// It may not.
    Refused {
        /// What the API server answers.
        status: Status,
        /// The quota that refuses, if it is one.
        quota: Option<String>,
    },
}

/// Charges quotas of all namespaces.
pub(super) struct Committer {
    shared: Arc<Shared>,
    namespaces: Mutex<HashMap<String, mpsc::UnboundedSender<Waiting>>>,
}

struct Shared {
    client: Client,
    limited: Vec<LimitedResource>,
    caches: Arc<Caches>,
    metrics: Arc<Metrics>,
}

impl Shared {
    fn plan<'r>(&self, requests: impl IntoIterator<Item = &'r Request>, held: &[&Held]) -> Plan {
        let device_classes = self.caches.device_classes();
        #[expect(clippy::disallowed_methods, reason = "the edge at which the clock is read")]
        let now = Timestamp::now();
        let surroundings = Surroundings { now, device_classes: &device_classes, neighbours: &NoNeighbours };
        plan(requests, held, &self.limited, &surroundings)
    }
}

struct Waiting {
    request: Request,
    since: Instant,
    reply: oneshot::Sender<Verdict>,
}

impl Committer {
    pub(super) fn new(
        client: Client,
        limited: Vec<LimitedResource>,
        caches: Arc<Caches>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { shared: Arc::new(Shared { client, limited, caches, metrics }), namespaces: Mutex::default() }
    }

    /// Decides a request and charges what it uses.
    pub(super) async fn charge(&self, request: Request) -> Verdict {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Waiting { request, since: Instant::now(), reply });
        match tokio::time::timeout(ANSWERED_WITHIN, answer).await {
            Ok(Ok(verdict)) => verdict,
            // The task has ended without an answer; the next request begins another.
            Ok(Err(_)) => later("the namespace's quotas could not be decided"),
            // What has been written meanwhile expires.
            Err(_) => later("the API server does not answer"),
        }
    }

    /// Decides a request from what the watch has told, and charges nothing. Whoever charges these quotas keeps no ledger.
    pub(super) fn consider(&self, request: &Request) -> Verdict {
        let held = self.shared.caches.quotas(&request.namespace);
        let held: Vec<Held> =
            held.iter().map(|stored| Held { untrusted: None, ..stored.held.clone() }).collect();
        let held: Vec<&Held> = held.iter().collect();
        let mut plan = self.shared.plan([request], &held);
        match plan.outcomes.pop() {
            Some(Outcome::Refused { status, quota }) => Verdict::Refused { status, quota },
            Some(Outcome::Later { reason }) => later(&reason),
            Some(Outcome::Charged { quotas }) => Verdict::Admitted {
                charged: quotas.iter().map(|place| plan.quotas[*place].clone()).collect(),
            },
            Some(Outcome::Free) | None => Verdict::Admitted { charged: Vec::new() },
        }
    }

    fn enqueue(&self, waiting: Waiting) {
        let namespace = &waiting.request.namespace;
        let mut namespaces = self.namespaces.lock();
        if namespaces.get(namespace).is_none_or(mpsc::UnboundedSender::is_closed) {
            // Namespaces for which nobody has asked for a while go with the first one that is new.
            namespaces.retain(|_, queue| !queue.is_closed());
            let queue = self.start(namespace);
            namespaces.insert(namespace.clone(), queue);
        }
        if let Some(queue) = namespaces.get(namespace) {
            // Where the task ends at this very moment, the caller hears of it as its answer is dropped.
            let _ = queue.send(waiting);
        }
    }

    fn start(&self, namespace: &str) -> mpsc::UnboundedSender<Waiting> {
        let (queue, requests) = mpsc::unbounded_channel();
        let shared = Arc::clone(&self.shared);
        let worker = Worker {
            namespace: namespace.to_owned(),
            shared,
            quotas: Vec::new(),
            listed: None,
            written: Instant::now(),
            took: Duration::ZERO,
        };
        tokio::spawn(worker.run(requests));
        queue
    }
}

/// The task of one namespace.
struct Worker {
    namespace: String,
    shared: Arc<Shared>,
    /// The namespace's quotas, in order of name.
    quotas: Vec<Arc<StoredQuota>>,
    /// When they were last read from the API server, all of them.
    listed: Option<Instant>,
    /// When one of them was last written by this task.
    written: Instant,
    /// How long that took.
    took: Duration,
}

impl Worker {
    async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Waiting>) {
        loop {
            let Ok(Some(first)) = tokio::time::timeout(IDLE, requests.recv()).await else { break };
            let mut batch = vec![first];
            // Half the time that a write takes lies between two: under load more requests then share one, and a lone client comes
            // later anyway. An API server that hardly answers is no reason to be slower still.
            tokio::time::sleep_until(self.written + PAUSE.min(self.took / 2)).await;
            self.let_the_recount_write().await;
            while batch.len() < LARGEST_BATCH
                && let Ok(next) = requests.try_recv()
            {
                batch.push(next);
            }
            self.shared.metrics.batch_size.observe(f64::from(u32::try_from(batch.len()).unwrap_or(u32::MAX)));
            self.decide(batch).await;
        }
        // What came in after the last look is still answered.
        requests.close();
        let mut rest = Vec::new();
        while let Some(waiting) = requests.recv().await {
            rest.push(waiting);
        }
        if !rest.is_empty() {
            self.decide(rest).await;
        }
    }

    /// Waits while a quota is crowded, but not for long. What comes in meanwhile joins the batch.
    async fn let_the_recount_write(&mut self) {
        let until = self.written + PAUSE;
        let caches = Arc::clone(&self.shared.caches);
        while self.quotas.iter().any(|stored| stored.held.quota.ledger.is_crowded()) {
            let changed = caches.quota_changed();
            if !self.take_in_watched() && tokio::time::timeout_at(until, changed).await.is_err() {
                return;
            }
        }
    }

    /// Answers every request of a batch.
    async fn decide(&mut self, mut undecided: Vec<Waiting>) {
        self.take_in_watched();
        let mut listed_now = false;
        let mut must_list = false;
        let mut attempt = 0_u32;
        loop {
            let now = Instant::now();
            undecided.retain(|waiting| !waiting.reply.is_closed());
            for late in undecided.extract_if(.., |waiting| now.duration_since(waiting.since) >= PATIENCE) {
                // Whoever waits no longer needs no answer.
                let _ = late.reply.send(later("the quotas of the namespace change too fast"));
            }
            if undecided.is_empty() {
                return;
            }
            let is_old = self.listed.is_none_or(|at| now.duration_since(at) >= BELIEVED_FOR);
            let stale = is_old || !self.shared.caches.are_quotas_followed();
            if stale || must_list {
                listed_now = self.list().await;
                if !listed_now {
                    attempt = self.back_off(attempt).await;
                    continue;
                }
            }
            match self.attempt(undecided, listed_now).await {
                Rest::Nothing => return,
                Rest::OfStaleRead(rest) => {
                    undecided = rest;
                    must_list = true;
                }
                Rest::OfConflict(rest) => {
                    undecided = rest;
                    listed_now = false;
                    // The watch may have told of the other write by now; what it tells is as good, as the next write will show.
                    must_list = !self.take_in_watched();
                    if must_list || attempt > 0 {
                        attempt = self.back_off(attempt).await;
                    }
                    attempt += 1;
                }
            }
        }
    }

    /// Decides a batch once, writes, and answers what is decided then.
    async fn attempt(&mut self, batch: Vec<Waiting>, listed_now: bool) -> Rest {
        let held: Vec<&Held> = self.quotas.iter().map(|stored| &stored.held).collect();
        let plan = self.shared.plan(batch.iter().map(|waiting| &waiting.request), &held);
        let refuses = |outcome: &Outcome| matches!(outcome, Outcome::Refused { .. } | Outcome::Later { .. });
        if !listed_now && plan.outcomes.iter().any(refuses) {
            return Rest::OfStaleRead(batch);
        }
        let mut written = vec![false; self.quotas.len()];
        for (place, quota) in plan.quotas.iter().enumerate() {
            let charges =
                |outcome: &Outcome| matches!(outcome, Outcome::Charged { quotas } if quotas.contains(&place));
            if plan.outcomes.iter().any(charges) {
                written[place] = self.write(place, quota).await;
            }
        }
        let mut rest = Vec::new();
        for (waiting, outcome) in batch.into_iter().zip(plan.outcomes) {
            let verdict = match outcome {
                Outcome::Free => Verdict::Admitted { charged: Vec::new() },
                Outcome::Charged { quotas } if quotas.iter().all(|place| written[*place]) => {
                    let charged = quotas.iter().map(|place| plan.quotas[*place].clone());
                    Verdict::Admitted { charged: charged.collect() }
                }
                Outcome::Charged { .. } => {
                    rest.push(waiting);
                    continue;
                }
                Outcome::Refused { status, quota } => Verdict::Refused { status, quota },
                Outcome::Later { reason } => later(&reason),
            };
            // Whoever waits no longer needs no answer; the charge then expires.
            let _ = waiting.reply.send(verdict);
        }
        if rest.is_empty() { Rest::Nothing } else { Rest::OfConflict(rest) }
    }

    /// Writes a quota over the version that was read; false if that is not the present one any more.
    async fn write(&mut self, place: usize, quota: &Quota) -> bool {
        let started = Instant::now();
        let result = self.replace_status(place, quota).await;
        self.written = Instant::now();
        self.took = self.written.duration_since(started);
        self.shared.metrics.write_seconds.observe(self.took.as_secs_f64());
        match result {
            Ok(version) => {
                let stored = Arc::new(self.quotas[place].written(quota, version));
                self.shared.caches.note(&self.namespace, &stored);
                self.quotas[place] = stored;
                true
            }
            Err(error) => {
                match &error {
                    kube::Error::Api(status) if status.code == 409 => {
                        self.shared.metrics.conflicts.inc();
                    }
                    _ => {
                        tracing::warn!(%error, namespace = self.namespace, quota = quota.name, "can't charge");
                    }
                }
                false
            }
        }
    }

    /// Returns the version that is stored then. Of the answer nothing else is read, as all else is known.
    async fn replace_status(&self, place: usize, quota: &Quota) -> Result<String, kube::Error> {
        let object = self.quotas[place].with(quota);
        let body = serde_json::to_vec(&object).map_err(kube::Error::SerdeError)?;
        let resource = kube::core::Request::new(ResourceQuota::url_path(&(), Some(&self.namespace)));
        let request = resource
            .replace_subresource("status", &quota.name, &PostParams::default(), body)
            .map_err(kube::Error::BuildRequest)?;
        Ok(self.shared.client.request::<Stored>(request).await?.metadata.resource_version)
    }

    /// Takes over what the watch has seen since; false if it has seen nothing new.
    fn take_in_watched(&mut self) -> bool {
        let mut new = false;
        for watched in self.shared.caches.quotas(&self.namespace) {
            let place = self.quotas.binary_search_by(|stored| stored.name().cmp(watched.name()));
            match place {
                Ok(place) if watched.supersedes(&self.quotas[place]) => {
                    self.quotas[place] = watched;
                    new = true;
                }
                Ok(_) => {}
                Err(place) => {
                    self.quotas.insert(place, watched);
                    new = true;
                }
            }
        }
        new
    }

    /// Reads all quotas of the namespace from the API server.
    async fn list(&mut self) -> bool {
        let api: Api<ResourceQuota> = Api::namespaced(self.shared.client.clone(), &self.namespace);
        let asked = Instant::now();
        match api.list(&ListParams::default()).await {
            Ok(list) => {
                let stored = list.items.into_iter().filter_map(StoredQuota::read);
                self.quotas = stored.map(Arc::new).collect();
                self.quotas.sort_by(|one, other| one.name().cmp(other.name()));
                self.listed = Some(asked);
                self.shared.metrics.lists.inc();
                true
            }
            Err(error) => {
                tracing::warn!(%error, namespace = self.namespace, "can't list quotas");
                false
            }
        }
    }

    /// Waits a little longer each time, and at random, so that replicas do not meet again.
    async fn back_off(&self, attempt: u32) -> u32 {
        let longest = Duration::from_millis(4) * 2_u32.pow(attempt.min(7));
        tokio::time::sleep(longest.mul_f64(rand::random::<f64>())).await;
        attempt + 1
    }
}

/// An object of which only the version matters.
#[derive(Deserialize)]
struct Stored {
    metadata: StoredMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredMetadata {
    resource_version: String,
}

/// What is still undecided after an attempt.
enum Rest {
    Nothing,
    /// Something is refused, and a refusal is decided on a live read only.
    OfStaleRead(Vec<Waiting>),
    /// Someone else has written a quota meanwhile.
    OfConflict(Vec<Waiting>),
}

/// DIFFERENCE: D-quota-6. Upstream answers 409 or 500.
fn later(reason: &str) -> Verdict {
    let status =
        Status::too_many_requests(format!("quota can't be decided now: {reason}"), RETRY_AFTER_SECONDS);
    Verdict::Refused { status, quota: None }
}
