//! Which node is taken once all feasible ones have their totals.

use crate::profile::TieBreak;

/// The place of the node to take among nodes with these totals; none if there are none. `decision` is the number of
/// decisions before this one.
pub fn select_node<T: Copy + Ord>(totals: &[T], tie_break: TieBreak, decision: u64) -> Option<usize> {
    match tie_break {
        TieBreak::Upstream => top_of_heap(totals),
        TieBreak::Seeded { seed } => seeded(totals, seed, decision),
    }
}

/// The root of the binary heap that upstream builds over the totals. Siblings are compared from the last parent to the
/// first, and only a strictly greater child rises; so of equal totals it isn't the first that wins.
///
/// # Source
/// `pkg/scheduler/framework/sorted_nodes.go` (`NewSortedScoredNodes`), Go `container/heap` (`Init`)
fn top_of_heap<T: Ord>(totals: &[T]) -> Option<usize> {
    let mut heap: Vec<usize> = (0..totals.len()).collect();
    for parent in (0..totals.len() / 2).rev() {
        sift_down(&mut heap, totals, parent);
    }
    heap.first().copied()
}

fn sift_down<T: Ord>(heap: &mut [usize], totals: &[T], mut parent: usize) {
    loop {
        let left = 2 * parent + 1;
        if left >= heap.len() {
            return;
        }
        let right = left + 1;
        let right_beats_left = right < heap.len() && totals[heap[right]] > totals[heap[left]];
        let child = if right_beats_left { right } else { left };
        if totals[heap[child]] <= totals[heap[parent]] {
            return;
        }
        heap.swap(parent, child);
        parent = child;
    }
}

fn seeded<T: Copy + Ord>(totals: &[T], seed: u64, decision: u64) -> Option<usize> {
    let best = *totals.iter().max()?;
    let count = totals.iter().filter(|total| **total == best).count() as u64;
    let chosen = usize::try_from(seeded_number(seed, decision) % count).ok()?;
    totals.iter().enumerate().filter(|(_, total)| **total == best).nth(chosen).map(|(place, _)| place)
}

/// The number that a seed has for a decision.
pub(crate) fn seeded_number(seed: u64, decision: u64) -> u64 {
    mix(seed ^ mix(decision))
}

/// Spreads a number over all 64 bits (the finalizer of SplitMix64).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_takes_the_root_of_its_heap() {
        let top = |totals: &[i64]| select_node(totals, TieBreak::Upstream, 0);
        assert_eq!(top(&[]), None);
        assert_eq!(top(&[5]), Some(0));
        assert_eq!(top(&[452, 452, 463, 463]), Some(3));
        assert_eq!(top(&[1, 1, 1]), Some(0));
        assert_eq!(top(&[0, 1, 1]), Some(1));
        assert_eq!(top(&[-2, -1]), Some(1));
    }

    #[test]
    fn a_seed_takes_one_of_the_best_and_always_the_same() {
        let take = |decision| select_node(&[1, 7, 7, 3, 7], TieBreak::Seeded { seed: 42 }, decision);
        let taken: Vec<_> = (0..50).map(take).collect();
        assert!(taken.iter().all(|place| matches!(place, Some(1 | 2 | 4))));
        assert!([1, 2, 4].iter().all(|place| taken.contains(&Some(*place))), "every best node gets its turn");
        assert_eq!(taken, (0..50).map(take).collect::<Vec<_>>());
        assert_eq!(select_node::<i64>(&[], TieBreak::Seeded { seed: 42 }, 0), None);
    }
}
