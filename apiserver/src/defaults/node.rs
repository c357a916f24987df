//! What the API server fills into a Node.

use k8s_openapi::api::core::v1::Node;

/// Fills in that all of the capacity is allocatable.
///
/// # Source
/// kubernetes `pkg/apis/core/v1/defaults.go` (`SetDefaults_NodeStatus`)
pub fn node(node: &mut Node) {
    if let Some(status) = &mut node.status
        && status.allocatable.is_none()
    {
        status.allocatable.clone_from(&status.capacity);
    }
}
