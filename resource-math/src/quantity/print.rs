//! From quantity to canonical text.
//!
//! # Source
//! apimachinery `pkg/api/resource` (`Quantity.CanonicalizeBytes`)

use num_bigint::BigInt;
use num_traits::{Signed, Zero};

use super::amount::{Amount, whole_units};
use super::suffix::{BINARY, DECIMAL};
use super::{Format, NANOS_PER_UNIT};

/// Below so many units, and for broken units, binary amounts are written as decimal ones.
const LEAST_BINARY_UNITS: u64 = 1024;
/// How many factors of a thousand are between a nano unit and a unit.
const THOUSANDS_PER_UNIT: usize = 3;

/// Appends the canonical text: a whole number and the largest suffix that leaves it whole.
pub(super) fn append(amount: &Amount, format: Format, out: &mut String) {
    match amount {
        Amount::Nanos(0) => out.push('0'),
        Amount::Nanos(nanos) => {
            if *nanos < 0 {
                out.push('-');
            }
            append_magnitude(nanos.unsigned_abs(), format, out);
        }
        Amount::Large(nanos) => append_large(nanos, format, out),
    }
}

fn append_magnitude(nanos: u128, format: Format, out: &mut String) {
    match whole_units(nanos) {
        Some(units) if format == Format::BinarySi && units >= LEAST_BINARY_UNITS => {
            append_binary(units, out);
        }
        Some(units) => append_decimal(units, THOUSANDS_PER_UNIT, format, out),
        None => match u64::try_from(nanos) {
            Ok(nanos) => append_decimal(nanos, 0, format, out),
            // Whole units beyond 64 bits, or broken ones.
            Err(_) => append_wide(nanos, format, out),
        },
    }
}

fn append_binary(units: u64, out: &mut String) {
    // Ten bits a step; 64 bits hold no seventh.
    let power = units.trailing_zeros() / 10;
    append_number(units >> (power * 10), out);
    out.push_str(BINARY[power as usize]);
}

/// Strips factors of a thousand and appends the suffix for how many there were, `thousands` of them stripped before.
fn append_decimal(mut number: u64, mut thousands: usize, format: Format, out: &mut String) {
    let most = most_thousands(format);
    // Eight divides a thousand: cheaper to ask than whether a thousand divides.
    while thousands < most && number.is_multiple_of(8) && number.is_multiple_of(1000) {
        number /= 1000;
        thousands += 1;
    }
    append_number(number, out);
    append_suffix(thousands, format, out);
}

fn append_wide(mut nanos: u128, format: Format, out: &mut String) {
    if format == Format::BinarySi && nanos.is_multiple_of(NANOS_PER_UNIT) {
        append_large(&BigInt::from(nanos), format, out);
        return;
    }
    let (mut thousands, most) = (0, most_thousands(format));
    while thousands < most && nanos.is_multiple_of(8) && nanos.is_multiple_of(1000) {
        nanos /= 1000;
        thousands += 1;
    }
    match u64::try_from(nanos) {
        Ok(nanos) => append_number(nanos, out),
        Err(_) => out.push_str(&nanos.to_string()),
    }
    append_suffix(thousands, format, out);
}

/// DIFFERENCE: D-Quantity-1: what is left above the largest letter stays in the number.
fn most_thousands(format: Format) -> usize {
    if format == Format::DecimalExponent { usize::MAX } else { DECIMAL.len() - 1 }
}

fn append_suffix(thousands: usize, format: Format, out: &mut String) {
    if format != Format::DecimalExponent {
        out.push_str(DECIMAL[thousands]);
    } else if thousands != THOUSANDS_PER_UNIT {
        out.push_str(if thousands < THOUSANDS_PER_UNIT { "e-" } else { "e" });
        append_number(thousands.abs_diff(THOUSANDS_PER_UNIT) as u64 * 3, out);
    }
}

fn append_number(mut number: u64, out: &mut String) {
    if number < 10 {
        out.push(digit(number));
        return;
    }
    let mut digits = [0; 20];
    let mut start = digits.len();
    while number > 0 {
        start -= 1;
        digits[start] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    out.push_str(std::str::from_utf8(&digits[start..]).unwrap_or_default());
}

fn digit(number: u64) -> char {
    char::from(b'0' + u8::try_from(number).unwrap_or_default())
}

fn append_large(nanos: &BigInt, format: Format, out: &mut String) {
    let units = nanos / NANOS_PER_UNIT;
    let whole = (nanos % NANOS_PER_UNIT).is_zero();
    if format == Format::BinarySi && whole && units.abs() >= BigInt::from(LEAST_BINARY_UNITS) {
        let (number, power) = strip(units, 1024, BINARY.len() - 1);
        out.push_str(&number.to_string());
        out.push_str(BINARY[power]);
    } else {
        let (number, thousands) = strip(nanos.clone(), 1000, most_thousands(format));
        out.push_str(&number.to_string());
        append_suffix(thousands, format, out);
    }
}

/// Divides by `factor` while that leaves no rest, at most `most` times; with how often it was.
fn strip(mut number: BigInt, factor: u32, most: usize) -> (BigInt, usize) {
    let mut times = 0;
    while times < most && (&number % factor).is_zero() {
        number /= factor;
        times += 1;
    }
    (number, times)
}
