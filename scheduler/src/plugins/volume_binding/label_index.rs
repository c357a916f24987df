//! Finds what can be used on a node without looking at everything: local volumes and the capacities of local storage are one
//! for each node.

use k8s_openapi::api::core::v1::NodeSelector;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use plimsoll_matching::label_requirement::Labels;
use rustc_hash::FxHashMap;

/// Entries by a label that a node must have for them.
#[derive(Debug, Default)]
pub(super) struct LabelIndex<'a> {
    /// Entries of which no such label is known.
    anywhere: Vec<usize>,
    by_key: FxHashMap<&'a str, FxHashMap<&'a str, Vec<usize>>>,
}

/// Labels of which a node must have at least one.
pub(super) type NeededLabels<'a> = Vec<(&'a str, &'a str)>;

impl<'a> LabelIndex<'a> {
    /// Adds an entry. The number is higher than those of all entries before.
    pub(super) fn push(&mut self, entry: usize, needed: Option<NeededLabels<'a>>) {
        let Some(needed) = needed else {
            self.anywhere.push(entry);
            return;
        };
        for (key, value) in needed {
            self.by_key.entry(key).or_default().entry(value).or_default().push(entry);
        }
    }

    /// The lowest entry that passes, of those that need none but these labels.
    pub(super) fn first(&self, labels: &Labels, passes: impl Fn(usize) -> bool) -> Option<usize> {
        let with_label = |(key, by_value): (&&str, &'_ FxHashMap<&str, Vec<usize>>)| {
            let entries = by_value.get(labels.get(*key)?.as_str())?;
            entries.iter().copied().find(|entry| passes(*entry))
        };
        let anywhere = self.anywhere.iter().copied().find(|entry| passes(*entry));
        self.by_key.iter().filter_map(with_label).chain(anywhere).min()
    }
}

/// Labels of which every node that a node selector chooses has at least one; none if that can't be said.
pub(super) fn needed_for_node_selector(selector: &NodeSelector) -> Option<NeededLabels<'_>> {
    let mut needed = Vec::new();
    for term in &selector.node_selector_terms {
        let mut expressions = term.match_expressions.iter().flatten();
        let expression = expressions.find(|expression| expression.operator == "In")?;
        let values = expression.values.iter().flatten();
        needed.extend(values.map(|value| (expression.key.as_str(), value.as_str())));
    }
    Some(needed)
}

/// Labels of which everything that a label selector chooses has at least one; none if that can't be said.
pub(super) fn needed_for_label_selector(selector: &LabelSelector) -> Option<NeededLabels<'_>> {
    if let Some((key, value)) = selector.match_labels.iter().flatten().next() {
        return Some(vec![(key, value)]);
    }
    let mut expressions = selector.match_expressions.iter().flatten();
    let expression = expressions.find(|expression| expression.operator == "In")?;
    let values = expression.values.iter().flatten();
    Some(values.map(|value| (expression.key.as_str(), value.as_str())).collect())
}
