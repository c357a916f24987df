//! Durations as Go writes them: `1h30m0s`, `250ms`.
//!
//! kube's own type panics on a duration that is too long to be counted; configuration files come from people.
//!
//! # Source
//! Go `time` (`ParseDuration`, `Duration.String`), apimachinery `pkg/apis/meta/v1/duration.go`

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::quote::go_quote;

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000 * MICROSECOND;
const SECOND: i64 = 1_000 * MILLISECOND;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A span of time, in whole nanoseconds; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    /// Nanoseconds.
    pub nanos: i64,
}

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("time: {0}")]
pub struct ParseDurationError(String);

impl Duration {
    /// So many seconds.
    pub const fn from_secs(seconds: i32) -> Self {
        Self { nanos: seconds as i64 * SECOND }
    }
}

impl FromStr for Duration {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || ParseDurationError(format!("invalid duration {}", go_quote(text)));
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Self::default());
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut nanos = 0_i128;
        while !rest.is_empty() {
            let (whole, after) = digits(rest);
            let (fraction, after) = match after.strip_prefix('.') {
                Some(after) => digits(after),
                None => ("", after),
            };
            if whole.is_empty() && fraction.is_empty() {
                return Err(invalid());
            }
            let end =
                after.find(|symbol: char| symbol == '.' || symbol.is_ascii_digit()).unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            if unit.is_empty() {
                return Err(ParseDurationError(format!("missing unit in duration {}", go_quote(text))));
            }
            let unknown = || {
                let problem = format!("unknown unit {} in duration {}", go_quote(unit), go_quote(text));
                ParseDurationError(problem)
            };
            let unit = unit_nanos(unit).ok_or_else(unknown)?;
            let amount = amount(whole, fraction, unit).ok_or_else(invalid)?;
            nanos = nanos.saturating_add(amount);
            rest = after;
        }
        let nanos = i64::try_from(if negative { -nanos } else { nanos }).map_err(|_| invalid())?;
        Ok(Self { nanos })
    }
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|symbol: char| !symbol.is_ascii_digit()).unwrap_or(text.len()))
}

fn unit_nanos(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    })
}

/// So many nanoseconds; what is less than one is cut off.
fn amount(whole: &str, fraction: &str, unit: i64) -> Option<i128> {
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut nanos = whole.checked_mul(unit.into())?;
    let mut scale = i128::from(unit);
    for digit in fraction.bytes() {
        scale /= 10;
        nanos += i128::from(digit - b'0') * scale;
    }
    Some(nanos)
}

impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos < 0 {
            formatter.write_str("-")?;
        }
        let nanos = self.nanos.unsigned_abs();
        let [micro, milli, second] = [MICROSECOND, MILLISECOND, SECOND].map(i64::unsigned_abs);
        match nanos {
            0 => formatter.write_str("0s"),
            _ if nanos < micro => write!(formatter, "{nanos}ns"),
            _ if nanos < milli => write!(formatter, "{}\u{b5}s", Decimal(nanos, micro)),
            _ if nanos < second => write!(formatter, "{}ms", Decimal(nanos, milli)),
            _ => {
                let [minute, hour] = [MINUTE, HOUR].map(i64::unsigned_abs);
                if nanos >= hour {
                    write!(formatter, "{}h", nanos / hour)?;
                }
                if nanos >= minute {
                    write!(formatter, "{}m", nanos % hour / minute)?;
                }
                write!(formatter, "{}s", Decimal(nanos % minute, second))
            }
        }
    }
}

/// A number divided by a power of ten, without zeros at its end.
struct Decimal(u64, u64);

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, divisor) = *self;
        write!(formatter, "{}", number / divisor)?;
        if number % divisor == 0 {
            return Ok(());
        }
        let width = divisor.ilog10() as usize;
        let fraction = format!("{:0width$}", number % divisor);
        write!(formatter, ".{}", fraction.trim_end_matches('0'))
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An absent one may be written as null.
        let text = Option::<String>::deserialize(deserializer)?;
        text.map_or(Ok(Self::default()), |text| text.parse().map_err(D::Error::custom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_as_go_does() {
        for (text, expected) in [
            ("0", "0s"),
            ("15s", "15s"),
            ("1.5s", "1.5s"),
            ("10m", "10m0s"),
            ("90m", "1h30m0s"),
            ("1h1ms", "1h0m0.001s"),
            ("250ms", "250ms"),
            ("1500us", "1.5ms"),
            (".5us", "500ns"),
            ("-2h", "-2h0m0s"),
            ("+1m1s", "1m1s"),
            ("2562047h47m16.854775807s", "2562047h47m16.854775807s"),
        ] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), expected, "{text}");
        }
        for (text, expected) in [
            ("", "time: invalid duration \"\""),
            ("10", "time: missing unit in duration \"10\""),
            ("10d", "time: unknown unit \"d\" in duration \"10d\""),
            ("s", "time: invalid duration \"s\""),
            ("9999999999999999999999h", "time: invalid duration \"9999999999999999999999h\""),
        ] {
            assert_eq!(text.parse::<Duration>().unwrap_err().to_string(), expected);
        }
    }
}
