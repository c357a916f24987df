//! Pods that are being created.
//!
//! # Source
//! kubernetes `pkg/registry/core/pod/strategy.go` (`PrepareForCreate`)

use k8s_openapi::api::core::v1::{
    AppArmorProfile, Pod, PodAffinityTerm, PodCondition, PodSpec, PodStatus, WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use plimsoll_matching::label_selector::{Labels, labels_of};
use plimsoll_resource_math::PodResources;
use plimsoll_resource_math::defaulting::default_pod_level_resources;
use plimsoll_resource_math::pod_resources::ParsePodResourcesError;

use super::pod_fields;
use crate::app_armor;
use crate::containers::visit_mut;

/// Gives a new pod the status of one that waits, merges its own labels into selectors that ask for that, fills in the
/// amounts of the pod as a whole, and drops what is switched off. Returns the warnings that this calls for.
///
/// DIFFERENCE: D-Pod-3. The time at which the pod was gated is left out; this crate reads no clock.
///
/// # Errors
/// The first amount that is no quantity; the pod may then be changed in part.
///
/// # Source
/// kubernetes `pkg/registry/core/pod/strategy.go` (`PrepareForCreate`)
pub fn pod_for_create(pod: &mut Pod) -> Result<Vec<String>, ParsePodResourcesError> {
    pod.metadata.generation = Some(1);
    pod.status = Some(PodStatus { phase: Some("Pending".to_owned()), ..PodStatus::default() });
    if let Some(annotations) = &mut pod.metadata.annotations {
        pod_fields::drop_init_container_annotations(annotations);
    }
    let spec = pod.spec.get_or_insert_default();
    pod_fields::drop_disabled(spec);
    if spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()) {
        pod.status.get_or_insert_default().conditions = Some(vec![scheduling_gated()]);
    }
    let labels = labels_of(&pod.metadata);
    merge_into_affinity(spec, labels);
    merge_into_spread_constraints(spec, labels);
    let warnings = apply_app_armor_annotations(pod);
    if let Some(spec) = &mut pod.spec {
        default_pod_level_resources(spec)?;
    }
    let class = PodResources::parse(pod)?.qos_class();
    pod.status.get_or_insert_default().qos_class = Some(class.as_str().to_owned());
    Ok(warnings)
}

fn scheduling_gated() -> PodCondition {
    PodCondition {
        type_: "PodScheduled".to_owned(),
        status: "False".to_owned(),
        reason: Some("SchedulingGated".to_owned()),
        message: Some("Scheduling is blocked due to non-empty scheduling gates".to_owned()),
        ..PodCondition::default()
    }
}

fn merge_into_affinity(spec: &mut PodSpec, labels: &Labels) {
    let Some(affinity) = &mut spec.affinity else {
        return;
    };
    let merge = |required: &mut Option<Vec<PodAffinityTerm>>,
                 preferred: &mut Option<Vec<WeightedPodAffinityTerm>>| {
        let preferred = preferred.iter_mut().flatten().map(|weighted| &mut weighted.pod_affinity_term);
        for term in preferred.chain(required.iter_mut().flatten()) {
            let Some(selector) = &mut term.label_selector else {
                continue;
            };
            merge_labels(selector, term.match_label_keys.as_deref(), "In", labels);
            merge_labels(selector, term.mismatch_label_keys.as_deref(), "NotIn", labels);
        }
    };
    if let Some(affinity) = &mut affinity.pod_affinity {
        merge(
            &mut affinity.required_during_scheduling_ignored_during_execution,
            &mut affinity.preferred_during_scheduling_ignored_during_execution,
        );
    }
    if let Some(affinity) = &mut affinity.pod_anti_affinity {
        merge(
            &mut affinity.required_during_scheduling_ignored_during_execution,
            &mut affinity.preferred_during_scheduling_ignored_during_execution,
        );
    }
}

fn merge_into_spread_constraints(spec: &mut PodSpec, labels: &Labels) {
    for constraint in spec.topology_spread_constraints.iter_mut().flatten() {
        if let Some(selector) = &mut constraint.label_selector {
            merge_labels(selector, constraint.match_label_keys.as_deref(), "In", labels);
        }
    }
}

/// Adds the pod's own values of some labels to a selector.
fn merge_labels(selector: &mut LabelSelector, keys: Option<&[String]>, operator: &str, labels: &Labels) {
    for key in keys.unwrap_or_default() {
        let Some(value) = labels.get(key) else {
            continue;
        };
        selector.match_expressions.get_or_insert_default().push(LabelSelectorRequirement {
            key: key.clone(),
            operator: operator.to_owned(),
            values: Some(vec![value.clone()]),
        });
    }
}

/// Copies AppArmor profiles from the annotations that once held them to the containers that have none.
fn apply_app_armor_annotations(pod: &mut Pod) -> Vec<String> {
    let mut warnings = Vec::new();
    let (Some(spec), Some(annotations)) = (&mut pod.spec, &pod.metadata.annotations) else {
        return warnings;
    };
    let has_profiles = annotations.keys().any(|key| key.starts_with(app_armor::ANNOTATION_PREFIX));
    if !has_profiles || spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        return warnings;
    }
    let of_pod = spec.security_context.as_ref().and_then(|context| context.app_armor_profile.clone());
    visit_mut(spec, |container| {
        let key = format!("{}{}", app_armor::ANNOTATION_PREFIX, container.name);
        let Some(annotation) = annotations.get(&key) else {
            return;
        };
        if container.security_context.as_ref().is_some_and(|context| context.app_armor_profile.is_some()) {
            return;
        }
        let profile = app_armor::profile_of_annotation(annotation).filter(is_valid);
        if profile.is_some() && profile == of_pod {
            return;
        }
        if let Some(profile) = profile {
            container.security_context.get_or_insert_default().app_armor_profile = Some(profile);
        }
        warnings.push(format!(
            "metadata.annotations[{key}]: deprecated since v1.30; use the \"appArmorProfile\" field instead"
        ));
    });
    warnings
}

fn is_valid(profile: &AppArmorProfile) -> bool {
    let mut errors = Vec::new();
    app_armor::validate_profile(
        &mut errors,
        Some(profile),
        &plimsoll_api::field::Path::root("appArmorProfile"),
    );
    errors.is_empty()
}
