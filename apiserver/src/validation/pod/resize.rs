//! Pods that are being resized.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`ValidatePodResize`)

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_resource_math::PodResources;
use plimsoll_resource_math::qos::stored_class;

use super::create::validate_metadata_and_spec;
use super::init_container::is_sidecar;
use super::options::PodValidationOptions;
use super::resource_change::{
    ONLY_CPU_AND_MEMORY, ONLY_CPU_AND_MEMORY_OF_INIT, RESTARTS_INIT, agree_beside_cpu_and_memory,
    agree_in_all, is_removed, whole_pod_refusal,
};
use crate::validation::object_meta::validate_object_meta_update;
use crate::validation::{distinct, named};

/// What is wrong with a change that comes in through the `resize` subresource, after
/// [`crate::prepare::pod_for_resize`]. The old pod is taken to have been valid.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidatePodResize`)
pub fn validate_pod_resize(new: &Pod, old: &Pod) -> ErrorList {
    if let Some(refusal) = whole_pod_refusal(old) {
        return vec![refusal];
    }
    let no_spec = PodSpec::default();
    let (spec, old_spec) = (new.spec.as_ref().unwrap_or(&no_spec), old.spec.as_ref().unwrap_or(&no_spec));
    let path = Path::root("spec");
    let mut errors = validate_object_meta_update(&new.metadata, &old.metadata, &Path::root("metadata"));
    let options = PodValidationOptions {
        allow_existing_restart_container_for_non_sidecar_init_container: old_spec
            .init_containers
            .iter()
            .flatten()
            .any(|container| !is_sidecar(container) && restarts_on_resize(container)),
        ..PodValidationOptions::for_pod()
    };
    validate_metadata_and_spec(&mut errors, new, spec, &options);
    validate_class(&mut errors, new, old, &path);
    if !is_supported(old) {
        errors.push(Error::forbidden(&path, "Pod running on node without support for resize"));
    }
    let is_pod_level = validate_pod_level(&mut errors, spec, old_spec, &path);
    let before = errors.len();
    validate_order(&mut errors, spec, old_spec, &path);
    if errors.len() > before {
        return distinct(errors);
    }
    validate_removal(&mut errors, spec, old_spec, &path);
    validate_changes(&mut errors, spec, old_spec, &path);
    if !lists_equal(spec.volumes.as_deref(), old_spec.volumes.as_deref()) {
        let detail = "volumes are immutable on resize when InPlacePodVerticalScalingMemoryBackedVolumes feature gate is disabled";
        errors.push(Error::forbidden(&path.child("volumes"), detail));
    }
    if errors.is_empty() && !is_rest_equal(spec, old_spec, is_pod_level) {
        errors.push(Error::forbidden(&path, ONLY_CPU_AND_MEMORY));
    }
    distinct(errors)
}

fn restarts_on_resize(container: &Container) -> bool {
    container.resize_policy.iter().flatten().any(|policy| policy.restart_policy == "RestartContainer")
}

fn lists_equal<T: PartialEq>(new: Option<&[T]>, old: Option<&[T]>) -> bool {
    new.unwrap_or_default() == old.unwrap_or_default()
}

fn validate_class(errors: &mut ErrorList, new: &Pod, old: &Pod, path: &Path<'_>) {
    let (Ok(amounts), Ok(old_amounts)) = (PodResources::parse(new), PodResources::parse(old)) else {
        return;
    };
    if stored_class(old, &old_amounts) != amounts.qos_class().as_str() {
        let class = new.status.as_ref().and_then(|status| status.qos_class.as_deref()).unwrap_or_default();
        errors.push(Error::invalid(
            path,
            named(class),
            "Pod QOS Class may not change as a result of resizing",
        ));
    }
}

/// A node that reports the amounts of a running container can change them.
fn is_supported(pod: &Pod) -> bool {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let mut running = statuses
        .filter(|status| status.state.as_ref().is_some_and(|state| state.running.is_some()))
        .map(|status| status.resources.is_some());
    running.next().unwrap_or(true)
}

/// What is wrong with the amounts of the pod as a whole; whether it has any.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePodLevelResourcesResize`)
fn validate_pod_level(errors: &mut ErrorList, new: &PodSpec, old: &PodSpec, path: &Path<'_>) -> bool {
    let is_set = |spec: &PodSpec| {
        spec.resources.as_ref().is_some_and(|resources| {
            [&resources.requests, &resources.limits].into_iter().flatten().any(|list| !list.is_empty())
        })
    };
    if !is_set(new) && !is_set(old) {
        return false;
    }
    let resources_path = path.child("resources");
    match (&new.resources, &old.resources) {
        (None, Some(_)) => {
            errors.push(Error::forbidden(&resources_path, "pod-level resources cannot be removed"));
            return true;
        }
        (Some(new), Some(old)) => {
            if is_removed(new.requests.as_ref(), old.requests.as_ref()) {
                let detail = "pod-level resource requests cannot be removed";
                errors.push(Error::forbidden(&resources_path.child("requests"), detail));
            }
            if is_removed(new.limits.as_ref(), old.limits.as_ref()) {
                let detail = "pod-level resource limits cannot be removed";
                errors.push(Error::forbidden(&resources_path.child("limits"), detail));
            }
        }
        _ => {}
    }
    if !agree_beside_cpu_and_memory(new.resources.as_ref(), old.resources.as_ref()) {
        errors.push(Error::forbidden(path, "only cpu and memory resources are mutable at pod-level"));
    }
    true
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePodResizeContainerOrdering`)
fn validate_order(errors: &mut ErrorList, new: &PodSpec, old: &PodSpec, path: &Path<'_>) {
    let init = |spec: &PodSpec| spec.init_containers.clone().unwrap_or_default();
    for (field, new, old) in [
        ("containers", new.containers.as_slice(), old.containers.as_slice()),
        ("initContainers", &init(new), &init(old)),
    ] {
        let path = path.child(field);
        if new.len() != old.len() {
            errors.push(Error::forbidden(&path, format!("{field} may not be added or removed on resize")));
            continue;
        }
        for (index, (new, old)) in new.iter().zip(old).enumerate() {
            if new.name != old.name {
                let detail = format!("{field} may not be renamed or reordered on resize");
                errors.push(Error::forbidden(&path.index(index).child("name"), detail));
            }
        }
    }
}

/// Containers beside the ones they replace.
fn pairs<'a>(
    new: Option<&'a [Container]>,
    old: Option<&'a [Container]>,
) -> impl Iterator<Item = (usize, &'a Container, &'a Container)> {
    let pairs = new.unwrap_or_default().iter().zip(old.unwrap_or_default());
    pairs.enumerate().map(|(index, (new, old))| (index, new, old))
}

fn validate_removal(errors: &mut ErrorList, new: &PodSpec, old: &PodSpec, path: &Path<'_>) {
    for (field, new, old) in [
        ("initContainers", new.init_containers.as_deref(), old.init_containers.as_deref()),
        ("containers", Some(new.containers.as_slice()), Some(old.containers.as_slice())),
    ] {
        let path = path.child(field);
        for (index, new, old) in pairs(new, old) {
            let (new, old) = (new.resources.as_ref(), old.resources.as_ref());
            let item = path.index(index);
            let path = item.child("resources");
            let requests =
                (new.and_then(|new| new.requests.as_ref()), old.and_then(|old| old.requests.as_ref()));
            if is_removed(requests.0, requests.1) {
                errors.push(Error::forbidden(&path.child("requests"), "resource requests cannot be removed"));
            }
            let limits = (new.and_then(|new| new.limits.as_ref()), old.and_then(|old| old.limits.as_ref()));
            if is_removed(limits.0, limits.1) {
                errors.push(Error::forbidden(&path.child("limits"), "resource limits cannot be removed"));
            }
        }
    }
}

fn validate_changes(errors: &mut ErrorList, new: &PodSpec, old: &PodSpec, path: &Path<'_>) {
    for (_, new, old) in pairs(Some(&new.containers), Some(&old.containers)) {
        if !agree_beside_cpu_and_memory(new.resources.as_ref(), old.resources.as_ref())
            || !is_beside_equal(new, old)
        {
            errors.push(Error::forbidden(path, ONLY_CPU_AND_MEMORY));
        }
    }
    let path = path.child("initContainers");
    for (index, new, old) in pairs(new.init_containers.as_deref(), old.init_containers.as_deref()) {
        let path = path.index(index);
        let beside_equal = is_beside_equal(new, old);
        if !agree_beside_cpu_and_memory(new.resources.as_ref(), old.resources.as_ref()) || !beside_equal {
            errors.push(Error::forbidden(&path, ONLY_CPU_AND_MEMORY_OF_INIT));
        }
        let is_changed = !beside_equal || !agree_in_all(new.resources.as_ref(), old.resources.as_ref());
        if is_changed && !is_sidecar(new) {
            let restarts = new.resize_policy.iter().flatten();
            for _ in restarts.filter(|policy| policy.restart_policy == "RestartContainer") {
                errors.push(Error::forbidden(&path, RESTARTS_INIT));
            }
        }
    }
}

/// Whether two containers agree in everything but their amounts.
fn is_beside_equal(new: &Container, old: &Container) -> bool {
    let stripped =
        |container: &Container| Container { resources: None, resize_policy: None, ..container.clone() };
    lists_equal(new.resize_policy.as_deref(), old.resize_policy.as_deref()) && stripped(new) == stripped(old)
}

/// Whether two specs agree in everything but their containers, their volumes and, if that was looked at, the amounts of
/// the pod as a whole.
fn is_rest_equal(new: &PodSpec, old: &PodSpec, is_pod_level: bool) -> bool {
    let stripped = |spec: &PodSpec| PodSpec {
        containers: Vec::new(),
        init_containers: None,
        volumes: None,
        resources: None,
        ..spec.clone()
    };
    let amounts_agree = is_pod_level
        || new.resources.is_some() == old.resources.is_some()
            && agree_in_all(new.resources.as_ref(), old.resources.as_ref());
    amounts_agree && stripped(new) == stripped(old)
}
