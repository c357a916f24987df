//! What the API server changes in an object after admission has had its turn and before it validates it.

mod core;
mod job;
mod pod;
mod pod_fields;
mod pod_resize;
mod workload;

pub use core::{
    namespace_for_create, node_for_create, persistent_volume_claim_for_create, service_for_create,
};
pub use pod::pod_for_create;
pub use pod_resize::pod_for_resize;
pub use workload::{
    cron_job_for_create, daemon_set_for_create, deployment_for_create, job_for_create,
    replica_set_for_create, replication_controller_for_create, stateful_set_for_create,
};
