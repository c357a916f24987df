//! Fields of pods that the API server drops because the feature behind them is off by default.
//!
//! # Source
//! kubernetes `pkg/api/pod/util.go` (`DropDisabledPodFields`) with the default feature gates

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, DownwardAPIVolumeFile, KeyToPath, Lifecycle, PodSpec, Volume};

use crate::containers::visit_mut;

/// Drops the fields of features that are off: user ids of projected files, scheduling groups, eviction responders, modes
/// of empty directories, bind mount options, stop signals, protocols and TLS of probes.
pub(crate) fn drop_disabled(spec: &mut PodSpec) {
    spec.scheduling_group = None;
    spec.eviction_responders = None;
    spec.volumes.iter_mut().flatten().for_each(drop_from_volume);
    visit_mut(spec, drop_from_container);
}

/// Drops the annotations that held init containers before there was a field for them.
pub(crate) fn drop_init_container_annotations(annotations: &mut BTreeMap<String, String>) {
    for key in [
        "pod.beta.kubernetes.io/init-containers",
        "pod.alpha.kubernetes.io/init-containers",
        "pod.beta.kubernetes.io/init-container-statuses",
        "pod.alpha.kubernetes.io/init-container-statuses",
    ] {
        annotations.remove(key);
    }
}

fn drop_from_volume(volume: &mut Volume) {
    if let Some(source) = &mut volume.empty_dir {
        source.mode = None;
    }
    // As upstream does, only the first of these sources is looked at; validation refuses a second one.
    if let Some(source) = &mut volume.secret {
        source.default_user = None;
        drop_users(source.items.as_deref_mut());
    } else if let Some(source) = &mut volume.config_map {
        source.default_user = None;
        drop_users(source.items.as_deref_mut());
    } else if let Some(source) = &mut volume.downward_api {
        source.default_user = None;
        drop_file_users(source.items.as_deref_mut());
    } else if let Some(source) = &mut volume.projected {
        source.default_user = None;
        for projection in source.sources.iter_mut().flatten() {
            if let Some(source) = &mut projection.secret {
                drop_users(source.items.as_deref_mut());
            } else if let Some(source) = &mut projection.downward_api {
                drop_file_users(source.items.as_deref_mut());
            } else if let Some(source) = &mut projection.config_map {
                drop_users(source.items.as_deref_mut());
            } else if let Some(source) = &mut projection.service_account_token {
                source.user = None;
            } else if let Some(source) = &mut projection.cluster_trust_bundle {
                source.user = None;
            } else if let Some(source) = &mut projection.pod_certificate {
                source.user = None;
            }
        }
    }
}

fn drop_users(items: Option<&mut [KeyToPath]>) {
    items.unwrap_or_default().iter_mut().for_each(|item| item.user = None);
}

fn drop_file_users(items: Option<&mut [DownwardAPIVolumeFile]>) {
    items.unwrap_or_default().iter_mut().for_each(|item| item.user = None);
}

fn drop_from_container(container: &mut Container) {
    for mount in container.volume_mounts.iter_mut().flatten() {
        mount.bind_mount_options = None;
    }
    for probe in [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe]
        .into_iter()
        .flatten()
    {
        if let Some(action) = &mut probe.http_get {
            action.protocol = None;
        }
        if let Some(action) = &mut probe.grpc {
            action.mode = None;
        }
    }
    let Some(lifecycle) = &mut container.lifecycle else {
        return;
    };
    for handler in [&mut lifecycle.post_start, &mut lifecycle.pre_stop].into_iter().flatten() {
        if let Some(action) = &mut handler.http_get {
            action.protocol = None;
        }
    }
    if lifecycle.stop_signal.take().is_some() && *lifecycle == Lifecycle::default() {
        container.lifecycle = None;
    }
}
