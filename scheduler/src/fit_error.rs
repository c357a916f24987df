//! Why no node is left for a pod: node by node as data, and as upstream's sentence.
//!
//! # Source
//! `pkg/scheduler/framework/types.go` (`FitError`, `Diagnosis`), `pkg/scheduler/framework/interface.go` (`NodeToStatus`)

use std::collections::BTreeMap;
use std::fmt;

use crate::framework::{Code, Nomination, Status};
use crate::snapshot::{NodeIndex, Snapshot};

/// What each node was refused for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatuses {
    judged: Vec<(NodeIndex, Status)>,
    others: Status,
}

impl NodeStatuses {
    /// No node judged; what is to be said of all is `others`.
    pub fn new(others: Status) -> Self {
        Self { judged: Vec::new(), others }
    }

    /// Remembers what a node was refused for.
    pub fn push(&mut self, node: NodeIndex, status: Status) {
        self.judged.push((node, status));
    }

    /// The nodes that were judged.
    pub fn judged(&self) -> &[(NodeIndex, Status)] {
        &self.judged
    }

    /// What is to be said of all nodes that weren't judged.
    pub fn others(&self) -> &Status {
        &self.others
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

/// What one node was refused for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeVerdict {
    /// The name of the node.
    pub node: String,
    /// The plugin, the code and the reasons with their amounts.
    pub status: Status,
}

/// A pod that fits no node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FitError {
    /// How many nodes there are.
    pub node_count: usize,
    /// What a plugin said of the pod before any node was judged; empty if nodes were judged.
    pub pre_filter_message: String,
    /// The verdict on each node, in the order in which nodes are visited.
    pub verdicts: Vec<NodeVerdict>,
    /// What came of looking for pods to remove.
    pub post_filter_message: String,
    /// What becomes of the node that is set aside for the pod.
    pub nomination: Nomination,
}

impl FitError {
    /// Names the nodes and gives those that weren't judged what is to be said of them.
    pub(crate) fn new(snapshot: &Snapshot, statuses: &NodeStatuses) -> Self {
        let mut judged: Vec<Option<&Status>> = vec![None; snapshot.column_length()];
        for (node, status) in statuses.judged() {
            judged[*node] = Some(status);
        }
        let verdict = |node: &NodeIndex| NodeVerdict {
            node: snapshot.name(*node).to_owned(),
            status: judged[*node].unwrap_or(statuses.others()).clone(),
        };
        Self {
            node_count: snapshot.node_count(),
            pre_filter_message: String::new(),
            verdicts: snapshot.order().iter().map(verdict).collect(),
            post_filter_message: String::new(),
            nomination: Nomination::Keep,
        }
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
            counted(self.verdicts.iter().map(|verdict| &verdict.status))
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

/// Every reason with how often it was given, sorted as whole texts: so `10 x` stands before `2 y`.
fn counted<'a>(statuses: impl Iterator<Item = &'a Status>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in statuses.flat_map(|status| &status.reasons) {
        *counts.entry(&reason.text).or_default() += 1;
    }
    let mut texts: Vec<String> = counts.iter().map(|(text, count)| format!("{count} {text}")).collect();
    texts.sort_unstable();
    texts.join(", ")
}
