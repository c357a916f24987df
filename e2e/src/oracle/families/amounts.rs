//! Amounts on which we differ from upstream on purpose, wherever they stand.

use plimsoll_resource_math::{ParseQuantityError, Quantity};
use serde_json::Value;

/// The id of the difference that an amount in the input explains: a far exponent, or one above the largest letter.
pub(super) fn explain_by_amount(input: &Value) -> Option<&'static str> {
    if any_text(input, &|text| is_out_of_range(text) || has_wrapped_exponent(text)) {
        return Some("D-Quantity-2");
    }
    let above = |text: &str| Quantity::parse(text).is_ok_and(|amount| is_above_letters(&amount));
    any_text(input, &above).then_some("D-Quantity-1")
}

/// Whether a text for which this holds stands anywhere in the value.
pub(super) fn any_text(value: &Value, holds: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => holds(text),
        Value::Array(elements) => elements.iter().any(|element| any_text(element, holds)),
        Value::Object(fields) => fields.values().any(|field| any_text(field, holds)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether we refuse a text that upstream may compute with for minutes.
pub(super) fn is_out_of_range(text: &str) -> bool {
    Quantity::parse(text).is_err_and(|error| error == ParseQuantityError::OutOfRange)
}

/// Whether an amount has no letter of its own: a thousand times the largest, or 1024 times.
pub(super) fn is_above_letters(amount: &Quantity) -> bool {
    let amount = if amount.sign().is_lt() { -amount.clone() } else { amount.clone() };
    Quantity::parse("1000E").is_ok_and(|least| amount >= least)
}

/// Whether upstream, which keeps 32 bits of an exponent, reads another one than is written.
pub(super) fn has_wrapped_exponent(text: &str) -> bool {
    let exponent = text.rsplit(['e', 'E']).next().and_then(|exponent| exponent.parse::<i64>().ok());
    exponent.is_some_and(|exponent| i32::try_from(exponent).is_err()) && text.contains(['e', 'E'])
}
