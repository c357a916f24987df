//! Pods, pods in templates, and changes to pods.
//!
//! Fields are reported in upstream's order; where that is random, in order of key.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation/validation.go`

mod affinity;
mod annotations;
mod container;
mod create;
mod env;
mod ephemeral_container;
mod field_selector;
pub(crate) mod go_json;
mod host;
mod init_container;
mod network;
mod options;
mod paths;
mod ports;
mod probe;
mod projected_volume;
mod resize;
mod resource_change;
mod resources;
mod restart_policy;
mod scheduling;
mod seccomp;
mod security_context;
mod signer_name;
mod spec;
mod template;
mod toleration;
mod topology_spread;
mod volume;
mod volume_mount;
mod volume_source;
mod windows;

pub(crate) use annotations::validate_pod_annotations;

pub use affinity::{validate_node_selector, validate_node_selector_term};
pub use create::validate_pod_create;
pub use options::PodValidationOptions;
pub use resize::validate_pod_resize;
pub use resource_change::{ResizeRule, Resizing, resize_rules};
pub use resources::validate_container_resources;
pub(crate) use seccomp::{
    CONTAINER_ANNOTATION_PREFIX as SECCOMP_CONTAINER_ANNOTATION_PREFIX,
    POD_ANNOTATION as SECCOMP_POD_ANNOTATION,
};
pub use spec::validate_pod_spec;
pub use template::validate_pod_template_spec;
pub use toleration::validate_tolerations;

#[cfg(test)]
mod tests;
