//! CronJobs.
//!
//! # Source
//! kubernetes `pkg/apis/batch/validation`, and the rules declared in `pkg/apis/batch/v1`, which are reported last

use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, JobSpec, JobTemplateSpec};
use plimsoll_api::field::{Error, ErrorList, Path};

use super::object_meta::{name_is_dns_subdomain, validate_object_meta};
use super::pod::go_json;
use super::{cron_schedule, distinct, job, named, text, time_zone, validate_nonnegative};

/// A Job's name is that of its CronJob, a dash and ten digits, and has to fit into a label.
const MAX_NAME_LENGTH: usize = 52;

/// What is wrong with a CronJob that is being created.
///
/// # Source
/// kubernetes `pkg/apis/batch/validation` (`ValidateCronJobCreate`)
pub fn validate_create(cron_job: &CronJob) -> ErrorList {
    let meta_path = Path::root("metadata");
    let mut errors = validate_object_meta(&cron_job.metadata, true, name_is_dns_subdomain, &meta_path);
    let (spec, path) = (&cron_job.spec, Path::root("spec"));
    validate_spec(&mut errors, spec, &path);
    let name = text(cron_job.metadata.name.as_ref());
    if name.len() > MAX_NAME_LENGTH {
        let detail = "must be no more than 52 characters";
        errors.push(Error::invalid(&meta_path.child("name"), name, detail));
    }
    if spec.schedule.is_empty() {
        errors.push(Error::required(&path.child("schedule"), ""));
    }
    distinct(errors)
}

/// # Source
/// kubernetes `pkg/apis/batch/validation` (`validateCronJobSpec`)
fn validate_spec(errors: &mut ErrorList, spec: &CronJobSpec, path: &Path<'_>) {
    if !spec.schedule.is_empty() {
        validate_schedule(errors, &spec.schedule, &path.child("schedule"));
    }
    if let Some(seconds) = spec.starting_deadline_seconds {
        validate_nonnegative(errors, seconds, &path.child("startingDeadlineSeconds"));
    }
    if let Some(time_zone) = &spec.time_zone {
        time_zone::validate(errors, time_zone, &path.child("timeZone"));
    }
    let concurrency_path = path.child("concurrencyPolicy");
    match text(spec.concurrency_policy.as_ref()) {
        "Allow" | "Forbid" | "Replace" => {}
        "" => errors.push(Error::required(&concurrency_path, "")),
        other => {
            let supported = ["Allow", "Forbid", "Replace"];
            errors.push(Error::not_supported(&concurrency_path, named(other), &supported));
        }
    }
    validate_job_template(errors, &spec.job_template, &path.child("jobTemplate"));
    for (field, limit) in [
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ] {
        validate_nonnegative(errors, limit.unwrap_or(0), &path.child(field));
    }
}

fn validate_schedule(errors: &mut ErrorList, schedule: &str, path: &Path<'_>) {
    if let Err(fault) = cron_schedule::check(schedule) {
        errors.push(Error::invalid(path, schedule, fault));
    }
    if schedule.contains("TZ") {
        let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        errors.push(Error::invalid(path, schedule, detail));
    }
}

/// # Source
/// kubernetes `pkg/apis/batch/validation` (`ValidateJobTemplateSpec`)
fn validate_job_template(errors: &mut ErrorList, template: &JobTemplateSpec, path: &Path<'_>) {
    let no_spec = JobSpec::default();
    let (spec, path) = (template.spec.as_ref().unwrap_or(&no_spec), path.child("spec"));
    job::validate_spec(errors, spec, &path);
    if let Some(selector) = &spec.selector {
        let shown = go_json::label_selector(selector);
        errors.push(Error::invalid(&path.child("selector"), shown, "`selector` will be auto-generated"));
    }
    if spec.manual_selector == Some(true) {
        errors.push(Error::not_supported(&path.child("manualSelector"), true, &["nil", "false"]));
    }
}
