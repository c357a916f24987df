//! Workloads expanded into the objects that their controllers would create: one level at a time, so that each object
//! passes admission before it is expanded itself.
//!
//! Everything is pure. What is there already counts: only what is missing is made.

mod children;
mod cron_job;
mod deployment;
mod generated_name;
mod job;
mod pod_batch;
mod replica_set;
mod stateful_set;

use std::fmt;

use jiff::Zoned;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, ReplicationController};

pub use children::Children;
pub use generated_name::GeneratedNames;
pub use pod_batch::PodBatch;

/// An object whose controller creates others.
#[derive(Clone, Copy, Debug)]
pub enum Workload<'a> {
    /// Creates ReplicaSets.
    Deployment(&'a Deployment),
    /// Creates pods.
    ReplicaSet(&'a ReplicaSet),
    /// Creates pods.
    ReplicationController(&'a ReplicationController),
    /// Creates claims and pods.
    StatefulSet(&'a StatefulSet),
    /// Creates pods.
    Job(&'a Job),
    /// Creates Jobs.
    CronJob(&'a CronJob),
}

/// What an expansion needs to know beside the objects.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the generated names depend on.
    pub seed: u64,
    /// The time at which CronJobs run once, in the time zone that their Jobs show it in.
    pub run_at: Zoned,
}

/// An object that a controller creates. Pods have their names already.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    /// By a Deployment.
    ReplicaSet(Box<ReplicaSet>),
    /// By a CronJob.
    Job(Box<Job>),
    /// By a StatefulSet, before the pod that uses it.
    PersistentVolumeClaim(Box<PersistentVolumeClaim>),
    /// By all others.
    Pod(Box<Pod>),
}

/// What a controller does next.
pub struct Expansion {
    /// What it creates, in order and made one by one: a workload may ask for billions of pods.
    pub created: Box<dyn Iterator<Item = Created> + Send>,
    /// Whether each pod waits until the one before it runs, so that a refused or Pending pod holds up all later ones.
    pub one_at_a_time: bool,
    /// The ReplicaSet that gets another size.
    pub scaled: Option<Scaled>,
    /// Why nothing is created although the workload asks for something.
    pub skipped: Option<Skipped>,
}

/// The new size of a ReplicaSet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaled {
    /// The name of the ReplicaSet, in the namespace of the Deployment.
    pub name: String,
    /// How many pods it is to have.
    pub replicas: i32,
}

/// Why a controller creates nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// The workload is being deleted.
    Deleted,
    /// The selector is malformed, or it selects everything.
    UnusableSelector,
    /// The Deployment is paused and has no ReplicaSet yet.
    Paused,
    /// The Job or CronJob is suspended.
    Suspended,
    /// The Job has ended.
    Finished,
    /// Another controller than the built-in one manages the Job.
    ManagedElsewhere,
    /// A Job of the CronJob runs already, which stands for the one run.
    Running,
    /// The pods of an old ReplicaSet have to end first.
    OldPodsRunning,
}

impl Expansion {
    fn nothing() -> Self {
        Self::of(std::iter::empty())
    }

    /// How many objects are created, if nothing is refused.
    pub fn expected(&self) -> usize {
        let (least, most) = self.created.size_hint();
        most.unwrap_or(least)
    }

    fn skipped(reason: Skipped) -> Self {
        Self { skipped: Some(reason), ..Self::nothing() }
    }

    fn of(created: impl Iterator<Item = Created> + Send + 'static) -> Self {
        Self { created: Box::new(created), one_at_a_time: false, scaled: None, skipped: None }
    }

    fn pods(batch: PodBatch) -> Self {
        Self::of(batch.into_pods().map(|pod| Created::Pod(Box::new(pod))))
    }
}

impl fmt::Debug for Expansion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Expansion")
            .field("one_at_a_time", &self.one_at_a_time)
            .field("scaled", &self.scaled)
            .field("skipped", &self.skipped)
            .finish_non_exhaustive()
    }
}

/// What the controller of a workload with this uid does next. The workload is as the API server stores it: defaulted and
/// valid.
pub fn expand(
    workload: Workload<'_>,
    uid: &str,
    children: &mut Children<'_>,
    settings: &Settings,
) -> Expansion {
    match workload {
        Workload::Deployment(deployment) => deployment::expand(deployment, uid, children),
        Workload::ReplicaSet(set) => replica_set::expand(set, uid, children, settings.seed),
        Workload::ReplicationController(controller) => {
            replica_set::expand_controller(controller, uid, children, settings.seed)
        }
        Workload::StatefulSet(set) => stateful_set::expand(set, uid, children),
        Workload::Job(job) => job::expand(job, uid, children, settings.seed),
        Workload::CronJob(cron_job) => cron_job::expand(cron_job, uid, children, &settings.run_at),
    }
}

/// Whether a pod still counts as a replica: it has neither ended nor is it being deleted.
///
/// # Source
/// `pkg/controller/controller_utils.go` (`IsPodActive`)
fn is_active(pod: &Pod) -> bool {
    !matches!(phase(pod), "Succeeded" | "Failed") && pod.metadata.deletion_timestamp.is_none()
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
