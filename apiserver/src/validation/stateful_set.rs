//! StatefulSets.
//!
//! # Source
//! kubernetes `pkg/apis/apps/validation`

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{
    RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy,
};
use k8s_openapi::api::core::v1::{PersistentVolumeClaimVolumeSource, PodSpec, PodTemplateSpec, Volume};
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_api::quote::go_json_string;
use plimsoll_matching::label_selector::Selector;

use super::object_meta::{
    extend_invalid, name_is_dns_label, validate_annotations, validate_labels, validate_object_meta,
};
use super::pod::{PodValidationOptions, go_json, validate_pod_annotations, validate_pod_template_spec};
use super::{distinct, int_or_percent, named, persistent_volume_claim, text, validate_nonnegative, workload};

/// What is wrong with a StatefulSet that is being created.
///
/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidateStatefulSet`)
pub fn validate_create(stateful_set: &StatefulSet) -> ErrorList {
    let mut errors =
        validate_object_meta(&stateful_set.metadata, true, name_is_dns_label, &Path::root("metadata"));
    let (spec, path) = (&stateful_set.spec, Path::root("spec"));
    validate_policies(&mut errors, spec, &path);
    let claims_path = path.child("volumeClaimTemplates");
    for (index, claim) in spec.volume_claim_templates.iter().flatten().enumerate() {
        let path = claims_path.index(index);
        let spec = claim.spec.clone().unwrap_or_default();
        persistent_volume_claim::validate_spec(&mut errors, &spec, &path.child("spec"));
    }
    validate_nonnegative(&mut errors, spec.replicas.unwrap_or(0), &path.child("replicas"));
    validate_nonnegative(&mut errors, spec.min_ready_seconds.unwrap_or(0), &path.child("minReadySeconds"));
    if let Some(ordinals) = &spec.ordinals {
        validate_nonnegative(&mut errors, ordinals.start.unwrap_or(0), &path.child("ordinals.start"));
    }
    let service_name = text(spec.service_name.as_ref());
    if !service_name.is_empty() {
        let faults = names::dns_1123_label(service_name);
        extend_invalid(&mut errors, &path.child("serviceName"), service_name, faults);
    }
    validate_selection(&mut errors, spec, &path);
    workload::validate_restart_always(&mut errors, &spec.template, "StatefulSet", &path.child("template"));
    distinct(errors)
}

fn validate_policies(errors: &mut ErrorList, spec: &StatefulSetSpec, path: &Path<'_>) {
    let management_path = path.child("podManagementPolicy");
    match text(spec.pod_management_policy.as_ref()) {
        "" => errors.push(Error::required(&management_path, "")),
        "OrderedReady" | "Parallel" => {}
        other => {
            let detail = "must be 'OrderedReady' or 'Parallel'";
            errors.push(Error::invalid(&management_path, named(other), detail));
        }
    }
    let strategy = spec.update_strategy.clone().unwrap_or_default();
    validate_update_strategy(errors, &strategy, &path.child("updateStrategy"));
    let Some(retention) = &spec.persistent_volume_claim_retention_policy else {
        return;
    };
    let path = path.child("persistentVolumeClaimRetentionPolicy");
    for (field, policy) in [("whenDeleted", &retention.when_deleted), ("whenScaled", &retention.when_scaled)]
    {
        let policy = text(policy.as_ref());
        if !matches!(policy, "Retain" | "Delete") {
            errors.push(Error::not_supported(&path.child(field), named(policy), &["Retain", "Delete"]));
        }
    }
}

fn validate_update_strategy(errors: &mut ErrorList, strategy: &StatefulSetUpdateStrategy, path: &Path<'_>) {
    let update_path = path.child("rollingUpdate");
    match (text(strategy.type_.as_ref()), &strategy.rolling_update) {
        ("", _) => errors.push(Error::required(path, "")),
        ("OnDelete" | "RollingUpdate", None) => {}
        ("OnDelete", Some(update)) => {
            let shown = BadValue::Verbatim(update_json(update));
            let detail = "only allowed for updateStrategy 'RollingUpdate'";
            errors.push(Error::invalid(&update_path, shown, detail));
        }
        ("RollingUpdate", Some(update)) => validate_rolling_update(errors, update, &update_path),
        (type_, update) => {
            let update = update.as_ref().map_or_else(|| "null".to_owned(), update_json);
            let shown = format!("{{\"Type\":{},\"RollingUpdate\":{update}}}", go_json_string(type_));
            let detail = "must be 'RollingUpdate' or 'OnDelete'";
            errors.push(Error::invalid(path, BadValue::Verbatim(shown), detail));
        }
    }
}

/// # Source
/// kubernetes `pkg/apis/apps/validation` (`validateRollingUpdateStatefulSet`)
fn validate_rolling_update(
    errors: &mut ErrorList,
    update: &RollingUpdateStatefulSetStrategy,
    path: &Path<'_>,
) {
    validate_nonnegative(errors, update.partition.unwrap_or(0), &path.child("partition"));
    let Some(unavailable) = &update.max_unavailable else {
        return;
    };
    let path = path.child("maxUnavailable");
    int_or_percent::validate(errors, unavailable, &path);
    if int_or_percent::is_zero(unavailable) {
        errors.push(Error::invalid(&path, int_or_percent::shown(unavailable), "cannot be 0"));
    }
    int_or_percent::validate_at_most_all(errors, unavailable, &path);
}

/// An update as Go marshals upstream's internal type.
fn update_json(update: &RollingUpdateStatefulSetStrategy) -> String {
    let unavailable = update.max_unavailable.as_ref();
    let unavailable =
        unavailable.map_or_else(|| "null".to_owned(), |value| int_or_percent::json(Some(value)));
    format!("{{\"Partition\":{},\"MaxUnavailable\":{unavailable}}}", update.partition.unwrap_or(0))
}

fn validate_selection(errors: &mut ErrorList, spec: &StatefulSetSpec, path: &Path<'_>) {
    let selector = workload::given(&spec.selector);
    let selector_path = path.child("selector");
    workload::validate_required_selector(errors, selector, "statefulset", &selector_path);
    if let Ok(parsed) = Selector::from_label_selector(selector) {
        let template = template_of_pods(spec);
        validate_template(errors, &template, &parsed, &path.child("template"));
    } else {
        let shown = selector.map_or(BadValue::Verbatim("null".to_owned()), go_json::label_selector);
        errors.push(Error::invalid(&selector_path, shown, ""));
    }
}

/// The template as the controller uses it: names of hosts are its own business, and claims become volumes. Upstream
/// puts these volumes first in random order, here they are in order of name.
fn template_of_pods(spec: &StatefulSetSpec) -> PodTemplateSpec {
    let mut template = spec.template.clone();
    let pod = template.spec.get_or_insert_default();
    pod.subdomain = None;
    pod.hostname = None;
    if spec.volume_claim_templates.as_ref().is_some_and(|claims| !claims.is_empty()) {
        pod.volumes = Some(volumes_with_claims(spec, pod));
    }
    template
}

fn volumes_with_claims(spec: &StatefulSetSpec, pod: &PodSpec) -> Vec<Volume> {
    let claims = spec.volume_claim_templates.iter().flatten();
    let of_claims: BTreeMap<&str, Volume> = claims
        .map(|claim| {
            let name = text(claim.metadata.name.as_ref());
            let source =
                PersistentVolumeClaimVolumeSource { claim_name: name.to_owned(), ..Default::default() };
            let volume =
                Volume { name: name.to_owned(), persistent_volume_claim: Some(source), ..Volume::default() };
            (name, volume)
        })
        .collect();
    let others = pod.volumes.iter().flatten().filter(|volume| !of_claims.contains_key(volume.name.as_str()));
    let others: Vec<Volume> = others.cloned().collect();
    of_claims.into_values().chain(others).collect()
}

/// Labels and annotations are checked twice, as upstream does.
///
/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidatePodTemplateSpecForStatefulSet`)
fn validate_template(
    errors: &mut ErrorList,
    template: &PodTemplateSpec,
    selector: &Selector,
    path: &Path<'_>,
) {
    workload::validate_matches(errors, selector, template, path);
    let options = PodValidationOptions::default();
    validate_pod_template_spec(errors, template, &options, path);
    let annotations = workload::metadata_of(template).and_then(|metadata| metadata.annotations.as_ref());
    let no_spec = PodSpec::default();
    let spec = workload::spec_of(template).unwrap_or(&no_spec);
    errors.extend(validate_labels(workload::labels_of(template), &path.child("labels")));
    let path = path.child("annotations");
    errors.extend(validate_annotations(annotations, &path));
    validate_pod_annotations(errors, annotations, spec, &options, &path);
}
