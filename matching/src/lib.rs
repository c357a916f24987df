//! Label selectors, node affinity, taints and tolerations.

pub mod label_requirement;
pub mod label_selector;
pub mod node_affinity;
pub mod node_selector;
pub mod taints;
