//! What the API server warns of although it stores the object.

mod paths;
mod pod;
mod ports;

pub use pod::{pod, pod_template};
