//! Objects that make pods.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec};
use k8s_openapi::api::core::v1::{PodTemplateSpec, ReplicationController};
use plimsoll_api::field::Path;
use plimsoll_api::names;

use super::persistent_volume_claim::claim_amounts;
use super::pod::pod_template;
use crate::validation::text;

/// The warnings that a new DaemonSet calls for.
///
/// # Source
/// kubernetes `pkg/registry/apps/daemonset/strategy.go` (`WarningsOnCreate`)
pub fn daemon_set(daemon_set: &DaemonSet) -> Vec<String> {
    of_template(Some(&daemon_set.spec.template), &Path::root("spec"))
}

/// The warnings that a new Deployment calls for.
///
/// # Source
/// kubernetes `pkg/registry/apps/deployment/strategy.go` (`WarningsOnCreate`)
pub fn deployment(deployment: &Deployment) -> Vec<String> {
    let mut warnings = of_name(deployment.metadata.name.as_ref());
    warnings.extend(of_template(Some(&deployment.spec.template), &Path::root("spec")));
    warnings
}

/// The warnings that a new ReplicaSet calls for.
///
/// # Source
/// kubernetes `pkg/registry/apps/replicaset/strategy.go` (`WarningsOnCreate`)
pub fn replica_set(replica_set: &ReplicaSet) -> Vec<String> {
    let mut warnings = of_name(replica_set.metadata.name.as_ref());
    warnings.extend(of_template(replica_set.spec.template.as_ref(), &Path::root("spec")));
    warnings
}

/// The warnings that a new ReplicationController calls for.
///
/// # Source
/// kubernetes `pkg/registry/core/replicationcontroller/strategy.go` (`WarningsOnCreate`)
pub fn replication_controller(controller: &ReplicationController) -> Vec<String> {
    let mut warnings = of_name(controller.metadata.name.as_ref());
    let template = controller.spec.as_ref().and_then(|spec| spec.template.as_ref());
    warnings.extend(of_template(template, &Path::root("spec")));
    warnings
}

/// The warnings that a new StatefulSet calls for.
///
/// # Source
/// kubernetes `pkg/registry/apps/statefulset/strategy.go` (`WarningsOnCreate`)
pub fn stateful_set(stateful_set: &StatefulSet) -> Vec<String> {
    let (spec, path) = (&stateful_set.spec, Path::root("spec"));
    let mut warnings = of_template(Some(&spec.template), &path);
    let path = path.child("volumeClaimTemplates");
    for (index, claim) in spec.volume_claim_templates.iter().flatten().enumerate() {
        let resources = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref());
        claim_amounts(&mut warnings, resources, &path.index(index));
    }
    if spec.revision_history_limit.is_some_and(|limit| limit < 0) {
        warnings.push("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended".to_owned());
    }
    warnings
}

/// The warnings that a new Job calls for.
///
/// # Source
/// kubernetes `pkg/registry/batch/job/strategy.go` (`WarningsOnCreate`)
pub fn job(job: &Job) -> Vec<String> {
    let mut warnings = of_name(job.metadata.name.as_ref());
    warnings.extend(job.spec.iter().flat_map(|spec| of_job_spec(spec, &Path::root("spec"))));
    warnings
}

/// The warnings that a new CronJob calls for.
///
/// # Source
/// kubernetes `pkg/registry/batch/cronjob/strategy.go` (`WarningsOnCreate`)
pub fn cron_job(cron_job: &CronJob) -> Vec<String> {
    let mut warnings = of_name(cron_job.metadata.name.as_ref());
    let path = Path::root("spec");
    let path = path.child("jobTemplate");
    let path = path.child("spec");
    warnings.extend(cron_job.spec.job_template.spec.iter().flat_map(|spec| of_job_spec(spec, &path)));
    warnings
}

/// More completions than this, at once with more than [`MOST_PARALLEL`], are more than can be kept track of.
const MOST_COMPLETIONS: i32 = 100_000;
const MOST_PARALLEL: i32 = 10_000;

/// # Source
/// kubernetes `pkg/api/job/warnings.go` (`WarningsForJobSpec`)
fn of_job_spec(spec: &JobSpec, path: &Path<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if spec.completion_mode.as_deref() == Some("Indexed")
        && spec.completions.unwrap_or(0) > MOST_COMPLETIONS
        && spec.parallelism.unwrap_or(0) > MOST_PARALLEL
    {
        warnings.push(format!("{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"));
    }
    warnings.extend(of_template(Some(&spec.template), path));
    warnings
}

fn of_template(template: Option<&PodTemplateSpec>, spec: &Path<'_>) -> Vec<String> {
    template.map(|template| pod_template(template, &spec.child("template"))).unwrap_or_default()
}

/// The names of pods begin with the name of what makes them.
fn of_name(name: Option<&String>) -> Vec<String> {
    let faults = names::dns_1123_label(text(name));
    if faults.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [{}]",
        faults.join(" ")
    )]
}
