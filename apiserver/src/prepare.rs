//! What the API server changes in an object after admission has had its turn and before it validates it.

mod pod;
mod pod_fields;
mod pod_resize;

pub use pod::pod_for_create;
pub use pod_resize::pod_for_resize;
