//! The selector that the API server generates for a Job.

use k8s_openapi::api::batch::v1::JobSpec;

use crate::validation::job::{CONTROLLER_UID, JOB_NAME, LEGACY_CONTROLLER_UID, LEGACY_JOB_NAME};

/// Labels the pods of a Job with its name and uid, and selects them by the uid. Labels that stand there already are
/// kept; if they are wrong, validation says so.
///
/// # Source
/// kubernetes `pkg/registry/batch/job/strategy.go` (`generateSelector`)
pub(super) fn generate_selector(spec: &mut JobSpec, name: &str, uid: &str) {
    let metadata = spec.template.metadata.get_or_insert_default();
    let labels = metadata.labels.get_or_insert_default();
    for (key, value) in
        [(LEGACY_JOB_NAME, name), (JOB_NAME, name), (LEGACY_CONTROLLER_UID, uid), (CONTROLLER_UID, uid)]
    {
        labels.entry(key.to_owned()).or_insert_with(|| value.to_owned());
    }
    let selector = spec.selector.get_or_insert_default();
    let labels = selector.match_labels.get_or_insert_default();
    labels.entry(CONTROLLER_UID.to_owned()).or_insert_with(|| uid.to_owned());
}
