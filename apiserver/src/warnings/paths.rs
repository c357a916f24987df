//! Files of a volume that lie in each other's way.
//!
//! # Source
//! kubernetes `pkg/api/pod/warnings.go` (`warningsForOverlappingVirtualPaths`)

use k8s_openapi::api::core::v1::{DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection};
use plimsoll_api::quote::go_quote;

use crate::validation::text;

/// A file and what it comes from.
#[derive(Clone, PartialEq, Eq)]
struct File {
    path: String,
    source: String,
}

impl File {
    fn shown(&self) -> String {
        if self.source.is_empty() {
            go_quote(&self.path)
        } else {
            format!("{} ({})", go_quote(&self.path), self.source)
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let is_below =
            |one: &Self, other: &Self| format!("{}/", one.path).starts_with(&format!("{}/", other.path));
        !self.path.is_empty() && !other.path.is_empty() && (is_below(self, other) || is_below(other, self))
    }
}

/// Overlapping files of all volumes.
pub(super) fn overlapping_paths(warnings: &mut Vec<String>, volumes: &[Volume]) {
    for volume in volumes {
        if let Some(source) = &volume.config_map {
            let what = format!("ConfigMap {}", go_quote(&source.name));
            report(warnings, volume, &what, of_items(source.items.as_deref(), ""));
        }
        if let Some(source) = &volume.secret {
            let what = format!("Secret {}", go_quote(text(source.secret_name.as_ref())));
            report(warnings, volume, &what, of_items(source.items.as_deref(), ""));
        }
        if let Some(source) = &volume.downward_api {
            report(warnings, volume, "DownwardAPI", of_files(source.items.as_deref(), ""));
        }
        if let Some(source) = &volume.projected {
            let mut files = Vec::new();
            for projection in source.sources.iter().flatten() {
                if *projection == VolumeProjection::default() {
                    let name = go_quote(&volume.name);
                    warnings.push(format!("volume {name} (Projected) has no sources provided"));
                }
                add_all(warnings, volume, "Projected", &mut files, of_projection(projection));
            }
        }
    }
}

fn report(warnings: &mut Vec<String>, volume: &Volume, what: &str, files: Vec<File>) {
    add_all(warnings, volume, what, &mut Vec::new(), files);
}

fn add_all(warnings: &mut Vec<String>, volume: &Volume, what: &str, known: &mut Vec<File>, files: Vec<File>) {
    for mut file in files {
        file.path.truncate(file.path.trim_end_matches('/').len());
        for other in known.iter().filter(|other| file.overlaps(other)) {
            let (name, file, other) = (go_quote(&volume.name), file.shown(), other.shown());
            warnings.push(format!("volume {name} ({what}): overlapping paths: {file} with {other}"));
        }
        known.push(file);
    }
}

fn of_items(items: Option<&[KeyToPath]>, source: &str) -> Vec<File> {
    let items = items.unwrap_or_default().iter();
    items.map(|item| File { path: item.path.clone(), source: source.to_owned() }).collect()
}

fn of_files(files: Option<&[DownwardAPIVolumeFile]>, source: &str) -> Vec<File> {
    let files = files.unwrap_or_default().iter();
    files.map(|file| File { path: file.path.clone(), source: source.to_owned() }).collect()
}

/// The first source that says which files it has.
fn of_projection(projection: &VolumeProjection) -> Vec<File> {
    if let Some(source) = projection.config_map.as_ref().filter(|source| source.items.is_some()) {
        of_items(source.items.as_deref(), &format!("ConfigMap {}", go_quote(&source.name)))
    } else if let Some(source) = projection.secret.as_ref().filter(|source| source.items.is_some()) {
        of_items(source.items.as_deref(), &format!("Secret {}", go_quote(&source.name)))
    } else if let Some(source) = projection.downward_api.as_ref().filter(|source| source.items.is_some()) {
        of_files(source.items.as_deref(), "DownwardAPI")
    } else if let Some(source) = &projection.service_account_token {
        vec![File { path: source.path.clone(), source: "ServiceAccountToken".to_owned() }]
    } else if let Some(source) = &projection.cluster_trust_bundle {
        let name = text(source.name.as_ref().or(source.signer_name.as_ref()));
        vec![File { path: source.path.clone(), source: format!("ClusterTrustBundle {}", go_quote(name)) }]
    } else if let Some(source) = &projection.pod_certificate {
        [
            (&source.certificate_chain_path, "PodCertificate chain"),
            (&source.key_path, "PodCertificate key"),
            (&source.credential_bundle_path, "PodCertificate credential bundle"),
        ]
        .into_iter()
        .filter_map(|(path, what)| {
            let path = path.clone().filter(|path| !path.is_empty())?;
            Some(File { path, source: what.to_owned() })
        })
        .collect()
    } else {
        Vec::new()
    }
}
