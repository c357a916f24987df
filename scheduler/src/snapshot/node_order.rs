//! The order in which nodes are visited: zones take turns, so that a sample of nodes spreads over them.
//!
//! # Source
//! `pkg/scheduler/backend/cache/node_tree.go`, component-helpers `node/topology/helpers.go`

use plimsoll_matching::label_requirement::Labels;
use rustc_hash::FxHashMap;

use super::NodeIndex;
use crate::well_known_labels::{BETA_REGION, BETA_ZONE, REGION, ZONE};

/// Zones in the order in which they were first seen, each with its nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeOrder {
    zones: Vec<(String, Vec<NodeIndex>)>,
    zone_of: FxHashMap<NodeIndex, String>,
    list: std::sync::OnceLock<Vec<NodeIndex>>,
}

impl NodeOrder {
    /// Adds a node at the end of its zone. A node that is in the zone already keeps its place; one that was in another
    /// moves.
    pub(super) fn set(&mut self, node: NodeIndex, zone: String) {
        if self.zone_of.get(&node) == Some(&zone) {
            return;
        }
        self.remove(node);
        match self.zones.iter_mut().find(|(known, _)| *known == zone) {
            Some((_, nodes)) => nodes.push(node),
            None => self.zones.push((zone.clone(), vec![node])),
        }
        self.zone_of.insert(node, zone);
    }

    /// Removes a node, and its zone if that is empty then.
    pub(super) fn remove(&mut self, node: NodeIndex) {
        self.list = std::sync::OnceLock::new();
        let Some(zone) = self.zone_of.remove(&node) else { return };
        if let Some((_, nodes)) = self.zones.iter_mut().find(|(known, _)| *known == zone) {
            nodes.retain(|other| *other != node);
        }
        self.zones.retain(|(_, nodes)| !nodes.is_empty());
    }

    /// One node of each zone in turn, until all are listed.
    pub(super) fn list(&self) -> &[NodeIndex] {
        self.list.get_or_init(|| {
            let rounds = self.zones.iter().map(|(_, nodes)| nodes.len()).max().unwrap_or(0);
            let of_round = |round| self.zones.iter().filter_map(move |(_, nodes)| nodes.get(round).copied());
            (0..rounds).flat_map(of_round).collect()
        })
    }
}

/// The region and zone of a node as one text; empty if it has neither. The beta labels win over their successors.
///
/// # Source
/// component-helpers `node/topology/helpers.go` (`GetZoneKey`)
pub(super) fn zone_key(labels: &Labels) -> String {
    let either =
        |beta: &str, label: &str| labels.get(beta).or_else(|| labels.get(label)).map_or("", String::as_str);
    let zone = either(BETA_ZONE, ZONE);
    let region = either(BETA_REGION, REGION);
    if zone.is_empty() && region.is_empty() {
        return String::new();
    }
    // The null character keeps a region that ends like a zone from being mistaken for another.
    format!("{region}:\0:{zone}")
}
