//! What the API server finds wrong with objects, in its words and order.

pub(crate) mod cidr;
pub mod cron_job;
mod cron_schedule;
pub mod daemon_set;
pub mod deployment;
mod go_duration;
mod int_or_percent;
pub mod ip;
pub mod job;
mod job_indexes;
mod job_policies;
pub mod label_selector;
pub mod namespace;
pub mod node;
pub mod object_meta;
pub mod persistent_volume_claim;
pub mod pod;
pub mod priority_class;
pub mod replica_set;
pub mod replication_controller;
pub mod runtime_class;
pub mod service;
mod service_addresses;
pub mod stateful_set;
pub mod storage_class;
mod taint;
mod time_zone;
mod workload;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_resource_math::Quantity;

/// Said of a number below zero.
pub(crate) const IS_NEGATIVE: &str = "must be greater than or equal to 0";
/// Said of a number that is not above zero.
pub(crate) const IS_NOT_POSITIVE: &str = "must be greater than zero";
/// Said of a field that may not change.
pub(crate) const FIELD_IMMUTABLE: &str = "field is immutable";

/// The text of a field; absent is empty, as upstream holds it.
pub(crate) fn text(field: Option<&String>) -> &str {
    field.map_or("", String::as_str)
}

/// A text that upstream holds in a type of its own, which messages show as JSON.
pub(crate) fn named(text: &str) -> BadValue {
    BadValue::json_string(text)
}

/// Leaves one of several errors that say the same of the same field, as the API server does for kinds that it also
/// validates by their declarations.
///
/// # Source
/// apimachinery `pkg/util/validation/field` (`ErrorList.Filter`)
pub fn distinct(mut errors: ErrorList) -> ErrorList {
    if errors.len() > 1 {
        let mut seen = BTreeSet::new();
        errors.retain(|error| seen.insert(error.to_string()));
    }
    errors
}

/// Whether an amount is a whole number. DIFFERENCE: D-Pod-1.
pub(crate) fn is_whole(amount: &Quantity) -> bool {
    let mut rounded = amount.clone();
    rounded.round_up_to_unit();
    rounded.cmp(amount) == Ordering::Equal
}

/// Adds an error if a number is below zero.
///
/// # Source
/// apimachinery `pkg/api/validation` (`ValidateNonnegativeField`)
pub(crate) fn validate_nonnegative(errors: &mut ErrorList, value: impl Into<i64>, path: &Path<'_>) {
    let value = value.into();
    if value < 0 {
        errors.push(Error::invalid(path, value, IS_NEGATIVE));
    }
}
