//! The selector and the labels that the API server gives a Job, so that its pods match no other Job.

use k8s_openapi::api::batch::v1::Job;

/// The labels that hold the name of the Job.
const JOB_NAME_LABELS: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];
/// The labels that hold the uid of the Job.
const CONTROLLER_UID_LABELS: [&str; 2] = ["controller-uid", CONTROLLER_UID_LABEL];
const CONTROLLER_UID_LABEL: &str = "batch.kubernetes.io/controller-uid";

/// Gives a Job with this uid its selector, and its template the labels that go with it, unless the Job selects by hand.
/// What stands there already stays.
///
/// # Source
/// `pkg/registry/batch/job/strategy.go` (`generateSelectorIfNeeded`)
pub fn generate_selector(job: &mut Job, uid: &str) {
    let name = job.metadata.name.clone().unwrap_or_default();
    let Some(spec) = job.spec.as_mut().filter(|spec| spec.manual_selector != Some(true)) else {
        return;
    };
    let labels = spec.template.metadata.get_or_insert_default().labels.get_or_insert_default();
    for label in JOB_NAME_LABELS {
        labels.entry(label.to_owned()).or_insert_with(|| name.clone());
    }
    for label in CONTROLLER_UID_LABELS {
        labels.entry(label.to_owned()).or_insert_with(|| uid.to_owned());
    }
    let selected = spec.selector.get_or_insert_default().match_labels.get_or_insert_default();
    selected.entry(CONTROLLER_UID_LABEL.to_owned()).or_insert_with(|| uid.to_owned());
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
        generate_selector(&mut job, "u1");
        let spec = job.spec.unwrap();
        assert_eq!(json!(spec.template.metadata.and_then(|metadata| metadata.labels)), labels);
        assert_eq!(json!(spec.selector), selector);
    }

    #[test]
    fn labels_are_generated_unless_selected_by_hand() {
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
        check("{manualSelector: true, template: {}}", json!(null), json!(null));
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
