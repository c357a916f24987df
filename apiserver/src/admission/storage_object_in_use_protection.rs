//! StorageObjectInUseProtection: a claim is not removed while a pod uses it.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

const PVC_PROTECTION_FINALIZER: &str = "kubernetes.io/pvc-protection";

/// Adds the finalizer that keeps a claim in use from vanishing.
///
/// # Source
/// kubernetes `plugin/pkg/admission/storage/storageobjectinuseprotection` (`storageProtectionPlugin.admitPVC`)
pub fn admit(claim: &mut PersistentVolumeClaim) {
    let finalizers = claim.metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|finalizer| finalizer == PVC_PROTECTION_FINALIZER) {
        finalizers.push(PVC_PROTECTION_FINALIZER.to_owned());
    }
}
