//! Nodes by the sum of their scores, so that the best ones are found without a pass over all.

use std::collections::BTreeMap;

use crate::snapshot::NodeIndex;

/// Nodes by a total.
#[derive(Debug, Default)]
pub(super) struct NodesByTotal {
    sets: BTreeMap<i64, NodeSet>,
    count: usize,
}

impl NodesByTotal {
    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The best total, and the nodes that have it; none if there are no nodes.
    pub(super) fn best(&self) -> Option<(i64, &NodeSet)> {
        self.sets.last_key_value().map(|(total, nodes)| (*total, nodes))
    }

    /// Adds a node that isn't there.
    pub(super) fn insert(&mut self, node: NodeIndex, total: i64) {
        self.sets.entry(total).or_default().insert(node);
        self.count += 1;
    }

    /// Takes a node out that is there with this total.
    pub(super) fn remove(&mut self, node: NodeIndex, total: i64) {
        let Some(set) = self.sets.get_mut(&total) else { return };
        set.remove(node);
        self.count -= 1;
        if set.count == 0 {
            self.sets.remove(&total);
        }
    }
}

/// Nodes, and how many they are: of each run of 64 nodes of which any is there, which of them are.
#[derive(Debug, Default)]
pub(super) struct NodeSet {
    blocks: Vec<(usize, u64)>,
    count: usize,
}

const BLOCK_BITS: usize = u64::BITS as usize;

impl NodeSet {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    fn insert(&mut self, node: NodeIndex) {
        let (index, bit) = (node / BLOCK_BITS, 1 << (node % BLOCK_BITS));
        match self.blocks.binary_search_by_key(&index, |(index, _)| *index) {
            Ok(place) => self.blocks[place].1 |= bit,
            Err(place) => self.blocks.insert(place, (index, bit)),
        }
        self.count += 1;
    }

    fn remove(&mut self, node: NodeIndex) {
        let (index, bit) = (node / BLOCK_BITS, 1_u64 << (node % BLOCK_BITS));
        let Ok(place) = self.blocks.binary_search_by_key(&index, |(index, _)| *index) else { return };
        self.blocks[place].1 &= !bit;
        if self.blocks[place].1 == 0 {
            self.blocks.remove(place);
        }
        self.count -= 1;
    }
}

/// The n-th node, from 0, of sets that have no node in common, in order of their places.
pub(super) fn nth_of(sets: &[&NodeSet], nth: usize) -> Option<NodeIndex> {
    if let [only] = sets {
        return nth_of_blocks(only.blocks.iter().copied(), nth);
    }
    let mut blocks: Vec<(usize, u64)> = sets.iter().flat_map(|set| &set.blocks).copied().collect();
    blocks.sort_unstable_by_key(|(index, _)| *index);
    let merged = blocks.chunk_by(|(first, _), (second, _)| first == second);
    let merged = merged.map(|run| (run[0].0, run.iter().fold(0, |bits, (_, more)| bits | more)));
    nth_of_blocks(merged, nth)
}

fn nth_of_blocks(blocks: impl Iterator<Item = (usize, u64)>, mut nth: usize) -> Option<NodeIndex> {
    for (index, bits) in blocks {
        let count = bits.count_ones() as usize;
        if nth < count {
            let rest = (0..nth).fold(bits, |rest, _| rest & (rest - 1));
            return Some(index * BLOCK_BITS + rest.trailing_zeros() as usize);
        }
        nth -= count;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_the_best_in_order_of_their_places(nodes in vec(0..4_i64, 1..200), gone in btree_set(0..200_usize, 0..100)) {
            let mut by_total = NodesByTotal::default();
            for (node, total) in nodes.iter().enumerate() {
                by_total.insert(node, *total);
            }
            let left: Vec<(usize, i64)> =
                nodes.iter().copied().enumerate().filter(|(node, _)| !gone.contains(node)).collect();
            for node in gone.iter().filter(|node| **node < nodes.len()) {
                by_total.remove(*node, nodes[*node]);
            }
            let best = left.iter().map(|(_, total)| *total).max();
            prop_assert_eq!(by_total.len(), left.len());
            prop_assert_eq!(by_total.best().map(|(total, _)| total), best);
            let of_best: Vec<usize> = left.iter().filter(|(_, total)| Some(*total) == best).map(|(node, _)| *node).collect();
            if let Some((_, set)) = by_total.best() {
                let found: Vec<usize> = (0..set.len()).filter_map(|nth| nth_of(&[set], nth)).collect();
                prop_assert_eq!(found, of_best);
                prop_assert_eq!(nth_of(&[set], set.len()), None);
            }
        }

        #[test]
        fn several_sets_are_as_one(nodes in btree_set(0..300_usize, 1..100), parts in vec(0..3_usize, 100)) {
            let mut sets = [NodeSet::default(), NodeSet::default(), NodeSet::default()];
            for (node, part) in nodes.iter().zip(parts) {
                sets[part].insert(*node);
            }
            let sets: Vec<&NodeSet> = sets.iter().collect();
            let found: BTreeSet<usize> = (0..nodes.len()).filter_map(|nth| nth_of(&sets, nth)).collect();
            prop_assert_eq!(found, nodes);
        }
    }
}
