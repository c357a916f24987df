//! Creates and deletes daemon pods.
//!
//! # Source
//! `pkg/controller/daemon/daemon_controller.go` (`syncNodes`), `pkg/controller/controller_utils.go` (`RealPodControl`)

use futures::stream::FuturesUnordered;
use futures::{StreamExt as _, stream};

use super::events::Teller;
use super::store::{CallError, Store, Stored};
use crate::daemon_set::received::ReceivedPodMaker;

/// How many pods are created, and how many deleted, before the caches have to show them.
pub(super) const BURST: usize = 250;
/// How many calls are under way at the same time at most: each has a connection of its own, and twice as many brought no pod earlier.
const CALLS: usize = 32;

/// What became of the pods that were to be created.
#[derive(Default)]
pub(super) struct Created {
    /// How many will not come: those refused, and those not tried after that.
    pub(super) missing: usize,
    /// Why.
    pub(super) errors: Vec<CallError>,
}

/// Creates a pod for each node. At first one call is under way, and one more after each that goes well, so that they double with each
/// round; after one that is refused no other begins, as most likely all are. `created` is told of each pod.
///
/// # Source
/// `pkg/controller/controller_utils.go` (`slowStartBatch`), which waits for all of a round before the next begins.
pub(super) async fn create(
    store: &Store,
    maker: &ReceivedPodMaker,
    nodes: &[String],
    teller: &Teller<'_>,
    created: impl Fn(&Stored),
) -> Created {
    let mut outcome = Created::default();
    let mut nodes = nodes.iter();
    let mut calls = FuturesUnordered::new();
    let mut at_once = 1;
    let (mut is_refused, mut is_terminating) = (false, false);
    loop {
        if !is_refused && !is_terminating {
            let next = nodes.by_ref().take(at_once - calls.len());
            calls.extend(next.map(async |node| store.create(maker.pod_for(node).into_bytes()).await));
        }
        let Some(result) = calls.next().await else { break };
        match result {
            Ok(pod) => {
                teller.normal("SuccessfulCreate", format!("Created pod: {}", pod.name()));
                created(&pod);
                at_once = CALLS.min(at_once + 1);
            }
            // DIFFERENCE: D-DaemonSet-6.
            // No pod can come any more. What is waited for is waited for in vain, and so nothing is tried again.
            Err(error) if error.is_namespace_terminating() => is_terminating = true,
            Err(error) => {
                teller.warning("FailedCreate", format!("Error creating: {error}"));
                outcome.missing += 1;
                outcome.errors.push(error);
                is_refused = true;
            }
        }
    }
    if !is_terminating {
        outcome.missing += nodes.len();
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
