//! What is wrong with a profile.
//!
//! # Source
//! `pkg/scheduler/apis/config/validation/validation.go` (`validateKubeSchedulerProfile`)

use std::collections::BTreeSet;

use plimsoll_api::field::{Error, ErrorList, Path};

use super::plugin_args::validate_args;
use super::validate_percentage;
use crate::config::API_VERSION;
use crate::config::types::{KubeSchedulerProfile, PluginSet};

/// Plugins of earlier versions.
const REMOVED_PLUGINS: [&str; 4] = ["AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"];

pub(super) fn validate_profile(errors: &mut ErrorList, path: &Path<'_>, profile: &KubeSchedulerProfile) {
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
