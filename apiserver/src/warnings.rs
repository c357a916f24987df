//! What the API server warns of although it stores the object.

mod amounts;
mod node;
mod node_labels;
mod paths;
mod persistent_volume_claim;
mod pod;
mod ports;
mod service;
mod workload;

pub use node::{node, runtime_class, storage_class};
pub use persistent_volume_claim::persistent_volume_claim;
pub use pod::{pod, pod_template};
pub use service::service;
pub use workload::{
    cron_job, daemon_set, deployment, job, replica_set, replication_controller, stateful_set,
};
