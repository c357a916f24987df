//! Jobs: the pods that are missing now, as many as may run at once.
//!
//! # Source
//! `pkg/controller/job`

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod};
use plimsoll_controller::owner::Owner;
use plimsoll_controller::pod_from_template::pod_from_template;
use plimsoll_matching::label_selector::Selector;

use super::children::{Children, name_of};
use super::generated_name::{GeneratedNames, MAX_PREFIX_LENGTH};
use super::pod_batch::PodBatch;
use super::{Created, Expansion, Skipped, is_active, phase};

/// The finalizer by which the controller counts each pod once.
const TRACKING_FINALIZER: &str = "batch.kubernetes.io/job-tracking";
/// Both a label and an annotation of the pods of an Indexed Job.
const COMPLETION_INDEX: &str = "batch.kubernetes.io/job-completion-index";
const INDEX_FAILURE_COUNT_ANNOTATION: &str = "batch.kubernetes.io/job-index-failure-count";
const COMPLETION_INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";
/// The value of `managedBy` that means the built-in controller.
const BUILT_IN_CONTROLLER: &str = "kubernetes.io/job-controller";

pub(super) fn expand(job: &Job, uid: &str, children: &mut Children<'_>, seed: u64) -> Expansion {
    if let Some(reason) = skip_reason(job) {
        return Expansion::skipped(reason);
    }
    let Some(spec) = job.spec.as_ref() else {
        return Expansion::nothing();
    };
    let Ok(selector) = Selector::from_label_selector(spec.selector.as_ref()) else {
        return Expansion::skipped(Skipped::UnusableSelector);
    };
    let owner = Owner::new("batch/v1", "Job", &job.metadata, uid);
    let pods = children.pods.claim(&owner, &selector);
    let tally = Tally::new(job, spec, &pods);
    let missing = tally.missing(spec);
    if missing == 0 {
        return Expansion::nothing();
    }
    let pod = tracked_pod(spec, &owner);
    if is_indexed(spec) {
        return Expansion::of(indexed_pods(pod, spec, owner.name.to_owned(), tally, missing, seed));
    }
    let taken = pods.iter().map(|pod| name_of(&pod.metadata).to_owned()).collect();
    Expansion::pods(PodBatch::new(pod, missing, seed, taken))
}

/// Whether a Job has completed or failed, or is about to.
///
/// # Source
/// `pkg/controller/job/util/utils.go` (`FinishedCondition`)
pub(super) fn is_finished(job: &Job) -> bool {
    const FINAL: [&str; 4] = ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"];
    let conditions = job.status.as_ref().and_then(|status| status.conditions.as_deref());
    conditions
        .unwrap_or_default()
        .iter()
        .any(|condition| FINAL.contains(&condition.type_.as_str()) && condition.status == "True")
}

fn skip_reason(job: &Job) -> Option<Skipped> {
    let spec = job.spec.as_ref()?;
    let managed_by = spec.managed_by.as_deref().unwrap_or(BUILT_IN_CONTROLLER);
    match job {
        _ if managed_by != BUILT_IN_CONTROLLER => Some(Skipped::ManagedElsewhere),
        _ if is_finished(job) => Some(Skipped::Finished),
        _ if job.metadata.deletion_timestamp.is_some() => Some(Skipped::Deleted),
        _ if spec.suspend == Some(true) => Some(Skipped::Suspended),
        _ => None,
    }
}

/// How a Job stands, by its status and its pods.
#[derive(Default)]
struct Tally {
    active: u64,
    /// Pods that are being deleted, where only failed pods are replaced.
    terminating: u64,
    /// Pods that have succeeded; the succeeded indexes of an Indexed Job.
    succeeded: u64,
    /// Ranges of indexes that have succeeded or failed for good, both ends included.
    ended: Vec<(u32, u32)>,
    /// Indexes whose pods are active or have to end first.
    busy: BTreeSet<u32>,
    /// For each index whose pod has failed, how often its pods have.
    failures: BTreeMap<u32, u32>,
}

impl Tally {
    fn new(job: &Job, spec: &JobSpec, pods: &[&Pod]) -> Self {
        let status = job.status.clone().unwrap_or_default();
        let completed = index_ranges(&status.completed_indexes.unwrap_or_default());
        let mut tally = Self { ended: completed.clone(), ..Self::default() };
        tally.ended.extend(index_ranges(&status.failed_indexes.unwrap_or_default()));
        tally.succeeded = if is_indexed(spec) {
            completed.iter().map(|(first, last)| u64::from(last.saturating_sub(*first)) + 1).sum()
        } else {
            status.succeeded.and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
        };
        for pod in pods {
            tally.count(spec, pod);
        }
        tally
    }

    fn count(&mut self, spec: &JobSpec, pod: &Pod) {
        let index = completion_index(pod, spec);
        if is_active(pod) {
            self.active += 1;
            self.busy.extend(index);
        } else if phase(pod) == "Succeeded" {
            self.count_success(spec, pod, index);
        } else if phase(pod) == "Failed" {
            self.count_failure(spec, pod, index);
        } else if spec.pod_replacement_policy.as_deref() == Some("Failed") {
            self.terminating += 1;
            self.busy.extend(index);
        }
    }

    /// A pod without the finalizer is in the status already.
    fn count_success(&mut self, spec: &JobSpec, pod: &Pod, index: Option<u32>) {
        if !is_tracked(pod) {
            return;
        }
        match index {
            Some(index) if !self.has_ended(index) => {
                self.ended.push((index, index));
                self.succeeded += 1;
            }
            None if !is_indexed(spec) => self.succeeded += 1,
            _ => {}
        }
    }

    /// # Source
    /// `pkg/controller/job/indexed_job_utils.go` (`isIndexFailed`, `getNewIndexFailureCounts`), every failure counted
    fn count_failure(&mut self, spec: &JobSpec, pod: &Pod, index: Option<u32>) {
        let (Some(index), Some(limit), true) = (index, spec.backoff_limit_per_index, is_tracked(pod)) else {
            return;
        };
        let annotations = pod.metadata.annotations.as_ref();
        let before: u32 = annotations
            .and_then(|annotations| annotations.get(INDEX_FAILURE_COUNT_ANNOTATION)?.parse().ok())
            .unwrap_or(0);
        if i64::from(before) >= i64::from(limit) {
            self.ended.push((index, index));
        }
        let failures = self.failures.entry(index).or_default();
        *failures = before.saturating_add(1).max(*failures);
    }

    fn has_ended(&self, index: u32) -> bool {
        self.ended.iter().any(|(first, last)| (*first..=*last).contains(&index))
    }

    /// How many pods are to be created now.
    ///
    /// # Source
    /// `pkg/controller/job/job_controller.go` (`manageJob`)
    fn missing(&self, spec: &JobSpec) -> u64 {
        let parallelism = u64::try_from(spec.parallelism.unwrap_or(1)).unwrap_or(0);
        let wanted = match spec.completions {
            Some(completions) => {
                let remaining = u64::try_from(completions).unwrap_or(0).saturating_sub(self.succeeded);
                remaining.min(parallelism)
            }
            // A work queue one of whose workers is done gets no more workers.
            None if self.succeeded > 0 => self.active,
            None => parallelism,
        };
        wanted.saturating_sub(self.terminating).saturating_sub(self.active)
    }
}

/// The pods of the first indexes that need one.
///
/// # Source
/// `pkg/controller/job/indexed_job_utils.go` (`firstPendingIndexes`)
fn indexed_pods(
    pod: Pod,
    spec: &JobSpec,
    job: String,
    tally: Tally,
    missing: u64,
    seed: u64,
) -> impl Iterator<Item = Created> + Send + use<> {
    let completions = u32::try_from(spec.completions.unwrap_or(0)).unwrap_or(0);
    let counts_failures = spec.backoff_limit_per_index.is_some();
    let pending = (0..completions).filter_map(move |index| {
        let is_pending = !tally.busy.contains(&index) && !tally.has_ended(index);
        is_pending.then(|| (index, tally.failures.get(&index).copied().unwrap_or(0)))
    });
    pending.zip(0..missing).map(move |((index, failures), _)| {
        let failures = counts_failures.then_some(failures);
        Created::Pod(Box::new(indexed_pod(pod.clone(), &job, index, failures, seed)))
    })
}

/// # Source
/// `pkg/controller/job/job_controller.go` (`manageJob`), `indexed_job_utils.go`
fn indexed_pod(mut pod: Pod, job: &str, index: u32, failures: Option<u32>, seed: u64) -> Pod {
    let metadata = &mut pod.metadata;
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.insert(COMPLETION_INDEX.to_owned(), index.to_string());
    if let Some(failures) = failures {
        annotations.insert(INDEX_FAILURE_COUNT_ANNOTATION.to_owned(), failures.to_string());
    }
    metadata.labels.get_or_insert_default().insert(COMPLETION_INDEX.to_owned(), index.to_string());
    let prefix = indexed_prefix(job, index);
    // An index that is tried again gets another name.
    metadata.name = Some(GeneratedNames::new(seed, &prefix).nth(u64::from(failures.unwrap_or(0))));
    metadata.generate_name = Some(prefix);
    pod.spec.get_or_insert_default().hostname = Some(format!("{job}-{index}"));
    pod
}

/// # Source
/// `pkg/controller/job/indexed_job_utils.go` (`podGenerateNameWithIndex`)
fn indexed_prefix(job: &str, index: u32) -> String {
    let suffix = format!("-{index}-");
    let longest = MAX_PREFIX_LENGTH.saturating_sub(suffix.len());
    format!("{}{suffix}", job.get(..longest).unwrap_or(job))
}

/// The pod that all pods of the Job are made of.
fn tracked_pod(spec: &JobSpec, owner: &Owner<'_>) -> Pod {
    let mut pod = pod_from_template(&spec.template, owner);
    let finalizers = pod.metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|finalizer| finalizer == TRACKING_FINALIZER) {
        finalizers.push(TRACKING_FINALIZER.to_owned());
    }
    if is_indexed(spec) {
        let spec = pod.spec.get_or_insert_default();
        for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
            add_index_variable(container);
        }
    }
    pod
}

/// # Source
/// `pkg/controller/job/indexed_job_utils.go` (`addCompletionIndexEnvVariable`)
fn add_index_variable(container: &mut Container) {
    let variables = container.env.get_or_insert_default();
    if variables.iter().any(|variable| variable.name == COMPLETION_INDEX_VARIABLE) {
        return;
    }
    let field = ObjectFieldSelector {
        api_version: None,
        field_path: format!("metadata.labels['{COMPLETION_INDEX}']"),
    };
    variables.push(EnvVar {
        name: COMPLETION_INDEX_VARIABLE.to_owned(),
        value: None,
        value_from: Some(EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() }),
    });
}

fn is_indexed(spec: &JobSpec) -> bool {
    spec.completion_mode.as_deref() == Some("Indexed")
}

fn is_tracked(pod: &Pod) -> bool {
    pod.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == TRACKING_FINALIZER)
}

/// The index of a pod of an Indexed Job, if it has one that the Job still asks for.
fn completion_index(pod: &Pod, spec: &JobSpec) -> Option<u32> {
    let annotations = pod.metadata.annotations.as_ref().filter(|_| is_indexed(spec))?;
    let index: u32 = annotations.get(COMPLETION_INDEX)?.parse().ok()?;
    (i64::from(index) < i64::from(spec.completions.unwrap_or(0))).then_some(index)
}

/// Reads ranges such as `0,2-5`; what is malformed is left out.
///
/// # Source
/// `pkg/controller/job/indexed_job_utils.go` (`parseIndexesFromString`)
fn index_ranges(text: &str) -> Vec<(u32, u32)> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    text.split(',').filter_map(range).collect()
}
