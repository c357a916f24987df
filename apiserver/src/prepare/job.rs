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

#[cfg(test)]
mod tests {
    use k8s_openapi::api::batch::v1::Job;
    use plimsoll_fixtures::object;
    use serde_json::json;

    use super::generate_selector;

    #[track_caller]
    fn check(spec: &str, labels: serde_json::Value, selector: serde_json::Value) {
        let mut job: Job = object(&format!("metadata: {{name: import}}\nspec: {spec}"));
        let mut spec = job.spec.take().unwrap();
        generate_selector(&mut spec, "import", "u1");
        assert_eq!(json!(spec.template.metadata.and_then(|metadata| metadata.labels)), labels);
        assert_eq!(json!(spec.selector), selector);
    }

    #[test]
    fn labels_are_generated() {
        let generated = json!({
            "job-name": "import",
            "batch.kubernetes.io/job-name": "import",
            "controller-uid": "u1",
            "batch.kubernetes.io/controller-uid": "u1",
        });
        check(
            "{template: {}}",
            generated,
            json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}}),
        );
    }

    #[test]
    fn what_is_set_already_stays() {
        check(
            "{selector: {matchLabels: {batch.kubernetes.io/controller-uid: u0}},
              template: {metadata: {labels: {job-name: other, controller-uid: u0}}}}",
            json!({
                "job-name": "other",
                "batch.kubernetes.io/job-name": "import",
                "controller-uid": "u0",
                "batch.kubernetes.io/controller-uid": "u1",
            }),
            json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "u0"}}),
        );
    }
}
