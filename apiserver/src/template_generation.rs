//! The generation of a DaemonSet's template, which apps/v1 knows only as an annotation.

use k8s_openapi::api::apps::v1::DaemonSet;

const TEMPLATE_GENERATION_ANNOTATION: &str = "deprecated.daemonset.template.generation";

/// Shows the generation of the template of a DaemonSet that is created: the one given if it is positive, else the first.
/// The controller labels its pods with it.
///
/// # Source
/// `pkg/apis/apps/v1/conversion.go` (`Convert_apps_DaemonSet_To_v1_DaemonSet`),
/// `pkg/registry/apps/daemonset/strategy.go` (`PrepareForCreate`)
pub fn show_template_generation(daemon_set: &mut DaemonSet) {
    let annotations = daemon_set.metadata.annotations.get_or_insert_default();
    let given = annotations.get(TEMPLATE_GENERATION_ANNOTATION).and_then(|given| given.parse::<i64>().ok());
    let shown = given.unwrap_or(0).max(1).to_string();
    annotations.insert(TEMPLATE_GENERATION_ANNOTATION.to_owned(), shown);
}

#[cfg(test)]
mod tests {
    use plimsoll_fixtures::object;

    use super::{TEMPLATE_GENERATION_ANNOTATION, show_template_generation};

    #[track_caller]
    fn check(annotations: &str, shown: &str) {
        let yaml =
            format!("metadata: {{annotations: {annotations}}}\nspec: {{selector: {{}}, template: {{}}}}");
        let mut daemon_set = object(&yaml);
        show_template_generation(&mut daemon_set);
        assert_eq!(daemon_set.metadata.annotations.unwrap()[TEMPLATE_GENERATION_ANNOTATION], shown);
    }

    #[test]
    fn the_first_generation_is_1() {
        check("null", "1");
        check("{deprecated.daemonset.template.generation: '0'}", "1");
        check("{deprecated.daemonset.template.generation: '7'}", "7");
    }
}
