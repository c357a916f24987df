//! Numbers of pods that may also be given as a share of all of them.
//!
//! # Source
//! kubernetes `pkg/apis/apps/validation`

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_api::quote::go_json_string;

use super::validate_nonnegative;

/// What is wrong with a number that must not be negative, or a percentage.
///
/// # Source
/// kubernetes `pkg/apis/apps/validation` (`ValidatePositiveIntOrPercent`)
pub(super) fn validate(errors: &mut ErrorList, value: &IntOrString, path: &Path<'_>) {
    match value {
        IntOrString::Int(number) => validate_nonnegative(errors, *number, path),
        IntOrString::String(text) => {
            let faults = names::percent(text);
            errors.extend(faults.into_iter().map(|fault| Error::invalid(path, shown(value), fault)));
        }
    }
}

/// Adds an error for more than all pods.
///
/// # Source
/// kubernetes `pkg/apis/apps/validation` (`IsNotMoreThan100Percent`)
pub(super) fn validate_at_most_all(errors: &mut ErrorList, value: &IntOrString, path: &Path<'_>) {
    if percent(value).is_some_and(|percent| percent > 100) {
        errors.push(Error::invalid(path, shown(value), "must not be greater than 100%"));
    }
}

/// Whether the number or the percentage is zero; what can't be read is.
///
/// # Source
/// kubernetes `pkg/apis/apps/validation` (`getIntOrPercentValue`)
pub(super) fn is_zero(value: &IntOrString) -> bool {
    match (percent(value), value) {
        (Some(percent), _) => percent == 0,
        (None, IntOrString::Int(number)) => *number == 0,
        (None, IntOrString::String(text)) => !is_nonzero_number(text),
    }
}

/// The value as messages show it.
pub(super) fn shown(value: &IntOrString) -> BadValue {
    BadValue::Verbatim(json(Some(value)))
}

/// The value as Go marshals it where upstream holds it without a pointer: absent is zero.
pub(super) fn json(value: Option<&IntOrString>) -> String {
    match value {
        None => "0".to_owned(),
        Some(IntOrString::Int(number)) => number.to_string(),
        Some(IntOrString::String(text)) => go_json_string(text),
    }
}

/// A percentage; one too large to hold counts as the largest.
fn percent(value: &IntOrString) -> Option<i64> {
    let IntOrString::String(text) = value else {
        return None;
    };
    names::percent(text).is_empty().then(|| text.trim_end_matches('%').parse().unwrap_or(i64::MAX))
}

/// Whether a text is a decimal integer other than zero, of any size.
fn is_nonzero_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && digits.bytes().any(|b| b != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_shares_from_numbers() {
        let text = |text: &str| IntOrString::String(text.to_owned());
        for (value, zero) in [
            (IntOrString::Int(0), true),
            (IntOrString::Int(-1), false),
            (text("0%"), true),
            (text("99999999999999999999%"), false),
            (text("5"), false),
            (text("x"), true),
            (text(""), true),
        ] {
            assert_eq!(is_zero(&value), zero, "{value:?}");
        }
        let mut errors = ErrorList::new();
        validate_at_most_all(&mut errors, &text("99999999999999999999%"), &Path::root("a"));
        validate_at_most_all(&mut errors, &text("100%"), &Path::root("a"));
        validate(&mut errors, &text("1"), &Path::root("a"));
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors.len(), 2, "{errors:?}");
    }
}
