//! Which plugins are asked at each extension point, in which order.
//!
//! # Source
//! `pkg/scheduler/framework/runtime/framework.go` (`NewFramework`, `expandMultiPointPlugins`)

use std::collections::BTreeMap;

use super::types::{PluginRef, PluginSet, Plugins};
use crate::framework::{ExtensionPoint, MAX_NODE_SCORE};

/// A plugin at a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointPlugin {
    /// The name.
    pub name: String,
    /// What its scores count; 1 at other points.
    pub weight: i64,
}

/// The plugins of each point in their order.
pub type Expanded = BTreeMap<ExtensionPoint, Vec<PointPlugin>>;

impl Plugins {
    /// The plugins of a point.
    fn at(&self, point: ExtensionPoint) -> &PluginSet {
        match point {
            ExtensionPoint::PreEnqueue => &self.pre_enqueue,
            ExtensionPoint::QueueSort => &self.queue_sort,
            ExtensionPoint::PreFilter => &self.pre_filter,
            ExtensionPoint::Filter => &self.filter,
            ExtensionPoint::PostFilter => &self.post_filter,
            ExtensionPoint::PreScore => &self.pre_score,
            ExtensionPoint::Score => &self.score,
            ExtensionPoint::Reserve => &self.reserve,
            ExtensionPoint::Permit => &self.permit,
            ExtensionPoint::PreBind => &self.pre_bind,
            ExtensionPoint::Bind => &self.bind,
            ExtensionPoint::PostBind => &self.post_bind,
            ExtensionPoint::PlacementGenerate => &self.placement_generate,
            ExtensionPoint::PlacementScore => &self.placement_score,
            ExtensionPoint::PodGroupPostFilter => &self.pod_group_post_filter,
        }
    }
}

/// The points in the order in which upstream looks at them.
const ORDER: [ExtensionPoint; 15] = [
    ExtensionPoint::PreFilter,
    ExtensionPoint::Filter,
    ExtensionPoint::PostFilter,
    ExtensionPoint::Reserve,
    ExtensionPoint::PreScore,
    ExtensionPoint::Score,
    ExtensionPoint::PreBind,
    ExtensionPoint::Bind,
    ExtensionPoint::PostBind,
    ExtensionPoint::Permit,
    ExtensionPoint::PreEnqueue,
    ExtensionPoint::QueueSort,
    ExtensionPoint::PlacementGenerate,
    ExtensionPoint::PlacementScore,
    ExtensionPoint::PodGroupPostFilter,
];

/// Expands the plugins of a profile. `points_of` says at which points a plugin can be asked; none if there is no such plugin.
///
/// # Errors
/// Upstream's sentence on plugins that don't exist, stand twice, or can't be asked there; on weights that are too large; on a
/// profile that sorts its queue by none or by several plugins, or that has none to bind pods.
pub(crate) fn expand<'p>(
    scheduler_name: &str,
    plugins: &Plugins,
    points_of: &dyn Fn(&str) -> Option<&'p [ExtensionPoint]>,
) -> Result<Expanded, String> {
    let mut names: BTreeMap<ExtensionPoint, Vec<&str>> = BTreeMap::new();
    for point in ORDER {
        let mut at_point: Vec<&str> = Vec::new();
        for plugin in &plugins.at(point).enabled {
            let name = plugin.name.as_str();
            let points = points_of(name).ok_or_else(|| does_not_exist(point, name))?;
            if !points.contains(&point) {
                return Err(format!("plugin {name:?} does not extend {} plugin", interface(point)));
            }
            if at_point.contains(&name) {
                return Err(registered_already(point, name));
            }
            at_point.push(name);
        }
        names.insert(point, at_point);
    }
    if !plugins.multi_point.enabled.is_empty() {
        for point in ORDER {
            let explicit = names.remove(&point).unwrap_or_default();
            let expanded = expand_at(point, explicit, plugins, points_of)?;
            names.insert(point, expanded);
        }
    }
    let sorters = names[&ExtensionPoint::QueueSort].len();
    if sorters != 1 {
        return Err(format!(
            "only one queue sort plugin required for profile with scheduler name {scheduler_name:?}, but got {sorters}"
        ));
    }
    if names[&ExtensionPoint::Bind].is_empty() {
        return Err(format!(
            "at least one bind plugin is needed for profile with scheduler name {scheduler_name:?}"
        ));
    }
    let weights = score_weights(plugins, points_of)?;
    let weighted = |point: ExtensionPoint, name: &str| PointPlugin {
        name: name.to_owned(),
        weight: if point == ExtensionPoint::Score { weights.get(name).copied().unwrap_or(1) } else { 1 },
    };
    let of_point = |(point, names): (ExtensionPoint, Vec<&str>)| {
        (point, names.into_iter().map(|name| weighted(point, name)).collect())
    };
    Ok(names.into_iter().map(of_point).collect())
}

/// Those of the point that stand under `multiPoint` too, then the others of `multiPoint`, then the rest of the point.
fn expand_at<'n, 'p>(
    point: ExtensionPoint,
    explicit: Vec<&'n str>,
    plugins: &'n Plugins,
    points_of: &dyn Fn(&str) -> Option<&'p [ExtensionPoint]>,
) -> Result<Vec<&'n str>, String> {
    let is_disabled = |name: &str| plugins.at(point).disabled.iter().any(|plugin| plugin.name == name);
    if is_disabled("*") {
        return Ok(explicit);
    }
    let (mut overrides, mut from_multi_point): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for plugin in &plugins.multi_point.enabled {
        let name = plugin.name.as_str();
        let points = points_of(name).ok_or_else(|| does_not_exist(point, name))?;
        if !points.contains(&point) || is_disabled(name) {
            continue;
        }
        if explicit.contains(&name) {
            overrides.push(name);
        } else if from_multi_point.contains(&name) {
            return Err(registered_already(point, name));
        } else {
            from_multi_point.push(name);
        }
    }
    let (first, last): (Vec<&str>, Vec<&str>) =
        explicit.into_iter().partition(|name| overrides.contains(name));
    Ok(first.into_iter().chain(from_multi_point).chain(last).collect())
}

/// What the scores of each plugin count: as the point says, else as `multiPoint` does; 1 for 0.
///
/// # Source
/// `framework.go` (`getValidScoreWeights`)
fn score_weights<'n, 'p>(
    plugins: &'n Plugins,
    points_of: &dyn Fn(&str) -> Option<&'p [ExtensionPoint]>,
) -> Result<BTreeMap<&'n str, i64>, String> {
    let mut weights: BTreeMap<&str, i64> = BTreeMap::new();
    let mut total = 0_i64;
    let scores = |plugin: &&PluginRef| {
        points_of(&plugin.name).is_some_and(|points| points.contains(&ExtensionPoint::Score))
    };
    for plugin in plugins.score.enabled.iter().chain(&plugins.multi_point.enabled).filter(scores) {
        if weights.contains_key(plugin.name.as_str()) {
            continue;
        }
        let weight = match plugin.weight.unwrap_or(0) {
            0 => 1,
            weight => i64::from(weight),
        };
        total = weight
            .checked_mul(MAX_NODE_SCORE)
            .and_then(|most| total.checked_add(most))
            .ok_or("score plugins: total score of Score plugins could overflow")?;
        weights.insert(&plugin.name, weight);
    }
    Ok(weights)
}

fn does_not_exist(point: ExtensionPoint, name: &str) -> String {
    format!("{} {name:?} does not exist", interface(point))
}

fn registered_already(point: ExtensionPoint, name: &str) -> String {
    format!("plugin {name:?} already registered as {:?}", interface(point))
}

/// The Go interface of a point.
fn interface(point: ExtensionPoint) -> String {
    format!("{}Plugin", point.as_str())
}
