//! The plugins that upstream has on by default, and at which points each of its plugins can be asked.
//!
//! # Source
//! `pkg/scheduler/apis/config/v1/default_plugins.go`, `pkg/scheduler/framework/plugins/registry.go`

use super::types::{PluginRef, PluginSet, Plugins};
use crate::framework::ExtensionPoint::{
    self, Bind, Filter, Permit, PlacementScore, PodGroupPostFilter, PostFilter, PreBind, PreEnqueue,
    PreFilter, PreScore, QueueSort, Reserve, Score,
};

/// The default plugins in their order, each with its weight and the points at which upstream's can be asked.
pub(super) const DEFAULTS: &[(&str, Option<i32>, &[ExtensionPoint])] = &[
    ("SchedulingGates", None, &[PreEnqueue]),
    ("PrioritySort", None, &[QueueSort]),
    ("NodeName", None, &[PreFilter, Filter]),
    ("NodeUnschedulable", None, &[PreFilter, Filter]),
    ("TaintToleration", Some(3), &[PreFilter, Filter, PreScore, Score]),
    ("NodeAffinity", Some(2), &[PreFilter, Filter, PreScore, Score]),
    ("NodePorts", None, &[PreFilter, Filter]),
    ("NodeResourcesFit", Some(1), &[PreFilter, Filter, PreScore, Score, PlacementScore]),
    ("VolumeRestrictions", None, &[PreFilter, Filter]),
    ("NodeVolumeLimits", None, &[PreFilter, Filter]),
    ("VolumeBinding", None, &[PreFilter, Filter, PreScore, Score, Reserve, PreBind]),
    ("VolumeZone", None, &[PreFilter, Filter]),
    ("PodTopologySpread", Some(2), &[PreFilter, Filter, PreScore, Score]),
    ("InterPodAffinity", Some(2), &[PreFilter, Filter, PreScore, Score]),
    (
        "DynamicResources",
        Some(2),
        &[PreEnqueue, PreFilter, Filter, PostFilter, PodGroupPostFilter, Score, Reserve, PreBind],
    ),
    ("DefaultPreemption", None, &[PreEnqueue, PostFilter, PodGroupPostFilter]),
    ("NodeResourcesBalancedAllocation", Some(1), &[PreScore, Score]),
    ("ImageLocality", Some(1), &[Score]),
    ("DefaultBinder", None, &[Bind]),
    ("NodeDeclaredFeatures", None, &[PreFilter, Filter]),
];

/// Upstream's plugins that no profile has by default.
const OTHERS: &[(&str, &[ExtensionPoint])] =
    &[("DeferredPodScheduling", &[PreEnqueue, PreFilter, Filter, Permit])];

/// The plugins of a profile that says nothing of plugins.
pub fn default_plugins() -> Plugins {
    let enabled = |(name, weight, _): &(&str, Option<i32>, &[ExtensionPoint])| PluginRef {
        name: (*name).to_owned(),
        weight: *weight,
    };
    let multi_point = PluginSet { enabled: DEFAULTS.iter().map(enabled).collect(), disabled: Vec::new() };
    Plugins { multi_point, ..Plugins::default() }
}

/// The points at which a plugin of upstream's can be asked; none if it has none of that name.
pub(crate) fn points_of(name: &str) -> Option<&'static [ExtensionPoint]> {
    let default = DEFAULTS.iter().find(|(known, ..)| *known == name).map(|(.., points)| *points);
    default.or_else(|| OTHERS.iter().find(|(known, _)| *known == name).map(|(_, points)| *points))
}
