//! Allocatable and requested amounts: for each resource a column over the nodes.

use plimsoll_resource_math::resource_name::{CPU, EPHEMERAL_STORAGE, MEMORY};
use rustc_hash::FxHashMap;

use super::{NodeIndex, Sign};
use crate::pod_info::ResourceAmounts;

/// A resource: its place among the columns.
pub type ResourceId = usize;

/// The columns of all resources that nodes have or pods on them ask for.
#[derive(Clone, Debug)]
pub struct ResourceColumns {
    ids: FxHashMap<String, ResourceId>,
    columns: Vec<Column>,
    node_count: usize,
}

#[derive(Clone, Debug, Default)]
struct Column {
    name: String,
    allocatable: Vec<i64>,
    requested: Vec<i64>,
}

impl Default for ResourceColumns {
    fn default() -> Self {
        let mut columns = Self { ids: FxHashMap::default(), columns: Vec::new(), node_count: 0 };
        for name in [CPU, MEMORY, EPHEMERAL_STORAGE] {
            columns.id_or_new(name);
        }
        columns
    }
}

impl ResourceColumns {
    /// Millicores.
    pub const CPU: ResourceId = 0;
    /// Bytes of memory.
    pub const MEMORY: ResourceId = 1;
    /// Bytes of local scratch space.
    pub const EPHEMERAL_STORAGE: ResourceId = 2;

    /// The column of a resource; none if no node has it and no pod on a node asks for it.
    pub fn id(&self, name: &str) -> Option<ResourceId> {
        self.ids.get(name).copied()
    }

    /// What each node has for pods.
    pub fn allocatable(&self, resource: ResourceId) -> &[i64] {
        &self.columns[resource].allocatable
    }

    /// What the pods on each node ask for.
    pub fn requested(&self, resource: ResourceId) -> &[i64] {
        &self.columns[resource].requested
    }

    /// All resources with their columns.
    pub fn iter(&self) -> impl Iterator<Item = (&str, ResourceId)> {
        self.columns.iter().enumerate().map(|(id, column)| (column.name.as_str(), id))
    }

    pub(super) fn push_node(&mut self) {
        self.node_count += 1;
        for column in &mut self.columns {
            column.allocatable.push(0);
            column.requested.push(0);
        }
    }

    pub(super) fn clear_node(&mut self, node: NodeIndex) {
        for column in &mut self.columns {
            column.allocatable[node] = 0;
            column.requested[node] = 0;
        }
    }

    pub(super) fn set_allocatable(&mut self, node: NodeIndex, amounts: &ResourceAmounts) {
        for column in &mut self.columns {
            column.allocatable[node] = 0;
        }
        self.for_each_amount(amounts, |column, amount| column.allocatable[node] = amount);
    }

    pub(super) fn count(&mut self, node: NodeIndex, amounts: &ResourceAmounts, sign: Sign) {
        self.for_each_amount(amounts, |column, amount| sign.apply(&mut column.requested[node], amount));
    }

    fn for_each_amount(&mut self, amounts: &ResourceAmounts, mut visit: impl FnMut(&mut Column, i64)) {
        visit(&mut self.columns[Self::CPU], amounts.cpu_millis);
        visit(&mut self.columns[Self::MEMORY], amounts.memory_bytes);
        visit(&mut self.columns[Self::EPHEMERAL_STORAGE], amounts.ephemeral_storage_bytes);
        for (name, amount) in &amounts.scalars {
            let id = self.id_or_new(name);
            visit(&mut self.columns[id], *amount);
        }
    }

    fn id_or_new(&mut self, name: &str) -> ResourceId {
        if let Some(id) = self.id(name) {
            return id;
        }
        let id = self.columns.len();
        let zeros = vec![0; self.node_count];
        self.columns.push(Column { name: name.to_owned(), allocatable: zeros.clone(), requested: zeros });
        self.ids.insert(name.to_owned(), id);
        id
    }
}
