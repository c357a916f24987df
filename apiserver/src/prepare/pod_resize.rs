//! Pods that are being resized.
//!
//! # Source
//! kubernetes `pkg/registry/core/pod/strategy.go` (`podResizeStrategy`)

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use plimsoll_resource_math::defaulting::default_pod_level_resources;
use plimsoll_resource_math::pod_resources::ParsePodResourcesError;

/// Takes back all changes to a pod other than those a resize may make, and fills in the amounts of the pod as a whole.
/// If containers were added, removed or renamed, the change stays as it is for validation to refuse.
///
/// # Errors
/// The first amount that is no quantity; the pod may then be changed in part.
///
/// # Source
/// kubernetes `pkg/registry/core/pod/strategy.go` (`podResizeStrategy.PrepareForUpdate`)
pub fn pod_for_resize(new: &mut Pod, old: &Pod) -> Result<(), ParsePodResourcesError> {
    let old_spec = old.spec.clone().unwrap_or_default();
    keep_only_resize(new, old, &old_spec);
    let spec = new.spec.get_or_insert_default();
    if spec.resources.is_none() {
        spec.resources.clone_from(&old_spec.resources);
    }
    if spec.resources.is_some() {
        default_pod_level_resources(spec)?;
    }
    if *spec != old_spec {
        new.metadata.generation = Some(new.metadata.generation.unwrap_or(0) + 1);
    }
    Ok(())
}

fn keep_only_resize(new: &mut Pod, old: &Pod, old_spec: &PodSpec) {
    let spec = new.spec.get_or_insert_default();
    let count = |spec: &PodSpec| (spec.containers.len(), spec.init_containers.as_ref().map_or(0, Vec::len));
    if count(spec) != count(old_spec) {
        return;
    }
    let mut kept = old_spec.clone();
    kept.resources = spec.resources.take();
    kept.containers = merged(std::mem::take(&mut spec.containers), &old_spec.containers);
    kept.init_containers = spec
        .init_containers
        .take()
        .map(|containers| merged(containers, old_spec.init_containers.as_deref().unwrap_or_default()));
    *spec = kept;
    new.status.clone_from(&old.status);
    new.metadata.deletion_timestamp.clone_from(&old.metadata.deletion_timestamp);
    new.metadata.generation = old.metadata.generation;
    new.metadata.labels.clone_from(&old.metadata.labels);
    new.metadata.annotations.clone_from(&old.metadata.annotations);
    new.metadata.finalizers.clone_from(&old.metadata.finalizers);
    new.metadata.owner_references.clone_from(&old.metadata.owner_references);
}

/// The old containers with the new amounts; the new ones if the names do not match.
fn merged(new: Vec<Container>, old: &[Container]) -> Vec<Container> {
    if new.iter().zip(old).any(|(new, old)| new.name != old.name) {
        return new;
    }
    let pairs = new.into_iter().zip(old);
    pairs
        .map(|(new, old)| Container {
            resources: new.resources,
            resize_policy: new.resize_policy,
            ..old.clone()
        })
        .collect()
}
