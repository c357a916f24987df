//! What the API server fills into a PersistentVolumeClaim.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

use super::fill;

/// Fills in that the volume holds a file system, and that the claim waits for one.
///
/// # Source
/// kubernetes `pkg/apis/core/v1/defaults.go` (`SetDefaults_PersistentVolumeClaim`, `SetDefaults_PersistentVolumeClaimSpec`)
pub fn persistent_volume_claim(claim: &mut PersistentVolumeClaim) {
    fill(&mut claim.status.get_or_insert_default().phase, "Pending");
    if let Some(spec) = &mut claim.spec {
        spec.volume_mode.get_or_insert_with(|| "Filesystem".to_owned());
    }
}
