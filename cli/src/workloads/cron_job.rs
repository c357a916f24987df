//! CronJobs: the Job of one run.
//!
//! # Source
//! `pkg/controller/cronjob`

use jiff::Zoned;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_controller::owner::Owner;

use super::children::{Children, name_of};
use super::job::is_finished;
use super::{Created, Expansion, Skipped};

/// The annotation that tells for which time a Job was started.
const SCHEDULED_TIMESTAMP_ANNOTATION: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// A Job that runs already stands for the one run, whatever the concurrency policy.
pub(super) fn expand(cron_job: &CronJob, uid: &str, children: &Children<'_>, run_at: &Zoned) -> Expansion {
    if cron_job.metadata.deletion_timestamp.is_some() {
        return Expansion::skipped(Skipped::Deleted);
    }
    if cron_job.spec.suspend == Some(true) {
        return Expansion::skipped(Skipped::Suspended);
    }
    let owner = Owner::new("batch/v1", "CronJob", &cron_job.metadata, uid);
    let name = job_name(owner.name, run_at);
    let has_run = |job: &Job| !is_finished(job) || name_of(&job.metadata) == name;
    if children.jobs.controlled_by(&owner).any(has_run) {
        return Expansion::skipped(Skipped::Running);
    }
    let job = new_job(cron_job, &owner, name, run_at);
    Expansion::of(std::iter::once(Created::Job(Box::new(job))))
}

/// # Source
/// `pkg/controller/cronjob/utils.go` (`getJobFromTemplate2`)
fn new_job(cron_job: &CronJob, owner: &Owner<'_>, name: String, run_at: &Zoned) -> Job {
    let template = &cron_job.spec.job_template;
    let given = template.metadata.as_ref();
    let mut annotations = given.and_then(|given| given.annotations.clone()).unwrap_or_default();
    annotations.insert(SCHEDULED_TIMESTAMP_ANNOTATION.to_owned(), rfc_3339(run_at));
    Job {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(owner.namespace.to_owned()),
            labels: given.and_then(|given| given.labels.clone()),
            annotations: Some(annotations),
            owner_references: Some(vec![owner.reference()]),
            ..ObjectMeta::default()
        },
        spec: template.spec.clone(),
        status: None,
    }
}

/// The name of the Job for a time: the CronJob's and the minutes since 1970.
///
/// # Source
/// `pkg/controller/cronjob/cronjob_controllerv2.go` (`getJobName`)
fn job_name(cron_job: &str, run_at: &Zoned) -> String {
    format!("{cron_job}-{}", run_at.timestamp().as_second() / 60)
}

/// A time as Go formats it in RFC 3339: whole seconds, and `Z` for no offset.
fn rfc_3339(time: &Zoned) -> String {
    let format = if time.offset().is_zero() { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%:z" };
    time.strftime(format).to_string()
}
