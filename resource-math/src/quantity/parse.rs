//! From text to quantity.

use num_bigint::BigInt;
use num_traits::{One, Zero};

use super::amount::Amount;
use super::{Format, NANOS_PER_UNIT, Quantity};

/// What is wrong with a text that is no quantity, in upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ParseQuantityError {
    /// The text has not the form of a number with a suffix.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Form,
    /// The suffix is none that exists.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// The number is none.
    #[error("unable to parse numeric part of quantity")]
    Number,
    /// The number has more digits, or a larger exponent, than any amount of a resource; upstream computes with it for
    /// as long as it takes.
    #[error(
        "quantity is out of range: at most {MAX_LENGTH} characters and an exponent of at most {MAX_EXPONENT}"
    )]
    OutOfRange,
}

/// The longest text read as a quantity.
const MAX_LENGTH: usize = 256;
/// The largest decimal exponent read.
const MAX_EXPONENT: i64 = 100;
/// Decimal places kept: whole nano units.
const NANO_PLACES: i64 = 9;
/// The largest amount that a binary suffix can give, in units.
const MAX_BINARY_UNITS: i64 = i64::MAX;

struct Parts<'a> {
    negative: bool,
    /// Digits before the point, without leading zeros.
    integer: &'a str,
    /// Digits after the point.
    fraction: &'a str,
    suffix: &'a str,
}

enum Suffix {
    /// Times two to this power.
    Binary(u32),
    /// Times ten to this power.
    Decimal(i64, Format),
}

pub(super) fn parse(text: &str) -> Result<Quantity, ParseQuantityError> {
    if text.len() > MAX_LENGTH {
        return Err(ParseQuantityError::OutOfRange);
    }
    let parts = split(text)?;
    let (nanos, format) = match interpret(parts.suffix).ok_or(ParseQuantityError::Suffix)? {
        Suffix::Binary(power) => (binary_nanos(&parts, power), Format::BinarySi),
        Suffix::Decimal(exponent, _) if exponent > MAX_EXPONENT => {
            return Err(ParseQuantityError::OutOfRange);
        }
        Suffix::Decimal(exponent, format) => (decimal_nanos(&parts, exponent), format),
    };
    let below_one = !nanos.is_zero() && nanos < BigInt::from(NANOS_PER_UNIT);
    let format = if format == Format::BinarySi && below_one { Format::DecimalSi } else { format };
    let amount = Amount::from(if parts.negative { -nanos } else { nanos });
    Ok(Quantity { amount, format, text: keeps_text(&parts).then(|| Box::from(text)) })
}

fn split(text: &str) -> Result<Parts<'_>, ParseQuantityError> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        Some(_) => (false, text),
        None => return Err(ParseQuantityError::Form),
    };
    let (integer, rest) = split_digits(unsigned);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_digits(rest),
        None => ("", rest),
    };
    let letters = rest.trim_start_matches(['e', 'E', 'i', 'n', 'u', 'm', 'k', 'K', 'M', 'G', 'T', 'P']);
    let exponent = letters.strip_prefix(['-', '+']).unwrap_or(letters);
    if !exponent.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ParseQuantityError::Form);
    }
    Ok(Parts { negative, integer: integer.trim_start_matches('0'), fraction, suffix: rest })
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn interpret(suffix: &str) -> Option<Suffix> {
    let si = |exponent| Some(Suffix::Decimal(exponent, Format::DecimalSi));
    match suffix {
        "n" => si(-9),
        "u" => si(-6),
        "m" => si(-3),
        "" => si(0),
        "k" => si(3),
        "M" => si(6),
        "G" => si(9),
        "T" => si(12),
        "P" => si(15),
        "E" => si(18),
        "Ki" => Some(Suffix::Binary(10)),
        "Mi" => Some(Suffix::Binary(20)),
        "Gi" => Some(Suffix::Binary(30)),
        "Ti" => Some(Suffix::Binary(40)),
        "Pi" => Some(Suffix::Binary(50)),
        "Ei" => Some(Suffix::Binary(60)),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            // An exponent beyond 64 bits is out of range in either direction; what matters is its sign.
            let exponent = exponent.parse().ok()?;
            Some(Suffix::Decimal(exponent, Format::DecimalExponent))
        }
    }
}

fn mantissa(parts: &Parts<'_>) -> BigInt {
    let mut mantissa = BigInt::zero();
    for digit in parts.integer.bytes().chain(parts.fraction.bytes()) {
        mantissa = mantissa * 10 + i32::from(digit - b'0');
    }
    mantissa
}

fn decimal_nanos(parts: &Parts<'_>, exponent: i64) -> BigInt {
    let fraction_places = i64::try_from(parts.fraction.len()).unwrap_or(i64::MAX);
    let mantissa = mantissa(parts);
    if mantissa.is_zero() {
        return mantissa;
    }
    let shift = exponent.saturating_sub(fraction_places).saturating_add(NANO_PLACES);
    match u32::try_from(shift) {
        Ok(shift) => mantissa * BigInt::from(10).pow(shift),
        Err(_) => divide_up(&mantissa, shift.unsigned_abs()),
    }
}

fn binary_nanos(parts: &Parts<'_>, power: u32) -> BigInt {
    let scaled = (mantissa(parts) << power) * NANOS_PER_UNIT;
    let places = u64::try_from(parts.fraction.len()).unwrap_or(u64::MAX);
    divide_up(&scaled, places).min(BigInt::from(MAX_BINARY_UNITS) * NANOS_PER_UNIT)
}

/// `dividend` (not negative) divided by ten to the power of `places`, rounded up.
fn divide_up(dividend: &BigInt, places: u64) -> BigInt {
    // No text that is read has more than this many digits, so what lies beyond is less than one.
    let places = places.min(2 * MAX_LENGTH as u64);
    let divisor = BigInt::from(10).pow(u32::try_from(places).unwrap_or(u32::MAX));
    (dividend + &divisor - BigInt::one()) / divisor
}

/// Whether upstream prints the text back as it was, because its form is near enough to the canonical one.
fn keeps_text(parts: &Parts<'_>) -> bool {
    let _ = parts;
    false
}
