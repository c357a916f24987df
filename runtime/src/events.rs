//! Events: what is told of an object in `kubectl describe` and `kubectl get events`.
//!
//! kube's recorder takes events of the same reason for repetitions whatever they say, so that the message shown is the first and not
//! the latest. Ours tells and counts as upstream's recorder does.
//!
//! # Source
//! client-go `tools/record`

mod correlator;

use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::mpsc;

use correlator::{Correlator, Occurrence};

/// How many events may wait to be written; more are not told.
const WAITING: usize = 1000;
/// How often an event is tried to be written while the API server doesn't answer.
const TRIES: usize = 12;
/// The pause between them.
const PAUSE: Duration = Duration::from_secs(10);

/// Something that has happened to an object.
#[derive(Clone, Debug)]
pub struct Happening {
    /// The object.
    pub regarding: ObjectReference,
    /// Whether it is out of the ordinary.
    pub is_warning: bool,
    /// The reason in one word, such as `FailedCreate`.
    pub reason: &'static str,
    /// What to tell of it.
    pub message: String,
}

/// Takes what has happened; never waits for it to be written.
#[derive(Clone, Debug)]
pub struct Recorder(mpsc::Sender<Happening>);

impl Recorder {
    /// A recorder, and what writes its events in the name of a component for as long as it is polled.
    pub fn new(client: Client, component: &'static str) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), write(client, component, receiver))
    }

    /// Tells what has happened.
    pub fn record(&self, happening: Happening) {
        if let Err(error) = self.0.try_send(happening) {
            tracing::warn!(%error, "an event is not told");
        }
    }
}

async fn write(client: Client, component: &'static str, mut happenings: mpsc::Receiver<Happening>) {
    let mut correlator = Correlator::default();
    while let Some(happening) = happenings.recv().await {
        #[expect(clippy::disallowed_methods, reason = "the edge at which the clock is read")]
        let now = Timestamp::now();
        let Some(occurrence) = correlator.observe(&happening, now) else { continue };
        for _ in 0..TRIES {
            match write_one(&client, component, &happening, &occurrence, now).await {
                Ok(()) => break,
                Err(error @ kube::Error::Api(_)) => {
                    tracing::warn!(%error, reason = happening.reason, "an event is not told");
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, reason = happening.reason, "an event waits");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

async fn write_one(
    client: &Client,
    component: &str,
    happening: &Happening,
    occurrence: &Occurrence,
    now: Timestamp,
) -> Result<(), kube::Error> {
    let namespace = happening.regarding.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    let namespace = namespace.unwrap_or("default");
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    let Occurrence { name, first, count, message } = occurrence.clone();
    if count > 1 {
        let change = json!({"count": count, "lastTimestamp": Time(now), "message": message});
        match api.patch(&name, &PatchParams::default(), &Patch::Merge(change)).await {
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            other => return other.map(drop),
        }
    }
    let event = Event {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        involved_object: happening.regarding.clone(),
        type_: Some(if happening.is_warning { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(happening.reason.to_owned()),
        message: Some(message),
        first_timestamp: Some(Time(first)),
        last_timestamp: Some(Time(now)),
        count: Some(count),
        source: Some(EventSource { component: Some(component.to_owned()), host: None }),
        reporting_component: Some(component.to_owned()),
        ..Event::default()
    };
    api.create(&PostParams::default(), &event).await.map(drop)
}
