//! Which amounts of a pod can be changed while it runs.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`ValidatePodResize`)

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::field::{Error, Path};
use plimsoll_resource_math::Quantity;
use plimsoll_resource_math::resource_name::{CPU, MEMORY};

use super::init_container::is_sidecar;
use crate::mirror_pod::is_mirror_pod;

pub(super) const ONLY_CPU_AND_MEMORY: &str = "only cpu and memory resources are mutable";
pub(super) const ONLY_CPU_AND_MEMORY_OF_INIT: &str =
    "only cpu and memory resources for init or sidecar containers are mutable";
pub(super) const RESTARTS_INIT: &str =
    "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
pub(super) const STATIC_POD: &str = "static pods cannot be resized";
pub(super) const WINDOWS_POD: &str = "windows pods cannot be resized";

/// What a change to one amount of one container leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResizeRule {
    /// The path of the container, as in `spec.containers[0]`.
    pub path: String,
    /// The name of the container.
    pub container: String,
    /// The name of the resource.
    pub resource: String,
    /// Whether it can be changed.
    pub resizing: Resizing,
}

/// Whether an amount can be changed while the pod runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resizing {
    /// It can, and the container keeps running.
    InPlace,
    /// It can, and the container is restarted.
    Restart,
    /// The API server refuses with this message.
    Refused(String),
}

/// For each container and each of its resources, with cpu and memory whether it has them or not, what a change to the
/// amount leads to. A change that would change the pod's class or take an amount away is refused all the same.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidatePodResize`)
pub fn resize_rules(pod: &Pod) -> Vec<ResizeRule> {
    let mut rules = Vec::new();
    let Some(spec) = &pod.spec else {
        return rules;
    };
    let refused = whole_pod_refusal(pod).map(|error| error.to_string());
    let root = Path::root("spec");
    let lists = [
        ("initContainers", spec.init_containers.as_deref().unwrap_or_default(), true),
        ("containers", spec.containers.as_slice(), false),
    ];
    for (field, containers, is_init) in lists {
        let path = root.child(field);
        for (index, container) in containers.iter().enumerate() {
            let path = path.index(index);
            for resource in resource_names(container) {
                let resizing = match &refused {
                    Some(message) => Resizing::Refused(message.clone()),
                    None => resizing(container, resource, is_init, &root, &path),
                };
                rules.push(ResizeRule {
                    path: path.to_string(),
                    container: container.name.clone(),
                    resource: resource.to_owned(),
                    resizing,
                });
            }
        }
    }
    rules
}

/// What keeps a pod from being resized at all.
pub(super) fn whole_pod_refusal(pod: &Pod) -> Option<Error> {
    let is_windows =
        pod.spec.as_ref().and_then(|spec| spec.os.as_ref()).is_some_and(|os| os.name == "windows");
    let path = Path::root("");
    if is_mirror_pod(pod) {
        Some(Error::forbidden(&path, STATIC_POD))
    } else {
        is_windows.then(|| Error::forbidden(&path, WINDOWS_POD))
    }
}

fn resource_names(container: &Container) -> BTreeSet<&str> {
    let lists = container.resources.iter().flat_map(|resources| [&resources.requests, &resources.limits]);
    let named = lists.flatten().flat_map(BTreeMap::keys).map(String::as_str);
    named.chain([CPU, MEMORY]).collect()
}

fn resizing(
    container: &Container,
    resource: &str,
    is_init: bool,
    root: &Path<'_>,
    path: &Path<'_>,
) -> Resizing {
    let is_short_lived = is_init && !is_sidecar(container);
    let policies = container.resize_policy.as_deref().unwrap_or_default();
    let restarts = |name: &str| {
        policies
            .iter()
            .any(|policy| policy.restart_policy == "RestartContainer" && policy.resource_name == name)
    };
    let refuse = |path: &Path<'_>, detail| Resizing::Refused(Error::forbidden(path, detail).to_string());
    match resource {
        CPU | MEMORY if is_short_lived && (restarts(CPU) || restarts(MEMORY)) => refuse(path, RESTARTS_INIT),
        CPU | MEMORY if restarts(resource) => Resizing::Restart,
        CPU | MEMORY => Resizing::InPlace,
        _ if is_init => refuse(path, ONLY_CPU_AND_MEMORY_OF_INIT),
        _ => refuse(root, ONLY_CPU_AND_MEMORY),
    }
}

/// Whether a name that was there is no longer, or fewer are.
pub(super) fn is_removed(
    new: Option<&BTreeMap<String, ApiQuantity>>,
    old: Option<&BTreeMap<String, ApiQuantity>>,
) -> bool {
    old.into_iter().flat_map(BTreeMap::keys).any(|name| new.is_none_or(|new| !new.contains_key(name)))
}

/// Whether two sets of amounts agree in everything but cpu and memory.
pub(super) fn agree_beside_cpu_and_memory(
    new: Option<&ResourceRequirements>,
    old: Option<&ResourceRequirements>,
) -> bool {
    agree(new, old, |name| !matches!(name, CPU | MEMORY))
}

/// Whether two sets of amounts are the same.
pub(super) fn agree_in_all(new: Option<&ResourceRequirements>, old: Option<&ResourceRequirements>) -> bool {
    agree(new, old, |_| true)
}

fn agree(
    new: Option<&ResourceRequirements>,
    old: Option<&ResourceRequirements>,
    counts: fn(&str) -> bool,
) -> bool {
    let empty = ResourceRequirements::default();
    let (new, old) = (new.unwrap_or(&empty), old.unwrap_or(&empty));
    let lists_agree = |new: &Option<BTreeMap<String, ApiQuantity>>,
                       old: &Option<BTreeMap<String, ApiQuantity>>| {
        let new = new.iter().flatten().filter(|(name, _)| counts(name));
        let old = old.iter().flatten().filter(|(name, _)| counts(name));
        new.map(|(name, amount)| (name, Amount(amount))).eq(old.map(|(name, amount)| (name, Amount(amount))))
    };
    lists_agree(&new.requests, &old.requests)
        && lists_agree(&new.limits, &old.limits)
        && new.claims.iter().flatten().eq(old.claims.iter().flatten())
}

/// An amount that is compared by what it means, not by how it is written.
struct Amount<'a>(&'a ApiQuantity);

impl PartialEq for Amount<'_> {
    fn eq(&self, other: &Self) -> bool {
        if self.0 == other.0 {
            return true;
        }
        match (Quantity::parse(&self.0.0), Quantity::parse(&other.0.0)) {
            (Ok(one), Ok(other)) => one.cmp(&other).is_eq(),
            _ => false,
        }
    }
}
