//! The DaemonSet controller and the ResourceQuota status controller.

pub mod daemon_set;
pub mod owner;
pub mod pod_from_template;
pub mod template_hash;
