//! What the API server fills into a Job.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{Job, JobSpec};

use super::fill;

/// Fills in one completion by one pod at a time, the retries, and labels from those of the template.
///
/// # Source
/// kubernetes `pkg/apis/batch/v1/defaults.go` (`SetDefaults_Job`)
pub fn job(job: &mut Job) {
    let spec = job.spec.get_or_insert_default();
    let template = spec.template.metadata.as_ref();
    let labels = template.and_then(|metadata| metadata.labels.clone()).filter(|labels| !labels.is_empty());
    if labels.is_some() && job.metadata.labels.as_ref().is_none_or(BTreeMap::is_empty) {
        job.metadata.labels = labels;
    }
    job_spec(spec);
}

fn job_spec(spec: &mut JobSpec) {
    if spec.completions.is_none() && spec.parallelism.is_none() {
        spec.completions = Some(1);
    }
    spec.parallelism.get_or_insert(1);
    let backoff_limit = if spec.backoff_limit_per_index.is_some() { i32::MAX } else { 6 };
    spec.backoff_limit.get_or_insert(backoff_limit);
    spec.completion_mode.get_or_insert_with(|| "NonIndexed".to_owned());
    spec.suspend.get_or_insert(false);
    let replacement = if spec.pod_failure_policy.is_some() { "Failed" } else { "TerminatingOrFailed" };
    spec.pod_replacement_policy.get_or_insert_with(|| replacement.to_owned());
    spec.manual_selector.get_or_insert(false);
    pod_failure_policy(spec);
}

/// Fills in that a condition of a pod is waited for to be true.
///
/// # Source
/// kubernetes `pkg/apis/batch/v1/defaults.go` (`SetDefaults_PodFailurePolicyOnPodConditionsPattern`)
pub(super) fn pod_failure_policy(spec: &mut JobSpec) {
    for rule in spec.pod_failure_policy.iter_mut().flat_map(|policy| &mut policy.rules) {
        for pattern in rule.on_pod_conditions.iter_mut().flatten() {
            fill(&mut pattern.status, "True");
        }
    }
}
