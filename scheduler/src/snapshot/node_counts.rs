//! How many of something each node has.

use super::NodeIndex;

/// Up to so many nodes are listed; with more, each node has a place of its own.
const MAX_LISTED: usize = 64;

/// Counts of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCounts(Counts);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Counts {
    /// The nodes that have any, in order.
    Listed(Vec<(NodeIndex, u32)>),
    /// Of each node how many it has, and how many nodes have any.
    OfEach(Vec<u32>, usize),
}

impl Default for NodeCounts {
    fn default() -> Self {
        Self(Counts::Listed(Vec::new()))
    }
}

impl NodeCounts {
    /// The nodes that have any, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (NodeIndex, i64)> {
        let (listed, of_each) = match &self.0 {
            Counts::Listed(listed) => (listed.as_slice(), [].as_slice()),
            Counts::OfEach(counts, _) => ([].as_slice(), counts.as_slice()),
        };
        let of_each =
            of_each.iter().enumerate().filter(|(_, count)| **count > 0).map(|(node, count)| (node, *count));
        listed.iter().copied().chain(of_each).map(|(node, count)| (node, i64::from(count)))
    }

    pub(super) fn is_empty(&self) -> bool {
        match &self.0 {
            Counts::Listed(listed) => listed.is_empty(),
            Counts::OfEach(_, nodes) => *nodes == 0,
        }
    }

    /// One more on a node.
    pub(super) fn add(&mut self, node: NodeIndex) {
        match &mut self.0 {
            Counts::Listed(listed) => match listed.binary_search_by_key(&node, |(node, _)| *node) {
                Ok(place) => listed[place].1 += 1,
                Err(place) if listed.len() < MAX_LISTED => listed.insert(place, (node, 1)),
                Err(_) => {
                    self.give_each_a_place();
                    self.add(node);
                }
            },
            Counts::OfEach(counts, nodes) => {
                if counts.len() <= node {
                    counts.resize(node + 1, 0);
                }
                counts[node] += 1;
                *nodes += usize::from(counts[node] == 1);
            }
        }
    }

    /// One fewer on a node; nothing if there is none.
    pub(super) fn remove(&mut self, node: NodeIndex) {
        match &mut self.0 {
            Counts::Listed(listed) => {
                let Ok(place) = listed.binary_search_by_key(&node, |(node, _)| *node) else { return };
                listed[place].1 -= 1;
                if listed[place].1 == 0 {
                    listed.remove(place);
                }
            }
            Counts::OfEach(counts, nodes) => {
                let Some(count) = counts.get_mut(node).filter(|count| **count > 0) else { return };
                *count -= 1;
                *nodes -= usize::from(*count == 0);
            }
        }
    }

    fn give_each_a_place(&mut self) {
        let Counts::Listed(listed) = &self.0 else { return };
        let mut counts = vec![0; listed.last().map_or(0, |(node, _)| node + 1)];
        for (node, count) in listed {
            counts[*node] = *count;
        }
        let nodes = listed.len();
        self.0 = Counts::OfEach(counts, nodes);
    }
}
