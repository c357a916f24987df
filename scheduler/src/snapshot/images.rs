//! Which container images lie on which nodes.
//!
//! # Source
//! `pkg/scheduler/backend/cache/cache.go` (`addNodeImageStates`)

use fixedbitset::FixedBitSet;
use k8s_openapi::api::core::v1::ContainerImage;
use rustc_hash::FxHashMap;

use super::NodeIndex;

/// An image that some node has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageState {
    /// Its size in bytes, as the first node that had it said.
    pub size_bytes: i64,
    nodes: FixedBitSet,
    node_count: usize,
}

impl ImageState {
    /// Whether a node has it.
    pub fn is_on(&self, node: NodeIndex) -> bool {
        self.nodes.contains(node)
    }

    /// How many nodes have it (DIFFERENCE: D-scheduler-9).
    pub fn node_count(&self) -> usize {
        self.node_count
    }
}

/// All images, by each of their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Images {
    by_name: FxHashMap<String, ImageState>,
    names: FxHashMap<NodeIndex, Vec<String>>,
}

impl Images {
    /// The image of that name; none if no node has it.
    pub(super) fn get(&self, name: &str) -> Option<&ImageState> {
        self.by_name.get(name)
    }

    /// A node has these images and no others.
    pub(super) fn set(&mut self, node: NodeIndex, images: &[ContainerImage]) {
        for name in self.names.remove(&node).unwrap_or_default() {
            self.remove(&name, node);
        }
        let mut names = Vec::new();
        for image in images {
            for name in image.names.iter().flatten() {
                self.add(name, image.size_bytes.unwrap_or(0), node);
                names.push(name.clone());
            }
        }
        if !names.is_empty() {
            self.names.insert(node, names);
        }
    }

    fn add(&mut self, name: &str, size_bytes: i64, node: NodeIndex) {
        let new = || ImageState { size_bytes, ..ImageState::default() };
        let state = self.by_name.entry(name.to_owned()).or_insert_with(new);
        state.nodes.grow(node + 1);
        state.node_count += usize::from(!state.nodes.put(node));
    }

    fn remove(&mut self, name: &str, node: NodeIndex) {
        let Some(state) = self.by_name.get_mut(name).filter(|state| state.nodes.contains(node)) else {
            return;
        };
        state.nodes.remove(node);
        state.node_count -= 1;
        if state.node_count == 0 {
            self.by_name.remove(name);
        }
    }
}
