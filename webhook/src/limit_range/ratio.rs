//! Limit to request ratios: the one place where amounts become floating-point numbers, since upstream decides by them.

use plimsoll_resource_math::{Format, Quantity};

/// The largest whole amount whose thousandths upstream counts.
///
/// # Source
/// apimachinery `pkg/api/resource` (`MaxMilliValue`)
const MAX_MILLI_VALUE: i64 = i64::MAX / 1000;

/// Whether the limit is more than `bound` times the request, which is not zero.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`limitRequestRatioConstraint`)
pub(super) fn is_above(bound: &Quantity, request: &Quantity, limit: &Quantity) -> bool {
    let ratio = quotient(bound, request, limit);
    if counts_millis(bound) { ratio * 1000.0 > millis(bound) } else { ratio > units(bound) }
}

/// The limit divided by the request, as a message shows it.
pub(super) fn display(bound: &Quantity, request: &Quantity, limit: &Quantity) -> String {
    print(quotient(bound, request, limit))
}

fn quotient(bound: &Quantity, request: &Quantity, limit: &Quantity) -> f64 {
    if [bound, request, limit].into_iter().all(counts_millis) {
        millis(limit) / millis(request)
    } else {
        units(limit) / units(request)
    }
}

/// The largest ratio that `min` and `max` leave possible, with six decimals, if `ratio` is above it.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateLimitRange`)
pub(super) fn above_reachable(ratio: &Quantity, min: &Quantity, max: &Quantity) -> Option<String> {
    let counts_millis = |amount: &Quantity| counts_millis(amount) && amount.value() != MAX_MILLI_VALUE;
    let (ratio, reachable) = if [ratio, min, max].into_iter().all(counts_millis) {
        (millis(ratio) / 1000.0, millis(max) / millis(min))
    } else {
        (units(ratio), units(max) / units(min))
    };
    (ratio > reachable).then(|| print(reachable))
}

fn counts_millis(amount: &Quantity) -> bool {
    (-MAX_MILLI_VALUE..=MAX_MILLI_VALUE).contains(&amount.value())
}

#[expect(clippy::cast_precision_loss, reason = "upstream divides in float64 and prints what that gives")]
fn millis(amount: &Quantity) -> f64 {
    amount.milli_value() as f64
}

/// Whole units. Beyond 64 bits upstream's amounts wrap around; here they come from the text.
#[expect(clippy::cast_precision_loss, reason = "upstream divides in float64 and prints what that gives")]
fn units(amount: &Quantity) -> f64 {
    match amount.value() {
        i64::MIN | i64::MAX => from_text(amount),
        units => units as f64,
    }
}

fn from_text(amount: &Quantity) -> f64 {
    // A quantity in exponent form is also the text of a floating-point number.
    let one = Quantity::from_units(1, Format::DecimalExponent);
    let mut exponent = one.clone();
    exponent.add(amount);
    exponent.sub(&one);
    exponent.to_string().parse().unwrap_or(f64::NAN)
}

/// Six decimals, as Go's `%f` has them.
fn print(ratio: f64) -> String {
    if ratio.is_infinite() {
        return if ratio.is_sign_positive() { "+Inf" } else { "-Inf" }.to_owned();
    }
    format!("{ratio:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bound: &str, request: &str, limit: &str, expected: Option<&str>) {
        let [bound, request, limit] = [bound, request, limit].map(|text| Quantity::parse(text).unwrap());
        let shown = is_above(&bound, &request, &limit).then(|| display(&bound, &request, &limit));
        assert_eq!(shown.as_deref(), expected);
    }

    #[test]
    fn divides_the_limit_by_the_request() {
        check("2", "1", "2", None);
        check("1.5", "1", "2", Some("2.000000"));
        check("1", "3", "10", Some("3.333333"));
        check("2", "-1", "1", None);
    }

    #[test]
    fn works_beyond_64_bits() {
        check("2", "10E", "20E", None);
        check("2", "10E", "30E", Some("3.000000"));
        check("1e30", "1", "1e30", None);
        check("1e30", "1", "1e31", Some("9999999999999999635896294965248.000000"));
    }

    #[test]
    fn tells_what_min_and_max_leave_possible() {
        let above = |ratio: &str, min: &str, max: &str| {
            let [ratio, min, max] = [ratio, min, max].map(|text| Quantity::parse(text).unwrap());
            above_reachable(&ratio, &min, &max)
        };
        assert_eq!(above("10", "512Mi", "2Gi").as_deref(), Some("4.000000"));
        assert_eq!(above("10", "0", "0"), None);
        assert_eq!(above("10", "0", "-1").as_deref(), Some("-Inf"));
        assert_eq!(above("4", "512Mi", "2Gi"), None);
    }
}
