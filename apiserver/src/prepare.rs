//! What the API server changes in an object after admission has had its turn and before it validates it.

mod pod;
mod pod_fields;

pub use pod::pod_for_create;
