//! The volumes of a pod.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`ValidateVolumes`)

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Volume;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use super::options::PodValidationOptions;
use super::volume_source::validate_volume_source;
use crate::validation::object_meta::extend_invalid;
use crate::validation::text;

/// The volumes that nothing is wrong with, by name.
pub(super) type Volumes<'a> = BTreeMap<&'a str, &'a Volume>;

/// What is wrong with the volumes of a pod. Returns the volumes that containers may use.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateVolumes`)
pub(super) fn validate_volumes<'a>(
    errors: &mut ErrorList,
    volumes: &'a [Volume],
    meta: Option<&ObjectMeta>,
    options: &PodValidationOptions,
    path: &Path<'_>,
) -> Volumes<'a> {
    let pod_name = meta.map(|meta| text(meta.name.as_ref())).filter(|name| !name.is_empty());
    let mut usable = Volumes::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = path.index(index);
        let before = errors.len();
        validate_volume_source(errors, volume, pod_name, options, &path);
        if volume.name.is_empty() {
            errors.push(Error::required(&path.child("name"), ""));
        } else {
            extend_invalid(errors, &path.child("name"), &volume.name, names::dns_1123_label(&volume.name));
        }
        if usable.contains_key(volume.name.as_str()) {
            errors.push(Error::duplicate(&path.child("name"), &volume.name));
        }
        if errors.len() == before {
            usable.insert(volume.name.as_str(), volume);
        }
        if let (Some(claim), Some(pod_name)) = (&volume.persistent_volume_claim, pod_name)
            && created_claims(volumes, pod_name).contains(&claim.claim_name)
        {
            let detail = "must not reference a PVC that gets created for an ephemeral volume";
            let path = path.child("persistentVolumeClaim");
            errors.push(Error::invalid(&path.child("claimName"), &claim.claim_name, detail));
        }
    }
    usable
}

/// The names of the claims that will be made for the ephemeral volumes of a pod.
fn created_claims(volumes: &[Volume], pod_name: &str) -> BTreeSet<String> {
    let ephemeral = volumes.iter().filter(|volume| volume.ephemeral.is_some());
    ephemeral.map(|volume| format!("{pod_name}-{}", volume.name)).collect()
}
