//! Objects without their empty parts, so that ours and upstream's compare.

use serde::Serialize;
use serde_json::Value;

/// The object as JSON without its empty parts: what is empty, Go and Rust write or leave out by the type of the field.
///
/// # Errors
/// When the object has no JSON form.
pub(super) fn plain(object: &impl Serialize) -> anyhow::Result<Value> {
    Ok(without_empty(serde_json::to_value(object)?))
}

fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (key, without_empty(value)));
            let full: serde_json::Map<_, _> = fields.filter(|(_, value)| !value.is_null()).collect();
            if full.is_empty() { Value::Null } else { Value::Object(full) }
        }
        Value::Array(values) if values.is_empty() => Value::Null,
        Value::Array(values) => values.into_iter().map(without_empty).collect(),
        Value::String(text) if text.is_empty() => Value::Null,
        other => other,
    }
}
