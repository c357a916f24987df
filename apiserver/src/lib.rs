//! What kube-apiserver does to an object around admission: defaulting, validation, in-tree plugins; offline only.
//!
//! Production components talk to a real API server and must never reach this crate. Everything here is pure.

pub mod admission;
mod app_armor;
mod containers;
pub mod defaults;
pub mod kinds;
pub mod mirror_pod;
pub mod prepare;
pub mod template_generation;
pub mod validation;
pub mod warnings;
