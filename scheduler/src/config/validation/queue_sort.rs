//! Whether all profiles sort the one queue alike.
//!
//! # Source
//! `pkg/scheduler/apis/config/validation/validation.go` (`validateCommonQueueSort`)

use plimsoll_api::field::{BadValue, Error, ErrorList, Path};

use crate::config::args::PluginArgs;
use crate::config::types::{KubeSchedulerProfile, PluginRef, PluginSet};

/// All profiles share one queue.
pub(super) fn validate_common_queue_sort(
    errors: &mut ErrorList,
    path: &Path<'_>,
    profiles: &[KubeSchedulerProfile],
) {
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
