//! What a static pod may not refer to, since the kubelet runs it without the API server.
//!
//! # Source
//! kubernetes `pkg/api/pod/util.go` (`HasAPIObjectReference`)

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, Volume, VolumeProjection};

/// Why the kubelet refuses a pod, if it refers to objects of the API.
pub(super) fn refusal(pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let volumes = || spec.volumes.iter().flatten();
    let reference = if !spec.service_account_name.as_deref().unwrap_or_default().is_empty() {
        Ok("serviceaccounts")
    } else if refers_to_secrets(spec) {
        Ok("secrets")
    } else if refers_to_config_maps(spec) {
        Ok("configmaps")
    } else if spec.resource_claims.as_ref().is_some_and(|claims| !claims.is_empty()) {
        Ok("resourceclaims")
    } else {
        volumes().find_map(volume_reference)?
    };
    Some(match reference {
        Ok(resource) => format!("static pods may not reference {resource}"),
        Err(message) => message,
    })
}

fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}

fn projections(volume: &Volume) -> impl Iterator<Item = &VolumeProjection> {
    volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten())
}

fn refers_to_secrets(spec: &PodSpec) -> bool {
    let pull_secrets = spec.image_pull_secrets.iter().flatten().map(|secret| secret.name.as_str());
    let from_containers = containers(spec).flat_map(|container| {
        let all = container.env_from.iter().flatten().filter_map(|from| from.secret_ref.as_ref());
        let values = container.env.iter().flatten().filter_map(|env| env.value_from.as_ref());
        let single = values.filter_map(|from| from.secret_key_ref.as_ref());
        all.map(|secret| secret.name.as_str()).chain(single.map(|secret| secret.name.as_str()))
    });
    let from_volumes = spec.volumes.iter().flatten().flat_map(volume_secrets);
    pull_secrets.chain(from_containers).chain(from_volumes).any(|name| !name.is_empty())
}

/// The names of the secrets that a volume needs.
fn volume_secrets(volume: &Volume) -> impl Iterator<Item = &str> {
    let local = [
        volume.cephfs.as_ref().and_then(|source| source.secret_ref.as_ref()),
        volume.flex_volume.as_ref().and_then(|source| source.secret_ref.as_ref()),
        volume.cinder.as_ref().and_then(|source| source.secret_ref.as_ref()),
        volume.rbd.as_ref().and_then(|source| source.secret_ref.as_ref()),
        volume.scale_io.as_ref().map(|source| &source.secret_ref),
        volume.iscsi.as_ref().and_then(|source| source.secret_ref.as_ref()),
        volume.storageos.as_ref().and_then(|source| source.secret_ref.as_ref()),
        volume.csi.as_ref().and_then(|source| source.node_publish_secret_ref.as_ref()),
    ];
    let named = [
        volume.azure_file.as_ref().map(|source| source.secret_name.as_str()),
        volume.secret.as_ref().and_then(|source| source.secret_name.as_deref()),
    ];
    let projected = projections(volume).filter_map(|source| source.secret.as_ref());
    local
        .into_iter()
        .flatten()
        .map(|reference| reference.name.as_str())
        .chain(named.into_iter().flatten())
        .chain(projected.map(|secret| secret.name.as_str()))
}

fn refers_to_config_maps(spec: &PodSpec) -> bool {
    let from_containers = containers(spec).flat_map(|container| {
        let all = container.env_from.iter().flatten().filter_map(|from| from.config_map_ref.as_ref());
        let values = container.env.iter().flatten().filter_map(|env| env.value_from.as_ref());
        let single = values.filter_map(|from| from.config_map_key_ref.as_ref());
        all.map(|map| map.name.as_str()).chain(single.map(|map| map.name.as_str()))
    });
    let from_volumes = spec.volumes.iter().flatten().flat_map(|volume| {
        let projected = projections(volume).filter_map(|source| source.config_map.as_ref());
        volume
            .config_map
            .as_ref()
            .map(|map| map.name.as_str())
            .into_iter()
            .chain(projected.map(|map| map.name.as_str()))
    });
    from_containers.chain(from_volumes).any(|name| !name.is_empty())
}

/// What a volume refers to, or what the kubelet says of a source that it does not know.
fn volume_reference(volume: &Volume) -> Option<Result<&'static str, String>> {
    if needs_no_api(volume) {
        return None;
    }
    Some(Ok(if volume.config_map.is_some() {
        "configmaps (via configmap volumes)"
    } else if volume.secret.is_some() {
        "secrets (via secret volumes)"
    } else if volume.csi.is_some() {
        "csidrivers (via CSI volumes)"
    } else if volume.glusterfs.is_some() {
        "endpoints (via glusterFS volumes)"
    } else if volume.persistent_volume_claim.is_some() {
        "persistentvolumeclaims"
    } else if volume.ephemeral.is_some() {
        "persistentvolumeclaims (via ephemeral volumes)"
    } else if volume.azure_file.is_some() {
        "secrets (via azureFile volumes)"
    } else if volume.projected.is_some() {
        return projections(volume).find_map(|source| projection_reference(source, &volume.name));
    } else {
        return Some(Err(format!("unknown volume type for volume  {:?}", volume.name)));
    }))
}

fn needs_no_api(volume: &Volume) -> bool {
    volume.aws_elastic_block_store.is_some()
        || volume.azure_disk.is_some()
        || volume.cephfs.is_some()
        || volume.cinder.is_some()
        || volume.downward_api.is_some()
        || volume.empty_dir.is_some()
        || volume.fc.is_some()
        || volume.flex_volume.is_some()
        || volume.flocker.is_some()
        || volume.gce_persistent_disk.is_some()
        || volume.git_repo.is_some()
        || volume.host_path.is_some()
        || volume.image.is_some()
        || volume.iscsi.is_some()
        || volume.nfs.is_some()
        || volume.photon_persistent_disk.is_some()
        || volume.portworx_volume.is_some()
        || volume.quobyte.is_some()
        || volume.rbd.is_some()
        || volume.scale_io.is_some()
        || volume.storageos.is_some()
        || volume.vsphere_volume.is_some()
}

fn projection_reference(source: &VolumeProjection, volume: &str) -> Option<Result<&'static str, String>> {
    Some(Ok(if source.config_map.is_some() {
        "configmaps (via projected volumes)"
    } else if source.secret.is_some() {
        "secrets (via projected volumes)"
    } else if source.service_account_token.is_some() {
        "serviceaccounts (via projected volumes)"
    } else if source.cluster_trust_bundle.is_some() {
        "clustertrustbundles"
    } else if source.pod_certificate.is_some() {
        "podcertificates"
    } else if source.downward_api.is_some() {
        return None;
    } else {
        return Some(Err(format!("unknown source for projected volume {volume:?}")));
    }))
}
