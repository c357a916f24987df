//! What the API server finds wrong with objects, in its words and order.

pub mod ip;
pub mod label_selector;
pub mod object_meta;
pub mod pod;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use plimsoll_api::field::{BadValue, ErrorList};
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

/// Whether an amount is a whole number.
pub(crate) fn is_whole(amount: &Quantity) -> bool {
    let mut rounded = amount.clone();
    rounded.round_up_to_unit();
    rounded.cmp(amount) == Ordering::Equal
}
