//! The labels that say where a node is.
//!
//! # Source
//! `k8s.io/api/core/v1/well_known_labels.go`

/// The label that tells nodes apart.
pub const HOSTNAME: &str = "kubernetes.io/hostname";
/// The label that says in which zone a node is.
pub const ZONE: &str = "topology.kubernetes.io/zone";
/// The label that says in which region a node is.
pub const REGION: &str = "topology.kubernetes.io/region";
/// What was [`ZONE`] before.
pub const BETA_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
/// What was [`REGION`] before.
pub const BETA_REGION: &str = "failure-domain.beta.kubernetes.io/region";
/// What stands between the zones in the label of a volume that is in several.
pub const ZONE_DELIMITER: &str = "__";
