//! Label selectors, node affinity, taints and tolerations.

pub mod label_requirement;
pub mod label_selector;
