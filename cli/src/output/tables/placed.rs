//! Which pods are on which nodes.

use std::collections::BTreeMap;

use super::Section;
use super::group::group;
use crate::report::{Outcome, Report};

pub(super) fn section(report: &Report) -> Section {
    let placed = report.objects.iter().filter(|object| object.outcome == Outcome::Placed);
    let rows = group(placed.map(|object| (object, ()))).into_iter().map(|group| {
        let mut pods_by_node: BTreeMap<&str, usize> = BTreeMap::new();
        for object in &group.members {
            *pods_by_node.entry(object.node.as_deref().unwrap_or_default()).or_default() += 1;
        }
        vec![group.title(), nodes(&pods_by_node)]
    });
    Section { heading: "PLACED", columns: &["pods", "nodes"], rows: rows.collect() }
}

/// At most this many nodes are named in a row.
const NAMED_NODES: usize = 8;

fn nodes(pods_by_node: &BTreeMap<&str, usize>) -> String {
    let mut named: Vec<String> = pods_by_node
        .iter()
        .take(NAMED_NODES)
        .map(|(node, pods)| if *pods == 1 { (*node).to_owned() } else { format!("{node} x{pods}") })
        .collect();
    if pods_by_node.len() > NAMED_NODES {
        named.push(format!("and {} more", pods_by_node.len() - NAMED_NODES));
    }
    named.join(", ")
}
