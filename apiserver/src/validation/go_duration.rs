//! Durations as Go reads them, such as `1h30m`.
//!
//! # Source
//! Go `time.ParseDuration`

use plimsoll_api::quote::go_quote;

/// Reads a duration.
///
/// # Errors
/// Why it is none, as Go says it.
///
/// # Source
/// Go `time.ParseDuration`
pub(super) fn check(duration: &str) -> Result<(), String> {
    let invalid = || format!("time: invalid duration {}", go_quote(duration));
    let is_negative = duration.starts_with('-');
    let mut rest = duration.strip_prefix(['-', '+']).unwrap_or(duration);
    if rest == "0" {
        return Ok(());
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (whole, after) = split_digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => split_digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", go_quote(duration)));
        }
        let Some(nanoseconds) = nanoseconds(unit) else {
            let (unit, duration) = (go_quote(unit), go_quote(duration));
            return Err(format!("time: unknown unit {unit} in duration {duration}"));
        };
        let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        total = total.checked_add(whole.checked_mul(nanoseconds).ok_or_else(invalid)?).ok_or_else(invalid)?;
        if total > 1 << 63 {
            return Err(invalid());
        }
        rest = next;
    }
    if total == 1 << 63 && !is_negative { Err(invalid()) } else { Ok(()) }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn nanoseconds(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn reads_what_go_reads() {
        for duration in ["0", "-0", "1h30m", "1.5s", ".5m", "5.s", "-2562047h", "1µs"] {
            assert_eq!(check(duration), Ok(()), "{duration}");
        }
        for (duration, fault) in [
            ("", "time: invalid duration \"\""),
            ("5", "time: missing unit in duration \"5\""),
            ("5x", "time: unknown unit \"x\" in duration \"5x\""),
            ("99999999999h", "time: invalid duration \"99999999999h\""),
            (".s", "time: invalid duration \".s\""),
        ] {
            assert_eq!(check(duration), Err(fault.to_owned()));
        }
    }
}
