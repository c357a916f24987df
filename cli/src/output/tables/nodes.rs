//! How full the nodes are.

use plimsoll_resource_math::Quantity;

use super::Section;
use crate::report::{NodeReport, Report};

/// The fullest nodes are shown; the rest of a large cluster says little more.
const SHOWN_NODES: usize = 40;
/// What every node has; other resources follow.
const COMMON: [&str; 2] = ["cpu", "memory"];

pub(super) fn section(report: &Report) -> Section {
    let mut rows: Vec<Vec<String>> = report.nodes.iter().take(SHOWN_NODES).map(row).collect();
    if report.nodes.len() > SHOWN_NODES {
        rows.push(vec![format!("and {} more nodes", report.nodes.len() - SHOWN_NODES)]);
    }
    Section { heading: "NODES", columns: &["node", "pods", "cpu", "memory", "other"], rows }
}

fn row(node: &NodeReport) -> Vec<String> {
    let pods = node
        .allocatable
        .get("pods")
        .map_or_else(|| node.pods.to_string(), |allocatable| format!("{}/{allocatable}", node.pods));
    let mut row = vec![node.name.clone(), pods];
    row.extend(COMMON.iter().map(|resource| fill(node, resource).unwrap_or_default()));
    let others =
        node.requested.keys().filter(|resource| !COMMON.contains(&resource.as_str()) && *resource != "pods");
    let others: Vec<String> =
        others.filter_map(|resource| Some(format!("{resource} {}", fill(node, resource)?))).collect();
    row.push(others.join(", "));
    row
}

fn fill(node: &NodeReport, resource: &str) -> Option<String> {
    let allocatable = node.allocatable.get(resource)?;
    let requested = node.requested.get(resource).map_or("0", String::as_str);
    let percent = percent(requested, allocatable).map_or(String::new(), |percent| format!(" ({percent})"));
    Some(format!("{requested}/{allocatable}{percent}"))
}

/// How much of `whole` an amount is, such as `75%`.
pub(super) fn percent(part: &str, whole: &str) -> Option<String> {
    let (part, whole) = (Quantity::parse(part).ok()?, Quantity::parse(whole).ok()?);
    part.percent_of(&whole).map(|percent| format!("{percent}%"))
}
