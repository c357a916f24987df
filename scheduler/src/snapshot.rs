//! The nodes and what runs on them, in columns.
//!
//! A node is an index into columns: one column of integers for each resource and each of allocatable and requested, and
//! columns of small numbers that stand for its taints, its labels and what its kubelet can do, so that each distinct set is looked at once. Pods
//! come and go one by one; the columns follow.
//!
//! # Source
//! `pkg/scheduler/backend/cache`, `pkg/scheduler/framework/types.go` (`NodeInfo`)

mod assumed;
mod change_log;
mod claim_uses;
mod counted;
mod images;
mod interned;
mod node_counts;
mod node_order;
mod nodes;
mod nominations;
mod placed_pod;
mod pods;
mod resource_columns;
mod sign;
mod topology;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Taint, Toleration};
use plimsoll_matching::label_requirement::Labels;
use plimsoll_matching::taints::{find_untolerated, forbids_scheduling};
use rustc_hash::FxHashMap;

use self::change_log::ChangeLog;
pub use self::change_log::{LogPosition, PodChange};
use self::claim_uses::ClaimUses;
use self::counted::Counted;
pub use self::images::ImageState;
use self::images::Images;
use self::interned::Interned;
pub use self::node_counts::NodeCounts;
use self::node_order::NodeOrder;
pub use self::nodes::ReadNodeError;
pub(crate) use self::placed_pod::pod_key;
pub use self::placed_pod::{PlacedPod, PodIdentity};
pub use self::resource_columns::{ResourceColumns, ResourceId};
use self::sign::Sign;
use self::topology::TopologyColumns;
pub use self::topology::{Domain, TopologyColumn};
use crate::affinity_term::PodAffinityTerms;
use crate::host_port::HostPort;
use crate::listers::Listers;

/// A node: its place in the columns.
pub type NodeIndex = usize;

/// A set of taints that some node has: its place among all such sets.
pub type TaintSetId = u32;

/// A set of features that some node's kubelet declares: its place among all such sets.
pub type DeclaredFeatureSetId = u32;

/// The nodes and what runs on them.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    names: Vec<String>,
    index_of: FxHashMap<String, NodeIndex>,
    free: Vec<NodeIndex>,
    order: NodeOrder,
    resources: ResourceColumns,
    non_zero_cpu_millis: Vec<i64>,
    non_zero_memory_bytes: Vec<i64>,
    allowed_pods: Vec<i64>,
    unschedulable: Vec<bool>,
    taint_sets: Interned<Vec<Taint>>,
    taints: Vec<TaintSetId>,
    declared_feature_sets: Interned<Vec<String>>,
    declared_features: Vec<DeclaredFeatureSetId>,
    labels: Vec<Labels>,
    topology: TopologyColumns,
    images: Images,
    ports: Vec<Vec<HostPort>>,
    pods: Vec<Vec<PlacedPod>>,
    /// The pods of all nodes by what selectors tell apart.
    identities: FxHashMap<Arc<str>, Counted<PodIdentity>>,
    /// The terms of the pods of all nodes.
    terms: Counted<PodAffinityTerms>,
    /// The claims of the pods of all nodes.
    claim_uses: ClaimUses,
    /// Pods on nodes that aren't known, by the name of the node.
    strays: FxHashMap<String, Vec<PlacedPod>>,
    node_of_pod: FxHashMap<Arc<str>, String>,
    priorities: BTreeMap<i32, usize>,
    /// Pods for which a node was set aside, by the name of the node.
    nominated: BTreeMap<String, Vec<PlacedPod>>,
    listers: Listers,
    changes: ChangeLog,
}

impl Snapshot {
    /// The nodes in the order in which they became known, without pods.
    ///
    /// # Errors
    /// An amount of a node is no quantity.
    pub fn new(nodes: &[Node]) -> Result<Self, ReadNodeError> {
        let mut snapshot = Self::default();
        for node in nodes {
            snapshot.set_node(node)?;
        }
        Ok(snapshot)
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.index_of.len()
    }

    /// The nodes in the order in which they are visited: one of each zone in turn.
    pub fn order(&self) -> &[NodeIndex] {
        self.order.list()
    }

    /// One more than the highest index of any node.
    pub fn column_length(&self) -> usize {
        self.names.len()
    }

    /// The node of a name.
    pub fn node(&self, name: &str) -> Option<NodeIndex> {
        self.index_of.get(name).copied()
    }

    /// The name of a node.
    pub fn name(&self, node: NodeIndex) -> &str {
        &self.names[node]
    }

    /// The labels of a node.
    pub fn labels(&self, node: NodeIndex) -> &Labels {
        &self.labels[node]
    }

    /// The domains of the nodes by a topology key.
    pub fn topology(&self, key: &str) -> Arc<TopologyColumn> {
        self.topology.get(key, &self.labels)
    }

    /// The image of that name; none if no node has it.
    pub fn image(&self, name: &str) -> Option<&ImageState> {
        self.images.get(name)
    }

    /// The pods of a namespace by what selectors see of them, with the nodes they are on.
    pub fn pods_in(&self, namespace: &str) -> impl Iterator<Item = (&PodIdentity, &NodeCounts)> {
        self.identities.get(namespace).into_iter().flat_map(Counted::iter)
    }

    /// The namespaces that have pods on nodes.
    pub fn namespaces_with_pods(&self) -> impl Iterator<Item = &str> {
        self.identities.keys().map(|namespace| &**namespace)
    }

    /// The terms of affinity and anti-affinity that pods have, with the nodes that those pods are on.
    pub fn existing_terms(&self) -> impl Iterator<Item = (&PodAffinityTerms, &NodeCounts)> {
        self.terms.iter()
    }

    /// Whether any pod on a node names the claim.
    ///
    /// # Source
    /// `pkg/scheduler/backend/cache/snapshot.go` (`IsPVCUsedByPods`)
    pub fn is_claim_used(&self, namespace: &str, claim: &str) -> bool {
        self.claim_uses.is_used(namespace, claim)
    }

    /// What plugins look up beside nodes and pods.
    pub fn listers(&self) -> &Listers {
        &self.listers
    }

    /// The same, to be changed.
    pub fn listers_mut(&mut self) -> &mut Listers {
        self.changes.end_epoch();
        &mut self.listers
    }

    /// Now, in the history of this snapshot.
    pub fn position(&self) -> LogPosition {
        self.changes.position()
    }

    /// The pods that have come and gone since; none if more may have changed, or if that was the position of another snapshot.
    pub fn changed_since(&self, position: &LogPosition) -> Option<&[PodChange]> {
        self.changes.since(position)
    }

    /// Whether a node is cordoned.
    pub fn is_unschedulable(&self, node: NodeIndex) -> bool {
        self.unschedulable[node]
    }

    /// Which set of taints a node has.
    pub fn taint_set(&self, node: NodeIndex) -> TaintSetId {
        self.taints[node]
    }

    /// The same of all nodes, by their index.
    pub fn taint_set_of_nodes(&self) -> &[TaintSetId] {
        &self.taints
    }

    /// All sets of taints; a [`TaintSetId`] is the place of one.
    pub fn taint_sets(&self) -> &[Vec<Taint>] {
        self.taint_sets.values()
    }

    /// For each set of taints, whether these tolerations let a pod onto nodes that have it.
    pub fn tolerated_taint_sets(&self, tolerations: &[Toleration]) -> Vec<bool> {
        let is_tolerated =
            |taints: &Vec<Taint>| find_untolerated(taints, tolerations, forbids_scheduling).is_none();
        self.taint_sets().iter().map(is_tolerated).collect()
    }

    /// Which set of features the kubelet of each node declares, by the node's index.
    pub fn declared_feature_set_of_nodes(&self) -> &[DeclaredFeatureSetId] {
        &self.declared_features
    }

    /// All sets of declared features; a [`DeclaredFeatureSetId`] is the place of one.
    pub fn declared_feature_sets(&self) -> &[Vec<String>] {
        self.declared_feature_sets.values()
    }

    /// The ports that pods on a node take.
    pub fn used_ports(&self, node: NodeIndex) -> &[HostPort] {
        &self.ports[node]
    }

    /// The pods on a node.
    pub fn pods(&self, node: NodeIndex) -> &[PlacedPod] {
        &self.pods[node]
    }

    /// How many pods run on a node.
    pub fn pod_count(&self, node: NodeIndex) -> i64 {
        i64::try_from(self.pods[node].len()).unwrap_or(i64::MAX)
    }

    /// How many pods a node takes.
    pub fn allowed_pods(&self, node: NodeIndex) -> i64 {
        self.allowed_pods[node]
    }

    /// The columns of allocatable and requested amounts.
    pub fn resources(&self) -> &ResourceColumns {
        &self.resources
    }

    /// Millicores requested on each node, where a container that asks for none counts for 100.
    pub fn non_zero_cpu_millis(&self) -> &[i64] {
        &self.non_zero_cpu_millis
    }

    /// Bytes of memory requested on each node, where a container that asks for none counts for 200 MiB.
    pub fn non_zero_memory_bytes(&self) -> &[i64] {
        &self.non_zero_memory_bytes
    }

    /// The lowest priority of any pod that runs on a node; none if no pod does.
    pub fn lowest_priority(&self) -> Option<i32> {
        self.priorities.first_key_value().map(|(priority, _)| *priority)
    }
}

#[cfg(test)]
mod tests;
