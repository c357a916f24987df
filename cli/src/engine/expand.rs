//! What controllers make of workloads.

use std::sync::Arc;

use jiff::Zoned;
use jiff::tz::TimeZone;
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Pod;
use plimsoll_api::group::GroupResource;
use plimsoll_controller::daemon_set::{self, DaemonPod, PodMaker, Situation, revision_hash, selector_in_use};
use plimsoll_controller::owner::{Claims, Owner};

use super::schedule::Scheduling;
use super::{Engine, Progress, Row, Step};
use crate::report::Outcome;
use crate::workloads::{Children, Created, Expansion, Scaled, Settings, Skipped, Workload, expand};
use crate::world::{InputKind, Object, uid_of};

/// After so many refusals in a row, the rest of a workload's pods is not tried: it would meet the same end.
const REFUSALS_IN_A_ROW: usize = 100;
/// More pods than any cluster holds; a slip in `replicas` must not fill the memory.
const POD_LIMIT: usize = 500_000;
/// What generated names depend on.
const SEED: u64 = 0;

/// A workload, by the place of its row, and what its controller does next.
struct Pending {
    row: usize,
    expansion: Expansion,
}

impl Engine<'_> {
    /// Creates the pods of all DaemonSets.
    pub(super) fn run_daemon_sets(&mut self) {
        let mut wanted: Vec<Pod> = Vec::new();
        for row in self.rows.iter().filter(|row| row.is_stored()) {
            if let Object::DaemonSet(daemon_set) = &row.object {
                self.pods_of_daemon_set(daemon_set, &row.kind.resource, &mut wanted);
            }
        }
        let mut kinds = CreatedKinds::default();
        for pod in wanted {
            let row = Row::new("v1".to_owned(), kinds.pod(), pod.into());
            self.create(row);
        }
    }

    /// The stored pods that a DaemonSet owns or takes, each with the place of its row; none if it is not cared for.
    pub(super) fn claimed_by(&self, daemon_set: &DaemonSet, uid: &str) -> Option<Vec<(usize, &Row, &Pod)>> {
        let selector = selector_in_use(daemon_set)?;
        let owner = Owner::new(daemon_set::API_VERSION, daemon_set::KIND, &daemon_set.metadata, uid);
        let stored = self.rows.iter().enumerate().filter(|(_, row)| row.is_stored());
        let pods = stored.filter_map(|(place, row)| Some((place, row, row.pod()?)));
        let neighbours = pods.filter(|(_, _, pod)| pod.metadata.namespace == daemon_set.metadata.namespace);
        Some(Claims::new(&owner, &selector, neighbours, |(_, _, pod)| &pod.metadata).owned)
    }

    fn pods_of_daemon_set(&self, daemon_set: &DaemonSet, resource: &GroupResource, wanted: &mut Vec<Pod>) {
        let metadata = &daemon_set.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        let uid = uid_of(resource, namespace, metadata.name.as_deref().unwrap_or_default());
        let Some(claimed) = self.claimed_by(daemon_set, &uid) else { return };
        let pods: Vec<DaemonPod> = claimed.into_iter().map(|(_, _, pod)| DaemonPod::from(pod)).collect();
        let hash = revision_hash(daemon_set, &pods);
        let situation = Situation::new(daemon_set, &hash, &self.world.nodes, &pods, self.settings.now);
        let maker = PodMaker::new(daemon_set, &uid, &hash);
        wanted.extend(situation.lacking().map(|node| maker.pod_for(node)));
    }

    /// Creates what all other workloads ask for: first what is expanded itself, then the pods.
    pub(super) fn run_workloads(&mut self, scheduling: &mut Scheduling, progress: &mut dyn FnMut(Progress)) {
        let mut kinds = CreatedKinds::default();
        let makers: Vec<usize> =
            self.stored_rows(|object| matches!(object, Object::Deployment(_) | Object::CronJob(_)));
        // Where an object that was made stands among those that were applied: at the place of its maker.
        let mut places: Vec<(usize, usize)> = self
            .stored_rows(|object| {
                matches!(
                    object,
                    Object::ReplicaSet(_)
                        | Object::ReplicationController(_)
                        | Object::StatefulSet(_)
                        | Object::Job(_)
                )
            })
            .into_iter()
            .map(|row| (row, row))
            .collect();
        for pending in self.expansions(&makers) {
            let maker = pending.row;
            if let Some(scaled) = &pending.expansion.scaled {
                self.scale(maker, scaled);
            }
            for created in pending.expansion.created {
                if self.create_one(created, &mut kinds) {
                    places.push((maker, self.rows.len() - 1));
                }
            }
        }
        places.sort_unstable();
        let makers: Vec<usize> = places.into_iter().map(|(_, row)| row).collect();
        let (ordered, parallel): (Vec<Pending>, Vec<Pending>) =
            self.expansions(&makers).into_iter().partition(|pending| pending.expansion.one_at_a_time);
        let expected = parallel.iter().map(|pending| pending.expansion.expected().min(POD_LIMIT)).sum();
        let mut creating = Creating { begun_at: self.rows.len(), expected, progress };
        for pending in parallel {
            self.create_all(pending, &mut kinds, &mut creating);
        }
        self.schedule_waiting(scheduling, progress);
        self.create_in_order(ordered, scheduling, &mut kinds, progress);
    }

    fn stored_rows(&self, wanted: impl Fn(&Object) -> bool) -> Vec<usize> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| row.is_stored() && wanted(&row.object)).map(|(index, _)| index).collect()
    }

    /// What the controllers of these workloads do next.
    fn expansions(&mut self, rows: &[usize]) -> Vec<Pending> {
        let settings = Settings { seed: SEED, run_at: Zoned::new(self.settings.now, TimeZone::UTC) };
        let mut children = Children::default();
        let stored = || self.rows.iter().filter(|row| row.is_stored()).map(|row| &row.object);
        children.add_pods(stored().filter_map(|object| match object {
            Object::Pod(pod) => Some(&**pod),
            _ => None,
        }));
        children.add_replica_sets(stored().filter_map(|object| match object {
            Object::ReplicaSet(set) => Some(&**set),
            _ => None,
        }));
        children.add_jobs(stored().filter_map(|object| match object {
            Object::Job(job) => Some(&**job),
            _ => None,
        }));
        children.add_claims(stored().filter_map(|object| match object {
            Object::PersistentVolumeClaim(claim) => Some(&**claim),
            _ => None,
        }));
        let mut expansions = Vec::with_capacity(rows.len());
        for index in rows {
            let row = &self.rows[*index];
            let Some(workload) = workload(&row.object) else { continue };
            let metadata = row.object.metadata();
            let namespace = metadata.namespace.as_deref().unwrap_or_default();
            let uid = uid_of(&row.kind.resource, namespace, metadata.name.as_deref().unwrap_or_default());
            let expansion = expand(workload, &uid, &mut children, &settings);
            expansions.push(Pending { row: *index, expansion });
        }
        drop(children);
        for pending in &expansions {
            if let Some(reason) = pending.expansion.skipped.and_then(why_skipped) {
                self.rows[pending.row].warnings.push(format!("no pods are created: {reason}"));
            }
        }
        expansions
    }

    /// Gives a ReplicaSet the size that its Deployment wants.
    fn scale(&mut self, deployment: usize, scaled: &Scaled) {
        let namespace = self.rows[deployment].object.metadata().namespace.clone();
        let sets = self.rows.iter_mut().filter_map(|row| match &mut row.object {
            Object::ReplicaSet(set) => Some(set),
            _ => None,
        });
        let mut sets = sets.filter(|set| {
            set.metadata.namespace == namespace && set.metadata.name.as_deref() == Some(&scaled.name)
        });
        if let Some(set) = sets.next() {
            set.spec.replicas = Some(scaled.replicas);
        }
    }

    /// Creates everything that a controller asks for, one after another.
    fn create_all(&mut self, pending: Pending, kinds: &mut CreatedKinds, creating: &mut Creating<'_>) {
        let mut refusals = 0;
        let mut created = pending.expansion.created;
        while let Some(object) = created.next() {
            if self.create_one(object, kinds) {
                refusals = 0;
            } else {
                refusals += 1;
            }
            creating.show(self.rows.len());
            let reason = if refusals >= REFUSALS_IN_A_ROW {
                format!("{REFUSALS_IN_A_ROW} in a row were refused")
            } else if self.rows.len() >= POD_LIMIT {
                format!("the run holds {POD_LIMIT} objects already")
            } else {
                continue;
            };
            if created.next().is_some() {
                self.rows[pending.row].warnings.push(format!("its other pods are not tried, as {reason}"));
            }
            return;
        }
    }

    /// Creates the pods of workloads that wait for each pod to run before they make the next.
    fn create_in_order(
        &mut self,
        mut ordered: Vec<Pending>,
        scheduling: &mut Scheduling,
        kinds: &mut CreatedKinds,
        progress: &mut dyn FnMut(Progress),
    ) {
        while !ordered.is_empty() {
            let mut steps = Vec::with_capacity(ordered.len());
            for pending in &mut ordered {
                steps.push(self.next_in_order(pending, kinds));
            }
            self.schedule_waiting(scheduling, progress);
            let mut steps = steps.into_iter();
            ordered.retain(|pending| match steps.next() {
                Some(Made::Pod(pod)) if self.rows[pod].outcome != Outcome::Pending => {
                    self.rows.len() < POD_LIMIT
                }
                Some(Made::Pod(pod)) => {
                    let name = self.rows[pod].object.metadata().name.clone().unwrap_or_default();
                    let warning = format!("later pods are not created before {name} runs");
                    self.rows[pending.row].warnings.push(warning);
                    false
                }
                Some(Made::Refused | Made::Finished) | None => false,
            });
        }
    }

    /// Creates objects of one workload up to its next pod.
    fn next_in_order(&mut self, pending: &mut Pending, kinds: &mut CreatedKinds) -> Made {
        for object in pending.expansion.created.by_ref() {
            let is_pod = matches!(object, Created::Pod(_));
            if !self.create_one(object, kinds) {
                return Made::Refused;
            }
            if is_pod {
                return Made::Pod(self.rows.len() - 1);
            }
        }
        Made::Finished
    }

    fn create_one(&mut self, created: Created, kinds: &mut CreatedKinds) -> bool {
        let (api_version, kind, object) = match created {
            Created::Pod(pod) => ("v1", kinds.pod(), Object::Pod(pod.into())),
            Created::PersistentVolumeClaim(claim) => {
                ("v1", kinds.claim(), Object::PersistentVolumeClaim(claim))
            }
            Created::ReplicaSet(set) => ("apps/v1", kinds.replica_set(), Object::ReplicaSet(set)),
            Created::Job(job) => ("batch/v1", kinds.job(), Object::Job(job)),
        };
        self.create(Row::new(api_version.to_owned(), kind, object))
    }
}

/// How far the creation of pods is.
struct Creating<'p> {
    /// How many rows there were at its beginning.
    begun_at: usize,
    /// How many are to come in all.
    expected: usize,
    progress: &'p mut dyn FnMut(Progress),
}

impl Creating<'_> {
    fn show(&mut self, rows: usize) {
        let done = rows - self.begun_at;
        (self.progress)(Progress { step: Step::Creating, done, total: self.expected.max(done) });
    }
}

/// What came of one step of a workload that makes its pods in order.
enum Made {
    /// The pod at this row.
    Pod(usize),
    /// Something was refused.
    Refused,
    /// There is no more to make.
    Finished,
}

fn workload(object: &Object) -> Option<Workload<'_>> {
    Some(match object {
        Object::Deployment(object) => Workload::Deployment(object),
        Object::ReplicaSet(object) => Workload::ReplicaSet(object),
        Object::ReplicationController(object) => Workload::ReplicationController(object),
        Object::StatefulSet(object) => Workload::StatefulSet(object),
        Object::Job(object) => Workload::Job(object),
        Object::CronJob(object) => Workload::CronJob(object),
        _ => return None,
    })
}

fn why_skipped(skipped: Skipped) -> Option<&'static str> {
    Some(match skipped {
        Skipped::Deleted => "it is being deleted",
        Skipped::UnusableSelector => "its selector selects everything or is malformed",
        Skipped::Paused => "it is paused",
        Skipped::Suspended => "it is suspended",
        Skipped::ManagedElsewhere => "another controller manages it",
        Skipped::OldPodsRunning => "the pods of an older template have to end first",
        Skipped::Finished | Skipped::Running => return None,
    })
}

/// The kinds of objects that controllers make; each is made once.
#[derive(Default)]
pub(super) struct CreatedKinds {
    pod: Option<Arc<InputKind>>,
    claim: Option<Arc<InputKind>>,
    replica_set: Option<Arc<InputKind>>,
    job: Option<Arc<InputKind>>,
}

impl CreatedKinds {
    pub(super) fn pod(&mut self) -> Arc<InputKind> {
        known(&mut self.pod, "", "Pod", "pods")
    }

    fn claim(&mut self) -> Arc<InputKind> {
        known(&mut self.claim, "", "PersistentVolumeClaim", "persistentvolumeclaims")
    }

    fn replica_set(&mut self) -> Arc<InputKind> {
        known(&mut self.replica_set, "apps", "ReplicaSet", "replicasets")
    }

    fn job(&mut self) -> Arc<InputKind> {
        known(&mut self.job, "batch", "Job", "jobs")
    }
}

fn known(slot: &mut Option<Arc<InputKind>>, group: &str, kind: &str, resource: &str) -> Arc<InputKind> {
    let make = || {
        Arc::new(InputKind {
            kind: kind.to_owned(),
            resource: GroupResource::new(group, resource),
            namespaced: true,
            known: true,
        })
    };
    Arc::clone(slot.get_or_insert_with(make))
}
