//! Nodes that come, change and go.

use k8s_openapi::api::core::v1::{Node, Taint};
use plimsoll_matching::label_requirement::Labels;
use plimsoll_matching::label_selector::labels_of;
use plimsoll_resource_math::resource_list::{ParseResourceListError, ResourceList};

use super::{NodeIndex, Snapshot, node_order};
use crate::pod_info::ResourceAmounts;

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
}

/// When a taint came doesn't matter here, and would make equal sets differ.
fn without_time(taint: &Taint) -> Taint {
    Taint { time_added: None, ..taint.clone() }
}
