//! Amounts of resources as integers.

use plimsoll_resource_math::resource_list::ResourceList;
use plimsoll_resource_math::resource_name::{self, CPU, EPHEMERAL_STORAGE, MEMORY, PODS};

/// Amounts of the resources that the scheduler counts, rounded up to integers.
///
/// # Source
/// `pkg/scheduler/framework/types.go` (`Resource`)
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ResourceAmounts {
    /// Processor time, in millicores.
    pub cpu_millis: i64,
    /// Memory, in bytes.
    pub memory_bytes: i64,
    /// Local scratch space, in bytes.
    pub ephemeral_storage_bytes: i64,
    /// How many pods a node takes.
    pub pods: i64,
    /// The others by name: extended resources, huge pages, attachable volumes, resources of `kubernetes.io`.
    pub scalars: Vec<(String, i64)>,
}

impl ResourceAmounts {
    /// The largest amount: 72 petabytes, or 72 million million cores. More counts as this much, so that the sum of a
    /// hundred absurd amounts still fits its integer (DIFFERENCE: D-scheduler-4).
    pub const MAX: i64 = 1 << 56;

    /// Rounds a list up. Names that the scheduler doesn't count are left out.
    ///
    /// # Source
    /// `pkg/scheduler/framework/types.go` (`Resource.Add`)
    pub fn of(list: &ResourceList) -> Self {
        let mut amounts = Self::default();
        for (name, quantity) in list {
            match name.as_str() {
                CPU => amounts.cpu_millis = bounded(quantity.milli_value()),
                MEMORY => amounts.memory_bytes = bounded(quantity.value()),
                EPHEMERAL_STORAGE => amounts.ephemeral_storage_bytes = bounded(quantity.value()),
                PODS => amounts.pods = bounded(quantity.value()),
                _ if is_scalar(name) => amounts.scalars.push((name.clone(), bounded(quantity.value()))),
                _ => {}
            }
        }
        amounts
    }

    /// The same, with 0 in place of what is below.
    #[must_use]
    pub fn non_negative(mut self) -> Self {
        let Self { cpu_millis, memory_bytes, ephemeral_storage_bytes, pods, scalars } = &mut self;
        for amount in [cpu_millis, memory_bytes, ephemeral_storage_bytes, pods] {
            *amount = (*amount).max(0);
        }
        for (_, amount) in scalars {
            *amount = (*amount).max(0);
        }
        self
    }

    /// The amount of one resource; 0 if there is none.
    pub fn amount(&self, name: &str) -> i64 {
        match name {
            CPU => self.cpu_millis,
            MEMORY => self.memory_bytes,
            EPHEMERAL_STORAGE => self.ephemeral_storage_bytes,
            PODS => self.pods,
            _ => self.scalars.iter().find(|(known, _)| known == name).map_or(0, |(_, amount)| *amount),
        }
    }
}

/// An amount within the bounds of what is counted.
pub(crate) fn bounded(amount: i64) -> i64 {
    amount.clamp(-ResourceAmounts::MAX, ResourceAmounts::MAX)
}

/// Whether the scheduler counts a resource that has no field of its own.
///
/// # Source
/// `pkg/scheduler/util/utils.go` (`IsScalarResourceName`)
pub(crate) fn is_scalar(name: &str) -> bool {
    name.starts_with(resource_name::HUGEPAGES_PREFIX)
        || name.starts_with(resource_name::ATTACHABLE_VOLUMES_PREFIX)
        || name.contains("kubernetes.io/")
        || resource_name::is_extended(name)
}
