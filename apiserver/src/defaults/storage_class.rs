//! What the API server fills into a StorageClass.

use k8s_openapi::api::storage::v1::StorageClass;

/// Fills in that volumes go with their claim, and that a claim is bound at once.
///
/// # Source
/// kubernetes `pkg/apis/storage/v1/defaults.go` (`SetDefaults_StorageClass`)
pub fn storage_class(class: &mut StorageClass) {
    class.reclaim_policy.get_or_insert_with(|| "Delete".to_owned());
    class.volume_binding_mode.get_or_insert_with(|| "Immediate".to_owned());
}
