//! NodeDeclaredFeatures: a node takes a pod only if its kubelet says that it can do what the pod needs. Asked at PreFilter and
//! Filter.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/nodedeclaredfeatures/nodedeclaredfeatures.go`, k8s.io/component-helpers
//! `nodedeclaredfeatures`

mod queueing_hint;

use k8s_openapi::api::core::v1::{Container, PodSpec, VolumeMount};

use super::Registration;
use super::set_filter::SetFilter;
use crate::framework::{ExtensionPoint, FilterPlugin, Plugin, PreFilter};
use crate::pod_info::PodInfo;
use crate::snapshot::Snapshot;

/// The plugin's name.
pub const NAME: &str = "NodeDeclaredFeatures";
/// The node can't do all that the pod needs.
pub const REASON: &str = "node(s) didn't match Pod's required features";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreFilter, ExtensionPoint::Filter],
    weight: 1,
    summary: "A node takes a pod only if `status.declaredFeatures` has what the pod needs of the kubelet.",
    new: |_| Ok(new()),
};

/// A feature that a kubelet declares, and which pods need it.
struct DeclaredFeature {
    name: &'static str,
    is_needed_by: fn(&PodSpec) -> bool,
}

/// The features that decide where pods go; the others that kubelets declare are about changes of running pods and claims.
///
/// # Source
/// k8s.io/component-helpers `nodedeclaredfeatures/features` (`InferForScheduling`)
const FEATURES: [DeclaredFeature; 3] = [
    DeclaredFeature {
        name: "RestartAllContainersOnContainerExits",
        is_needed_by: may_restart_all_containers,
    },
    DeclaredFeature { name: "UserNamespacesHostNetworkSupport", is_needed_by: has_own_users_on_host_network },
    DeclaredFeature { name: "VolumeBindMountOptions", is_needed_by: mounts_with_options },
];

fn may_restart_all_containers(spec: &PodSpec) -> bool {
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    containers
        .flat_map(|container: &Container| container.restart_policy_rules.iter().flatten())
        .any(|rule| rule.action == "RestartAllContainers")
}

fn has_own_users_on_host_network(spec: &PodSpec) -> bool {
    spec.host_network == Some(true) && spec.host_users == Some(false)
}

fn mounts_with_options(spec: &PodSpec) -> bool {
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let ephemeral = spec.ephemeral_containers.iter().flatten();
    let mounts = containers
        .flat_map(|container| container.volume_mounts.iter().flatten())
        .chain(ephemeral.flat_map(|container| container.volume_mounts.iter().flatten()));
    let has_options =
        |mount: &VolumeMount| mount.bind_mount_options.as_ref().is_some_and(|options| !options.is_empty());
    mounts.into_iter().any(has_options)
}

/// The features that a pod needs.
fn needed(spec: &PodSpec) -> Vec<&'static str> {
    FEATURES.iter().filter(|feature| (feature.is_needed_by)(spec)).map(|feature| feature.name).collect()
}

/// The plugin.
pub fn new() -> Plugin {
    Plugin {
        filter: Some(Box::new(NodeDeclaredFeatures)),
        events: Some(queueing_hint::events()),
        ..Plugin::new(NAME)
    }
}

struct NodeDeclaredFeatures;

impl FilterPlugin for NodeDeclaredFeatures {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        let needed = needed(pod.spec());
        if needed.is_empty() {
            return PreFilter::Skip;
        }
        let has_all = |declared: &Vec<String>| {
            needed.iter().all(|needed| declared.iter().any(|feature| feature == needed))
        };
        PreFilter::run(SetFilter {
            plugin: NAME,
            reason: REASON,
            allowed: snapshot.declared_feature_sets().iter().map(has_all).collect(),
            set_of: snapshot.declared_feature_set_of_nodes(),
            // What the pod needs isn't part of its class.
            is_node_local: false,
        })
    }
}
