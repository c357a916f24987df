//! One look at one DaemonSet: what there is, what is to be done, doing it, and telling how it stands.
//!
//! # Source
//! `pkg/controller/daemon/daemon_controller.go` (`syncDaemonSet`)

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use k8s_openapi::jiff::Timestamp;
use plimsoll_api::group::GroupResource;

use super::caches::{Known, Snapshot, daemon_sets_resource, pods_resource, revisions_resource};
use super::claims::Claimer;
use super::events::Teller;
use super::revisions::{self, Stores};
use super::store::{Store, Stored};
use super::{Controller, actions, status};
use crate::daemon_set::{DaemonPod, Plan, Situation, plan};
use crate::object_key::ObjectKey;
use crate::own_writes::Behind;

impl Controller {
    /// Looks at a DaemonSet.
    pub(super) async fn sync(&self, key: &ObjectKey) -> anyhow::Result<()> {
        let (snapshot, may_act) = {
            let mut caches = self.caches.lock();
            // Asked of the same moment: what is met later is not in these pods yet.
            (caches.snapshot(key), caches.expectations.are_met(key, self.queue.now()))
        };
        let snapshot = match snapshot {
            Ok(Some(snapshot)) => snapshot,
            Ok(None) => return Ok(()),
            Err(behind) => return Err(self.put_off(behind)),
        };
        let known = Arc::clone(&snapshot.known);
        let teller = Teller::new(&self.recorder, &known);
        let selector = known.selector.as_ref().map_err(|error| anyhow!("its selector: {error}"))?;
        if selector.is_everything() {
            let message = "This daemon set is selecting all pods. A non-empty selector is required.";
            teller.warning("SelectingAll", message.to_owned());
            return Ok(());
        }
        // The garbage collector cleans up, and what it leaves at the moment says nothing.
        if known.metadata().deletion_timestamp.is_some() {
            return Ok(());
        }
        let pods_store = Store::pods(&self.client, &key.namespace);
        let daemon_sets = Store::daemon_sets(&self.client, &key.namespace);
        let revisions_store = Store::revisions(&self.client, &key.namespace);
        let Snapshot { nodes, pods, revisions, .. } = snapshot;
        let claimer = Claimer { known: &known, selector, daemon_sets: &daemon_sets };
        let wrote_pod = |pod: &Stored| self.wrote(key, &known, pods_resource(), pod);
        // DIFFERENCE: D-DaemonSet-5.
        let wrote = |revision: &Stored| self.wrote(key, &known, revisions_resource(), revision);
        let mut pods = claimer.claim(pods, &pods_store, wrote_pod).await?;
        let stores = Stores {
            revisions: &revisions_store,
            pods: &pods_store,
            daemon_sets: &daemon_sets,
            wrote: &wrote,
            wrote_pod: &wrote_pod,
        };
        let history = async {
            let mut revisions = claimer.claim(revisions, &revisions_store, wrote).await?;
            let hash = revisions::keep(&known, &mut revisions, &mut pods, &stores).await?;
            anyhow::Ok((revisions, hash))
        };
        let (revisions, hash) = history.await.context("failed to construct revisions of DaemonSet")?;

        let object = &known.received.object;
        let situation = Situation::new(object, &hash, &nodes, &pods, now());
        let mut decided = {
            let mut failed = self.failed_pods.lock();
            plan(&situation, may_act.then_some(&mut *failed))
        };
        if let Some(delay) = decided.look_again_after {
            self.look_again(key, delay);
        }
        let mut outcome = Ok(());
        if may_act {
            let acted = !decided.actions.is_empty();
            outcome = self.act(key, &known, &hash, &decided, &pods, &pods_store, &teller).await;
            if outcome.is_ok() {
                outcome = revisions::clean_up(&known, &revisions, &pods, &revisions_store).await;
            }
            // The caches may show some of it already: that saves writing the counts from before.
            if acted && let Ok(Some(later)) = self.caches.lock().snapshot(key) {
                let pods: Vec<_> = later.pods.into_iter().filter(|pod| owns(&known, pod)).collect();
                decided.status = Situation::new(object, &hash, &later.nodes, &pods, now()).status();
            }
        }
        let written = status::write(&daemon_sets, object, decided.status, may_act).await;
        if let Ok(Some(stored)) = &written {
            self.wrote(key, &known, daemon_sets_resource(), stored);
        }
        match (outcome, written) {
            (Err(error), Err(of_status)) => {
                tracing::warn!(%key, error = %of_status, "can't write the status");
                Err(error)
            }
            (Err(error), Ok(_)) => Err(error),
            // It is gone; the watch will tell.
            (Ok(()), Err(error)) if error.is_not_found() => Ok(()),
            (Ok(()), Err(error)) => Err(anyhow!(error).context("can't write the status")),
            (Ok(()), Ok(_)) => Ok(()),
        }
    }

    fn put_off(&self, behind: Behind) -> anyhow::Error {
        self.metrics.skipped(&behind.resource);
        behind.into()
    }

    fn wrote(&self, key: &ObjectKey, known: &Known, resource: GroupResource, object: &Stored) {
        self.caches.lock().own_writes.wrote(key, known.uid(), resource, object.version());
    }

    /// Does what is planned, and waits for the caches to show it before more is done.
    #[expect(clippy::too_many_arguments, reason = "a step of the sync, which has all of it at hand")]
    async fn act(
        &self,
        key: &ObjectKey,
        known: &Known,
        hash: &str,
        decided: &Plan,
        pods: &[Arc<DaemonPod>],
        store: &Store,
        teller: &Teller<'_>,
    ) -> anyhow::Result<()> {
        if let Some(stalled) = &decided.stalled {
            return Err(stalled.clone().into());
        }
        if decided.actions.is_empty() {
            return Ok(());
        }
        for ended in &decided.ended_pods {
            teller.ended(ended);
        }
        let create_on = first(&decided.actions.create_on);
        let delete: Vec<&str> = first(&decided.actions.delete).iter().map(String::as_str).collect();
        let uids: HashMap<&str, &str> =
            pods.iter().map(|pod| (pod.name(), pod.metadata.uid.as_deref().unwrap_or_default())).collect();
        let uid_of = |pod: &str| uids.get(pod).copied().unwrap_or_default();
        {
            let now = self.queue.now();
            let going = delete.iter().map(|pod| uid_of(pod).to_owned());
            self.caches.lock().expectations.expect(key, create_on.len(), going, now);
        }
        let maker = known.received.pod_maker(hash);
        let wrote = |pod: &Stored| self.wrote(key, known, pods_resource(), pod);
        let created = actions::create(store, &maker, create_on, teller, wrote).await;
        if created.missing > 0 {
            self.caches.lock().expectations.created(key, created.missing);
        }
        let stay = actions::delete(store, &delete, teller).await;
        {
            let mut caches = self.caches.lock();
            for (pod, _) in &stay {
                caches.expectations.deleted(key, uid_of(pod));
            }
        }
        let undeleted = stay.into_iter().filter_map(|(_, error)| error);
        let undeleted = undeleted.map(|error| format!("unable to delete pods: {error}"));
        let problems: Vec<String> = created.errors.iter().map(ToString::to_string).chain(undeleted).collect();
        match problems.first() {
            None => Ok(()),
            Some(first) if problems.len() == 1 => Err(anyhow!("{first}")),
            Some(first) => Err(anyhow!("{first} (and {} more problems)", problems.len() - 1)),
        }
    }
}

fn first(names: &[String]) -> &[String] {
    &names[..names.len().min(actions::BURST)]
}

fn owns(known: &Known, pod: &DaemonPod) -> bool {
    crate::owner::controller_of(&pod.metadata).is_some_and(|owner| owner.uid == known.uid())
}

fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the edge at which the clock is read")]
    Timestamp::now()
}
