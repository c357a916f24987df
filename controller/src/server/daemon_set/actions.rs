//! Creates and deletes daemon pods.
//!
//! # Source
//! `pkg/controller/daemon/daemon_controller.go` (`syncNodes`), `pkg/controller/controller_utils.go` (`RealPodControl`)

use futures::{StreamExt as _, stream};

use super::events::Teller;
use super::store::{CallError, Store, Stored};
use crate::daemon_set::received::ReceivedPodMaker;

/// How many pods are created, and how many deleted, before the caches have to show them.
pub(super) const BURST: usize = 250;
/// How many calls are under way at the same time: each has a connection of its own, and twice as many brought no pod earlier.
const CALLS: usize = 32;
/// How many pods are created at once at first; twice as many each time that all goes well.
const FIRST_BATCH: usize = 1;

/// What became of the pods that were to be created.
#[derive(Default)]
pub(super) struct Created {
    /// How many will not come: those refused, and those not tried after that.
    pub(super) missing: usize,
    /// Why.
    pub(super) errors: Vec<CallError>,
}

/// Creates a pod for each node, a few at a time at first: where one is refused, most likely all are. `created` is told of each pod.
pub(super) async fn create(
    store: &Store,
    maker: &ReceivedPodMaker,
    nodes: &[String],
    teller: &Teller<'_>,
    created: impl Fn(&Stored),
) -> Created {
    let mut outcome = Created::default();
    let (mut done, mut batch) = (0, FIRST_BATCH);
    while done < nodes.len() {
        let nodes_of_batch = &nodes[done..nodes.len().min(done + batch)];
        done += nodes_of_batch.len();
        batch *= 2;
        let calls =
            nodes_of_batch.iter().map(async |node| store.create(maker.pod_for(node).into_bytes()).await);
        let (mut is_refused, mut is_terminating) = (false, false);
        let mut results = stream::iter(calls.collect::<Vec<_>>()).buffer_unordered(CALLS);
        while let Some(result) = results.next().await {
            match result {
                Ok(pod) => {
                    teller.normal("SuccessfulCreate", format!("Created pod: {}", pod.name()));
                    created(&pod);
                }
                Err(error) if error.is_namespace_terminating() => is_terminating = true,
                Err(error) => {
                    teller.warning("FailedCreate", format!("Error creating: {error}"));
                    outcome.missing += 1;
                    outcome.errors.push(error);
                    is_refused = true;
                }
            }
        }
        if is_terminating {
            // DIFFERENCE: D-DaemonSet-6.
            // No pod can come any more. What is waited for is waited for in vain, and so nothing is tried again.
            break;
        }
        if is_refused {
            outcome.missing += nodes.len() - done;
            break;
        }
    }
    outcome
}

/// Deletes pods, many at a time. Returns those that did not go, and why unless they were gone already.
pub(super) async fn delete<'p>(
    store: &Store,
    pods: &[&'p str],
    teller: &Teller<'_>,
) -> Vec<(&'p str, Option<CallError>)> {
    let calls = pods.iter().map(async |pod| (*pod, store.delete(pod).await));
    let mut stay = Vec::new();
    let mut results = stream::iter(calls.collect::<Vec<_>>()).buffer_unordered(CALLS);
    while let Some((pod, result)) = results.next().await {
        match result {
            Ok(()) => teller.normal("SuccessfulDelete", format!("Deleted pod: {pod}")),
            Err(error) if error.is_not_found() => stay.push((pod, None)),
            Err(error) => {
                teller.warning("FailedDelete", format!("Error deleting: {error}"));
                stay.push((pod, Some(error)));
            }
        }
    }
    stay
}
