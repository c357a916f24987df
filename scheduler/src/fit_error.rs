//! Why no node is left for a pod: node by node as data, and as upstream's sentence.
//!
//! # Source
//! `pkg/scheduler/framework/types.go` (`FitError`, `Diagnosis`), `pkg/scheduler/framework/interface.go` (`NodeToStatus`)

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::extender;
use crate::framework::{Code, Nomination, Status, Write};
use crate::snapshot::{NodeIndex, Snapshot};

/// What each node was refused for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatuses {
    /// Shared, as they are kept for the next pod of the same class.
    judged: Arc<Vec<(NodeIndex, Status)>>,
    others: Status,
    /// Of nodes that extenders have named and that there aren't; upstream counts them like any.
    unknown: Vec<Status>,
    /// What plugins refused nodes for of which extenders say something else.
    overruled: Vec<(NodeIndex, Status)>,
    /// What turned the pod away without a status here: plugins that have named the only nodes to judge, and extenders that have
    /// dropped nodes.
    other_rejectors: BTreeSet<&'static str>,
}

impl NodeStatuses {
    /// No node judged; what is to be said of all is `others`.
    pub fn new(others: Status) -> Self {
        Self {
            judged: Arc::default(),
            others,
            unknown: Vec::new(),
            overruled: Vec::new(),
            other_rejectors: BTreeSet::new(),
        }
    }

    /// Remembers what a node was refused for.
    pub fn push(&mut self, node: NodeIndex, status: Status) {
        Arc::make_mut(&mut self.judged).push((node, status));
    }

    /// Remembers what a node that there isn't was refused for.
    pub(crate) fn push_unknown(&mut self, status: Status) {
        self.unknown.push(status);
    }

    /// Remembers what a plugin refused a node for of which an extender says something else.
    pub(crate) fn push_overruled(&mut self, node: NodeIndex, status: Status) {
        self.overruled.push((node, status));
    }

    /// Remembers what turned the pod away without a status here.
    pub(crate) fn add_rejectors(&mut self, plugins: impl IntoIterator<Item = &'static str>) {
        self.other_rejectors.extend(plugins);
    }

    /// Replaces what the node at this place among those that were judged was refused for.
    pub(crate) fn replace(&mut self, place: usize, status: Status) {
        if let Some(judged) = Arc::make_mut(&mut self.judged).get_mut(place) {
            judged.1 = status;
        }
    }

    /// The nodes that were judged.
    pub fn judged(&self) -> &[(NodeIndex, Status)] {
        &self.judged
    }

    /// The nodes that this plugin refused, with what it refused them for, whatever extenders say of them.
    pub fn refused_by(&self, plugin: &str) -> impl Iterator<Item = (NodeIndex, &Status)> {
        let all = self.judged.iter().chain(&self.overruled);
        all.filter(move |(_, status)| status.plugin == plugin).map(|(node, status)| (*node, status))
    }

    /// What is to be said of all nodes that weren't judged.
    pub fn others(&self) -> &Status {
        &self.others
    }

    /// Every reason with how often it was given among so many nodes, sorted as whole texts: so `10 x` stands before `2 y`.
    fn counted(&self, node_count: usize) -> String {
        let others = node_count.saturating_sub(self.judged.len() + self.unknown.len());
        let judged =
            self.judged.iter().map(|(_, status)| status).chain(&self.unknown).map(|status| (status, 1));
        let groups = judged.chain((others > 0).then_some((&self.others, others)));
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for (status, nodes) in groups {
            for reason in &status.reasons {
                match counts.iter_mut().find(|(known, _)| *known == reason.text) {
                    Some((_, count)) => *count += nodes,
                    None => counts.push((&reason.text, nodes)),
                }
            }
        }
        let mut texts: Vec<String> = counts.iter().map(|(text, count)| format!("{count} {text}")).collect();
        texts.sort_unstable();
        texts.join(", ")
    }

    /// What a node was refused for.
    pub fn of(&self, node: NodeIndex) -> &Status {
        let judged = self.judged.iter().find(|(other, _)| *other == node);
        judged.map_or(&self.others, |(_, status)| status)
    }

    /// The nodes that were refused with this code, those that weren't judged among them.
    ///
    /// # Source
    /// `pkg/scheduler/framework/interface.go` (`NodesForStatusCode`)
    pub fn with_code(&self, code: Code, snapshot: &Snapshot) -> Vec<NodeIndex> {
        if self.others.code != code {
            return self
                .judged
                .iter()
                .filter(|(_, status)| status.code == code)
                .map(|(node, _)| *node)
                .collect();
        }
        let status_of: BTreeMap<NodeIndex, Code> =
            self.judged.iter().map(|(node, status)| (*node, status.code)).collect();
        let is_wanted = |node: &NodeIndex| status_of.get(node).is_none_or(|found| *found == code);
        snapshot.order().iter().copied().filter(is_wanted).collect()
    }
}

/// A pod that fits no node.
#[derive(Clone, Debug, PartialEq)]
pub struct FitError {
    /// How many nodes there are.
    pub node_count: usize,
    /// What a plugin said of the pod before any node was judged; empty if nodes were judged.
    pub pre_filter_message: String,
    /// What each node was refused for: the plugin, the code and the reasons with their amounts.
    pub statuses: NodeStatuses,
    /// What came of looking for pods to remove.
    pub post_filter_message: String,
    /// What becomes of the node that is set aside for the pod.
    pub nomination: Nomination,
    /// What plugins want written so that there is more room next time.
    pub writes: Vec<Write>,
}

impl FitError {
    /// Nothing is said yet beside what the nodes were refused for.
    pub(crate) fn new(node_count: usize, statuses: NodeStatuses) -> Self {
        Self {
            node_count,
            pre_filter_message: String::new(),
            statuses,
            post_filter_message: String::new(),
            nomination: Nomination::Keep,
            writes: Vec::new(),
        }
    }

    /// The plugins that turned the pod away; what they are registered for may let it in.
    ///
    /// # Source
    /// `pkg/scheduler/framework/types.go` (`Diagnosis.UnschedulablePlugins`)
    pub fn unschedulable_plugins(&self) -> BTreeSet<&'static str> {
        let mut plugins = self.statuses.other_rejectors.clone();
        // Most nodes are refused by the plugin that refused the one before.
        let mut last = "";
        let statuses = &self.statuses;
        let of_nodes = statuses.judged.iter().chain(&statuses.overruled).map(|(_, status)| status);
        for status in of_nodes.chain([&statuses.others]) {
            if status.plugin != last && status.plugin != extender::NAME && !status.plugin.is_empty() {
                last = status.plugin;
                plugins.insert(last);
            }
        }
        plugins
    }

    /// The sentence of the event and the condition.
    pub fn message(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for FitError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "0/{} nodes are available:", self.node_count)?;
        let reasons = if self.pre_filter_message.is_empty() {
            self.statuses.counted(self.node_count)
        } else {
            self.pre_filter_message.clone()
        };
        if !reasons.is_empty() {
            write!(formatter, " {reasons}.")?;
        }
        if !self.post_filter_message.is_empty() {
            write!(formatter, " {}", self.post_filter_message)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Node;
    use plimsoll_fixtures::{cases, object};
    use serde::Deserialize;

    use super::*;

    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Given {
        nodes: usize,
        refused: Vec<String>,
        pre_filter_message: String,
        post_filter_message: String,
    }

    #[test]
    fn the_sentence_is_upstreams() {
        for case in cases("testdata/fit_error.yaml") {
            let given: Given = serde_json::from_value(case.given).unwrap();
            let mut statuses = NodeStatuses::new(Status::new(Code::UnschedulableAndUnresolvable, "", ""));
            for (node, text) in given.refused.into_iter().enumerate() {
                statuses.push(node, Status::new(Code::Unschedulable, "", text));
            }
            let mut error = FitError::new(given.nodes, statuses);
            error.pre_filter_message = given.pre_filter_message;
            error.post_filter_message = given.post_filter_message;
            assert_eq!(error.message(), case.expect, "{}: {}", case.source, case.name);
        }
    }

    /// # Source
    /// `pkg/scheduler/framework/interface_test.go` (`TestNodesForStatusCode`)
    #[test]
    fn nodes_with_a_code() {
        use Code::{Unschedulable as Now, UnschedulableAndUnresolvable as Never};
        let nodes = ["node1", "node2", "node3", "node4"];
        let objects: Vec<Node> =
            nodes.iter().map(|name| object(&format!("{{metadata: {{name: {name}}}}}"))).collect();
        let snapshot = Snapshot::new(&objects).unwrap();
        let some: &[Code] = &[Now, Never, Now];
        let rows: [(&str, &[Code], Code, &[&str]); 6] = [
            ("No node should be attempted", &[Never; 4], Now, &[]),
            ("All nodes should be attempted", &[Never; 4], Never, &nodes),
            ("No node should be attempted, as all are implicitly not matching the code", &[], Now, &[]),
            ("All nodes should be attempted, as all are implicitly matching the code", &[], Never, &nodes),
            (
                "UnschedulableAndUnresolvable status should be skipped but Unschedulable should be tried",
                some,
                Now,
                &["node1", "node3"],
            ),
            (
                "Unschedulable status should be skipped but UnschedulableAndUnresolvable should be tried",
                some,
                Never,
                &["node2", "node4"],
            ),
        ];
        for (name, codes, wanted, expected) in rows {
            let mut statuses = NodeStatuses::new(Status::new(Never, "", ""));
            for (node, code) in codes.iter().enumerate() {
                statuses.push(node, Status::new(*code, "", ""));
            }
            let found = statuses.with_code(wanted, &snapshot).into_iter();
            assert_eq!(found.map(|node| snapshot.name(node)).collect::<Vec<_>>(), expected, "{name}");
        }
    }
}
