//! Scores that are the same for many nodes, so that one look at each group of them is enough.

use std::any::Any;
use std::fmt;

use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, PodChange, Snapshot};

/// How far a score that isn't node-local tells nodes apart for one pod.
#[derive(Debug)]
pub enum Grouping {
    /// Each node may be another to it.
    EachNode,
    /// All nodes are the same to it, whichever are feasible.
    Indifferent,
    /// The nodes of a group are the same to it.
    Groups(Box<dyn GroupedScore>),
}

/// A score that is the same for all nodes of a group. In which group a node is depends on nothing but the node and the pods on it.
pub trait GroupedScore: Any + fmt::Debug + Send + Sync {
    /// Whether both say the same for pods of one [`PodClass`](crate::schedule::PodClass).
    fn is_same(&self, other: &dyn GroupedScore) -> bool;

    /// Looks at all nodes. Is called once, before what is below.
    fn begin(&mut self, pod: &PodInfo<'_>, snapshot: &Snapshot);

    /// A pod has come or gone.
    fn follow(&mut self, change: &PodChange);

    /// In which group a node is now. Groups are numbered from 0 in the order in which they come up.
    fn group(&mut self, node: NodeIndex) -> usize;

    /// The score of each group, normalized; given are the groups that have feasible nodes, and how many each has.
    fn scores(&self, groups: &[(usize, usize)]) -> Vec<i64>;
}
