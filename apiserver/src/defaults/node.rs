//! What the API server fills into a Node.

use k8s_openapi::api::core::v1::{Node, NodeSpec};
use plimsoll_resource_math::defaulting::round_resource_list;
use plimsoll_resource_math::resource_list::ParseResourceListError;

/// Fills in that all of the capacity is allocatable, rounds amounts to whole thousandths, and makes the two fields for
/// address ranges agree.
///
/// # Errors
/// The first amount that is no quantity.
///
/// # Source
/// kubernetes `pkg/apis/core/v1/defaults.go` (`SetDefaults_NodeStatus`, `SetDefaults_ResourceList`),
/// `pkg/apis/core/v1/conversion.go` (`Convert_v1_NodeSpec_To_core_NodeSpec`)
pub fn node(node: &mut Node) -> Result<(), ParseResourceListError> {
    if let Some(spec) = &mut node.spec {
        agree_on_ranges(spec);
    }
    let Some(status) = &mut node.status else { return Ok(()) };
    if status.allocatable.is_none() {
        status.allocatable.clone_from(&status.capacity);
    }
    for list in [&mut status.capacity, &mut status.allocatable].into_iter().flatten() {
        round_resource_list(list)?;
    }
    Ok(())
}

/// The field for one range counts if both are set and differ, as older clients know no other.
fn agree_on_ranges(spec: &mut NodeSpec) {
    let first = spec.pod_cidrs.as_ref().and_then(|ranges| ranges.first()).cloned();
    match spec.pod_cidr.clone().filter(|range| !range.is_empty()) {
        Some(range) if first.as_ref() != Some(&range) => spec.pod_cidrs = Some(vec![range]),
        Some(_) => {}
        None => spec.pod_cidr = first,
    }
}
