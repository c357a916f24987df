//! What the API server fills into a CronJob.

use k8s_openapi::api::batch::v1::CronJob;

use super::fill;
use super::job::pod_failure_policy;

/// Fills in that runs may overlap and how many finished ones are kept. The Job in it stays nearly as it is
/// until it is created.
///
/// # Source
/// kubernetes `pkg/apis/batch/v1/defaults.go` (`SetDefaults_CronJob`)
pub fn cron_job(cron_job: &mut CronJob) {
    let spec = &mut cron_job.spec;
    fill(&mut spec.concurrency_policy, "Allow");
    spec.suspend.get_or_insert(false);
    spec.successful_jobs_history_limit.get_or_insert(3);
    spec.failed_jobs_history_limit.get_or_insert(1);
    pod_failure_policy(spec.job_template.spec.get_or_insert_default());
}
