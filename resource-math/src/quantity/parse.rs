//! From text to quantity.
//!
//! # Source
//! apimachinery `pkg/api/resource` (`ParseQuantity`)

use num_bigint::BigUint;
use num_traits::Zero;

use super::amount::Amount;
use super::suffix::Suffix;
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
    // DIFFERENCE: D-Quantity-2
    #[error(
        "quantity is out of range: at most {MAX_LENGTH} characters and an exponent of at most {MAX_EXPONENT}"
    )]
    OutOfRange,
}

/// The longest text read as a quantity, in bytes.
const MAX_LENGTH: usize = 256;
/// The largest power of ten that a suffix may stand for.
const MAX_EXPONENT: i64 = 100;
/// Binary amounts are capped here, as upstream caps them.
const MAX_BINARY_UNITS: u128 = i64::MAX as u128;
/// Decimal places kept: whole nano units.
const NANO_PLACES: i64 = 9;
/// As many digits always fit into 64 bits; upstream reads longer numbers in another way, which shows in the text it keeps.
const MAX_SHORT_DIGITS: usize = 18;

/// The text, taken apart.
struct Parts<'a> {
    negative: bool,
    /// Digits before the point, without leading zeros.
    integer: &'a [u8],
    /// Digits after the point.
    fraction: &'a [u8],
    /// All digits as one number, if they are few.
    mantissa: Option<u64>,
    /// Whether any digit was there, be it a leading zero.
    has_digits: bool,
    /// Whether the digits are written as canonical text writes them: no plus sign, leading zeros or point.
    plain: bool,
    suffix: &'a [u8],
}

pub(super) fn parse(text: &str) -> Result<Quantity, ParseQuantityError> {
    if text.len() > MAX_LENGTH {
        return Err(ParseQuantityError::OutOfRange);
    }
    let parts = split(text.as_bytes())?;
    let suffix = Suffix::parse(parts.suffix).ok_or(ParseQuantityError::Suffix)?;
    if !parts.has_digits && takes_long_way(&parts, suffix) {
        return Err(ParseQuantityError::Number);
    }
    let short = parts.mantissa.and_then(|mantissa| short_nanos(&parts, mantissa, suffix));
    let (amount, format) = match short {
        Some(nanos) => (Amount::Nanos(if parts.negative { -nanos } else { nanos }), suffix.format()),
        None => long(&parts, suffix)?,
    };
    let kept = (keeps_text(&parts, suffix) && !is_canonical(&parts, suffix)).then(|| Box::from(text));
    let quantity = Quantity { amount, format, text: kept };
    if matches!(quantity.amount, Amount::Large(_)) {
        // What is printed must be readable again, and may be longer or have a larger exponent: zeros go into the exponent, which
        // becomes a multiple of 3, and a fraction gets a suffix. Canonical text prints as itself, so this ends.
        let canonical = quantity.canonical();
        if canonical != text {
            parse(&canonical)?;
        }
    }
    Ok(quantity)
}

fn split(text: &[u8]) -> Result<Parts<'_>, ParseQuantityError> {
    let (&first, _) = text.split_first().ok_or(ParseQuantityError::Form)?;
    let signed = matches!(first, b'-' | b'+');
    let unsigned = if signed { &text[1..] } else { text };
    let significant = unsigned.iter().position(|&byte| byte != b'0').unwrap_or(unsigned.len());
    let (mut value, mut digits) = (0_u64, 0);
    let (integer, rest) = read_digits(&unsigned[significant..], &mut value, &mut digits);
    let (fraction, suffix) = match rest.split_first() {
        Some((b'.', rest)) => read_digits(rest, &mut value, &mut digits),
        _ => (&rest[..0], rest),
    };
    if !is_suffix_form(suffix) {
        return Err(ParseQuantityError::Form);
    }
    // A missing integer part counts as the digit zero.
    let digits = if integer.is_empty() { digits + 1 } else { digits };
    Ok(Parts {
        negative: first == b'-',
        integer,
        fraction,
        mantissa: (digits <= MAX_SHORT_DIGITS).then_some(value),
        has_digits: significant > 0 || !integer.is_empty() || !fraction.is_empty(),
        plain: first != b'+' && significant == 0 && integer.len() + suffix.len() == unsigned.len(),
        suffix,
    })
}

/// Takes the digits off the front of `text`, and counts them into a number that is right while it is short.
fn read_digits<'a>(text: &'a [u8], value: &mut u64, digits: &mut usize) -> (&'a [u8], &'a [u8]) {
    let mut end = 0;
    while let Some(digit) = text.get(end).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
        *value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        end += 1;
    }
    *digits += end;
    text.split_at(end)
}

/// Whether a text is letters of suffixes, then perhaps a sign, then digits.
fn is_suffix_form(text: &[u8]) -> bool {
    let is_letter = |byte: &u8| {
        matches!(byte, b'e' | b'E' | b'i' | b'n' | b'u' | b'm' | b'k' | b'K' | b'M' | b'G' | b'T' | b'P')
    };
    let letters = text.iter().position(|byte| !is_letter(byte)).unwrap_or(text.len());
    let rest = &text[letters..];
    let digits = match rest.first() {
        Some(b'-' | b'+') => &rest[1..],
        _ => rest,
    };
    digits.iter().all(u8::is_ascii_digit)
}

/// The nano units of a short number, if they come out whole and within `i128`.
fn short_nanos(parts: &Parts<'_>, mantissa: u64, suffix: Suffix) -> Option<i128> {
    let places = parts.fraction.len();
    match suffix {
        Suffix::Binary(power) if places == 0 => {
            let units = (u128::from(mantissa) << power).min(MAX_BINARY_UNITS);
            i128::try_from(units * NANOS_PER_UNIT).ok()
        }
        // What is less than one unit changes its format; that is left to the long way.
        Suffix::Binary(power) => {
            let factor = POWERS_OF_TEN[..=9].iter().rev().nth(places)?;
            let nanos = (u128::from(mantissa) << power).checked_mul(*factor)?;
            let in_range = (NANOS_PER_UNIT..MAX_BINARY_UNITS * NANOS_PER_UNIT).contains(&nanos);
            if in_range { i128::try_from(nanos).ok() } else { None }
        }
        Suffix::Decimal(exponent) | Suffix::Exponent(exponent) => {
            let shift = exponent.saturating_sub(i64::try_from(places).ok()?).saturating_add(NANO_PLACES);
            let factor = usize::try_from(shift).ok().and_then(|shift| POWERS_OF_TEN.get(shift))?;
            i128::try_from(u128::from(mantissa).checked_mul(*factor)?).ok()
        }
    }
}

/// Powers of ten as far as the table is of use: the nano units of `1E`.
const POWERS_OF_TEN: [u128; 28] = {
    let mut powers = [1; 28];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// Numbers of any length, and those that have to be rounded.
fn long(parts: &Parts<'_>, suffix: Suffix) -> Result<(Amount, Format), ParseQuantityError> {
    let (nanos, format) = match suffix {
        Suffix::Binary(power) => binary_nanos(parts, power),
        Suffix::Decimal(exponent) | Suffix::Exponent(exponent) => {
            (decimal_nanos(parts, exponent)?, suffix.format())
        }
    };
    Ok((Amount::from_magnitude(parts.negative, nanos), format))
}

/// All digits as one number. As many as fit into a machine integer are taken at a time.
fn mantissa(parts: &Parts<'_>) -> BigUint {
    let digits: Vec<u8> = parts.integer.iter().chain(parts.fraction).copied().collect();
    digits.chunks(MAX_SHORT_DIGITS).fold(BigUint::zero(), |sum, chunk| {
        let number = chunk.iter().fold(0, |number: u64, digit| number * 10 + u64::from(digit - b'0'));
        sum * 10_u64.pow(u32::try_from(chunk.len()).unwrap_or_default()) + number
    })
}

fn decimal_nanos(parts: &Parts<'_>, exponent: i64) -> Result<BigUint, ParseQuantityError> {
    let mantissa = mantissa(parts);
    if mantissa.is_zero() {
        return Ok(mantissa);
    }
    let places = i64::try_from(parts.fraction.len()).unwrap_or(i64::MAX);
    if exponent > MAX_EXPONENT {
        return Err(ParseQuantityError::OutOfRange);
    }
    let shift = exponent.saturating_sub(places).saturating_add(NANO_PLACES);
    Ok(match u32::try_from(shift) {
        Ok(shift) => mantissa * BigUint::from(10_u32).pow(shift),
        Err(_) => divide_up(mantissa, shift.unsigned_abs()),
    })
}

fn binary_nanos(parts: &Parts<'_>, power: u32) -> (BigUint, Format) {
    let scaled = (mantissa(parts) << power) * NANOS_PER_UNIT;
    let places = u64::try_from(parts.fraction.len()).unwrap_or(u64::MAX);
    let nanos = divide_up(scaled, places).min(BigUint::from(MAX_BINARY_UNITS * NANOS_PER_UNIT));
    let below_one = !nanos.is_zero() && nanos < BigUint::from(NANOS_PER_UNIT);
    (nanos, if below_one { Format::DecimalSi } else { Format::BinarySi })
}

/// `dividend` divided by ten to the power of `places`, rounded up.
fn divide_up(dividend: BigUint, places: u64) -> BigUint {
    // No dividend has more digits than this, so what lies beyond is less than one.
    const MAX_PLACES: u32 = 512;
    let places = u32::try_from(places).unwrap_or(MAX_PLACES).min(MAX_PLACES);
    let divisor = BigUint::from(10_u32).pow(places);
    (dividend + &divisor - 1_u32) / divisor
}

/// Whether upstream reads the number with its big decimals, and so keeps no text.
fn takes_long_way(parts: &Parts<'_>, suffix: Suffix) -> bool {
    let digits = parts.integer.len().max(1) + parts.fraction.len();
    match suffix {
        // The digits and those of the power of two together must stay below fifteen.
        Suffix::Binary(power) => !parts.fraction.is_empty() || digits + power as usize * 3 / 10 > 14,
        Suffix::Decimal(exponent) | Suffix::Exponent(exponent) => {
            let places = i64::try_from(parts.fraction.len()).unwrap_or(i64::MAX);
            digits > MAX_SHORT_DIGITS || exponent.saturating_sub(places) < -NANO_PLACES
        }
    }
}

/// Whether upstream prints the text back as it was, because its form is near enough to the canonical one.
///
/// # Source
/// apimachinery `pkg/api/resource` (`ParseQuantity`)
fn keeps_text(parts: &Parts<'_>, suffix: Suffix) -> bool {
    if takes_long_way(parts, suffix) {
        return false;
    }
    match suffix {
        Suffix::Binary(_) => parts.mantissa.is_some_and(|mantissa| mantissa % 8 != 0),
        Suffix::Decimal(exponent) | Suffix::Exponent(exponent) => {
            let places = i64::try_from(parts.fraction.len()).unwrap_or(i64::MAX);
            let ends_in_thousand = parts.mantissa.is_some_and(|mantissa| mantissa % 1000 == 0)
                && parts.integer.len() + parts.fraction.len() >= 3;
            exponent.saturating_sub(places) % 3 == 0 && !parts.integer.is_empty() && !ends_in_thousand
        }
    }
}

/// Whether a text that is kept is the canonical one, so that there is no need to keep it.
fn is_canonical(parts: &Parts<'_>, suffix: Suffix) -> bool {
    let exponent_is_canonical = || match parts.suffix {
        [b'e', b'-', digit, ..] | [b'e', digit, ..] => matches!(digit, b'1'..=b'9'),
        _ => false,
    };
    parts.plain && (!matches!(suffix, Suffix::Exponent(_)) || exponent_is_canonical())
}
