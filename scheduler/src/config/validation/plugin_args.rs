//! What is wrong with the arguments of plugins.
//!
//! # Source
//! `pkg/scheduler/apis/config/validation/validation_pluginargs.go`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_matching::node_affinity::PreferredSchedulingTerms;
use plimsoll_matching::node_selector::NodeSelector;

use super::function_shape::validate_shape;
use crate::config::args::{
    DefaultPreemptionArgs, DynamicResourcesArgs, InterPodAffinityArgs, NodeAffinityArgs,
    NodeResourcesBalancedAllocationArgs, PluginArgs, PodTopologySpreadArgs, VolumeBindingArgs,
};

/// The shortest time that devices may be given.
const MIN_BINDING_TIMEOUT_NANOS: i64 = 1_000_000_000;

/// # Source
/// `validation.go` (`validatePluginConfig`). NodeResourcesFit isn't looked at there; upstream refuses its arguments when the plugin
/// is made.
pub(super) fn validate_args(errors: &mut ErrorList, path: &Path<'_>, args: &PluginArgs) {
    match args {
        PluginArgs::DefaultPreemption(typed) => validate_default_preemption(errors, path, &typed.args),
        PluginArgs::DynamicResources(typed) => validate_dynamic_resources(errors, path, &typed.args),
        PluginArgs::InterPodAffinity(typed) => validate_inter_pod_affinity(errors, path, &typed.args),
        PluginArgs::NodeAffinity(typed) => validate_node_affinity(errors, path, &typed.args),
        PluginArgs::NodeResourcesBalancedAllocation(typed) => {
            validate_balanced_allocation(errors, path, &typed.args);
        }
        PluginArgs::PodTopologySpread(typed) => validate_pod_topology_spread(errors, path, &typed.args),
        PluginArgs::VolumeBinding(typed) => validate_volume_binding(errors, path, &typed.args),
        PluginArgs::NodeResourcesFit(_) | PluginArgs::Other(_) => {}
    }
}

fn validate_default_preemption(errors: &mut ErrorList, path: &Path<'_>, args: &DefaultPreemptionArgs) {
    let percentage_path = path.child("minCandidateNodesPercentage");
    let absolute_path = path.child("minCandidateNodesAbsolute");
    let percentage = args.min_candidate_nodes_percentage.unwrap_or(0);
    let absolute = args.min_candidate_nodes_absolute.unwrap_or(0);
    if !(0..=100).contains(&percentage) {
        errors.push(Error::invalid(&percentage_path, percentage, "not in valid range [0, 100]"));
    }
    if absolute < 0 {
        errors.push(Error::invalid(&absolute_path, absolute, "not in valid range [0, inf)"));
    }
    if (percentage, absolute) == (0, 0) {
        let zero = |other| format!("cannot be zero at the same time as {other}");
        errors.push(Error::invalid(&percentage_path, 0, zero("minCandidateNodesAbsolute")));
        errors.push(Error::invalid(&absolute_path, 0, zero("minCandidateNodesPercentage")));
    }
}

fn validate_dynamic_resources(errors: &mut ErrorList, path: &Path<'_>, args: &DynamicResourcesArgs) {
    if let Some(timeout) = args.filter_timeout.filter(|timeout| timeout.nanos < 0) {
        let value = BadValue::json_string(&timeout.to_string());
        errors.push(Error::invalid(&path.child("filterTimeout"), value, "must be zero or positive"));
    }
    if let Some(timeout) = args.binding_timeout.filter(|timeout| timeout.nanos < MIN_BINDING_TIMEOUT_NANOS) {
        let value = BadValue::json_string(&timeout.to_string());
        errors.push(Error::invalid(&path.child("bindingTimeout"), value, "must be at least 1 second"));
    }
}

fn validate_inter_pod_affinity(errors: &mut ErrorList, path: &Path<'_>, args: &InterPodAffinityArgs) {
    let weight = args.hard_pod_affinity_weight.unwrap_or(0);
    if !(0..=100).contains(&weight) {
        let detail = "not in valid range [0, 100]";
        errors.push(Error::invalid(&path.child("hardPodAffinityWeight"), weight, detail));
    }
}

fn validate_node_affinity(errors: &mut ErrorList, path: &Path<'_>, args: &NodeAffinityArgs) {
    let Some(affinity) = &args.added_affinity else { return };
    let root = path.child("addedAffinity");
    if let Some(required) = &affinity.required_during_scheduling_ignored_during_execution {
        let path = root.child("requiredDuringSchedulingIgnoredDuringExecution");
        errors.extend(NodeSelector::new_at(required, &path.child("nodeSelectorTerms")).1);
    }
    let preferred = affinity.preferred_during_scheduling_ignored_during_execution.as_deref();
    if let Some(preferred) = preferred.filter(|preferred| !preferred.is_empty()) {
        let path = root.child("preferredDuringSchedulingIgnoredDuringExecution");
        errors.extend(PreferredSchedulingTerms::new_at(preferred, Some(&path)).err().unwrap_or_default());
    }
}

fn validate_balanced_allocation(
    errors: &mut ErrorList,
    path: &Path<'_>,
    args: &NodeResourcesBalancedAllocationArgs,
) {
    let resources = path.child("resources");
    let mut seen = BTreeSet::new();
    for (index, resource) in args.resources.iter().enumerate() {
        let path = resources.index(index);
        if !seen.insert(&resource.name) {
            errors.push(Error::duplicate(&path.child("name"), &resource.name));
        }
        if resource.weight != 1 {
            errors.push(Error::invalid(&path.child("weight"), resource.weight, "must be 1"));
        }
    }
}

fn validate_pod_topology_spread(errors: &mut ErrorList, path: &Path<'_>, args: &PodTopologySpreadArgs) {
    let type_path = path.child("defaultingType");
    let value = BadValue::json_string(&args.defaulting_type);
    match args.defaulting_type.as_str() {
        "System" if !args.default_constraints.is_empty() => {
            errors.push(Error::invalid(&type_path, value, "when .defaultConstraints are not empty"));
        }
        "System" | "List" => {}
        _ => errors.push(Error::not_supported(&type_path, value, &["System", "List"])),
    }
    let root = path.child("defaultConstraints");
    for (index, constraint) in args.default_constraints.iter().enumerate() {
        let path = root.index(index);
        if constraint.max_skew <= 0 {
            let detail = "not in valid range (0, inf)";
            errors.push(Error::invalid(&path.child("maxSkew"), constraint.max_skew, detail));
        }
        validate_topology_key(errors, &path.child("topologyKey"), &constraint.topology_key);
        validate_when_unsatisfiable(errors, &path.child("whenUnsatisfiable"), &constraint.when_unsatisfiable);
        if constraint.label_selector.is_some() {
            let detail = "constraint must not define a selector, as they deduced for each pod";
            errors.push(Error::forbidden(&path.child("labelSelector"), detail));
        }
        let is_same = |other: &TopologySpreadConstraint| {
            other.topology_key == constraint.topology_key
                && other.when_unsatisfiable == constraint.when_unsatisfiable
        };
        if args.default_constraints[..index].iter().any(is_same) {
            let value = format!("{{{}, {}}}", constraint.topology_key, constraint.when_unsatisfiable);
            errors.push(Error::duplicate(&path, value));
        }
    }
}

fn validate_topology_key(errors: &mut ErrorList, path: &Path<'_>, key: &str) {
    if key.is_empty() {
        errors.push(Error::required(path, "can not be empty"));
        return;
    }
    validate_label_name(errors, path, key);
}

fn validate_when_unsatisfiable(errors: &mut ErrorList, path: &Path<'_>, action: &str) {
    match action {
        "" => errors.push(Error::required(path, "can not be empty")),
        "DoNotSchedule" | "ScheduleAnyway" => {}
        _ => {
            let value = BadValue::json_string(action);
            errors.push(Error::not_supported(path, value, &["DoNotSchedule", "ScheduleAnyway"]));
        }
    }
}

fn validate_volume_binding(errors: &mut ErrorList, path: &Path<'_>, args: &VolumeBindingArgs) {
    let seconds = args.bind_timeout_seconds.unwrap_or(0);
    if seconds < 0 {
        let detail = "invalid BindTimeoutSeconds, should not be a negative value";
        errors.push(Error::invalid(&path.child("bindTimeoutSeconds"), seconds, detail));
    }
    validate_shape(errors, &path.child("shape"), &args.shape);
}

pub(super) fn validate_label_name(errors: &mut ErrorList, path: &Path<'_>, name: &str) {
    for problem in names::qualified_name(name) {
        errors.push(Error::invalid(path, name, problem));
    }
}
