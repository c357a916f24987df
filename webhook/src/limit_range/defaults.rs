//! What a pod that leaves amounts out gets from the LimitRanges of its namespace.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::field::Path;

use super::limits::{ContainerDefaults, LimitRanges, Limits};
use super::remedy::Field;

/// The annotation that tells what was filled in.
pub const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// Where something was filled in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// An amount of a container.
    Amount {
        /// Whether it is one of `initContainers`.
        init: bool,
        /// Which one, from 0.
        index: usize,
        /// In which list.
        field: Field,
        /// The resource.
        resource: String,
    },
    /// The annotation [`ANNOTATION`].
    Annotation,
}

impl Target {
    /// The path of the field, as in `spec.containers[0].resources.limits[cpu]`.
    pub fn path(&self) -> String {
        match self {
            Self::Amount { init, index, field, resource } => {
                let spec = Path::root("spec");
                let list = spec.child(containers(*init));
                let container = list.index(*index);
                let resources = container.child("resources");
                resources.child(field.as_str()).key(resource).to_string()
            }
            Self::Annotation => {
                let metadata = Path::root("metadata");
                metadata.child("annotations").key(ANNOTATION).to_string()
            }
        }
    }
}

/// The field that lists a pod's containers, or its init containers.
pub(super) fn containers(init: bool) -> &'static str {
    if init { "initContainers" } else { "containers" }
}

/// One thing filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub target: Target,
    /// What stands there now.
    pub value: String,
    /// The name of the LimitRange that it comes from.
    pub limit_range: String,
}

/// Gives every container and init container the requests and limits that it leaves out and some LimitRange has a
/// default for; the first LimitRange in order of name wins. Amounts that are given, be they zero, stay.
///
/// The annotation tells what the last LimitRange that set something has set, as upstream's does. Filling in twice is
/// the same as once.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`PodMutateLimitFunc`)
pub fn default_pod(pod: &mut Pod, limit_ranges: &LimitRanges) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut annotation = None;
    for limits in limit_ranges {
        let clauses = default_containers(pod, limits, &mut changes);
        if !clauses.is_empty() {
            let value = format!("LimitRanger plugin set: {}", clauses.join("; "));
            annotation = Some(Change { target: Target::Annotation, value, limit_range: limits.name.clone() });
        }
    }
    if let Some(annotation) = annotation {
        let annotations = pod.metadata.annotations.get_or_insert_default();
        annotations.insert(ANNOTATION.to_owned(), annotation.value.clone());
        changes.push(annotation);
    }
    changes
}

/// Fills in all containers from one LimitRange, and returns what the annotation says about it.
fn default_containers(pod: &mut Pod, limits: &Limits, changes: &mut Vec<Change>) -> Vec<String> {
    let mut clauses = Vec::new();
    let Some(spec) = &mut pod.spec else { return clauses };
    for (index, container) in spec.containers.iter_mut().enumerate() {
        default_container(container, limits, (false, index), changes, &mut clauses);
    }
    for (index, container) in spec.init_containers.iter_mut().flatten().enumerate() {
        default_container(container, limits, (true, index), changes, &mut clauses);
    }
    clauses
}

fn default_container(
    container: &mut Container,
    limits: &Limits,
    (init, index): (bool, usize),
    changes: &mut Vec<Change>,
    clauses: &mut Vec<String>,
) {
    let ContainerDefaults { requests, limits: upper } = &limits.container_defaults;
    for (field, defaults) in [(Field::Requests, requests), (Field::Limits, upper)] {
        let missing = missing(container, field, defaults);
        if missing.is_empty() {
            continue;
        }
        let resources = container.resources.get_or_insert_default();
        let list = match field {
            Field::Requests => resources.requests.get_or_insert_default(),
            Field::Limits => resources.limits.get_or_insert_default(),
        };
        for (resource, amount) in &missing {
            list.insert((*resource).clone(), (*amount).clone());
            changes.push(Change {
                target: Target::Amount { init, index, field, resource: (*resource).clone() },
                value: amount.0.clone(),
                limit_range: limits.name.clone(),
            });
        }
        clauses.push(clause(&missing, field, init, &container.name));
    }
}

type Defaults<'a> = Vec<(&'a String, &'a ApiQuantity)>;

fn missing<'a>(
    container: &Container,
    field: Field,
    defaults: &'a BTreeMap<String, ApiQuantity>,
) -> Defaults<'a> {
    let given = container.resources.as_ref().and_then(|resources| match field {
        Field::Requests => resources.requests.as_ref(),
        Field::Limits => resources.limits.as_ref(),
    });
    defaults.iter().filter(|(name, _)| given.is_none_or(|list| !list.contains_key(*name))).collect()
}

fn clause(set: &Defaults<'_>, field: Field, init: bool, container: &str) -> String {
    let names: Vec<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
    let field = match field {
        Field::Requests => "request",
        Field::Limits => "limit",
    };
    let kind = if init { "init container" } else { "container" };
    format!("{} {field} for {kind} {container}", names.join(", "))
}

#[cfg(test)]
mod tests;
