//! Sums over the domains of a topology key.

use std::sync::Arc;

use crate::snapshot::{NodeCounts, NodeIndex, Snapshot, TopologyColumn};

/// A number for each domain of a topology key.
pub(super) struct DomainCounts {
    column: Arc<TopologyColumn>,
    counts: Vec<i64>,
}

impl DomainCounts {
    /// 0 for each domain of that key.
    pub(super) fn zero(snapshot: &Snapshot, key: &str) -> Self {
        let column = snapshot.topology(key);
        let counts = vec![0; column.domain_count()];
        Self { column, counts }
    }

    /// Adds, for each pod on these nodes, an amount to the domain of its node. Whether any node is in a domain.
    pub(super) fn add(&mut self, nodes: &NodeCounts, amount: i64) -> bool {
        let mut any = false;
        for (node, count) in nodes.iter() {
            if let Some(domain) = self.column.domain(node) {
                self.counts[domain] = self.counts[domain].wrapping_add(count.wrapping_mul(amount));
                any = true;
            }
        }
        any
    }

    /// The number of a node's domain; none if the node is in no domain.
    pub(super) fn of(&self, node: NodeIndex) -> Option<i64> {
        self.column.domain(node).map(|domain| self.counts[domain])
    }

    /// The sum over all domains.
    pub(super) fn total(&self) -> i64 {
        self.counts.iter().sum()
    }
}
