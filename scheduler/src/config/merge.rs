//! A profile's plugins over the default ones.
//!
//! # Source
//! `pkg/scheduler/apis/config/v1/default_plugins.go` (`mergePlugins`, `mergePluginSet`)

use super::types::{PluginRef, PluginSet, Plugins};

/// The default plugins, changed as a profile asks.
pub(super) fn merge(default: Plugins, custom: Plugins) -> Plugins {
    Plugins {
        pre_enqueue: merge_set(default.pre_enqueue, custom.pre_enqueue),
        queue_sort: merge_set(default.queue_sort, custom.queue_sort),
        pre_filter: merge_set(default.pre_filter, custom.pre_filter),
        filter: merge_set(default.filter, custom.filter),
        post_filter: merge_set(default.post_filter, custom.post_filter),
        pre_score: merge_set(default.pre_score, custom.pre_score),
        score: merge_set(default.score, custom.score),
        reserve: merge_set(default.reserve, custom.reserve),
        permit: merge_set(default.permit, custom.permit),
        pre_bind: merge_set(default.pre_bind, custom.pre_bind),
        bind: merge_set(default.bind, custom.bind),
        post_bind: merge_set(default.post_bind, custom.post_bind),
        multi_point: merge_set(default.multi_point, custom.multi_point),
        placement_generate: merge_set(default.placement_generate, custom.placement_generate),
        placement_score: merge_set(default.placement_score, custom.placement_score),
        pod_group_post_filter: merge_set(default.pod_group_post_filter, custom.pod_group_post_filter),
    }
}

/// One that is named anew takes the place of the default one; what is added comes last.
fn merge_set(default: PluginSet, custom: PluginSet) -> PluginSet {
    let disabled: Vec<PluginRef> =
        custom.disabled.iter().chain(&default.disabled).map(|plugin| PluginRef::new(&plugin.name)).collect();
    let is_disabled = |name: &str| disabled.iter().any(|plugin| plugin.name == name);
    let mut replaced = Vec::new();
    let mut enabled = Vec::new();
    if !is_disabled("*") {
        for plugin in default.enabled.into_iter().filter(|plugin| !is_disabled(&plugin.name)) {
            // Of several of one name the last counts.
            match custom.enabled.iter().rposition(|other| other.name == plugin.name) {
                Some(place) => {
                    replaced.push(place);
                    enabled.push(custom.enabled[place].clone());
                }
                None => enabled.push(plugin),
            }
        }
    }
    let added = custom.enabled.into_iter().enumerate().filter(|(place, _)| !replaced.contains(place));
    enabled.extend(added.map(|(_, plugin)| plugin));
    PluginSet { enabled, disabled }
}
