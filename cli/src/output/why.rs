//! Every node for one pod, as a table.

use super::tables::{Section, render_section};
use crate::engine::{NodeWhy, Why};

/// The answer for people.
pub fn render(why: &Why, width: Option<u16>) -> String {
    let mut text = match (&why.selected, &why.message) {
        (Some(node), _) => format!("Pod {} is on node {node}.\n", why.pod),
        (None, Some(message)) => format!("Pod {} waits: {message}\n", why.pod),
        (None, None) => format!("Pod {} waits.\n", why.pod),
    };
    text.extend(why.change.as_ref().map(|change| format!("The smallest change: {change}.\n")));
    text.push('\n');
    let (takers, others): (Vec<&NodeWhy>, Vec<&NodeWhy>) = why.nodes.iter().partition(|node| node.feasible);
    let takers = Section {
        heading: "NODES THAT TAKE IT",
        columns: &["node", "total", "scores"],
        rows: takers.into_iter().map(taker_row).collect(),
    };
    let others = Section {
        heading: "NODES THAT DON'T",
        columns: &["node", "plugin", "why"],
        rows: others.into_iter().map(other_row).collect(),
    };
    for section in [takers, others] {
        render_section(section, width, &mut text);
    }
    text.extend(why.notes.iter().map(|note| format!("note: {note}\n")));
    text
}

fn taker_row(node: &NodeWhy) -> Vec<String> {
    let scores: Vec<String> = node.scores.iter().map(|(plugin, score)| format!("{plugin} {score}")).collect();
    vec![node.name.clone(), node.total.to_string(), scores.join(", ")]
}

fn other_row(node: &NodeWhy) -> Vec<String> {
    vec![node.name.clone(), node.plugin.unwrap_or_default().to_owned(), node.reasons.join("; ")]
}
