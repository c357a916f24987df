//! How many of something each node has, where most nodes have none.

use super::NodeIndex;

/// Counts of nodes that have any, in order of the nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeCounts {
    counts: Vec<(NodeIndex, i64)>,
}

impl NodeCounts {
    /// The nodes that have any, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (NodeIndex, i64)> {
        self.counts.iter().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// One more on a node.
    pub(super) fn add(&mut self, node: NodeIndex) {
        match self.place(node) {
            Ok(place) => self.counts[place].1 += 1,
            Err(place) => self.counts.insert(place, (node, 1)),
        }
    }

    /// One fewer on a node; nothing if there is none.
    pub(super) fn remove(&mut self, node: NodeIndex) {
        let Ok(place) = self.place(node) else { return };
        self.counts[place].1 -= 1;
        if self.counts[place].1 == 0 {
            self.counts.remove(place);
        }
    }

    fn place(&self, node: NodeIndex) -> Result<usize, usize> {
        self.counts.binary_search_by_key(&node, |(node, _)| *node)
    }
}
