//! The plugins: one table of names and constructors, one file each.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/registry.go`, `pkg/scheduler/apis/config/v1/default_plugins.go`

mod claim_hint;
pub mod default_binder;
pub mod default_preemption;
pub mod dynamic_resources;
mod function_shape;
pub mod image_locality;
pub mod inter_pod_affinity;
pub mod node_affinity;
pub mod node_declared_features;
pub mod node_name;
pub mod node_ports;
pub mod node_resources_balanced_allocation;
pub mod node_resources_fit;
pub mod node_unschedulable;
pub mod node_volume_limits;
pub mod pod_topology_spread;
pub mod priority_sort;
pub mod resource_allocation;
pub mod scheduling_gates;
mod set_filter;
pub mod taint_toleration;
pub mod volume_binding;
pub mod volume_restrictions;
pub mod volume_zone;

use crate::config::PluginArgs;
use crate::framework::{ExtensionPoint, Plugin};

/// A row of the table: a plugin that profiles can name.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The name.
    pub name: &'static str,
    /// At which points it is asked.
    pub points: &'static [ExtensionPoint],
    /// By what its scores are multiplied if the profile doesn't say; of no meaning for a plugin that gives none.
    pub weight: i64,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Makes it with these arguments, or as it is by default; the text says what is wrong with them.
    pub new: fn(Option<&PluginArgs>) -> Result<Plugin, String>,
}

/// All plugins, in the order in which they are asked by default. All are on by default.
pub const TABLE: [Registration; 20] = [
    scheduling_gates::REGISTRATION,
    priority_sort::REGISTRATION,
    node_name::REGISTRATION,
    node_unschedulable::REGISTRATION,
    taint_toleration::REGISTRATION,
    node_affinity::REGISTRATION,
    node_ports::REGISTRATION,
    node_resources_fit::REGISTRATION,
    volume_restrictions::REGISTRATION,
    node_volume_limits::REGISTRATION,
    volume_binding::REGISTRATION,
    volume_zone::REGISTRATION,
    pod_topology_spread::REGISTRATION,
    inter_pod_affinity::REGISTRATION,
    dynamic_resources::REGISTRATION,
    default_preemption::REGISTRATION,
    node_resources_balanced_allocation::REGISTRATION,
    image_locality::REGISTRATION,
    default_binder::REGISTRATION,
    node_declared_features::REGISTRATION,
];

/// A table as Markdown; that of [`TABLE`] is what `docs/plugins.md` holds, which says besides where it comes from.
pub fn table_markdown(table: &[Registration]) -> String {
    let rows: String = table.iter().map(Registration::markdown).collect();
    format!(
        "\
# Scheduler plugins

All plugins, in the order in which they are asked by default.

| plugin | weight | asked at | what it does |
|---|---|---|---|
{rows}"
    )
}

impl Registration {
    fn markdown(&self) -> String {
        let points: Vec<&str> = self.points.iter().map(|point| point.as_str()).collect();
        let scores = self.points.contains(&ExtensionPoint::Score);
        let weight = if scores { self.weight.to_string() } else { "-".to_owned() };
        format!("| {} | {weight} | {} | {} |\n", self.name, points.join(", "), self.summary)
    }
}

#[cfg(test)]
pub(crate) mod tests;
