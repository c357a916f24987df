//! What is said of the scheduler's extenders, which nobody asks here: nothing goes over the network.

use plimsoll_scheduler::config::{Extender, KubeSchedulerConfiguration};

/// Which extenders are left out, and which resources are left to them even so.
pub(super) fn notes(configuration: &KubeSchedulerConfiguration) -> Vec<String> {
    let extenders = &configuration.extenders;
    if extenders.is_empty() {
        return Vec::new();
    }
    let named: Vec<String> = extenders.iter().map(in_words).collect();
    let mut notes = vec![format!(
        "the scheduler's extenders are not asked here, as if they had nothing to say: {}",
        named.join(", ")
    )];
    let managed = extenders.iter().flat_map(|extender| &extender.managed_resources);
    let ignored: Vec<&str> = managed
        .filter(|resource| resource.ignored_by_scheduler)
        .map(|resource| resource.name.as_str())
        .collect();
    if !ignored.is_empty() {
        notes.push(format!(
            "resources that the configuration leaves to extenders fit every node here: {}",
            ignored.join(", ")
        ));
    }
    notes
}

/// Where an extender is, and what it would be asked.
fn in_words(extender: &Extender) -> String {
    let verbs =
        [&extender.filter_verb, &extender.prioritize_verb, &extender.preempt_verb, &extender.bind_verb];
    let verbs: Vec<&str> = verbs.into_iter().map(String::as_str).filter(|verb| !verb.is_empty()).collect();
    format!("{} ({})", extender.url_prefix, verbs.join(", "))
}
