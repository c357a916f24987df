//! What is filled in where the file says nothing.
//!
//! # Source
//! `pkg/scheduler/apis/config/v1/defaults.go`, k8s.io/component-base `config/v1alpha1/defaults.go`

use std::collections::BTreeSet;

use plimsoll_api::duration::Duration;
use plimsoll_resource_math::resource_name::{CPU, MEMORY};

use super::args::{PluginArgs, ResourceSpec, ScoringStrategy};
use super::default_plugins::default_plugins;
use super::merge::merge;
use super::types::{KubeSchedulerConfiguration, KubeSchedulerProfile, LeaderElection, PluginConfig, Plugins};
use super::{API_VERSION, DEFAULT_SCHEDULER_NAME, KIND};
use crate::plugins::volume_binding::{DEFAULT_BIND_TIMEOUT, DEFAULT_SHAPE};

/// Fills in what the file doesn't say. What plugins are told has to be read before.
pub fn set_defaults(configuration: &mut KubeSchedulerConfiguration) {
    API_VERSION.clone_into(&mut configuration.api_version);
    KIND.clone_into(&mut configuration.kind);
    configuration.parallelism.get_or_insert(16);
    if configuration.profiles.is_empty() {
        configuration.profiles.push(KubeSchedulerProfile::default());
    }
    if let [only] = configuration.profiles.as_mut_slice() {
        only.scheduler_name.get_or_insert_with(|| DEFAULT_SCHEDULER_NAME.to_owned());
    }
    for profile in &mut configuration.profiles {
        set_profile_defaults(profile);
    }
    configuration.percentage_of_nodes_to_score.get_or_insert(0);
    set_leader_election_defaults(&mut configuration.leader_election);
    let connection = &mut configuration.client_connection;
    if connection.content_type.is_empty() {
        "application/vnd.kubernetes.protobuf".clone_into(&mut connection.content_type);
    }
    if connection.qps.abs() == 0.0 {
        connection.qps = 50.0;
    }
    if connection.burst == 0 {
        connection.burst = 100;
    }
    configuration.pod_initial_backoff_seconds.get_or_insert(1);
    configuration.pod_max_backoff_seconds.get_or_insert(10);
    let enable_profiling = *configuration.enable_profiling.get_or_insert(true);
    configuration.enable_contention_profiling.get_or_insert(enable_profiling);
}

fn set_leader_election_defaults(election: &mut LeaderElection) {
    for (text, default) in [
        (&mut election.resource_lock, "leases"),
        (&mut election.resource_namespace, "kube-system"),
        (&mut election.resource_name, "kube-scheduler"),
    ] {
        if text.is_empty() {
            default.clone_into(text);
        }
    }
    for (duration, seconds) in [
        (&mut election.lease_duration, 15),
        (&mut election.renew_deadline, 10),
        (&mut election.retry_period, 2),
    ] {
        if duration.nanos == 0 {
            *duration = Duration::from_secs(seconds);
        }
    }
    election.leader_elect.get_or_insert(true);
}

fn set_profile_defaults(profile: &mut KubeSchedulerProfile) {
    let plugins = match profile.plugins.take() {
        Some(custom) => merge(default_plugins(), custom),
        None => default_plugins(),
    };
    for config in &mut profile.plugin_config {
        if let Some(args) = &mut config.read {
            set_args_defaults(args);
        }
    }
    let told: BTreeSet<&str> = profile.plugin_config.iter().map(|config| config.name.as_str()).collect();
    let untold: Vec<String> =
        plugins.enabled_names().into_iter().filter(|name| !told.contains(name)).map(str::to_owned).collect();
    for name in untold {
        if let Some(mut args) = PluginArgs::absent(&name) {
            set_args_defaults(&mut args);
            profile.plugin_config.push(PluginConfig { name, given: None, read: Some(args) });
        }
    }
    profile.plugins = Some(weighted(plugins));
}

/// As upstream shows it: a weight that isn't set is 0.
fn weighted(mut plugins: Plugins) -> Plugins {
    for set in plugins.sets_mut() {
        for plugin in set.enabled.iter_mut().chain(&mut set.disabled) {
            plugin.weight.get_or_insert(0);
        }
    }
    plugins
}

fn set_args_defaults(args: &mut PluginArgs) {
    match args {
        PluginArgs::DefaultPreemption(typed) => {
            typed.args.min_candidate_nodes_percentage.get_or_insert(10);
            typed.args.min_candidate_nodes_absolute.get_or_insert(100);
        }
        PluginArgs::DynamicResources(typed) => {
            typed.args.filter_timeout.get_or_insert(Duration::from_secs(10));
            typed.args.binding_timeout.get_or_insert(Duration::from_secs(600));
        }
        PluginArgs::InterPodAffinity(typed) => {
            typed.args.hard_pod_affinity_weight.get_or_insert(1);
        }
        PluginArgs::NodeResourcesBalancedAllocation(typed) => {
            set_resource_defaults(&mut typed.args.resources);
        }
        PluginArgs::NodeResourcesFit(typed) => {
            let strategy = typed.args.scoring_strategy.get_or_insert_with(|| ScoringStrategy {
                strategy: "LeastAllocated".to_owned(),
                ..ScoringStrategy::default()
            });
            set_resource_defaults(&mut strategy.resources);
        }
        PluginArgs::PodTopologySpread(typed) => {
            if typed.args.defaulting_type.is_empty() {
                "System".clone_into(&mut typed.args.defaulting_type);
            }
        }
        PluginArgs::VolumeBinding(typed) => {
            typed.args.bind_timeout_seconds.get_or_insert(DEFAULT_BIND_TIMEOUT);
            if typed.args.shape.is_empty() {
                typed.args.shape = DEFAULT_SHAPE.to_vec();
            }
        }
        PluginArgs::NodeAffinity(_) | PluginArgs::Other(_) => {}
    }
}

fn set_resource_defaults(resources: &mut Vec<ResourceSpec>) {
    if resources.is_empty() {
        *resources = [CPU, MEMORY].map(|name| ResourceSpec { name: name.to_owned(), weight: 1 }).to_vec();
    }
    for resource in resources.iter_mut().filter(|resource| resource.weight == 0) {
        resource.weight = 1;
    }
}
