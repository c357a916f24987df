//! What the API server fills into a PersistentVolumeClaim.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use plimsoll_resource_math::defaulting::round_resource_list;
use plimsoll_resource_math::resource_list::ParseResourceListError;

use super::fill;

/// Fills in that the volume holds a file system and that the claim waits for one, and rounds amounts to whole thousandths.
///
/// # Errors
/// The first amount that is no quantity.
///
/// # Source
/// kubernetes `pkg/apis/core/v1/defaults.go` (`SetDefaults_PersistentVolumeClaim`, `SetDefaults_PersistentVolumeClaimSpec`,
/// `SetDefaults_ResourceList`)
pub fn persistent_volume_claim(claim: &mut PersistentVolumeClaim) -> Result<(), ParseResourceListError> {
    let status = claim.status.get_or_insert_default();
    fill(&mut status.phase, "Pending");
    for list in [&mut status.capacity, &mut status.allocated_resources].into_iter().flatten() {
        round_resource_list(list)?;
    }
    let Some(spec) = &mut claim.spec else { return Ok(()) };
    spec.volume_mode.get_or_insert_with(|| "Filesystem".to_owned());
    let Some(resources) = &mut spec.resources else { return Ok(()) };
    for list in [&mut resources.limits, &mut resources.requests].into_iter().flatten() {
        round_resource_list(list)?;
    }
    Ok(())
}
