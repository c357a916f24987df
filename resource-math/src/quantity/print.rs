//! From quantity to canonical text.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

use super::amount::Amount;
use super::{Format, NANOS_PER_UNIT};

const BINARY_SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL_SUFFIXES: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

/// The canonical text: a whole number and the largest suffix that leaves it whole.
pub(super) fn canonical(amount: &Amount, format: Format) -> String {
    let nanos = amount.to_large();
    if nanos.is_zero() {
        return "0".to_owned();
    }
    let units = &nanos / NANOS_PER_UNIT;
    let whole = (&nanos % NANOS_PER_UNIT).is_zero();
    match format {
        Format::BinarySi if whole && units.abs() >= BigInt::from(1024) => binary(units),
        Format::DecimalExponent => decimal(nanos, usize::MAX, |thousands| match thousands {
            3 => String::new(),
            _ => format!("e{}", (thousands.to_i64().unwrap_or_default() - 3) * 3),
        }),
        _ => decimal(nanos, DECIMAL_SUFFIXES.len() - 1, |thousands| DECIMAL_SUFFIXES[thousands].to_owned()),
    }
}

fn binary(mut units: BigInt) -> String {
    let mut power = 0;
    while power + 1 < BINARY_SUFFIXES.len() && is_multiple(&units, 1024) {
        units /= 1024;
        power += 1;
    }
    format!("{units}{}", BINARY_SUFFIXES[power])
}

/// Strips factors of a thousand, at most `max_thousands` of them, and appends the suffix for how many there were.
fn decimal(mut nanos: BigInt, max_thousands: usize, suffix: impl Fn(usize) -> String) -> String {
    let mut thousands = 0;
    while thousands < max_thousands && is_multiple(&nanos, 1000) {
        nanos /= 1000;
        thousands += 1;
    }
    format!("{nanos}{}", suffix(thousands))
}

fn is_multiple(value: &BigInt, of: u32) -> bool {
    let remainder: BigInt = value % of;
    remainder.is_zero()
}
