//! Charging quotas: one task a namespace decides all requests that wait for it and writes each quota once for all of them.

mod namespace;
mod neighbours;
mod store;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use parking_lot::Mutex;
use plimsoll_api::status::Status;
use plimsoll_quota::{LimitedResource, Neighbours, Quota, Stored, Surroundings};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::metrics::Metrics;
use super::watch::Caches;
use crate::admission::Request;
use crate::batch::{Held, Outcome, Plan, plan};
use worker::Worker;

/// After how long a request is answered whatever happens: when the API server's own answers stall, it must not be left waiting too, for
/// it gives up after 10 seconds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(7);
/// From how many percent of a quota on its users are told.
const NEARLY_FULL_PERCENT: i64 = 80;
/// After how many seconds a client may try again what could not be decided.
const RETRY_AFTER_SECONDS: u32 = 1;

/// What quota says to a request.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It may proceed; whatever it uses is charged.
    Admitted(Charged),
    /// It may not.
    Refused {
        /// What the API server answers.
        status: Status,
        /// The quota that refuses, if it is one.
        quota: Option<String>,
    },
}

/// What a request has been charged to.
#[derive(Debug, Default)]
pub(super) struct Charged {
    /// The names of the quotas.
    pub(super) quotas: Vec<String>,
    /// What is said of those that have little left.
    pub(super) warnings: Vec<String>,
}

impl Charged {
    /// `quotas` as they are after the charge.
    fn to<'q>(quotas: impl Iterator<Item = &'q Quota>) -> Self {
        let mut charged = Self::default();
        for quota in quotas {
            charged.quotas.push(quota.name.clone());
            charged.warnings.extend(nearly_full(quota));
        }
        charged
    }
}

/// What is said of a quota that has little left.
fn nearly_full(quota: &Quota) -> impl Iterator<Item = String> {
    quota.used.iter().filter_map(|(key, used)| {
        let hard = quota.hard.get(key).filter(|hard| hard.sign().is_gt())?;
        let percent = used.percent_of(hard)?;
        let name = &quota.name;
        (percent >= NEARLY_FULL_PERCENT)
            .then(|| format!("quota {name} is nearly full: {percent} % of {key} is used ({used} of {hard})"))
    })
}

/// Charges quotas of all namespaces.
pub(super) struct Committer {
    shared: Arc<Shared>,
    namespaces: Mutex<HashMap<String, mpsc::UnboundedSender<Waiting>>>,
    tasks: Mutex<JoinSet<()>>,
}

struct Shared {
    client: Client,
    limited: Vec<LimitedResource>,
    caches: Arc<Caches>,
    metrics: Arc<Metrics>,
}

impl Shared {
    fn with_surroundings<T>(
        &self,
        neighbours: &dyn Neighbours,
        act: impl FnOnce(&Surroundings<'_>) -> T,
    ) -> T {
        let device_classes = self.caches.device_classes();
        #[expect(clippy::disallowed_methods, reason = "the edge at which the clock is read")]
        let now = Timestamp::now();
        act(&Surroundings { now, device_classes: &device_classes, neighbours })
    }

    fn plan<'r>(
        &self,
        requests: impl IntoIterator<Item = &'r Request>,
        held: Vec<Held>,
        neighbours: &Stored,
    ) -> Plan {
        self.with_surroundings(neighbours, |surroundings| plan(requests, held, &self.limited, surroundings))
    }
}

struct Waiting {
    request: Request,
    since: Instant,
    /// Why it has been [waiting](Outcome::Waits) for the recount, if it has.
    reason: Option<String>,
    reply: oneshot::Sender<Verdict>,
}

impl Committer {
    pub(super) fn new(
        client: Client,
        limited: Vec<LimitedResource>,
        caches: Arc<Caches>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let shared = Arc::new(Shared { client, limited, caches, metrics });
        Self { shared, namespaces: Mutex::default(), tasks: Mutex::default() }
    }

    /// Decides a request and charges what it uses.
    pub(super) async fn charge(&self, request: Request) -> Verdict {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Waiting { request, since: Instant::now(), reason: None, reply });
        match tokio::time::timeout(ANSWERED_WITHIN, answer).await {
            Ok(Ok(verdict)) => verdict,
            // The task has ended without an answer; the next request begins another.
            Ok(Err(_)) => later("the namespace's quotas could not be decided"),
            // What has been written meanwhile expires.
            Err(_) => later("the API server does not answer"),
        }
    }

    /// Answers what still waits, and gives back what is held in advance.
    pub(super) async fn finish(&self) {
        self.namespaces.lock().clear();
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        while tasks.join_next().await.is_some() {}
    }

    /// Decides a request from what the watch has told, and charges nothing. Whoever charges these quotas keeps no ledger.
    pub(super) async fn consider(&self, request: &Request) -> Verdict {
        let Shared { client, caches, .. } = &*self.shared;
        let known = caches.quotas(&request.namespace);
        let payers = neighbours::payers([request], known.iter().map(|stored| &stored.held.quota));
        let neighbours = match neighbours::of(client, &request.namespace, payers).await {
            Ok(neighbours) => neighbours,
            Err(error) => return unknown_neighbours(&error, &request.namespace),
        };
        let held = known.iter().map(|stored| Held { untrusted: None, ..stored.held.clone() }).collect();
        let mut plan = self.shared.plan([request], held, &neighbours);
        match plan.outcomes.pop() {
            Some(Outcome::Refused { status, quota }) => Verdict::Refused { status, quota },
            Some(Outcome::Later { reason }) => later(&reason),
            Some(Outcome::Charged { quotas }) => {
                Verdict::Admitted(Charged::to(quotas.iter().map(|place| &plan.quotas[*place])))
            }
            Some(Outcome::Free | Outcome::Waits { .. }) | None => Verdict::Admitted(Charged::default()),
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
        let (queue, waiting) = mpsc::unbounded_channel();
        let shared = Arc::clone(&self.shared);
        let mut tasks = self.tasks.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(Worker::new(namespace.to_owned(), shared, waiting).run());
        queue
    }
}

/// The verdict on a claim where it can't be had what its pod has paid.
fn unknown_neighbours(error: &kube::Error, namespace: &str) -> Verdict {
    tracing::warn!(%error, namespace, "can't read the pods of claims");
    later("the pod that the claim is made for can't be read")
}

/// DIFFERENCE: D-quota-6. Upstream answers 409 or 500.
fn later(reason: &str) -> Verdict {
    let status =
        Status::too_many_requests(format!("quota can't be decided now: {reason}"), RETRY_AFTER_SECONDS);
    Verdict::Refused { status, quota: None }
}
