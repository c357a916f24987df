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
mod resource_columns;
mod topology;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Taint, Toleration};
use plimsoll_matching::label_requirement::Labels;
use plimsoll_matching::label_selector::labels_of;
use plimsoll_matching::taints::{find_untolerated, forbids_scheduling};
use plimsoll_resource_math::resource_list::{ParseResourceListError, ResourceList};
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
pub use self::resource_columns::{ResourceColumns, ResourceId};
use self::topology::TopologyColumns;
pub use self::topology::{Domain, TopologyColumn};
use crate::affinity_term::PodAffinityTerms;
use crate::host_port::HostPort;
use crate::listers::Listers;
use crate::pod_info::{AccountedResources, PodInfo, PodVolumes, ResourceAmounts};

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

/// What selectors tell pods apart by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodIdentity {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The labels.
    pub labels: Labels,
    /// Whether the pod is being deleted.
    pub is_terminating: bool,
}

/// A pod that runs on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedPod {
    /// Its namespace and name.
    pub key: Arc<str>,
    /// What selectors see of it.
    pub identity: Arc<PodIdentity>,
    /// Its terms of affinity and anti-affinity; none if it has none.
    pub terms: Option<Arc<PodAffinityTerms>>,
    /// Its priority.
    pub priority: i32,
    /// When it started; none if it hasn't.
    pub started: Option<Timestamp>,
    /// Whether it is being deleted to make room for a pod of higher priority.
    pub is_preempted: bool,
    /// What it counts for.
    pub accounted: Arc<AccountedResources>,
    /// The ports of the node that it takes.
    pub host_ports: Arc<[HostPort]>,
    /// Its claims and disks; none if it has no such volume.
    pub volumes: Option<Arc<PodVolumes>>,
}

/// A node that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node {node}: status.allocatable")]
pub struct ReadNodeError {
    /// The node's name.
    pub node: String,
    /// What is wrong with its amounts.
    #[source]
    pub source: ParseResourceListError,
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

    /// Adds a node, or takes over its new state. The pods that run on it stay.
    ///
    /// # Errors
    /// An amount of the node is no quantity; then nothing is changed.
    pub fn set_node(&mut self, node: &Node) -> Result<NodeIndex, ReadNodeError> {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        let allocatable =
            ResourceList::parse(node.status.as_ref().and_then(|status| status.allocatable.as_ref()))
                .map_err(|source| ReadNodeError { node: name.to_owned(), source })?;
        self.changes.end_epoch();
        let labels = labels_of(&node.metadata);
        let index = match self.index_of.get(name) {
            Some(index) => *index,
            None => self.add_empty_node(name),
        };
        self.order.set(index, node_order::zone_key(labels));
        self.set_allocatable(index, &ResourceAmounts::of(&allocatable));
        let spec = node.spec.as_ref();
        self.unschedulable[index] = spec.and_then(|spec| spec.unschedulable).unwrap_or(false);
        let taints = spec.and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
        self.taints[index] = self.taint_sets.intern(taints.iter().map(without_time).collect());
        let declared = node.status.as_ref().and_then(|status| status.declared_features.clone());
        self.declared_features[index] = self.declared_feature_sets.intern(declared.unwrap_or_default());
        self.labels[index].clone_from(labels);
        self.topology.set(index, labels);
        let images = node.status.as_ref().and_then(|status| status.images.as_deref()).unwrap_or_default();
        self.images.set(index, images);
        Ok(index)
    }

    /// Forgets a node. Pods that run on it are remembered in case it comes back.
    pub fn remove_node(&mut self, name: &str) {
        let Some(index) = self.index_of.remove(name) else { return };
        self.changes.end_epoch();
        self.order.remove(index);
        let pods = std::mem::take(&mut self.pods[index]);
        for pod in &pods {
            self.disown(index, pod);
        }
        if !pods.is_empty() {
            self.strays.insert(name.to_owned(), pods);
        }
        self.clear_columns(index);
        self.free.push(index);
    }

    /// Counts a pod as running on a node. A pod of the same namespace and name that is there already is replaced. Pods that
    /// have come to an end are not to be added.
    pub fn add_pod(&mut self, pod: &PodInfo<'_>, node_name: &str) {
        let key: Arc<str> = pod_key(pod.namespace(), pod.name()).into();
        self.remove_pod_by_key(&key);
        let placed = PlacedPod::new(pod, Arc::clone(&key));
        *self.priorities.entry(placed.priority).or_default() += 1;
        self.node_of_pod.insert(key, node_name.to_owned());
        match self.index_of.get(node_name) {
            Some(index) => self.place(*index, placed),
            None => self.strays.entry(node_name.to_owned()).or_default().push(placed),
        }
    }

    /// No longer counts a pod. Whether it was there.
    pub fn remove_pod(&mut self, namespace: &str, name: &str) -> bool {
        self.remove_pod_by_key(&pod_key(namespace, name))
    }

    /// Sets a node aside for a pod that isn't on any yet: pods of lower priority are kept off the room that it needs. A node that
    /// was set aside for the pod before no longer is.
    pub fn nominate(&mut self, pod: &PodInfo<'_>, node_name: &str) {
        self.clear_nomination(pod.namespace(), pod.name());
        // DIFFERENCE: D-scheduler-8.
        let placed = PlacedPod::new(pod, pod_key(pod.namespace(), pod.name()).into());
        self.nominated.entry(node_name.to_owned()).or_default().push(placed);
    }

    /// No longer sets a node aside for a pod.
    pub fn clear_nomination(&mut self, namespace: &str, name: &str) {
        let key = pod_key(namespace, name);
        self.nominated.retain(|_, pods| {
            pods.retain(|pod| *pod.key != *key);
            !pods.is_empty()
        });
    }

    /// The pods for which a node was set aside.
    pub fn nominated_pods(&self, node: NodeIndex) -> &[PlacedPod] {
        self.nominated.get(&self.names[node]).map(Vec::as_slice).unwrap_or_default()
    }

    /// The nodes that were set aside for any pod.
    pub fn nominated_nodes(&self) -> impl Iterator<Item = NodeIndex> {
        self.nominated.keys().filter_map(|name| self.node(name))
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

    fn add_empty_node(&mut self, name: &str) -> NodeIndex {
        let index = self.free.pop().unwrap_or_else(|| {
            self.extend_columns();
            self.names.len() - 1
        });
        name.clone_into(&mut self.names[index]);
        self.index_of.insert(name.to_owned(), index);
        for pod in self.strays.remove(name).unwrap_or_default() {
            self.place(index, pod);
        }
        index
    }

    fn extend_columns(&mut self) {
        self.names.push(String::new());
        self.resources.push_node();
        self.non_zero_cpu_millis.push(0);
        self.non_zero_memory_bytes.push(0);
        self.allowed_pods.push(0);
        self.unschedulable.push(false);
        self.taints.push(0);
        self.declared_features.push(0);
        self.labels.push(Labels::new());
        self.ports.push(Vec::new());
        self.pods.push(Vec::new());
    }

    fn clear_columns(&mut self, index: NodeIndex) {
        self.names[index].clear();
        self.resources.clear_node(index);
        self.non_zero_cpu_millis[index] = 0;
        self.non_zero_memory_bytes[index] = 0;
        self.allowed_pods[index] = 0;
        self.unschedulable[index] = false;
        self.labels[index].clear();
        self.topology.set(index, &self.labels[index]);
        self.images.set(index, &[]);
        self.ports[index].clear();
        self.pods[index].clear();
    }

    fn set_allocatable(&mut self, index: NodeIndex, amounts: &ResourceAmounts) {
        self.allowed_pods[index] = amounts.pods;
        self.resources.set_allocatable(index, amounts);
    }

    fn place(&mut self, index: NodeIndex, mut pod: PlacedPod) {
        self.count(index, &pod.accounted, Sign::Add);
        let namespace = Arc::clone(&pod.identity.namespace);
        pod.identity = self.identities.entry(namespace).or_default().add(pod.identity, index);
        self.log(index, &pod, 1);
        pod.terms = pod.terms.map(|terms| self.terms.add(terms, index));
        if let Some(volumes) = &pod.volumes {
            self.claim_uses.add(&pod.identity.namespace, volumes);
        }
        self.ports[index].extend(pod.host_ports.iter().cloned());
        self.pods[index].push(pod);
    }

    fn remove_pod_by_key(&mut self, key: &str) -> bool {
        let Some(node_name) = self.node_of_pod.remove(key) else { return false };
        let removed = match self.index_of.get(&node_name) {
            Some(index) => self.take(*index, key),
            None => take_from(self.strays.entry(node_name).or_default(), key),
        };
        if let Some(pod) = &removed {
            self.forget_priority(pod.priority);
        }
        removed.is_some()
    }

    /// Selectors no longer find a pod on a node, and its claims are free.
    fn disown(&mut self, index: NodeIndex, pod: &PlacedPod) {
        let namespace = &pod.identity.namespace;
        if let Some(identities) = self.identities.get_mut(namespace) {
            identities.remove(&pod.identity, index);
            if identities.is_empty() {
                self.identities.remove(namespace);
            }
        }
        if let Some(terms) = &pod.terms {
            self.terms.remove(terms, index);
        }
        if let Some(volumes) = &pod.volumes {
            self.claim_uses.remove(namespace, volumes);
        }
    }

    fn take(&mut self, index: NodeIndex, key: &str) -> Option<PlacedPod> {
        let pod = take_from(&mut self.pods[index], key)?;
        self.log(index, &pod, -1);
        self.count(index, &pod.accounted, Sign::Subtract);
        self.disown(index, &pod);
        // DIFFERENCE: D-scheduler-2.
        for port in &*pod.host_ports {
            if let Some(position) = self.ports[index].iter().position(|used| used == port) {
                self.ports[index].swap_remove(position);
            }
        }
        Some(pod)
    }

    fn log(&mut self, node: NodeIndex, pod: &PlacedPod, count: i64) {
        let change = PodChange { node, identity: Arc::clone(&pod.identity), count };
        self.changes.push(change, self.names.len());
    }

    fn forget_priority(&mut self, priority: i32) {
        if let Some(count) = self.priorities.get_mut(&priority) {
            *count -= 1;
            if *count == 0 {
                self.priorities.remove(&priority);
            }
        }
    }

    fn count(&mut self, index: NodeIndex, accounted: &AccountedResources, sign: Sign) {
        self.resources.count(index, &accounted.amounts, sign);
        sign.apply(&mut self.non_zero_cpu_millis[index], accounted.non_zero_cpu_millis);
        sign.apply(&mut self.non_zero_memory_bytes[index], accounted.non_zero_memory_bytes);
    }
}

impl PlacedPod {
    /// What is kept of a pod of that namespace and name.
    fn new(pod: &PodInfo<'_>, key: Arc<str>) -> Self {
        let metadata = &pod.pod.metadata;
        let terms = &pod.affinity_terms;
        Self {
            key,
            identity: Arc::new(PodIdentity {
                namespace: pod.namespace().into(),
                labels: labels_of(metadata).clone(),
                is_terminating: metadata.deletion_timestamp.is_some(),
            }),
            terms: (!terms.is_empty()).then(|| Arc::new(terms.clone())),
            priority: pod.priority(),
            started: pod.pod.status.as_ref().and_then(|status| Some(status.start_time.as_ref()?.0)),
            is_preempted: is_preempted(pod),
            accounted: Arc::new(pod.accounted.clone()),
            host_ports: pod.host_ports.as_slice().into(),
            volumes: pod.volumes.clone(),
        }
    }

    /// Its name, without its namespace.
    pub fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }
}

/// # Source
/// `pkg/scheduler/framework/preemption/util.go` (`PodTerminatingByPreemption`)
fn is_preempted(pod: &PodInfo<'_>) -> bool {
    let conditions = pod.pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let disrupted = conditions.into_iter().flatten().find(|condition| condition.type_ == "DisruptionTarget");
    pod.pod.metadata.deletion_timestamp.is_some()
        && disrupted.is_some_and(|condition| {
            condition.status == "True" && condition.reason.as_deref() == Some("PreemptionByScheduler")
        })
}

/// Whether an amount comes or goes.
#[derive(Clone, Copy, Debug)]
enum Sign {
    Add,
    Subtract,
}

impl Sign {
    /// Sums wrap, as upstream's do: so taking an amount away again always restores what was there.
    fn apply(self, total: &mut i64, amount: i64) {
        *total = match self {
            Self::Add => total.wrapping_add(amount),
            Self::Subtract => total.wrapping_sub(amount),
        };
    }
}

/// As upstream, the last pod takes the place of the one that goes.
fn take_from(pods: &mut Vec<PlacedPod>, key: &str) -> Option<PlacedPod> {
    let position = pods.iter().position(|pod| &*pod.key == key)?;
    Some(pods.swap_remove(position))
}

pub(crate) fn pod_key(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// When a taint came doesn't matter here, and would make equal sets differ.
fn without_time(taint: &Taint) -> Taint {
    Taint { time_added: None, ..taint.clone() }
}

#[cfg(test)]
mod tests;
