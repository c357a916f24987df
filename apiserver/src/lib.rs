//! What kube-apiserver does to an object around admission: defaulting, validation, in-tree plugins; offline only.

pub mod admission;
pub mod mirror_pod;
