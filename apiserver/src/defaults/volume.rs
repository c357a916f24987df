//! Volumes of a pod.
//!
//! # Source
//! kubernetes `pkg/apis/core/v1/{defaults,zz_generated.defaults}.go`

use k8s_openapi::api::core::v1::{
    AzureDiskVolumeSource, DownwardAPIVolumeFile, EmptyDirVolumeSource, EphemeralVolumeSource, PodSpec,
    ProjectedVolumeSource, RBDVolumeSource, Volume,
};
use plimsoll_resource_math::defaulting::{normalize_quantity, round_resource_list};
use plimsoll_resource_math::pod_resources::ParsePodResourcesError;

use super::container::{divisor, object_field_selector};
use super::{fill, image};

/// Files that everyone may read and their owner may write.
const DEFAULT_MODE: i32 = 0o644;
const DEFAULT_TOKEN_EXPIRATION_SECONDS: i64 = 3600;

/// Fills in what a volume leaves open, except for the amounts of claims.
pub(super) fn volume(volume: &mut Volume) {
    let only_named = Volume { name: volume.name.clone(), ..Volume::default() };
    if *volume == only_named {
        volume.empty_dir = Some(EmptyDirVolumeSource::default());
        return;
    }
    if let Some(limit) = volume.empty_dir.as_mut().and_then(|source| source.size_limit.as_mut()) {
        // A text that is no quantity stays: reading the object finds it before this does.
        let _ = normalize_quantity(limit);
    }
    if let Some(source) = &mut volume.image
        && source.pull_policy.as_ref().is_none_or(String::is_empty)
    {
        let policy = image::pull_policy(source.reference.as_deref().unwrap_or_default());
        source.pull_policy = Some(policy.to_owned());
    }
    if let Some(source) = &mut volume.host_path {
        source.type_.get_or_insert_default();
    }
    if let Some(source) = &mut volume.secret {
        source.default_mode.get_or_insert(DEFAULT_MODE);
    }
    if let Some(source) = &mut volume.iscsi {
        fill(&mut source.iscsi_interface, "default");
    }
    if let Some(source) = &mut volume.rbd {
        rbd(source);
    }
    if let Some(source) = &mut volume.downward_api {
        source.default_mode.get_or_insert(DEFAULT_MODE);
        source.items.iter_mut().flatten().for_each(downward_api_file);
    }
    if let Some(source) = &mut volume.config_map {
        source.default_mode.get_or_insert(DEFAULT_MODE);
    }
    if let Some(source) = &mut volume.azure_disk {
        azure_disk(source);
    }
    if let Some(source) = &mut volume.projected {
        projected(source);
    }
    if let Some(source) = &mut volume.scale_io {
        fill(&mut source.storage_mode, "ThinProvisioned");
        fill(&mut source.fs_type, "xfs");
    }
    if let Some(template) = volume.ephemeral.as_mut().and_then(|source| source.volume_claim_template.as_mut())
    {
        template.spec.volume_mode.get_or_insert_with(|| "Filesystem".to_owned());
    }
}

/// Rounds the amounts of claims that a pod brings along to whole thousandths.
///
/// # Errors
/// The first amount that is no quantity.
pub(super) fn round_claims(spec: &mut PodSpec) -> Result<(), ParsePodResourcesError> {
    for (index, volume) in spec.volumes.iter_mut().flatten().enumerate() {
        let Some(EphemeralVolumeSource { volume_claim_template: Some(template) }) = &mut volume.ephemeral
        else {
            continue;
        };
        let Some(resources) = &mut template.spec.resources else {
            continue;
        };
        for (field, list) in [("limits", &mut resources.limits), ("requests", &mut resources.requests)] {
            if let Some(list) = list {
                round_resource_list(list).map_err(|error| ParsePodResourcesError {
                    field: format!(
                        "spec.volumes[{index}].ephemeral.volumeClaimTemplate.spec.resources.{field}"
                    ),
                    error,
                })?;
            }
        }
    }
    Ok(())
}

fn rbd(source: &mut RBDVolumeSource) {
    fill(&mut source.pool, "rbd");
    fill(&mut source.user, "admin");
    fill(&mut source.keyring, "/etc/ceph/keyring");
}

fn azure_disk(source: &mut AzureDiskVolumeSource) {
    source.caching_mode.get_or_insert_with(|| "ReadWrite".to_owned());
    source.fs_type.get_or_insert_with(|| "ext4".to_owned());
    source.read_only.get_or_insert(false);
    source.kind.get_or_insert_with(|| "Shared".to_owned());
}

fn projected(source: &mut ProjectedVolumeSource) {
    source.default_mode.get_or_insert(DEFAULT_MODE);
    for projection in source.sources.iter_mut().flatten() {
        if let Some(downward_api) = &mut projection.downward_api {
            downward_api.items.iter_mut().flatten().for_each(downward_api_file);
        }
        if let Some(token) = &mut projection.service_account_token {
            token.expiration_seconds.get_or_insert(DEFAULT_TOKEN_EXPIRATION_SECONDS);
        }
    }
}

fn downward_api_file(file: &mut DownwardAPIVolumeFile) {
    if let Some(field) = &mut file.field_ref {
        object_field_selector(field);
    }
    if let Some(resource) = &mut file.resource_field_ref {
        divisor(&mut resource.divisor);
    }
}
