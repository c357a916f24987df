//! What node-local filters and scores said of each node for pods of one class, kept from one pod to the next: only nodes whose
//! pods have changed since are looked at again.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;

use fixedbitset::FixedBitSet;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::filtering::Filters;
use super::group_index::{GroupIndex, Local};
use super::nodes_by_total::{NodeSet, NodesByTotal};
use super::pod_class::PodClass;
use super::refusals::KeptRefusals;
use super::scoring::Scorer;
use crate::fit_error::NodeStatuses;
use crate::framework::{GroupedScore, MAX_NODE_SCORE, MIN_NODE_SCORE, Normalization, scaled};
use crate::pod_info::PodInfo;
use crate::snapshot::{LogPosition, NodeIndex, Snapshot};

/// How many classes are kept. A cluster has few kinds of pods at a time; then all are forgotten.
const MAX_CLASSES: usize = 128;
/// How many classes are remembered to have been seen once.
const MAX_SEEN: usize = 4096;
/// For how many classes it is kept what each node was refused for, which takes more room than all else of a class.
const MAX_REFUSED_CLASSES: usize = 16;
/// How many ways to put the nodes in groups are kept of a class: about as many workloads have pods of one size.
const MAX_GROUP_INDEXES: usize = 64;

/// The classes of which more than one pod came.
#[derive(Debug, Default)]
pub(super) struct ClassCache {
    classes: FxHashMap<PodClass, ClassState>,
    /// What each node was refused for, of classes that fit no node.
    refusals: FxHashMap<PodClass, KeptRefusals>,
    /// Hashes of classes of which one pod came. A class that stays the only one of its kind isn't worth its columns.
    seen: FxHashSet<u64>,
}

impl Clone for ClassCache {
    /// A copy begins with nothing kept.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl ClassCache {
    /// What each node is refused for, where nothing but node-local filters decide and none lets a node pass; the message of a plugin
    /// that couldn't decide.
    pub(super) fn refusals(
        &mut self,
        class: PodClass,
        snapshot: &Snapshot,
        filters: &Filters<'_>,
    ) -> Result<NodeStatuses, String> {
        if self.refusals.len() >= MAX_REFUSED_CLASSES && !self.refusals.contains_key(&class) {
            self.refusals.clear();
        }
        self.refusals.entry(class).or_default().follow(snapshot, filters)
    }

    /// What is kept of a class, and is true of its nodes now.
    pub(super) fn get(
        &mut self,
        class: PodClass,
        snapshot: &Snapshot,
        filters: &Filters<'_>,
        scorers: &[Scorer<'_>],
    ) -> &mut ClassState {
        if self.classes.len() >= MAX_CLASSES && !self.classes.contains_key(&class) {
            self.classes.clear();
        }
        let state = self.classes.entry(class).or_default();
        state.follow(snapshot, filters, scorers);
        state
    }

    /// Whether no pod of this class came before, as far as is remembered.
    pub(super) fn is_first(&mut self, class: &PodClass) -> bool {
        !self.classes.contains_key(class) && self.is_new(class)
    }

    fn is_new(&mut self, class: &PodClass) -> bool {
        if self.seen.len() >= MAX_SEEN {
            self.seen.clear();
        }
        self.seen.insert(FxBuildHasher.hash_one(class))
    }
}

/// What node-local filters and scores say of each node for pods of one class.
#[derive(Debug, Default)]
pub(super) struct ClassState {
    position: Option<LogPosition>,
    /// The nodes that all node-local filters let pass.
    passes: FixedBitSet,
    columns: Vec<Column>,
    /// The sum over all columns, of the nodes that pass; 0 of the others.
    totals: Vec<i64>,
    /// The nodes that pass, by their total.
    by_total: NodesByTotal,
    /// The nodes that pass, by what scores that aren't node-local see in common.
    group_indexes: Vec<GroupIndex>,
    is_out_of_range: bool,
}

/// What one plugin says of each node.
#[derive(Clone, Debug)]
struct Column {
    plugin: &'static str,
    weight: i64,
    normalization: Normalization,
    raw: Vec<i64>,
    /// How many nodes that pass have which score; kept if the best one matters.
    counts: BTreeMap<i64, usize>,
    /// The best score by which the totals were computed.
    best: i64,
}

impl Column {
    fn best_now(&self) -> i64 {
        self.counts.last_key_value().map_or(0, |(best, _)| (*best).max(0))
    }

    /// What a node's score counts for.
    fn weighted(&self, node: NodeIndex) -> i64 {
        let normalized = match self.normalization {
            Normalization::Identity => self.raw[node],
            Normalization::ByMaximum { less_is_better } => scaled(self.raw[node], self.best, less_is_better),
        };
        normalized.wrapping_mul(self.weight)
    }

    fn count(&mut self, score: i64, is_added: bool) {
        if self.normalization == Normalization::Identity {
            return;
        }
        let count = self.counts.entry(score).or_default();
        *count = if is_added { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            self.counts.remove(&score);
        }
    }
}

impl ClassState {
    /// The nodes that all node-local filters let pass.
    pub(super) fn passes(&self) -> &FixedBitSet {
        &self.passes
    }

    /// The score that a plugin gives a node; none if the plugin's isn't kept.
    pub(super) fn column(&self, plugin: &str) -> Option<&[i64]> {
        self.columns.iter().find(|column| column.plugin == plugin).map(|column| column.raw.as_slice())
    }

    /// How many those are.
    pub(super) fn pass_count(&self) -> usize {
        self.by_total.len()
    }

    /// The nodes with the best total among those that pass, as sets that have no node in common. A score that puts nodes in groups is
    /// added, if one is given, as often as it counts. None if a score is out of range.
    pub(super) fn best(
        &mut self,
        grouped: Option<(Box<dyn GroupedScore>, i64)>,
        pod: &PodInfo<'_>,
        snapshot: &Snapshot,
    ) -> Option<Vec<&NodeSet>> {
        if self.is_out_of_range {
            return None;
        }
        match grouped {
            None => Some(self.by_total.best().map(|(_, nodes)| nodes).into_iter().collect()),
            Some((score, weight)) => Some(self.group_index(score, pod, snapshot).best(weight)),
        }
    }

    /// The nodes that pass, by the groups of a score.
    fn group_index(
        &mut self,
        score: Box<dyn GroupedScore>,
        pod: &PodInfo<'_>,
        snapshot: &Snapshot,
    ) -> &GroupIndex {
        let local = Local { passes: &self.passes, totals: &self.totals };
        let known = self.group_indexes.iter().position(|index| index.score.is_same(&*score));
        let place = match known {
            Some(place) if self.group_indexes[place].follow(snapshot, local) => place,
            Some(place) => {
                self.group_indexes[place] = GroupIndex::new(score, pod, snapshot, local);
                place
            }
            None => {
                if self.group_indexes.len() >= MAX_GROUP_INDEXES {
                    self.group_indexes.clear();
                }
                self.group_indexes.push(GroupIndex::new(score, pod, snapshot, local));
                self.group_indexes.len() - 1
            }
        };
        &self.group_indexes[place]
    }

    /// Looks again at the nodes that have changed.
    fn follow(&mut self, snapshot: &Snapshot, filters: &Filters<'_>, scorers: &[Scorer<'_>]) {
        let changed = self.position.as_ref().and_then(|position| snapshot.changed_since(position));
        if let Some(changed) = changed {
            for change in changed {
                self.judge(change.node, filters, scorers);
            }
        } else {
            self.begin(snapshot, scorers);
            for node in snapshot.order() {
                self.judge(*node, filters, scorers);
            }
        }
        self.position = Some(snapshot.position());
        if self.columns.iter().any(|column| column.best != column.best_now()) {
            self.total_all();
        }
    }

    fn begin(&mut self, snapshot: &Snapshot, scorers: &[Scorer<'_>]) {
        let length = snapshot.column_length();
        let column = |scorer: &Scorer<'_>| {
            Some(Column {
                plugin: scorer.plugin,
                weight: scorer.weight,
                normalization: scorer.node_local?,
                raw: vec![0; length],
                counts: BTreeMap::new(),
                best: 0,
            })
        };
        *self = Self {
            position: None,
            passes: FixedBitSet::with_capacity(length),
            columns: scorers.iter().filter_map(column).collect(),
            totals: vec![0; length],
            by_total: NodesByTotal::default(),
            group_indexes: Vec::new(),
            is_out_of_range: false,
        };
    }

    fn judge(&mut self, node: NodeIndex, filters: &Filters<'_>, scorers: &[Scorer<'_>]) {
        if self.passes.contains(node) {
            self.leave(node);
            for column in &mut self.columns {
                column.count(column.raw[node], false);
            }
        }
        let passes = filters.passes_node_local(node);
        self.passes.set(node, passes);
        if !passes {
            return;
        }
        for (column, scorer) in self.columns.iter_mut().zip(scorers) {
            let score = scorer.score.score(node);
            let is_in_range = (MIN_NODE_SCORE..=MAX_NODE_SCORE).contains(&score);
            self.is_out_of_range |= !is_in_range && column.normalization == Normalization::Identity;
            self.is_out_of_range |= score < MIN_NODE_SCORE;
            column.raw[node] = score;
            column.count(score, true);
        }
        self.enter(node);
    }

    fn enter(&mut self, node: NodeIndex) {
        let total = self.columns.iter().fold(0_i64, |sum, column| sum.wrapping_add(column.weighted(node)));
        self.totals[node] = total;
        self.by_total.insert(node, total);
    }

    fn leave(&mut self, node: NodeIndex) {
        self.by_total.remove(node, self.totals[node]);
    }

    /// Computes all totals anew, as the best score of a plugin is another one.
    fn total_all(&mut self) {
        for column in &mut self.columns {
            column.best = column.best_now();
        }
        self.by_total = NodesByTotal::default();
        self.group_indexes.clear();
        for node in self.passes.clone().ones() {
            self.enter(node);
        }
    }
}
