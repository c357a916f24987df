//! What the API server finds wrong with objects, in its words and order.

pub mod ip;
pub mod label_selector;
pub mod object_meta;
pub mod pod;

use plimsoll_api::field::BadValue;

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
