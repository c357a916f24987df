//! The containers of a pod, of whatever kind, one after the other.

use k8s_openapi::api::core::v1::{Container, EphemeralContainer, PodSpec};
use plimsoll_api::field::Path;

/// Calls `visit` with each container and its path: init containers, containers, ephemeral containers.
///
/// # Source
/// kubernetes `pkg/apis/core/pods` (`VisitContainersWithPath`)
pub(crate) fn visit_with_path<'a>(
    spec: &'a PodSpec,
    path: &Path<'_>,
    mut visit: impl FnMut(&ContainerRef<'a>, &Path<'_>),
) {
    let init_containers = path.child("initContainers");
    for (index, container) in spec.init_containers.iter().flatten().enumerate() {
        visit(&ContainerRef::Plain(container), &init_containers.index(index));
    }
    let containers = path.child("containers");
    for (index, container) in spec.containers.iter().enumerate() {
        visit(&ContainerRef::Plain(container), &containers.index(index));
    }
    let ephemeral_containers = path.child("ephemeralContainers");
    for (index, container) in spec.ephemeral_containers.iter().flatten().enumerate() {
        visit(
            &ContainerRef::Ephemeral(Box::new(common(container.clone()))),
            &ephemeral_containers.index(index),
        );
    }
}

/// A container as all kinds share it.
pub(crate) enum ContainerRef<'a> {
    /// A container or init container.
    Plain(&'a Container),
    /// The common part of an ephemeral container. These are rare, and never part of a pod that is being created.
    Ephemeral(Box<Container>),
}

impl std::ops::Deref for ContainerRef<'_> {
    type Target = Container;

    fn deref(&self) -> &Container {
        match self {
            Self::Plain(container) => container,
            Self::Ephemeral(container) => container,
        }
    }
}

/// Calls `change` with each container: init containers, containers, ephemeral containers.
///
/// # Source
/// kubernetes `pkg/api/pod` (`VisitContainers`)
pub(crate) fn visit_mut(spec: &mut PodSpec, mut change: impl FnMut(&mut Container)) {
    spec.init_containers.iter_mut().flatten().for_each(&mut change);
    spec.containers.iter_mut().for_each(&mut change);
    for container in spec.ephemeral_containers.iter_mut().flatten() {
        let target = container.target_container_name.take();
        let mut common = common(std::mem::take(container));
        change(&mut common);
        *container = ephemeral(common, target);
    }
}

/// What an ephemeral container has in common with all others; only the name of its target is lost.
pub(crate) fn common(container: EphemeralContainer) -> Container {
    Container {
        args: container.args,
        command: container.command,
        env: container.env,
        env_from: container.env_from,
        image: container.image,
        image_pull_policy: container.image_pull_policy,
        lifecycle: container.lifecycle,
        liveness_probe: container.liveness_probe,
        name: container.name,
        ports: container.ports,
        readiness_probe: container.readiness_probe,
        resize_policy: container.resize_policy,
        resources: container.resources,
        restart_policy: container.restart_policy,
        restart_policy_rules: container.restart_policy_rules,
        security_context: container.security_context,
        startup_probe: container.startup_probe,
        stdin: container.stdin,
        stdin_once: container.stdin_once,
        termination_message_path: container.termination_message_path,
        termination_message_policy: container.termination_message_policy,
        tty: container.tty,
        volume_devices: container.volume_devices,
        volume_mounts: container.volume_mounts,
        working_dir: container.working_dir,
    }
}

fn ephemeral(container: Container, target_container_name: Option<String>) -> EphemeralContainer {
    EphemeralContainer {
        args: container.args,
        command: container.command,
        env: container.env,
        env_from: container.env_from,
        image: container.image,
        image_pull_policy: container.image_pull_policy,
        lifecycle: container.lifecycle,
        liveness_probe: container.liveness_probe,
        name: container.name,
        ports: container.ports,
        readiness_probe: container.readiness_probe,
        resize_policy: container.resize_policy,
        resources: container.resources,
        restart_policy: container.restart_policy,
        restart_policy_rules: container.restart_policy_rules,
        security_context: container.security_context,
        startup_probe: container.startup_probe,
        stdin: container.stdin,
        stdin_once: container.stdin_once,
        target_container_name,
        termination_message_path: container.termination_message_path,
        termination_message_policy: container.termination_message_policy,
        tty: container.tty,
        volume_devices: container.volume_devices,
        volume_mounts: container.volume_mounts,
        working_dir: container.working_dir,
    }
}
