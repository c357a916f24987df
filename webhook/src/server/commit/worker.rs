//! The task of one namespace.

mod note;

use std::sync::Arc;
use std::time::Duration;

use plimsoll_quota::{NoNeighbours, Quota, Stored};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::namespace::{Quotas, Writing};
use super::store::{Listed, list, replace_status};
use super::{Charged, Shared, Verdict, Waiting, later, neighbours, unknown_neighbours};
use crate::batch::Outcome;

/// For how long a list of a namespace's quotas is believed to be complete, while the watch tells of new ones.
const BELIEVED_FOR: Duration = Duration::from_secs(5);
/// For how long a request is tried.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many requests are taken from the queue in one go at most.
const LARGEST_BATCH: usize = 512;
/// How many requests wait for the recount at most; others are told to come again.
const MOST_PARKED: usize = 512;
/// For how long after a write a [crowded](plimsoll_quota::Ledger::is_crowded) quota is left to the recount, at most.
const PAUSE: Duration = Duration::from_millis(40);
/// After how long requests that wait for the recount are looked at again, if nothing is heard before.
const LOOK: Duration = Duration::from_millis(200);
/// What is said of a request that could not be decided in time though nothing has failed.
const SLOW: &str = "the API server is too slow";
/// For how long a namespace's task outlives its last request.
const IDLE: Duration = Duration::from_mins(1);

/// The task of one namespace.
pub(super) struct Worker {
    namespace: String,
    shared: Arc<Shared>,
    quotas: Quotas,
    queue: mpsc::UnboundedReceiver<Waiting>,
    /// Requests that are decided next.
    batch: Vec<Waiting>,
    /// Requests that [wait](Outcome::Waits) for the recount.
    parked: Vec<Waiting>,
    /// When they were last looked at.
    looked: Instant,
    /// Whether a quota has been found changed since.
    has_heard: bool,
    /// When all quotas were last read from the API server.
    listed: Option<Instant>,
    /// When one of them was last written by this task.
    written: Instant,
    /// How long that took.
    took: Duration,
    /// Before when nothing is noted that was drawn: the last attempt has failed, or the recount has its turn.
    note_again: Instant,
    /// Why the last attempt to read or write the quotas has failed, if it has.
    obstacle: Option<&'static str>,
    /// Nothing more is coming, so nothing is held in advance.
    is_closing: bool,
}

impl Waiting {
    /// Whether somebody waits for the answer, and not for too long.
    fn is_in_time(&self, now: Instant) -> bool {
        !self.reply.is_closed() && now.duration_since(self.since) < PATIENCE
    }
}

impl Worker {
    pub(super) fn new(
        namespace: String,
        shared: Arc<Shared>,
        queue: mpsc::UnboundedReceiver<Waiting>,
    ) -> Self {
        let now = Instant::now();
        Self {
            namespace,
            shared,
            quotas: Quotas::new(format!("{:012x}", rand::random::<u64>() >> 16)),
            queue,
            batch: Vec::new(),
            parked: Vec::new(),
            looked: now,
            has_heard: false,
            listed: None,
            written: now,
            took: Duration::ZERO,
            note_again: now,
            obstacle: None,
            is_closing: false,
        }
    }

    pub(super) async fn run(mut self) {
        while self.wait().await {
            self.take_in_watched();
            if self.has_heard || self.looked.elapsed() >= LOOK {
                self.unpark();
            }
            receive(&mut self.queue, &mut self.batch);
            let batch = std::mem::take(&mut self.batch);
            self.draw(batch);
            if !self.batch.is_empty() {
                // Half the time that a write takes lies between two: under load more requests then share one, and a lone client
                // comes later anyway. An API server that hardly answers is no reason to be slower still.
                let pause = PAUSE.min(self.took / 2);
                self.meanwhile(tokio::time::sleep_until(self.written + pause)).await;
                self.let_the_recount_write().await;
                if self.has_heard {
                    self.unpark();
                }
                receive(&mut self.queue, &mut self.batch);
                self.decide().await;
            }
            if self.due().is_some_and(|due| due <= Instant::now()) {
                self.note().await;
            }
        }
        self.is_closing = true;
        // What came in after the last look is still answered.
        self.queue.close();
        self.unpark();
        while let Some(waiting) = self.queue.recv().await {
            self.batch.push(waiting);
        }
        if !self.batch.is_empty() {
            self.decide().await;
        }
        self.note().await;
    }

    /// When something has to be written though nobody waits for it.
    fn due(&self) -> Option<Instant> {
        self.quotas.due().map(|due| due.max(self.note_again))
    }

    /// Waits for a request, or for something else that is to be done; false if nobody has asked for a while.
    async fn wait(&mut self) -> bool {
        if !self.batch.is_empty() || self.has_heard && !self.parked.is_empty() {
            return true;
        }
        let now = Instant::now();
        let look = (!self.parked.is_empty()).then(|| now + LOOK);
        let due = self.due().into_iter().chain(look).min();
        tokio::select! {
            received = tokio::time::timeout_at(due.unwrap_or(now + IDLE), self.queue.recv()) => {
                let is_closed = matches!(received, Ok(None));
                self.batch.extend(received.ok().flatten());
                !is_closed && (due.is_some() || !self.batch.is_empty())
            }
            () = self.shared.caches.quota_changed(), if !self.parked.is_empty() => true,
        }
    }

    /// Whether what is known of the namespace's quotas is all that there is.
    fn is_current(&self, now: Instant) -> bool {
        let is_recent = self.listed.is_some_and(|at| now.duration_since(at) < BELIEVED_FOR);
        is_recent && self.shared.caches.are_quotas_followed()
    }

    /// Answers those requests that what is held in advance covers; the others join the batch.
    fn draw(&mut self, requests: Vec<Waiting>) {
        let now = Instant::now();
        if !self.is_current(now) {
            self.batch.extend(requests);
            return;
        }
        let (shared, quotas, batch) = (Arc::clone(&self.shared), &mut self.quotas, &mut self.batch);
        // What depends on neighbours is never drawn.
        shared.with_surroundings(&NoNeighbours, |surroundings| {
            for waiting in requests {
                if !waiting.is_in_time(now) {
                    batch.push(waiting);
                    continue;
                }
                match quotas.draw(&waiting.request, &shared.limited, surroundings, now) {
                    Some(places) => {
                        if !places.is_empty() {
                            shared.metrics.drawn.inc();
                        }
                        let charged = Charged::to(places.iter().map(|place| &quotas.seen()[*place]));
                        // Whoever waits no longer needs no answer; the charge then expires.
                        let _ = waiting.reply.send(Verdict::Admitted(charged));
                    }
                    None => batch.push(waiting),
                }
            }
        });
    }

    /// Has those that wait for the recount looked at again, the longest waiting before all others.
    fn unpark(&mut self) {
        self.batch.append(&mut self.parked);
        self.batch.sort_by_key(|waiting| waiting.since);
        self.looked = Instant::now();
        self.has_heard = false;
    }

    /// Waits while a quota is crowded, but not for long.
    async fn let_the_recount_write(&mut self) {
        let until = self.written + PAUSE;
        while self.quotas.seen().iter().any(|quota| quota.ledger.is_crowded()) {
            if !self.await_news(until).await {
                break;
            }
        }
    }

    /// Waits for the watch to tell of what someone else has written; false if it has not until then.
    async fn await_news(&mut self, until: Instant) -> bool {
        let caches = Arc::clone(&self.shared.caches);
        loop {
            let changed = caches.quota_changed();
            if self.take_in_watched() {
                return true;
            }
            if self.meanwhile(tokio::time::timeout_at(until, changed)).await.is_err() {
                return false;
            }
        }
    }

    /// Waits for something. Requests that come in until then are answered if what is held in advance covers them; others join the batch.
    async fn meanwhile<T>(&mut self, awaited: impl Future<Output = T>) -> T {
        let mut awaited = std::pin::pin!(awaited);
        loop {
            tokio::select! {
                biased;
                result = &mut awaited => return result,
                Some(waiting) = self.queue.recv() => {
                    let mut received = vec![waiting];
                    receive(&mut self.queue, &mut received);
                    // What is news can't be taken in while something is under way, nor may it be passed over.
                    let watched = self.shared.caches.quotas(&self.namespace);
                    if watched.iter().any(|read| self.quotas.is_news(read)) {
                        self.batch.append(&mut received);
                    } else {
                        self.draw(received);
                    }
                }
            }
        }
    }

    /// Answers every request of the batch, or [parks](Self::parked) it.
    async fn decide(&mut self) {
        let mut undecided = std::mem::take(&mut self.batch);
        self.take_in_watched();
        let mut listed_now = false;
        let mut must_list = false;
        let mut attempt = 0_u32;
        loop {
            let now = Instant::now();
            for late in undecided.extract_if(.., |waiting| !waiting.is_in_time(now)) {
                // Whoever waits no longer needs no answer.
                let reason = late.reason.as_deref().or(self.obstacle).unwrap_or(SLOW);
                let _ = late.reply.send(later(reason));
            }
            if undecided.is_empty() {
                return;
            }
            if must_list || !self.is_current(now) {
                let listed = list(&self.shared.client, &self.namespace).await;
                listed_now = self.take_list(listed);
                if !listed_now {
                    attempt = back_off(attempt).await;
                    continue;
                }
            }
            // After the quotas, so that a claim that is not in their ledgers any more is seen stored.
            let neighbours = self.neighbours(&mut undecided).await;
            match self.attempt(undecided, &neighbours, listed_now).await {
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
                        attempt = back_off(attempt).await;
                    }
                    attempt += 1;
                }
            }
        }
    }

    /// Reads what the usage of the requests depends on; those of which that can't be had are answered.
    async fn neighbours(&mut self, batch: &mut Vec<Waiting>) -> Stored {
        let (client, namespace) = (self.shared.client.clone(), self.namespace.clone());
        let (requests, quotas) = (batch.iter().map(|waiting| &waiting.request), self.quotas.seen());
        let payers = neighbours::payers(requests, quotas);
        let found = self.meanwhile(neighbours::of(&client, &namespace, payers)).await;
        found.unwrap_or_else(|error| {
            for waiting in batch.extract_if(.., |waiting| waiting.request.payers().next().is_some()) {
                let _ = waiting.reply.send(unknown_neighbours(&error, &namespace));
            }
            Stored::default()
        })
    }

    /// Decides a batch once, writes, and answers what is decided then.
    async fn attempt(&mut self, batch: Vec<Waiting>, neighbours: &Stored, listed_now: bool) -> Rest {
        let requests = batch.iter().map(|waiting| &waiting.request);
        let plan = self.shared.plan(requests, self.quotas.held(), neighbours);
        let refuses = |outcome: &Outcome| matches!(outcome, Outcome::Refused { .. } | Outcome::Later { .. });
        if !listed_now && plan.outcomes.iter().any(refuses) {
            return Rest::OfStaleRead(batch);
        }
        let mut written = vec![false; plan.quotas.len()];
        for (place, quota) in plan.quotas.iter().enumerate() {
            let charges = |outcome: &&Outcome| matches!(outcome, Outcome::Charged { quotas } if quotas.contains(&place));
            let waiting = plan.outcomes.iter().filter(charges).count();
            if waiting > 0 {
                written[place] = self.write(place, quota, waiting).await;
            }
        }
        let mut rest = Vec::new();
        for (waiting, outcome) in batch.into_iter().zip(plan.outcomes) {
            let verdict = match outcome {
                Outcome::Free => Verdict::Admitted(Charged::default()),
                Outcome::Charged { quotas } if quotas.iter().all(|place| written[*place]) => {
                    Verdict::Admitted(Charged::to(quotas.iter().map(|place| &plan.quotas[*place])))
                }
                Outcome::Charged { .. } => {
                    rest.push(waiting);
                    continue;
                }
                Outcome::Waits { reason } if !self.is_closing && self.parked.len() < MOST_PARKED => {
                    self.parked.push(Waiting { reason: Some(reason), ..waiting });
                    continue;
                }
                Outcome::Refused { status, quota } => Verdict::Refused { status, quota },
                Outcome::Waits { reason } | Outcome::Later { reason } => later(&reason),
            };
            // Whoever waits no longer needs no answer; the charge then expires.
            let _ = waiting.reply.send(verdict);
        }
        if rest.is_empty() { Rest::Nothing } else { Rest::OfConflict(rest) }
    }

    /// Writes a quota over the version that was read; false if that is not the present one any more. `waiting` is how many requests
    /// wait for it.
    async fn write(&mut self, place: usize, planned: &Quota, waiting: usize) -> bool {
        let writing = self.send(place, planned, waiting);
        let result = replace_status(&self.shared.client, &writing).await;
        self.take_result(place, writing, result)
    }

    fn send(&mut self, place: usize, planned: &Quota, waiting: usize) -> Writing {
        self.quotas.send(place, planned, waiting, !self.is_closing, Instant::now())
    }

    /// Goes on after a write has been answered; whether the quota has been written.
    fn take_result(&mut self, place: usize, writing: Writing, result: Result<String, kube::Error>) -> bool {
        self.written = Instant::now();
        self.took = self.written.duration_since(writing.sent);
        self.shared.metrics.write_seconds.observe(self.took.as_secs_f64());
        match result {
            Ok(version) => {
                let shared = u32::try_from(writing.noted).unwrap_or(u32::MAX);
                if shared > 0 {
                    self.shared.metrics.batch_size.observe(f64::from(shared));
                }
                let stored = self.quotas.take_note(place, writing, version, self.written);
                self.shared.caches.note(&self.namespace, &stored);
                self.obstacle = None;
                true
            }
            Err(error) => {
                self.quotas.give_up(place);
                match &error {
                    kube::Error::Api(status) if status.code == 409 => {
                        self.shared.metrics.conflicts.inc();
                        self.obstacle = Some("the quotas of the namespace change too fast");
                    }
                    _ => {
                        let quota = writing.quota.name;
                        tracing::warn!(%error, namespace = self.namespace, quota, "can't charge");
                        self.obstacle = Some("the quotas of the namespace can't be written");
                    }
                }
                false
            }
        }
    }

    /// Takes over what the watch has seen since; false if it has seen nothing new.
    fn take_in_watched(&mut self) -> bool {
        let now = Instant::now();
        let mut new = false;
        for watched in self.shared.caches.quotas(&self.namespace) {
            new |= self.quotas.take_in(watched, now);
        }
        self.has_heard |= new;
        new
    }

    /// Takes over what a list has brought; false if it has failed.
    fn take_list(&mut self, listed: Result<Listed, kube::Error>) -> bool {
        match listed {
            Ok(Listed { asked, quotas }) => {
                self.quotas.take_in_all(quotas, asked);
                self.listed = Some(asked);
                self.shared.metrics.lists.inc();
                self.obstacle = None;
                true
            }
            Err(error) => {
                tracing::warn!(%error, namespace = self.namespace, "can't list quotas");
                self.obstacle = Some("the quotas of the namespace can't be read");
                false
            }
        }
    }
}

/// Adds what is waiting in the queue.
fn receive(queue: &mut mpsc::UnboundedReceiver<Waiting>, batch: &mut Vec<Waiting>) {
    let most = batch.len() + LARGEST_BATCH;
    while batch.len() < most
        && let Ok(next) = queue.try_recv()
    {
        batch.push(next);
    }
}

/// Waits a little longer each time, and at random, so that replicas do not meet again.
async fn back_off(attempt: u32) -> u32 {
    let longest = Duration::from_millis(4) * 2_u32.pow(attempt.min(7));
    tokio::time::sleep(longest.mul_f64(rand::random::<f64>())).await;
    attempt + 1
}

/// What is still undecided after an attempt.
enum Rest {
    Nothing,
    /// Something is refused, and a refusal is decided on a live read only.
    OfStaleRead(Vec<Waiting>),
    /// Someone else has written a quota meanwhile.
    OfConflict(Vec<Waiting>),
}
