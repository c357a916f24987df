//! Jobs.
//!
//! # Source
//! kubernetes `pkg/apis/batch/validation`

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_matching::label_selector::{Labels, Selector};

use super::label_selector::validate_label_selector;
use super::object_meta::{extend_invalid, name_is_dns_subdomain, validate_object_meta};
use super::pod::{PodValidationOptions, go_json, validate_pod_template_spec};
use super::{distinct, job_policies, named, text, validate_nonnegative, workload};

/// The label with the uid of the Job that a pod belongs to.
pub(crate) const CONTROLLER_UID: &str = "batch.kubernetes.io/controller-uid";
/// The label with the name of the Job that a pod belongs to.
pub(crate) const JOB_NAME: &str = "batch.kubernetes.io/job-name";
/// The uid label from before labels had domains.
pub(crate) const LEGACY_CONTROLLER_UID: &str = "controller-uid";
/// The name label from before labels had domains.
pub(crate) const LEGACY_JOB_NAME: &str = "job-name";

/// The completion mode in which each pod has a number.
pub(super) const INDEXED: &str = "Indexed";
const MAX_INDEXED: i32 = 100_000;
const MAX_WHEN_MANY_COMPLETIONS: i32 = 10_000;
const MAX_MANAGED_BY_LENGTH: usize = 63;

/// What is wrong with a Job that is being created, after its selector has been generated.
///
/// # Source
/// kubernetes `pkg/apis/batch/validation` (`ValidateJobCreate`)
pub fn validate_create(job: &Job) -> ErrorList {
    let mut errors =
        validate_object_meta(&job.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    let no_spec = JobSpec::default();
    let spec = job.spec.as_ref().unwrap_or(&no_spec);
    if spec.manual_selector != Some(true)
        && let Some(selector) = &spec.selector
    {
        validate_generated_selector(&mut errors, job, spec, selector);
    }
    let path = Path::root("spec");
    validate_spec(&mut errors, spec, &path);
    validate_selector(&mut errors, spec, &path);
    validate_host_names(&mut errors, job, spec);
    distinct(errors)
}

/// The labels that tell a Job's pods from those of others have to be as they are generated.
///
/// # Source
/// kubernetes `pkg/apis/batch/validation` (`validateGeneratedSelector`)
fn validate_generated_selector(errors: &mut ErrorList, job: &Job, spec: &JobSpec, selector: &LabelSelector) {
    let (name, uid) = (text(job.metadata.name.as_ref()), text(job.metadata.uid.as_ref()));
    if uid.is_empty() {
        errors.push(Error::required(&Path::root("metadata").child("uid"), ""));
    }
    let generated =
        [(LEGACY_CONTROLLER_UID, uid), (LEGACY_JOB_NAME, name), (CONTROLLER_UID, uid), (JOB_NAME, name)];
    let spec_path = Path::root("spec");
    let (template_path, labels) = (spec_path.child("template"), workload::labels_of(&spec.template));
    let meta_path = template_path.child("metadata");
    let labels_path = meta_path.child("labels");
    for (key, value) in generated {
        let detail = format!("must be '{value}'");
        match labels.and_then(|labels| labels.get(key)) {
            None => errors.push(Error::required(&labels_path.key(key), detail)),
            Some(found) if found != value => {
                errors.push(Error::invalid(&labels_path.key(key), workload::shown_labels(labels), detail));
            }
            Some(_) => {}
        }
    }
    let generated: Labels = generated.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    if Selector::from_label_selector(Some(selector)).is_ok_and(|selector| !selector.matches(&generated)) {
        let shown = go_json::label_selector(selector);
        errors.push(Error::invalid(&spec_path.child("selector"), shown, "`selector` not auto-generated"));
    }
}

/// # Source
/// kubernetes `pkg/apis/batch/validation` (`ValidateJobSpec`)
fn validate_selector(errors: &mut ErrorList, spec: &JobSpec, path: &Path<'_>) {
    let selector_path = path.child("selector");
    if spec.selector.is_none() {
        errors.push(Error::required(&selector_path, ""));
    }
    validate_label_selector(errors, spec.selector.as_ref(), false, &selector_path);
    if let Ok(selector) = Selector::from_label_selector(spec.selector.as_ref()) {
        workload::validate_matches(errors, &selector, &spec.template, &path.child("template"));
    }
}

/// The pods of an Indexed Job are hosts called after the Job and their number.
///
/// # Source
/// kubernetes `pkg/apis/batch/validation` (`validateNameAllowsCompletions`)
fn validate_host_names(errors: &mut ErrorList, job: &Job, spec: &JobSpec) {
    let Some(completions) = spec.completions.filter(|completions| *completions > 0) else {
        return;
    };
    if spec.completion_mode.as_deref() != Some(INDEXED) {
        return;
    }
    let name = text(job.metadata.name.as_ref());
    let host_name = format!("{name}-{}", completions - 1);
    if !names::dns_1123_label(&host_name).is_empty() {
        let detail = format!("will not able to create pod with invalid DNS label: {host_name}");
        errors.push(Error::invalid(&Path::root("metadata").child("name"), name, detail));
    }
}

/// What is wrong with the spec of a Job, apart from its selector.
///
/// # Source
/// kubernetes `pkg/apis/batch/validation` (`validateJobSpec`)
pub(super) fn validate_spec(errors: &mut ErrorList, spec: &JobSpec, path: &Path<'_>) {
    for (field, number) in [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index.map(i64::from)),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
    ] {
        validate_nonnegative(errors, number.unwrap_or(0), &path.child(field));
    }
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        let detail = "when maxFailedIndexes is specified";
        errors.push(Error::required(&path.child("backoffLimitPerIndex"), detail));
    }
    if let Some(managed_by) = &spec.managed_by {
        validate_managed_by(errors, managed_by, &path.child("managedBy"));
    }
    validate_completion_mode(errors, spec, path);
    if let Some(policy) = &spec.pod_failure_policy {
        job_policies::validate_pod_failure_policy(errors, spec, policy, &path.child("podFailurePolicy"));
    }
    if let Some(policy) = &spec.success_policy {
        job_policies::validate_success_policy(errors, spec, policy, &path.child("successPolicy"));
    }
    job_policies::validate_pod_replacement_policy(errors, spec, &path.child("podReplacementPolicy"));
    let path = path.child("template");
    validate_pod_template_spec(errors, &spec.template, &PodValidationOptions::default(), &path);
    validate_restart_policy(errors, spec, &path.child("spec"));
}

/// # Source
/// apimachinery `pkg/util/validation` (`IsDomainPrefixedPath`)
fn validate_managed_by(errors: &mut ErrorList, managed_by: &str, path: &Path<'_>) {
    match managed_by.split_once('/') {
        _ if managed_by.is_empty() => errors.push(Error::required(path, "")),
        Some((host, rest)) if !host.is_empty() && !rest.is_empty() => {
            extend_invalid(errors, path, host, names::dns_1123_subdomain(host));
            let is_path_byte = |b: u8| b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&b);
            if !rest.bytes().all(is_path_byte) {
                let format = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+";
                errors.push(Error::invalid(path, rest, names::format_error("Invalid path", format, &[])));
            }
        }
        _ => {
            let detail = "must be a domain-prefixed path (such as \"acme.io/foo\")";
            errors.push(Error::invalid(path, managed_by, detail));
        }
    }
    if managed_by.len() > MAX_MANAGED_BY_LENGTH {
        errors.push(Error::too_long(path, MAX_MANAGED_BY_LENGTH));
    }
}

fn validate_completion_mode(errors: &mut ErrorList, spec: &JobSpec, path: &Path<'_>) {
    let mode = spec.completion_mode.as_deref().unwrap_or("NonIndexed");
    match mode {
        INDEXED => validate_indexed(errors, spec, path),
        "NonIndexed" => {
            for (field, number) in [
                ("backoffLimitPerIndex", spec.backoff_limit_per_index),
                ("maxFailedIndexes", spec.max_failed_indexes),
            ] {
                if let Some(number) = number {
                    let detail = "requires indexed completion mode";
                    errors.push(Error::invalid(&path.child(field), number, detail));
                }
            }
        }
        other => {
            let path = path.child("completionMode");
            errors.push(Error::not_supported(&path, named(other), &["NonIndexed", INDEXED]));
        }
    }
}

fn validate_indexed(errors: &mut ErrorList, spec: &JobSpec, path: &Path<'_>) {
    let (parallelism_path, failed_path) = (path.child("parallelism"), path.child("maxFailedIndexes"));
    if spec.completions.is_none() {
        errors.push(Error::required(&path.child("completions"), "when completion mode is Indexed"));
    }
    if let Some(parallelism) = spec.parallelism.filter(|parallelism| *parallelism > MAX_INDEXED) {
        let detail = "must be less than or equal to 100000 when completion mode is Indexed";
        errors.push(Error::invalid(&parallelism_path, parallelism, detail));
    }
    let completions = spec.completions.unwrap_or(i32::MAX);
    if let Some(failed) = spec.max_failed_indexes.filter(|failed| *failed > completions) {
        errors.push(Error::invalid(&failed_path, failed, "must be less than or equal to completions"));
    }
    if let Some(failed) = spec.max_failed_indexes.filter(|failed| *failed > MAX_INDEXED) {
        errors.push(Error::invalid(&failed_path, failed, "must be less than or equal to 100000"));
    }
    let has_many = spec.completions.is_some_and(|completions| completions > MAX_INDEXED);
    if !has_many || spec.backoff_limit_per_index.is_none() {
        return;
    }
    if spec.max_failed_indexes.is_none() {
        let detail = "must be specified when completions is above 100000";
        errors.push(Error::required(&failed_path, detail));
    }
    for (path, number) in [(parallelism_path, spec.parallelism), (failed_path, spec.max_failed_indexes)] {
        if let Some(number) = number.filter(|number| *number > MAX_WHEN_MANY_COMPLETIONS) {
            let detail = "must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index";
            errors.push(Error::invalid(&path, number, detail));
        }
    }
}

/// # Source
/// kubernetes `pkg/apis/batch/validation` (`validateJobSpec`, at its end)
fn validate_restart_policy(errors: &mut ErrorList, spec: &JobSpec, path: &Path<'_>) {
    let path = path.child("restartPolicy");
    let pod = workload::spec_of(&spec.template);
    match text(pod.and_then(|pod| pod.restart_policy.as_ref())) {
        "" | "Always" => {
            errors.push(Error::required(&path, "valid values: \"OnFailure\", \"Never\""));
        }
        "OnFailure" if spec.pod_failure_policy.is_some() => {
            let detail = "only \"Never\" is supported when podFailurePolicy is specified";
            errors.push(Error::invalid(&path, named("OnFailure"), detail));
        }
        "OnFailure" | "Never" => {}
        other => errors.push(Error::not_supported(&path, named(other), &["OnFailure", "Never"])),
    }
}
