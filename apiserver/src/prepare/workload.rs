//! Objects other than pods that are being created.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec};
use k8s_openapi::api::core::v1::{PodTemplateSpec, ReplicationController};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{job, pod_fields};

/// Begins the count of changes.
pub(super) fn begin(metadata: &mut ObjectMeta) {
    metadata.generation = Some(1);
}

/// Drops what is switched off from the template of a workload.
pub(super) fn template(template: &mut PodTemplateSpec) {
    if let Some(annotations) = template.metadata.as_mut().and_then(|metadata| metadata.annotations.as_mut()) {
        pod_fields::drop_init_container_annotations(annotations);
    }
    pod_fields::drop_disabled(template.spec.get_or_insert_default());
}

/// Drops what is switched off from the spec of a Job.
fn job_spec(spec: &mut JobSpec) {
    spec.scheduling = None;
    template(&mut spec.template);
}

/// Drops the status of a new DaemonSet, and what is switched off.
///
/// # Source
/// kubernetes `pkg/registry/apps/daemonset/strategy.go` (`PrepareForCreate`)
pub fn daemon_set_for_create(daemon_set: &mut DaemonSet) {
    begin(&mut daemon_set.metadata);
    daemon_set.status = None;
    template(&mut daemon_set.spec.template);
}

/// Drops the status of a new Deployment, and what is switched off.
///
/// # Source
/// kubernetes `pkg/registry/apps/deployment/strategy.go` (`PrepareForCreate`)
pub fn deployment_for_create(deployment: &mut Deployment) {
    begin(&mut deployment.metadata);
    deployment.status = None;
    template(&mut deployment.spec.template);
}

/// Drops the status of a new ReplicaSet, and what is switched off.
///
/// # Source
/// kubernetes `pkg/registry/apps/replicaset/strategy.go` (`PrepareForCreate`)
pub fn replica_set_for_create(replica_set: &mut ReplicaSet) {
    begin(&mut replica_set.metadata);
    replica_set.status = None;
    template(replica_set.spec.template.get_or_insert_default());
}

/// Drops the status of a new StatefulSet, and what is switched off.
///
/// # Source
/// kubernetes `pkg/registry/apps/statefulset/strategy.go` (`PrepareForCreate`)
pub fn stateful_set_for_create(stateful_set: &mut StatefulSet) {
    begin(&mut stateful_set.metadata);
    stateful_set.status = None;
    template(&mut stateful_set.spec.template);
}

/// Drops the status of a new ReplicationController, and what is switched off.
///
/// # Source
/// kubernetes `pkg/registry/core/replicationcontroller/strategy.go` (`PrepareForCreate`)
pub fn replication_controller_for_create(controller: &mut ReplicationController) {
    begin(&mut controller.metadata);
    controller.status = None;
    if let Some(spec) = controller.spec.as_mut().and_then(|spec| spec.template.as_mut()) {
        template(spec);
    }
}

/// Drops the status of a new Job and what is switched off, and generates the selector and the labels that tell its pods
/// from those of others, unless it brings its own. `uid` is that of the Job.
///
/// # Source
/// kubernetes `pkg/registry/batch/job/strategy.go` (`PrepareForCreate`)
pub fn job_for_create(job: &mut Job, uid: &str) {
    begin(&mut job.metadata);
    job.metadata.uid = Some(uid.to_owned());
    job.status = None;
    let name = job.metadata.name.clone().unwrap_or_default();
    let spec = job.spec.get_or_insert_default();
    if spec.manual_selector != Some(true) {
        job::generate_selector(spec, &name, uid);
    }
    job_spec(spec);
}

/// Drops the status of a new CronJob, and what is switched off.
///
/// # Source
/// kubernetes `pkg/registry/batch/cronjob/strategy.go` (`PrepareForCreate`)
pub fn cron_job_for_create(cron_job: &mut CronJob) {
    begin(&mut cron_job.metadata);
    cron_job.status = None;
    if let Some(spec) = &mut cron_job.spec.job_template.spec {
        job_spec(spec);
    }
}
