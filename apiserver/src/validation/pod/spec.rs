//! The spec of a pod, be it in a pod or in a template.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`ValidatePodSpec`)

use k8s_openapi::api::core::v1::PodSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_api::quote::go_quote;

use super::affinity::validate_affinity;
use super::container::{PodContext, validate_containers};
use super::env::validate_file_volumes;
use super::ephemeral_container::validate_ephemeral_containers;
use super::host::{validate_host_users, validate_share_process_namespace};
use super::init_container::validate_init_containers;
use super::network::{
    validate_dns_config, validate_dns_policy, validate_host_aliases, validate_hostname_override,
};
use super::options::PodValidationOptions;
use super::ports::validate_host_network;
use super::resources::{validate_overhead, validate_pod_claims, validate_pod_level};
use super::scheduling::{validate_readiness_gates, validate_scheduling_gates};
use super::security_context::validate_pod_security_context;
use super::toleration::validate_tolerations;
use super::topology_spread::validate_topology_spread_constraints;
use super::volume::validate_volumes;
use super::windows::{validate_host_process, validate_os};
use crate::validation::object_meta::{extend_invalid, name_is_dns_subdomain, validate_labels};
use crate::validation::{named, text};

/// What is wrong with the spec of a pod. `meta` is that of the pod; a template has none.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidatePodSpec`)
pub fn validate_pod_spec(
    errors: &mut ErrorList,
    spec: &PodSpec,
    meta: Option<&ObjectMeta>,
    options: &PodValidationOptions,
    path: &Path<'_>,
) {
    if spec.termination_grace_period_seconds.is_none() {
        errors.push(Error::required(&path.child("terminationGracePeriodSeconds"), ""));
    }
    let volumes = validate_volumes(
        errors,
        spec.volumes.as_deref().unwrap_or_default(),
        meta,
        options,
        &path.child("volumes"),
    );
    let claims = spec.resource_claims.as_deref().unwrap_or_default();
    validate_pod_claims(errors, claims, meta, &path.child("resourceClaims"));
    let claim_names =
        claims.iter().map(|claim| claim.name.as_str()).filter(|name| !name.is_empty()).collect();
    let context = PodContext { spec, volumes, claim_names, options };
    validate_containers(errors, &context, &path.child("containers"));
    validate_init_containers(errors, &context, &path.child("initContainers"));
    validate_ephemeral_containers(errors, &context, &path.child("ephemeralContainers"));
    validate_pod_level(errors, spec, &context.claim_names, options.allow_indivisible_huge_pages_values, path);
    validate_host_network(errors, spec, options.resource_is_pod, path);
    validate_restart_policy(errors, text(spec.restart_policy.as_ref()), &path.child("restartPolicy"));
    validate_dns_policy(errors, text(spec.dns_policy.as_ref()), &path.child("dnsPolicy"));
    errors.extend(validate_labels(spec.node_selector.as_ref(), &path.child("nodeSelector")));
    validate_pod_security_context(errors, spec, options, &path.child("securityContext"));
    validate_share_process_namespace(errors, spec, path);
    if let Some(affinity) = &spec.affinity {
        validate_affinity(errors, affinity, options, &path.child("affinity"));
    }
    validate_dns_config(errors, spec, &path.child("dnsConfig"));
    validate_readiness_gates(
        errors,
        spec.readiness_gates.as_deref().unwrap_or_default(),
        &path.child("readinessGates"),
    );
    validate_scheduling_gates(
        errors,
        spec.scheduling_gates.as_deref().unwrap_or_default(),
        &path.child("schedulingGates"),
    );
    validate_topology_spread_constraints(
        errors,
        spec.topology_spread_constraints.as_deref().unwrap_or_default(),
        options,
        &path.child("topologySpreadConstraints"),
    );
    validate_host_process(errors, spec, path);
    validate_host_users(errors, spec, options, path);
    validate_hostname_override(errors, spec, path);
    validate_names(errors, spec, path);
    validate_tolerations(
        errors,
        spec.tolerations.as_deref().unwrap_or_default(),
        options,
        &path.child("tolerations"),
    );
    validate_host_aliases(
        errors,
        spec.host_aliases.as_deref().unwrap_or_default(),
        &path.child("hostAliases"),
    );
    validate_classes(errors, spec, path);
    if let Some(overhead) = &spec.overhead {
        let allow_indivisible = options.allow_indivisible_huge_pages_values;
        validate_overhead(errors, overhead, allow_indivisible, &path.child("overhead"));
    }
    validate_os(errors, spec, path);
    validate_scheduling_group(errors, spec, &path.child("schedulingGroup"));
    validate_file_volumes(errors, spec, path);
}

fn validate_restart_policy(errors: &mut ErrorList, policy: &str, path: &Path<'_>) {
    match policy {
        "Always" | "OnFailure" | "Never" => {}
        "" => errors.push(Error::required(path, "")),
        other => errors.push(Error::not_supported(path, named(other), &["Always", "OnFailure", "Never"])),
    }
}

/// The account, the node, the deadline and the pod's own names.
fn validate_names(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    let account = text(spec.service_account_name.as_ref());
    if !account.is_empty() {
        extend_invalid(
            errors,
            &path.child("serviceAccountName"),
            account,
            name_is_dns_subdomain(account, false),
        );
    }
    let deprecated = text(spec.service_account.as_ref());
    if deprecated != account {
        let detail = format!("must be the same as serviceAccountName: {}", go_quote(account));
        errors.push(Error::invalid(&path.child("deprecatedServiceAccount"), deprecated, detail));
    }
    let node = text(spec.node_name.as_ref());
    if !node.is_empty() {
        extend_invalid(errors, &path.child("nodeName"), node, name_is_dns_subdomain(node, false));
    }
    if let Some(seconds) = spec.active_deadline_seconds {
        let faults = names::in_range(seconds, 1, i64::from(i32::MAX));
        let path = path.child("activeDeadlineSeconds");
        errors.extend(faults.into_iter().map(|fault| Error::invalid(&path, seconds, fault)));
    }
    for (field, name) in [("hostname", &spec.hostname), ("subdomain", &spec.subdomain)] {
        let name = text(name.as_ref());
        if !name.is_empty() {
            extend_invalid(errors, &path.child(field), name, names::dns_1123_label(name));
        }
    }
}

/// The priority, the runtime and what the pod may preempt.
fn validate_classes(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    let priority_class = text(spec.priority_class_name.as_ref());
    if !priority_class.is_empty() {
        let faults = name_is_dns_subdomain(priority_class, false);
        extend_invalid(errors, &path.child("priorityClassName"), priority_class, faults);
    }
    if let Some(runtime_class) = &spec.runtime_class_name {
        let faults = name_is_dns_subdomain(runtime_class, false);
        extend_invalid(errors, &path.child("runtimeClassName"), runtime_class, faults);
    }
    let path = path.child("preemptionPolicy");
    match spec.preemption_policy.as_deref() {
        None | Some("PreemptLowerPriority" | "Never") => {}
        Some("") => errors.push(Error::required(&path, "")),
        Some(other) => {
            errors.push(Error::not_supported(&path, named(other), &["PreemptLowerPriority", "Never"]));
        }
    }
}

/// Only templates of objects that have had one still hold a group.
fn validate_scheduling_group(errors: &mut ErrorList, spec: &PodSpec, path: &Path<'_>) {
    let Some(group) = &spec.scheduling_group else {
        return;
    };
    let name_path = path.child("podGroupName");
    match &group.pod_group_name {
        None => {
            let shown = plimsoll_api::field::BadValue::Verbatim("null".to_owned());
            errors.push(Error::invalid(&name_path, shown, "must specify one of: `podGroupName`"));
        }
        Some(name) => extend_invalid(errors, &name_path, name, name_is_dns_subdomain(name, false)),
    }
    if spec.eviction_responders.as_ref().is_some_and(|responders| !responders.is_empty()) {
        errors.push(Error::forbidden(path, "may not be set when evictionResponders is set"));
    }
}
