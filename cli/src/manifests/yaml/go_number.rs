//! Floats as Go prints them: as JSON values, and as keys of objects.

use serde_json::Number;

/// A float as a JSON number; none for infinities and NaN. Go prints whole floats below 1e21 without a fraction, so that
/// they are read back as integers.
pub(crate) fn whole_or_float(value: f64) -> Option<Number> {
    /// 2^63, the first float that `i64` does not hold.
    const I64_END: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within i64 by the condition")]
    if value.fract() == 0.0 && (-I64_END..I64_END).contains(&value) {
        return Some((value as i64).into());
    }
    Number::from_f64(value)
}

/// A finite float as `encoding/json` prints it: plain between 1e-6 and 1e21, with an exponent beyond.
///
/// # Source
/// Go `encoding/json` (`floatEncoder`)
pub(crate) fn go_json_float(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let scientific = format!("{value:e}");
        // Rust prints `1e30` where Go prints `1e+30`; both print `1e-7`.
        return match scientific.split_once('e') {
            Some((mantissa, exponent)) if !exponent.starts_with('-') => format!("{mantissa}e+{exponent}"),
            _ => scientific,
        };
    }
    format!("{value}")
}

/// A float as sigs.k8s.io/yaml turns it into a key: `FormatFloat(value, 'g', -1, 32)`.
#[expect(clippy::cast_possible_truncation, reason = "Go narrows to 32 bits here too")]
pub(super) fn go_key_float(value: f64) -> String {
    let narrow = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if narrow.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{narrow:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Go's shortest form turns to an exponent below 1e-4 and from 1e6 on.
    if narrow != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{narrow}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_json_floats_as_go_does() {
        for (value, expected) in [
            (1.5, "1.5"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1e21, "1e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1.25e30, "1.25e+30"),
            (-2.5e-9, "-2.5e-9"),
        ] {
            assert_eq!(go_json_float(value), expected);
        }
    }

    #[test]
    fn prints_keys_as_go_does() {
        for (value, expected) in [
            (1.5, "1.5"),
            (8.0, "8"),
            (1e-5, "1e-05"),
            (1e5, "100000"),
            (123_456_789.0, "1.2345679e+08"),
            (0.1, "0.1"),
            (f64::INFINITY, ".inf"),
        ] {
            assert_eq!(go_key_float(value), expected);
        }
    }
}
