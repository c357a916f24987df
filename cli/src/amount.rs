//! Amounts of the scheduler's integers as people write them.

use plimsoll_resource_math::Format;
use plimsoll_resource_math::Quantity;
use plimsoll_resource_math::resource_name::{CPU, EPHEMERAL_STORAGE, HUGEPAGES_PREFIX, MEMORY};

/// An amount of a resource as a quantity: `cpu` is counted in millicores, the others in what they count.
pub fn resource_amount(resource: &str, number: i64) -> String {
    let is_bytes = [MEMORY, EPHEMERAL_STORAGE].contains(&resource) || resource.starts_with(HUGEPAGES_PREFIX);
    let quantity = match resource {
        CPU => Quantity::from_millis(number, Format::DecimalSi),
        _ if is_bytes => Quantity::from_units(number, Format::BinarySi),
        _ => Quantity::from_units(number, Format::DecimalSi),
    };
    quantity.canonical()
}
