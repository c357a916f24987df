//! Resources of extenders that the scheduler itself doesn't look at.

use std::borrow::Cow;

use crate::config::{KubeSchedulerConfiguration, PluginArgs};
use crate::plugins::node_resources_fit;

/// The configuration in which NodeResourcesFit leaves out, in every profile, the resources that extenders manage and that are
/// `ignoredByScheduler`. They take the place of the `ignoredResources` that are there, if there are any.
///
/// # Errors
/// Upstream's sentence on a profile that doesn't know the plugin.
///
/// # Source
/// `pkg/scheduler/scheduler.go` (`buildExtenders`)
pub fn ignore_managed_resources(
    configuration: &KubeSchedulerConfiguration,
) -> Result<Cow<'_, KubeSchedulerConfiguration>, String> {
    let managed = configuration.extenders.iter().flat_map(|extender| &extender.managed_resources);
    let ignored: Vec<String> = managed
        .filter(|resource| resource.ignored_by_scheduler)
        .map(|resource| resource.name.clone())
        .collect();
    if ignored.is_empty() {
        return Ok(Cow::Borrowed(configuration));
    }
    let mut changed = configuration.clone();
    for profile in &mut changed.profiles {
        let mut told = profile.plugin_config.iter_mut();
        let fit = told.find(|config| config.name == node_resources_fit::NAME);
        let Some(Some(PluginArgs::NodeResourcesFit(fit))) = fit.map(|config| config.read.as_mut()) else {
            return Err("can't find NodeResourcesFitArgs in plugin config".to_owned());
        };
        fit.args.ignored_resources.clone_from(&ignored);
    }
    Ok(Cow::Owned(changed))
}
