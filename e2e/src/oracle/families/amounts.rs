//! Amounts on which we differ from upstream on purpose, wherever they stand.

use plimsoll_resource_math::{Format, ParseQuantityError, Quantity};
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

/// Whether the thousandths of an amount do not fit into 64 bits, so that upstream's wrap around.
pub(super) fn wraps_in_thousandths(text: &str) -> bool {
    const MOST: i64 = i64::MAX / 1000;
    Quantity::parse(text).is_ok_and(|amount| amount.value() > MOST || amount.value() < -MOST)
}

/// Whether an amount does not fit into 64 bits, so that upstream's whole number wraps around.
pub(super) fn exceeds_int64(text: &str) -> bool {
    let most = Quantity::from_units(i64::MAX, Format::DecimalSi);
    Quantity::parse(text).is_ok_and(|amount| amount > most || -amount > most)
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

/// Whether upstream may add the overhead of a pod into an amount of the pod as a whole, and read that again: it holds it as
/// a big decimal then.
///
/// DIFFERENCE: D-PodResources-1.
pub(super) fn may_count_overhead_twice(pod: &Value) -> bool {
    let spec = &pod["spec"];
    spec["overhead"].is_object() && any_text(&spec["resources"], &may_be_big_decimal)
}

/// Whether upstream may hold an amount as a big decimal, which it does where the text is long, broken, or has an exponent or a large
/// suffix.
pub(super) fn may_be_big_decimal(text: &str) -> bool {
    text.len() > 14 || text.contains(['.', 'e', 'E', 'P', 'T'])
}

/// Whether two lists of messages differ in how an amount is written, and in nothing else.
pub(super) fn same_but_for_wording(ours: &Value, theirs: &Value) -> bool {
    let (Some(ours), Some(theirs)) = (ours.as_array(), theirs.as_array()) else { return false };
    let pairs = || ours.iter().zip(theirs).map(|(ours, theirs)| (ours.as_str(), theirs.as_str()));
    let same = |pair| matches!(pair, (Some(ours), Some(theirs)) if same_words(ours, theirs));
    ours.len() == theirs.len() && pairs().all(same)
}

fn same_words(ours: &str, theirs: &str) -> bool {
    let words = |text: &str| text.split([' ', '"']).map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (words(ours), words(theirs));
    let same = |(ours, theirs): (&String, &String)| ours == theirs || is_same_amount(ours, theirs);
    ours.len() == theirs.len() && ours.iter().zip(&theirs).all(same)
}

/// Whether two texts are the same amount, written in any format. Both sides read what binary text has above 2^63 - 1 as
/// that, so such texts can't be told apart.
pub(super) fn is_same_amount(ours: &str, theirs: &str) -> bool {
    let capped = |amount: Quantity| amount.min(Quantity::from_units(i64::MAX, Format::DecimalSi));
    let amount = |text: &str| Quantity::parse(text).ok().map(capped);
    amount(ours).is_some() && amount(ours) == amount(theirs)
}
