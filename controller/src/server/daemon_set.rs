//! The DaemonSet controller: watches DaemonSets, their revisions, their pods and the nodes, and looks at each DaemonSet that a change
//! concerns.

mod actions;
mod caches;
mod claims;
mod events;
mod metrics;
mod node;
mod pods;
mod queue;
mod revisions;
mod status;
mod store;
mod sync;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::core::ApiResource;
use kube::{Client, Resource};
use parking_lot::Mutex;
use plimsoll_api::resource_version::Version;
use plimsoll_runtime::events::Recorder;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use self::caches::{Caches, Wakes};
use self::queue::Queue;
use super::follow::{Followed, News, Source, follow};
use crate::daemon_set::{DaemonPod, FailedPods, ReceivedDaemonSet, Revision};
use crate::object_key::ObjectKey;
use crate::own_writes::Behind;

pub(super) use self::metrics::Metrics;

/// How often what is long past is forgotten.
const FORGET: Duration = Duration::from_mins(1);
/// How often every DaemonSet is looked at even if nothing happens.
const LOOK_AT_ALL: Duration = Duration::from_hours(12);
/// How often it is told for how long workers have been at it.
const TELL: Duration = Duration::from_millis(500);

impl Followed for DaemonPod {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }
}

impl Followed for Revision {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }
}

impl Followed for ReceivedDaemonSet {
    fn metadata(&self) -> &ObjectMeta {
        &self.object.metadata
    }
}

/// The controller.
pub(super) struct Controller {
    client: Client,
    caches: Mutex<Caches>,
    /// Something has been listed.
    filled: Notify,
    queue: Queue,
    failed_pods: Mutex<FailedPods>,
    recorder: Recorder,
    metrics: Arc<Metrics>,
}

impl Controller {
    /// Runs for as long as it is polled, with so many workers.
    pub(super) async fn run(client: Client, metrics: Arc<Metrics>, workers: usize) {
        let mut tasks = JoinSet::new();
        let (recorder, writing) = Recorder::new(client.clone(), events::COMPONENT);
        tasks.spawn(writing);
        let controller = Arc::new(Self {
            client,
            caches: Mutex::default(),
            filled: Notify::new(),
            queue: Queue::new(metrics.queue.clone()),
            failed_pods: Mutex::default(),
            recorder,
            metrics,
        });
        controller.follow::<DaemonSet, _>(&mut tasks, Caches::take_daemon_sets);
        controller.follow::<ControllerRevision, _>(&mut tasks, Caches::take_revisions);
        controller.follow::<Pod, _>(&mut tasks, Caches::take_pods);
        controller.follow::<Node, _>(&mut tasks, Caches::take_nodes);
        while !controller.caches.lock().are_filled() {
            controller.filled.notified().await;
        }
        for _ in 0..workers {
            tasks.spawn(Arc::clone(&controller).work());
        }
        controller.keep_time().await;
    }

    /// Follows the objects of kind `K`, read as far as is needed.
    fn follow<K: Resource<DynamicType = ()>, R: Followed>(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        take: fn(&mut Caches, News<R>, Option<Version>),
    ) {
        let controller = Arc::clone(self);
        let source = Source { place: ApiResource::erase::<K>(&()), metadata_only: false };
        tasks.spawn(follow(self.client.clone(), source, move |news, version| {
            let is_list = matches!(news, News::Listed(_));
            let wakes = {
                let mut caches = controller.caches.lock();
                take(&mut caches, news, version);
                caches.take_wakes()
            };
            controller.queue.wake(wakes);
            if is_list {
                controller.filled.notify_one();
            }
        }));
    }

    async fn work(self: Arc<Self>) {
        loop {
            let key = self.queue.next().await;
            let outcome = self.sync(&key).await;
            match &outcome {
                Ok(()) => {}
                // That is nothing out of the ordinary.
                Err(error) if error.is::<Behind>() => {
                    tracing::debug!(daemonset = %key, %error, "looks again");
                }
                Err(error) => {
                    tracing::warn!(daemonset = %key, error = format!("{error:#}"), "looks again later");
                }
            }
            self.queue.done(&key, outcome.is_err());
        }
    }

    async fn keep_time(&self) {
        let mut forget = tokio::time::interval(FORGET);
        let mut all = tokio::time::interval(LOOK_AT_ALL);
        let mut tell = tokio::time::interval(TELL);
        loop {
            tokio::select! {
                _ = forget.tick() => {
                    #[expect(clippy::disallowed_methods, reason = "the edge at which the clock is read")]
                    let now = Timestamp::now();
                    self.failed_pods.lock().forget_old(now);
                }
                _ = all.tick() => {
                    let now = self.caches.lock().keys().cloned().collect();
                    self.queue.wake(Wakes { now, later: Vec::new() });
                }
                _ = tell.tick() => self.queue.tell_running(),
            }
        }
    }

    fn look_again(&self, key: &ObjectKey, delay: Duration) {
        self.queue.wake(Wakes { now: Vec::new(), later: vec![(key.clone(), delay)] });
    }
}
