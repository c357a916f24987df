//! What the API server finds wrong with objects, in its words and order.

pub mod object_meta;

/// Said of a number below zero.
pub(crate) const IS_NEGATIVE: &str = "must be greater than or equal to 0";
/// Said of a field that may not change.
pub(crate) const FIELD_IMMUTABLE: &str = "field is immutable";

/// The text of a field; absent is empty, as upstream holds it.
pub(crate) fn text(field: Option<&String>) -> &str {
    field.map_or("", String::as_str)
}
