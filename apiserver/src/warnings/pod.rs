//! Pods, and pods in templates.
//!
//! # Source
//! kubernetes `pkg/api/pod/warnings.go`

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    Container, NodeSelectorTerm, Pod, PodAffinityTerm, PodSpec, PodTemplateSpec, Volume,
    WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::field::Path;
use plimsoll_api::names;
use plimsoll_api::quote::go_quote;
use plimsoll_resource_math::resource_name::{EPHEMERAL_STORAGE, MEMORY};

use super::amounts::fractional;
use super::node_labels::deprecated_node_label;
use super::paths::overlapping_paths;
use super::persistent_volume_claim::claim_amounts;
use super::ports::{port_names, ports};
use crate::app_armor;
use crate::containers::visit_with_path;
use crate::validation::ip::warning_for_ip;
use crate::validation::pod::{SECCOMP_CONTAINER_ANNOTATION_PREFIX, SECCOMP_POD_ANNOTATION};
use crate::validation::text;

const NULL_SELECTOR: &str = "a null labelSelector results in matching no pod";

/// The warnings that a new pod calls for, in upstream's order.
///
/// # Source
/// kubernetes `pkg/registry/core/pod/strategy.go` (`WarningsOnCreate`)
pub fn pod(pod: &Pod) -> Vec<String> {
    let mut warnings = Vec::new();
    let faults = names::dns_1123_label(text(pod.metadata.name.as_ref()));
    if !faults.is_empty() {
        warnings.push(format!(
            "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [{}]",
            faults.join(" ")
        ));
    }
    if let Some(spec) = &pod.spec {
        let (spec_path, meta_path) = (Path::root("spec"), Path::root("metadata"));
        spec_and_meta(&mut warnings, spec, &pod.metadata, false, &spec_path, &meta_path);
    }
    warnings
}

/// The warnings that the template of a workload calls for.
///
/// # Source
/// kubernetes `pkg/api/pod/warnings.go` (`GetWarningsForPodTemplate`)
pub fn pod_template(template: &PodTemplateSpec, path: &Path<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let no_meta = ObjectMeta::default();
    if let Some(spec) = &template.spec {
        let meta = template.metadata.as_ref().unwrap_or(&no_meta);
        let (spec_path, meta_path) = (path.child("spec"), path.child("metadata"));
        spec_and_meta(&mut warnings, spec, meta, true, &spec_path, &meta_path);
    }
    warnings
}

/// # Source
/// kubernetes `pkg/api/pod/warnings.go` (`warningsForPodSpecAndMeta`)
fn spec_and_meta(
    warnings: &mut Vec<String>,
    spec: &PodSpec,
    meta: &ObjectMeta,
    is_template: bool,
    path: &Path<'_>,
    meta_path: &Path<'_>,
) {
    node_labels(warnings, spec, path);
    spread_constraints(warnings, spec, path);
    let no_annotations = BTreeMap::new();
    let annotations = meta.annotations.as_ref().unwrap_or(&no_annotations);
    let annotations_path = meta_path.child("annotations");
    for (key, message) in [
        (
            "scheduler.alpha.kubernetes.io/critical-pod",
            "non-functional in v1.16+; use the \"priorityClassName\" field instead",
        ),
        (
            "security.alpha.kubernetes.io/sysctls",
            "non-functional in v1.11+; use the \"sysctls\" field instead",
        ),
        (
            "security.alpha.kubernetes.io/unsafe-sysctls",
            "non-functional in v1.11+; use the \"sysctls\" field instead",
        ),
    ] {
        if annotations.contains_key(key) {
            warnings.push(format!("{}: {message}", annotations_path.key(key)));
        }
    }
    volumes(warnings, spec, &path.child("volumes"));
    overlapping_paths(warnings, spec.volumes.as_deref().unwrap_or_default());
    duplicates(warnings, spec, path);
    fractional(warnings, spec.overhead.as_ref(), MEMORY, &path.child("overhead"));
    fractional(warnings, spec.overhead.as_ref(), EPHEMERAL_STORAGE, &path.child("overhead"));
    let security = spec.security_context.as_ref();
    if security.is_none_or(|context| context.seccomp_profile.is_none()) {
        seccomp(warnings, annotations, SECCOMP_POD_ANNOTATION, &annotations_path);
    }
    let app_armor_of_pod = security.and_then(|context| context.app_armor_profile.as_ref());
    visit_with_path(spec, path, |container, path| {
        let own = container.security_context.as_ref();
        if own.is_none_or(|context| context.seccomp_profile.is_none()) {
            let key = format!("{SECCOMP_CONTAINER_ANNOTATION_PREFIX}{}", container.name);
            seccomp(warnings, annotations, &key, &annotations_path);
        }
        // For pods the profile has been copied from the annotation by now, and warned of.
        if is_template && own.is_none_or(|context| context.app_armor_profile.is_none()) {
            let key = format!("{}{}", app_armor::ANNOTATION_PREFIX, container.name);
            if let Some(annotation) = annotations.get(&key)
                && (app_armor_of_pod.is_none()
                    || app_armor::profile_of_annotation(annotation).as_ref() != app_armor_of_pod)
            {
                let place = annotations_path.key(&key);
                warnings.push(format!(
                    "{place}: deprecated since v1.30; use the \"appArmorProfile\" field instead"
                ));
            }
        }
        container_amounts(warnings, container, path);
        environment(warnings, container, path);
    });
    ports(warnings, spec, path);
    port_names(warnings, spec, path);
    if spec.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0) {
        let path = path.child("terminationGracePeriodSeconds");
        warnings.push(format!("{path}: must be >= 0; negative values are invalid and will be treated as 1"));
    }
    pod_affinity(warnings, spec, path);
    addresses(warnings, spec, path);
}

fn node_labels(warnings: &mut Vec<String>, spec: &PodSpec, path: &Path<'_>) {
    for key in spec.node_selector.iter().flat_map(BTreeMap::keys) {
        if let Some(message) = deprecated_node_label(key) {
            warnings.push(format!("{}: {message}", path.child("nodeSelector").key(key)));
        }
    }
    let Some(affinity) = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref()) else {
        return;
    };
    let path = path.child("affinity");
    let path = path.child("nodeAffinity");
    let required = path.child("requiredDuringSchedulingIgnoredDuringExecution");
    let required = required.child("nodeSelectorTerms");
    let selector = affinity.required_during_scheduling_ignored_during_execution.iter();
    for (index, term) in selector.flat_map(|selector| &selector.node_selector_terms).enumerate() {
        node_selector_term(warnings, term, false, &required.index(index));
    }
    let preferred = path.child("preferredDuringSchedulingIgnoredDuringExecution");
    let terms = affinity.preferred_during_scheduling_ignored_during_execution.iter().flatten();
    for (index, term) in terms.enumerate() {
        node_selector_term(warnings, &term.preference, true, &preferred.index(index).child("preference"));
    }
}

fn node_selector_term(
    warnings: &mut Vec<String>,
    term: &NodeSelectorTerm,
    check_values: bool,
    path: &Path<'_>,
) {
    let path = path.child("matchExpressions");
    for (index, expression) in term.match_expressions.iter().flatten().enumerate() {
        let (path, key) = (path.index(index), &expression.key);
        if let Some(message) = deprecated_node_label(key) {
            warnings.push(format!("{}: {key} is {message}", path.child("key")));
        }
        if !check_values {
            continue;
        }
        let values_path = path.child("values");
        for (index, value) in expression.values.iter().flatten().enumerate() {
            for fault in names::label_value(value) {
                warnings.push(format!("{}: {value} is invalid, {fault}", values_path.index(index)));
            }
        }
    }
}

fn spread_constraints(warnings: &mut Vec<String>, spec: &PodSpec, path: &Path<'_>) {
    let path = path.child("topologySpreadConstraints");
    for (index, constraint) in spec.topology_spread_constraints.iter().flatten().enumerate() {
        let (path, key) = (path.index(index), &constraint.topology_key);
        if let Some(message) = deprecated_node_label(key) {
            warnings.push(format!("{}: {key} is {message}", path.child("topologyKey")));
        }
        if constraint.label_selector.is_none() {
            warnings.push(format!("{}: {NULL_SELECTOR}", path.child("labelSelector")));
        }
    }
}

fn volumes(warnings: &mut Vec<String>, spec: &PodSpec, path: &Path<'_>) {
    for (index, volume) in spec.volumes.iter().flatten().enumerate() {
        let path = path.index(index);
        for (field, is_set, message) in [
            (
                "photonPersistentDisk",
                volume.photon_persistent_disk.is_some(),
                "v1.11, non-functional in v1.16+",
            ),
            ("gitRepo", volume.git_repo.is_some(), "v1.11, and disabled by default in v1.33+"),
            ("scaleIO", volume.scale_io.is_some(), "v1.16, non-functional in v1.22+"),
            ("flocker", volume.flocker.is_some(), "v1.22, non-functional in v1.25+"),
            ("storageOS", volume.storageos.is_some(), "v1.22, non-functional in v1.25+"),
            ("quobyte", volume.quobyte.is_some(), "v1.22, non-functional in v1.25+"),
            ("glusterfs", volume.glusterfs.is_some(), "v1.25, non-functional in v1.26+"),
        ] {
            deprecated(warnings, is_set, message, &path.child(field));
        }
        claim_template(warnings, volume, &path.child("ephemeral"));
        deprecated(
            warnings,
            volume.cephfs.is_some(),
            "v1.28, non-functional in v1.31+",
            &path.child("cephfs"),
        );
        deprecated(warnings, volume.rbd.is_some(), "v1.28, non-functional in v1.31+", &path.child("rbd"));
    }
}

fn deprecated(warnings: &mut Vec<String>, is_set: bool, since: &str, path: &Path<'_>) {
    if is_set {
        warnings.push(format!("{path}: deprecated in {since}"));
    }
}

/// # Source
/// kubernetes `pkg/api/persistentvolumeclaim/util.go` (`GetWarningsForPersistentVolumeClaimSpec`)
fn claim_template(warnings: &mut Vec<String>, volume: &Volume, path: &Path<'_>) {
    let template = volume.ephemeral.as_ref().and_then(|source| source.volume_claim_template.as_ref());
    if let Some(resources) = template.and_then(|template| template.spec.resources.as_ref()) {
        let path = path.child("volumeClaimTemplate");
        claim_amounts(warnings, Some(resources), &path.child("spec"));
    }
}

/// Host aliases and pull secrets that stand there twice, and secrets without a name.
fn duplicates(warnings: &mut Vec<String>, spec: &PodSpec, path: &Path<'_>) {
    let mut seen = BTreeSet::new();
    let aliases = path.child("hostAliases");
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        if !seen.insert(&alias.ip) {
            warnings.push(format!(
                "{}: duplicate ip {}",
                aliases.index(index).child("ip"),
                go_quote(&alias.ip)
            ));
        }
    }
    let mut seen = BTreeSet::new();
    let path = path.child("imagePullSecrets");
    let secrets = spec.image_pull_secrets.as_deref().unwrap_or_default();
    for (index, secret) in secrets.iter().enumerate() {
        if !seen.insert(&secret.name) {
            let name = go_quote(&secret.name);
            warnings.push(format!("{}: duplicate name {name}", path.index(index).child("name")));
        }
    }
    for (index, _) in secrets.iter().enumerate().filter(|(_, secret)| secret.name.is_empty()) {
        warnings.push(format!("{}: invalid empty name \"\"", path.index(index).child("name")));
    }
}

fn seccomp(warnings: &mut Vec<String>, annotations: &BTreeMap<String, String>, key: &str, path: &Path<'_>) {
    if annotations.contains_key(key) {
        let place = path.key(key);
        warnings.push(format!("{place}: non-functional in v1.27+; use the \"seccompProfile\" field instead"));
    }
}

fn container_amounts(warnings: &mut Vec<String>, container: &Container, path: &Path<'_>) {
    let Some(resources) = &container.resources else {
        return;
    };
    let path = path.child("resources");
    for name in [MEMORY, EPHEMERAL_STORAGE] {
        fractional(warnings, resources.limits.as_ref(), name, &path.child("limits"));
        fractional(warnings, resources.requests.as_ref(), name, &path.child("requests"));
    }
}

/// A variable may be set again only to a value that builds on the one before.
fn environment(warnings: &mut Vec<String>, container: &Container, path: &Path<'_>) {
    let mut seen = BTreeSet::new();
    let path = path.child("env");
    for (index, variable) in container.env.iter().flatten().enumerate() {
        if seen.insert(&variable.name) {
            continue;
        }
        let reference = format!("$({})", variable.name);
        let value = text(variable.value.as_ref());
        if variable.value_from.is_some() || value == reference || !value.contains(&reference) {
            let (place, name) = (path.index(index), go_quote(&variable.name));
            warnings.push(format!(
                "{place}: hides previous definition of {name}, which may be dropped when using apply"
            ));
        }
    }
}

fn pod_affinity(warnings: &mut Vec<String>, spec: &PodSpec, path: &Path<'_>) {
    let Some(affinity) = &spec.affinity else {
        return;
    };
    let path = path.child("affinity");
    if let Some(affinity) = &affinity.pod_affinity {
        let path = path.child("podAffinity");
        required_terms(
            warnings,
            affinity.required_during_scheduling_ignored_during_execution.as_deref(),
            &path,
        );
        preferred_terms(
            warnings,
            affinity.preferred_during_scheduling_ignored_during_execution.as_deref(),
            &path,
        );
    }
    if let Some(affinity) = &affinity.pod_anti_affinity {
        let path = path.child("podAntiAffinity");
        required_terms(
            warnings,
            affinity.required_during_scheduling_ignored_during_execution.as_deref(),
            &path,
        );
        preferred_terms(
            warnings,
            affinity.preferred_during_scheduling_ignored_during_execution.as_deref(),
            &path,
        );
    }
}

fn required_terms(warnings: &mut Vec<String>, terms: Option<&[PodAffinityTerm]>, path: &Path<'_>) {
    let path = path.child("requiredDuringSchedulingIgnoredDuringExecution");
    for (index, _) in
        terms.unwrap_or_default().iter().enumerate().filter(|(_, term)| term.label_selector.is_none())
    {
        warnings.push(format!("{}: {NULL_SELECTOR}", path.index(index).child("labelSelector")));
    }
}

fn preferred_terms(warnings: &mut Vec<String>, terms: Option<&[WeightedPodAffinityTerm]>, path: &Path<'_>) {
    let path = path.child("preferredDuringSchedulingIgnoredDuringExecution");
    for (index, weighted) in terms.unwrap_or_default().iter().enumerate() {
        if weighted.pod_affinity_term.label_selector.is_none() {
            let item = path.index(index);
            warnings
                .push(format!("{}: {NULL_SELECTOR}", item.child("podAffinityTerm").child("labelSelector")));
        }
    }
}

fn addresses(warnings: &mut Vec<String>, spec: &PodSpec, path: &Path<'_>) {
    let servers_path = path.child("dnsConfig");
    let servers_path = servers_path.child("nameservers");
    let servers = spec.dns_config.iter().flat_map(|config| config.nameservers.iter().flatten());
    for (index, server) in servers.enumerate() {
        warnings.extend(warning_for_ip(server, &servers_path.index(index)));
    }
    let aliases_path = path.child("hostAliases");
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        warnings.extend(warning_for_ip(&alias.ip, &aliases_path.index(index).child("ip")));
    }
}
