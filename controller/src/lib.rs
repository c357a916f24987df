//! The DaemonSet controller and the ResourceQuota status controller.

pub mod daemon_set;
pub mod expectations;
pub mod int_or_percent;
pub mod object_key;
pub mod own_writes;
pub mod owner;
pub mod pod_from_template;
#[cfg(feature = "server")]
pub mod server;
mod slim_metadata;
pub mod template_hash;
pub mod work_queue;
