//! Which amounts were filled in, and from where.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use plimsoll_webhook::limit_range;

use crate::report::Change;

/// What the API server itself fills in.
const API_DEFAULTING: &str = "API defaulting";

/// What LimitRanges filled in, but for the annotation that says so.
pub(super) fn of_limit_ranges(changes: Vec<limit_range::Change>) -> Vec<Change> {
    changes
        .into_iter()
        .filter(|change| change.target != limit_range::Target::Annotation)
        .map(|change| Change {
            path: change.target.path(),
            value: change.value,
            from: format!("LimitRange/{}", change.limit_range),
        })
        .collect()
}

/// The names of the amounts that a pod has at some point, to be compared with those that it has later.
pub(super) struct Amounts {
    lists: Vec<(String, Vec<String>)>,
}

impl Amounts {
    /// The names of all amounts of a pod.
    pub(super) fn of(pod: &Pod) -> Self {
        let mut lists = Vec::new();
        visit(pod, |path, list| lists.push((path, list.keys().cloned().collect())));
        Self { lists }
    }

    /// The amounts that a pod has and that were not there before.
    pub(super) fn added_to(&self, pod: &Pod) -> Vec<Change> {
        let mut changes = Vec::new();
        visit(pod, |path, list| {
            let before = self.lists.iter().find(|(known, _)| *known == path);
            for (name, amount) in list {
                if before.is_none_or(|(_, names)| !names.contains(name)) {
                    changes.push(Change {
                        path: format!("{path}[{name}]"),
                        value: amount.0.clone(),
                        from: API_DEFAULTING.to_owned(),
                    });
                }
            }
        });
        changes
    }
}

fn visit(pod: &Pod, mut see: impl FnMut(String, &BTreeMap<String, Quantity>)) {
    let Some(spec) = &pod.spec else { return };
    let mut see_resources = |path: String, resources: &ResourceRequirements| {
        for (field, list) in [("limits", &resources.limits), ("requests", &resources.requests)] {
            if let Some(list) = list.as_ref().filter(|list| !list.is_empty()) {
                see(format!("{path}.resources.{field}"), list);
            }
        }
    };
    let mut see_containers = |field: &str, containers: &[Container]| {
        for (index, container) in containers.iter().enumerate() {
            if let Some(resources) = &container.resources {
                see_resources(format!("spec.{field}[{index}]"), resources);
            }
        }
    };
    see_containers("initContainers", spec.init_containers.as_deref().unwrap_or_default());
    see_containers("containers", &spec.containers);
    if let Some(resources) = &spec.resources {
        see_resources("spec".to_owned(), resources);
    }
}
