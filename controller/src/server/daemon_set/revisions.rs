//! Keeps the ControllerRevisions of a DaemonSet.
//!
//! # Source
//! `pkg/controller/daemon/update.go`

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use kube::api::Patch;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::caches::Known;
use super::store::{Store, Stored};
use crate::daemon_set::{
    API_VERSION, CONTROLLER_REVISION_HASH_LABEL, DaemonPod, History, KIND, ReceivedDaemonSet, Revision,
    template_generation,
};
use crate::object_key::ObjectKey;
use crate::owner::Owner;

/// Where the revisions, the pods and the DaemonSet itself are, and who is told of what is written.
pub(super) struct Stores<'s> {
    pub(super) revisions: &'s Store,
    pub(super) pods: &'s Store,
    pub(super) daemon_sets: &'s Store,
    pub(super) wrote: &'s (dyn Fn(&Stored) + Sync),
    pub(super) wrote_pod: &'s (dyn Fn(&Stored) + Sync),
}

/// The data goes byte by byte as it was written down.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewRevision<'n> {
    api_version: &'static str,
    kind: &'static str,
    metadata: serde_json::Value,
    data: &'n RawValue,
    revision: i64,
}

/// Brings the history up to date: each revision has a hash, exactly one stands for the template, and that has the highest number.
/// Returns its hash. Pods that carry the hash of a revision that they aren't of are given another.
///
/// # Source
/// `pkg/controller/daemon/update.go` (`constructHistory`)
pub(super) async fn keep(
    known: &Known,
    revisions: &mut [Arc<Revision>],
    pods: &mut [Arc<DaemonPod>],
    stores: &Stores<'_>,
) -> anyhow::Result<String> {
    for revision in revisions.iter_mut().filter(|revision| revision.hash().is_none()) {
        // One of long ago; no other has its name, so that does for a hash.
        let name = revision.name().to_owned();
        let change = json!({"labels": {CONTROLLER_REVISION_HASH_LABEL: name}});
        let stored = change_revision(stores, revision, change, None).await?;
        let mut changed = Revision::clone(revision);
        changed.metadata.labels = stored.metadata.labels;
        changed.metadata.resource_version = stored.metadata.resource_version;
        *revision = Arc::new(changed);
    }
    let history = History::new(&known.revision_data, revisions.iter().map(|revision| &**revision));
    let Some(current) = history.current else {
        return create(known, history.number_of_current(), stores).await;
    };
    let hash = current.hash().unwrap_or_default().to_owned();
    let all = || pods.iter().map(|pod| &**pod);
    let generation = template_generation(known.metadata());
    let mislabelled = history.mislabelled(generation, all());
    let of_duplicates = history.to_relabel(all()).into_iter().map(|pod| (pod, hash.as_str()));
    let hashes = mislabelled.into_iter().chain(of_duplicates);
    let hashes: HashMap<String, String> =
        hashes.map(|(pod, hash)| (pod.name().to_owned(), hash.to_owned())).collect();
    for pod in pods.iter_mut() {
        if let Some(hash) = hashes.get(pod.name()) {
            let labels = json!({"metadata": {"labels": {CONTROLLER_REVISION_HASH_LABEL: hash}}});
            (stores.wrote_pod)(&stores.pods.patch(pod.name(), &Patch::Merge(labels)).await?);
            Arc::make_mut(pod).set_revision_hash(hash);
        }
    }
    for duplicate in &history.duplicates {
        stores.revisions.delete(duplicate.name()).await?;
    }
    let number = history.number_of_current();
    if current.revision < number {
        change_revision(stores, current, json!({}), Some(number)).await?;
    }
    Ok(hash)
}

/// Deletes old revisions beyond the limit.
///
/// # Source
/// `pkg/controller/daemon/update.go` (`cleanupHistory`)
pub(super) async fn clean_up(
    known: &Known,
    revisions: &[Arc<Revision>],
    pods: &[Arc<DaemonPod>],
    store: &Store,
) -> anyhow::Result<()> {
    let history = History::new(&known.revision_data, revisions.iter().map(|revision| &**revision));
    let limit = known.received.object.spec.revision_history_limit.unwrap_or(10);
    for revision in history.to_delete(limit, pods.iter().map(|pod| &**pod)) {
        match store.delete(revision.name()).await {
            Err(error) if !error.is_not_found() => {
                return Err(error).context("failed to clean up revisions of DaemonSet");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Changes metadata or the number of a revision, unless it has changed meanwhile.
async fn change_revision(
    stores: &Stores<'_>,
    revision: &Revision,
    mut metadata: serde_json::Value,
    number: Option<i64>,
) -> anyhow::Result<Stored> {
    metadata["resourceVersion"] = json!(revision.metadata.resource_version);
    let mut patch = json!({"metadata": metadata});
    if let Some(number) = number {
        patch["revision"] = number.into();
    }
    let stored = stores.revisions.patch(revision.name(), &Patch::Merge(patch)).await?;
    (stores.wrote)(&stored);
    Ok(stored)
}

/// Creates the revision that stands for the template, and returns its hash.
///
/// # Source
/// `pkg/controller/daemon/update.go` (`snapshot`)
async fn create(known: &Known, number: i64, stores: &Stores<'_>) -> anyhow::Result<String> {
    let object = &known.received.object;
    let key = ObjectKey::of(&object.metadata);
    let hash = known.received.new_revision_hash();
    let name = format!("{}-{hash}", key.name);
    let template = object.spec.template.metadata.as_ref();
    let mut labels = template.and_then(|template| template.labels.clone()).unwrap_or_default();
    labels.insert(CONTROLLER_REVISION_HASH_LABEL.to_owned(), hash.clone());
    let owner = Owner::new(API_VERSION, KIND, &object.metadata, known.uid());
    let revision = NewRevision {
        api_version: API_VERSION,
        kind: "ControllerRevision",
        metadata: json!({
            "name": name,
            "namespace": key.namespace,
            "labels": labels,
            "annotations": object.metadata.annotations,
            "ownerReferences": [owner.reference()],
        }),
        data: serde_json::from_str(&known.revision_data).context("a revision is written as JSON")?,
        revision: number,
    };
    let refused = match stores.revisions.create(serde_json::to_vec(&revision)?).await {
        Ok(stored) => {
            (stores.wrote)(&stored);
            return Ok(hash);
        }
        Err(error) if error.is_already_exists() => error,
        Err(error) => return Err(error.into()),
    };
    let existing: Revision = stores.revisions.get(&name).await?;
    if existing.data == known.revision_data {
        // The cache doesn't show it yet.
        return Ok(existing.hash().unwrap_or_default().to_owned());
    }
    // Another template has the same hash; the next try takes another one.
    let present: ReceivedDaemonSet = stores.daemon_sets.get(&key.name).await?;
    let collisions =
        |object: &ReceivedDaemonSet| object.object.status.as_ref().and_then(|status| status.collision_count);
    let (read, stored) = (collisions(&known.received), collisions(&present));
    if read != stored {
        let text = |count: Option<i32>| count.map_or_else(|| "none".to_owned(), |count| count.to_string());
        bail!(
            "found a stale collision count ({}, expected {}) of DaemonSet {:?} while processing; will retry until it is updated",
            text(read),
            text(stored),
            key.name
        );
    }
    let patch = json!({
        "metadata": {"resourceVersion": present.object.metadata.resource_version},
        "status": {"collisionCount": stored.unwrap_or(0).saturating_add(1)},
    });
    stores.daemon_sets.patch_status(&key.name, patch).await?;
    Err(refused.into())
}
