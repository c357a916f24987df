//! What is wrong with a file whose defaults are filled in.
//!
//! # Source
//! `pkg/scheduler/apis/config/validation`, k8s.io/component-base `config/validation`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_matching::node_affinity::PreferredSchedulingTerms;
use plimsoll_matching::node_selector::NodeSelector;
use plimsoll_resource_math::resource_name::is_extended;

use super::API_VERSION;
use super::args::{
    DefaultPreemptionArgs, DynamicResourcesArgs, InterPodAffinityArgs, NodeAffinityArgs,
    NodeResourcesBalancedAllocationArgs, NodeResourcesFitArgs, PluginArgs, PodTopologySpreadArgs,
    ResourceSpec, UtilizationShapePoint, VolumeBindingArgs,
};
use super::types::{
    ClientConnection, Extender, KubeSchedulerConfiguration, KubeSchedulerProfile, LeaderElection, PluginRef,
    PluginSet,
};

/// Plugins of earlier versions.
const REMOVED_PLUGINS: [&str; 4] = ["AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"];
/// What nodes can be compared by.
const STRATEGIES: [&str; 3] = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"];
/// The best score of a point of a line.
const MAX_CUSTOM_PRIORITY_SCORE: i32 = 10;
/// The shortest time that devices may be given.
const MIN_BINDING_TIMEOUT_NANOS: i64 = 1_000_000_000;

/// All that is wrong, in upstream's order and words.
///
/// # Source
/// `validation.go` (`ValidateKubeSchedulerConfiguration`)
pub fn validate(configuration: &KubeSchedulerConfiguration) -> ErrorList {
    let mut errors = ErrorList::new();
    validate_client_connection(&mut errors, &configuration.client_connection);
    validate_leader_election(&mut errors, &configuration.leader_election);
    let parallelism = configuration.parallelism.unwrap_or(0);
    if parallelism <= 0 {
        let detail = "should be an integer value greater than zero";
        errors.push(Error::invalid(&Path::root("parallelism"), parallelism, detail));
    }
    let profiles = Path::root("profiles");
    if configuration.profiles.is_empty() {
        errors.push(Error::required(&profiles, ""));
    }
    let mut names: Vec<&str> = Vec::new();
    for (index, profile) in configuration.profiles.iter().enumerate() {
        let path = profiles.index(index);
        validate_profile(&mut errors, &path, profile);
        let name = profile.scheduler_name.as_deref().unwrap_or_default();
        if names.contains(&name) {
            // Upstream gives the path of the other one as the value, which has no JSON.
            let value = BadValue::Verbatim("{}".to_owned());
            errors.push(Error::duplicate(&path.child("schedulerName"), value));
        }
        names.push(name);
    }
    validate_common_queue_sort(&mut errors, &profiles, &configuration.profiles);
    let percentage = configuration.percentage_of_nodes_to_score;
    validate_percentage(&mut errors, &Path::root("percentageOfNodesToScore"), percentage);
    let initial = configuration.pod_initial_backoff_seconds.unwrap_or(0);
    if initial <= 0 {
        let path = Path::root("podInitialBackoffSeconds");
        errors.push(Error::invalid(&path, initial, "must be greater than 0"));
    }
    let most = configuration.pod_max_backoff_seconds.unwrap_or(0);
    if most < initial {
        let detail = "must be greater than or equal to PodInitialBackoffSeconds";
        errors.push(Error::invalid(&Path::root("podMaxBackoffSeconds"), most, detail));
    }
    validate_extenders(&mut errors, &configuration.extenders);
    errors
}

fn validate_client_connection(errors: &mut ErrorList, connection: &ClientConnection) {
    if connection.burst < 0 {
        let root = Path::root("clientConnection");
        errors.push(Error::invalid(&root.child("burst"), connection.burst, "must be non-negative"));
    }
}

fn validate_leader_election(errors: &mut ErrorList, election: &LeaderElection) {
    if election.leader_elect != Some(true) {
        return;
    }
    let root = Path::root("leaderElection");
    let text = |duration: plimsoll_api::duration::Duration| BadValue::json_string(&duration.to_string());
    for (name, duration) in [
        ("leaseDuration", election.lease_duration),
        ("renewDeadline", election.renew_deadline),
        ("retryPeriod", election.retry_period),
    ] {
        if duration.nanos <= 0 {
            errors.push(Error::invalid(&root.child(name), text(duration), "must be greater than zero"));
        }
    }
    if election.lease_duration <= election.renew_deadline {
        let detail = "must be greater than `RenewDeadline`";
        errors.push(Error::invalid(&root.child("leaseDuration"), text(election.renew_deadline), detail));
    }
    if election.resource_lock != "leases" {
        let detail = "resourceLock value must be \"leases\"";
        errors.push(Error::invalid(&root.child("resourceLock"), &election.resource_lock, detail));
    }
}

fn validate_percentage(errors: &mut ErrorList, path: &Path<'_>, percentage: Option<i32>) {
    if let Some(percentage) = percentage.filter(|percentage| !(0..=100).contains(percentage)) {
        errors.push(Error::invalid(path, percentage, "not in valid range [0-100]"));
    }
}

fn validate_profile(errors: &mut ErrorList, path: &Path<'_>, profile: &KubeSchedulerProfile) {
    if profile.scheduler_name.as_deref().unwrap_or_default().is_empty() {
        errors.push(Error::required(&path.child("schedulerName"), ""));
    }
    let percentage = profile.percentage_of_nodes_to_score;
    validate_percentage(errors, &path.child("percentageOfNodesToScore"), percentage);
    if let Some(plugins) = &profile.plugins {
        let plugins_path = path.child("plugins");
        // DIFFERENCE: D-scheduler-12.
        for (name, set) in [
            ("preEnqueue", &plugins.pre_enqueue),
            ("queueSort", &plugins.queue_sort),
            ("preFilter", &plugins.pre_filter),
            ("filter", &plugins.filter),
            ("postFilter", &plugins.post_filter),
            ("preScore", &plugins.pre_score),
            ("score", &plugins.score),
            ("reserve", &plugins.reserve),
            ("permit", &plugins.permit),
            ("preBind", &plugins.pre_bind),
            ("bind", &plugins.bind),
            ("postBind", &plugins.post_bind),
            ("podGroupPostFilter", &plugins.pod_group_post_filter),
        ] {
            refuse_removed_plugins(errors, &plugins_path.child(name), set);
        }
    }
    let mut told = BTreeSet::new();
    let configs_path = path.child("pluginConfig");
    for (index, config) in profile.plugin_config.iter().enumerate() {
        let config_path = configs_path.index(index);
        if !told.insert(&config.name) {
            errors.push(Error::duplicate(&config_path, &config.name));
        }
        if REMOVED_PLUGINS.contains(&config.name.as_str()) {
            errors.push(Error::invalid(&config_path, &config.name, was_removed()));
        } else if let Some(args) = &config.read {
            validate_args(errors, &config_path.child("args"), args);
        }
    }
}

fn refuse_removed_plugins(errors: &mut ErrorList, path: &Path<'_>, set: &PluginSet) {
    let enabled = path.child("enabled");
    for (index, plugin) in set.enabled.iter().enumerate() {
        if REMOVED_PLUGINS.contains(&plugin.name.as_str()) {
            errors.push(Error::invalid(&enabled.index(index), &plugin.name, was_removed()));
        }
    }
}

fn was_removed() -> String {
    // Upstream names the version of another group by mistake.
    format!("was invalid in version \"v1\" (KubeSchedulerConfiguration is version {API_VERSION:?})")
}

/// All profiles share one queue.
///
/// # Source
/// `validation.go` (`validateCommonQueueSort`)
fn validate_common_queue_sort(errors: &mut ErrorList, path: &Path<'_>, profiles: &[KubeSchedulerProfile]) {
    let Some((first, others)) = profiles.split_first() else { return };
    let nothing = PluginSet::default();
    let sorters = |profile: &KubeSchedulerProfile| {
        profile.plugins.as_ref().map_or_else(|| nothing.clone(), |plugins| plugins.queue_sort.clone())
    };
    let canon = sorters(first);
    if canon.enabled.len() > 1 {
        let first_path = path.index(0);
        let plugins = first_path.child("plugins");
        let queue_sort = plugins.child("queueSort");
        let detail = "only one queue sort plugin can be enabled";
        errors.push(Error::invalid(&queue_sort.child("Enabled"), canon.enabled.len(), detail));
    }
    let sorter = canon.enabled.first().map(|plugin| plugin.name.as_str());
    let told = |profile: &KubeSchedulerProfile| -> Option<Option<PluginArgs>> {
        let config = profile.plugin_config.iter().rfind(|config| Some(config.name.as_str()) == sorter)?;
        Some(config.read.clone())
    };
    let canon_args = told(first).flatten();
    for (index, profile) in others.iter().enumerate() {
        let profile_path = path.index(index + 1);
        if sorters(profile) != canon {
            let plugins = profile_path.child("plugins");
            let value = json(&InternalPluginSet::new(&sorters(profile)));
            let detail = "must be the same for all profiles";
            errors.push(Error::invalid(&plugins.child("queueSort"), value, detail));
        }
        if let Some(args) = told(profile).filter(|args| *args != canon_args) {
            // DIFFERENCE: D-scheduler-11.
            let config = profile_path.child("pluginConfig");
            let detail = "queueSort must be the same for all profiles";
            errors.push(Error::invalid(&config.child("args"), json(&args), detail));
        }
    }
}

/// A set as upstream's internal type has it, whose fields have Go's names.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct InternalPluginSet {
    enabled: Option<Vec<InternalPlugin>>,
    disabled: Option<Vec<InternalPlugin>>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct InternalPlugin {
    name: String,
    weight: i32,
}

impl InternalPluginSet {
    fn new(set: &PluginSet) -> Self {
        let internal = |plugin: &PluginRef| InternalPlugin {
            name: plugin.name.clone(),
            weight: plugin.weight.unwrap_or(0),
        };
        let list = |plugins: &[PluginRef]| {
            Some(plugins.iter().map(internal).collect::<Vec<_>>()).filter(|plugins| !plugins.is_empty())
        };
        Self { enabled: list(&set.enabled), disabled: list(&set.disabled) }
    }
}

fn json(value: &impl serde::Serialize) -> BadValue {
    BadValue::Verbatim(serde_json::to_string(value).unwrap_or_default())
}

fn validate_extenders(errors: &mut ErrorList, extenders: &[Extender]) {
    let root = Path::root("extenders");
    let mut managed = BTreeSet::new();
    for (index, extender) in extenders.iter().enumerate() {
        let path = root.index(index);
        if !extender.prioritize_verb.is_empty() && extender.weight <= 0 {
            let detail = "must have a positive weight applied to it";
            errors.push(Error::invalid(&path.child("weight"), extender.weight, detail));
        }
        let resources = path.child("managedResources");
        for (index, resource) in extender.managed_resources.iter().enumerate() {
            let resource_path = resources.index(index);
            let name_path = resource_path.child("name");
            let problems = names::qualified_name(&resource.name);
            if problems.is_empty() && !is_extended(&resource.name) {
                let detail = "is an invalid extended resource name";
                errors.push(Error::invalid(&name_path, &resource.name, detail));
            }
            for problem in problems {
                errors.push(Error::invalid(&name_path, BadValue::json_string(&resource.name), problem));
            }
            if !managed.insert(&resource.name) {
                let detail = "duplicate extender managed resource name";
                errors.push(Error::invalid(&name_path, &resource.name, detail));
            }
        }
    }
    let binders = extenders.iter().filter(|extender| !extender.bind_verb.is_empty()).count();
    if binders > 1 {
        let value = format!("found {binders} extenders implementing bind");
        errors.push(Error::invalid(&root, value, "only one extender can implement bind"));
    }
}

/// # Source
/// `validation.go` (`validatePluginConfig`). NodeResourcesFit isn't looked at there; upstream refuses its arguments when the plugin
/// is made.
fn validate_args(errors: &mut ErrorList, path: &Path<'_>, args: &PluginArgs) {
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

fn validate_label_name(errors: &mut ErrorList, path: &Path<'_>, name: &str) {
    for problem in names::qualified_name(name) {
        errors.push(Error::invalid(path, name, problem));
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

/// # Source
/// `validation_pluginargs.go` (`validateFunctionShape`)
fn validate_shape(errors: &mut ErrorList, path: &Path<'_>, shape: &[UtilizationShapePoint]) {
    if shape.is_empty() {
        errors.push(Error::required(path, "at least one point must be specified"));
        return;
    }
    let is_unsorted = |pair: &[UtilizationShapePoint]| pair[0].utilization >= pair[1].utilization;
    if let Some(place) = shape.windows(2).position(is_unsorted) {
        let point = path.index(place + 1);
        let detail = "values must be sorted in increasing order";
        errors.push(Error::invalid(&point.child("utilization"), shape[place + 1].utilization, detail));
    }
    for (index, point) in shape.iter().enumerate() {
        let path = path.index(index);
        if !(0..=100).contains(&point.utilization) {
            let detail = "not in valid range [0, 100]";
            errors.push(Error::invalid(&path.child("utilization"), point.utilization, detail));
        }
        if !(0..=MAX_CUSTOM_PRIORITY_SCORE).contains(&point.score) {
            let detail = format!("not in valid range [0, {MAX_CUSTOM_PRIORITY_SCORE}]");
            errors.push(Error::invalid(&path.child("score"), point.score, detail));
        }
    }
}

/// What is wrong with the arguments of NodeResourcesFit.
///
/// # Source
/// `validation_pluginargs.go` (`ValidateNodeResourcesFitArgs`)
pub(crate) fn validate_node_resources_fit(args: &NodeResourcesFitArgs) -> ErrorList {
    let mut errors = ErrorList::new();
    let resources = Path::root("ignoredResources");
    for (index, name) in args.ignored_resources.iter().enumerate() {
        validate_label_name(&mut errors, &resources.index(index), name);
    }
    let groups = Path::root("ignoredResourceGroups");
    for (index, group) in args.ignored_resource_groups.iter().enumerate() {
        let path = groups.index(index);
        if group.contains('/') {
            errors.push(Error::invalid(&path, group, "resource group name can't contain '/'"));
        }
        validate_label_name(&mut errors, &path, group);
    }
    let root = Path::root("scoringStrategy");
    let Some(strategy) = &args.scoring_strategy else {
        errors.push(Error::required(&root, "ScoringStrategy field is required"));
        return errors;
    };
    if !STRATEGIES.contains(&strategy.strategy.as_str()) {
        let value = BadValue::json_string(&strategy.strategy);
        errors.push(Error::not_supported(&root.child("type"), value, &STRATEGIES));
    }
    validate_resources(&mut errors, &root.child("resources"), &strategy.resources);
    let ratio_path = root.child("requestedToCapacityRatio");
    match (strategy.strategy.as_str(), &strategy.requested_to_capacity_ratio) {
        ("RequestedToCapacityRatio", None) => {
            let detail = "must be specified when type is RequestedToCapacityRatio";
            errors.push(Error::required(&ratio_path, detail));
        }
        ("RequestedToCapacityRatio", Some(ratio)) => {
            validate_shape(&mut errors, &ratio_path.child("shape"), &ratio.shape);
        }
        (_, Some(_)) => {
            let detail = "must be nil when type is not RequestedToCapacityRatio";
            errors.push(Error::forbidden(&ratio_path, detail));
        }
        (_, None) => {}
    }
    errors
}

fn validate_resources(errors: &mut ErrorList, path: &Path<'_>, resources: &[ResourceSpec]) {
    for (index, resource) in resources.iter().enumerate() {
        if !(1..=100).contains(&resource.weight) {
            let detail = format!("resource weight of {} not in valid range (0, 100]", resource.name);
            errors.push(Error::invalid(&path.index(index).child("weight"), resource.weight, detail));
        }
    }
}
