//! Claims on persistent volumes.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, VolumeResourceRequirements};
use plimsoll_api::field::Path;
use plimsoll_resource_math::resource_name::STORAGE;

use super::amounts::fractional;

const STORAGE_CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

/// The warnings that a new claim calls for.
///
/// # Source
/// kubernetes `pkg/api/persistentvolumeclaim/util.go` (`GetWarningsForPersistentVolumeClaim`)
pub fn persistent_volume_claim(claim: &PersistentVolumeClaim) -> Vec<String> {
    let mut warnings = Vec::new();
    let annotations = claim.metadata.annotations.as_ref();
    if annotations.is_some_and(|annotations| annotations.contains_key(STORAGE_CLASS_ANNOTATION)) {
        let path = Path::root("metadata");
        let path = path.child("annotations");
        warnings.push(format!(
            "{}: deprecated since v1.8; use \"storageClassName\" attribute instead",
            path.key(STORAGE_CLASS_ANNOTATION)
        ));
    }
    let resources = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref());
    claim_amounts(&mut warnings, resources, &Path::root("spec"));
    warnings
}

/// The warnings that the amounts of a claim's spec call for.
///
/// # Source
/// kubernetes `pkg/api/persistentvolumeclaim/util.go` (`GetWarningsForPersistentVolumeClaimSpec`)
pub(super) fn claim_amounts(
    warnings: &mut Vec<String>,
    resources: Option<&VolumeResourceRequirements>,
    path: &Path<'_>,
) {
    let Some(resources) = resources else { return };
    let path = path.child("resources");
    fractional(warnings, resources.requests.as_ref(), STORAGE, &path.child("requests"));
    fractional(warnings, resources.limits.as_ref(), STORAGE, &path.child("limits"));
}
