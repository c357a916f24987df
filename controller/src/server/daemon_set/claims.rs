//! Makes objects the DaemonSet's own that nobody controls and its selector matches, and lets go of those that it doesn't match any
//! more.
//!
//! # Source
//! `pkg/controller/controller_ref_manager.go`

use std::sync::Arc;

use anyhow::{Context as _, bail};
use futures::future::join_all;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::Patch;
use plimsoll_matching::label_selector::Selector;
use serde_json::json;

use super::caches::Known;
use super::store::{Store, Stored};
use crate::daemon_set::{API_VERSION, DaemonPod, KIND, Revision};
use crate::object_key::ObjectKey;
use crate::owner::{Claims, Owner};

/// What a DaemonSet can own.
pub(super) trait Ownable {
    /// Its kind, as messages name it.
    const KIND: &'static str;

    fn metadata(&self) -> &ObjectMeta;
}

impl Ownable for DaemonPod {
    const KIND: &'static str = "Pod";

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }
}

impl Ownable for Revision {
    const KIND: &'static str = "ControllerRevision";

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }
}

/// Claims objects for one DaemonSet in one sync.
pub(super) struct Claimer<'c> {
    pub(super) known: &'c Known,
    pub(super) selector: &'c Selector,
    pub(super) daemon_sets: &'c Store,
}

impl Claimer<'_> {
    fn owner(&self) -> Owner<'_> {
        Owner::new(API_VERSION, KIND, self.known.metadata(), self.known.uid())
    }

    /// Claims objects that `store` has; returns those that the DaemonSet has then, and tells `adopted` of each that has changed for
    /// that.
    pub(super) async fn claim<T: Ownable>(
        &self,
        objects: Vec<Arc<T>>,
        store: &Store,
        adopted: impl Fn(&Stored),
    ) -> anyhow::Result<Vec<Arc<T>>> {
        let owner = self.owner();
        let mut claims = Claims::new(&owner, self.selector, objects, |object| object.metadata());
        let released =
            join_all(claims.to_release.iter().map(|object| self.release(object.metadata(), store))).await;
        released.into_iter().collect::<anyhow::Result<()>>()?;
        if claims.to_adopt.is_empty() {
            return Ok(claims.owned);
        }
        self.make_sure_it_is_there().await.context("can't recheck DeletionTimestamp")?;
        for object in &claims.to_adopt {
            let metadata = object.metadata();
            let patch = Patch::Strategic(json!({"metadata": {
                "uid": metadata.uid,
                "ownerReferences": [owner.reference()],
            }}));
            let key = ObjectKey::of(metadata);
            match store.patch(&key.name, &patch).await {
                Ok(stored) => adopted(&stored),
                // It is gone meanwhile.
                Err(error) if error.is_not_found() => {
                    claims.owned.retain(|owned| !Arc::ptr_eq(owned, object));
                }
                Err(error) => {
                    let uid = metadata.uid.as_deref().unwrap_or_default();
                    bail!("can't adopt {} {key} ({uid}): {error}", T::KIND);
                }
            }
        }
        Ok(claims.owned)
    }

    async fn release(&self, metadata: &ObjectMeta, store: &Store) -> anyhow::Result<()> {
        let patch = Patch::Strategic(json!({"metadata": {
            "uid": metadata.uid,
            "ownerReferences": [{"$patch": "delete", "uid": self.known.uid()}],
        }}));
        match store.patch(metadata.name.as_deref().unwrap_or_default(), &patch).await {
            Ok(_) => Ok(()),
            // It is gone, or another of the same name has come.
            Err(error) if error.is_not_found() || error.is_invalid() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A cache may show a DaemonSet that is gone or being deleted; the garbage collector would take what it adopts.
    async fn make_sure_it_is_there(&self) -> anyhow::Result<()> {
        let key = ObjectKey::of(self.known.metadata());
        let present: Stored = self.daemon_sets.get(&key.name).await?;
        let (uid, wanted) = (present.metadata.uid.unwrap_or_default(), self.known.uid());
        if uid != wanted {
            bail!("original {KIND} {key} is gone: got uid {uid}, wanted {wanted}");
        }
        if let Some(at) = present.metadata.deletion_timestamp {
            bail!("{key} has just been deleted at {}", at.0);
        }
        Ok(())
    }
}
