//! The number inside a quantity: whole nano units, in a machine integer where it fits.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{Signed, ToPrimitive, Zero};

use super::{NANOS_PER_MILLI, NANOS_PER_UNIT};

/// Whole nano units. `Large` holds only what does not fit into `Nanos`, so that equal amounts are equal values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Amount {
    Nanos(i128),
    Large(Box<BigInt>),
}

impl Default for Amount {
    fn default() -> Self {
        Self::Nanos(0)
    }
}

impl From<BigInt> for Amount {
    fn from(nanos: BigInt) -> Self {
        nanos.to_i128().map_or_else(|| Self::Large(Box::new(nanos)), Self::Nanos)
    }
}

impl Amount {
    pub(super) fn from_magnitude(negative: bool, nanos: BigUint) -> Self {
        let sign = if negative { Sign::Minus } else { Sign::Plus };
        Self::from(BigInt::from_biguint(sign, nanos))
    }

    pub(super) fn sign(&self) -> Ordering {
        match self {
            Self::Nanos(nanos) => nanos.cmp(&0),
            Self::Large(nanos) => nanos.as_ref().cmp(&BigInt::zero()),
        }
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        if let (Self::Nanos(a), Self::Nanos(b)) = (self, other)
            && let Some(sum) = a.checked_add(*b)
        {
            return Self::Nanos(sum);
        }
        Self::from(self.to_large() + other.to_large())
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        if let (Self::Nanos(a), Self::Nanos(b)) = (self, other)
            && let Some(difference) = a.checked_sub(*b)
        {
            return Self::Nanos(difference);
        }
        Self::from(self.to_large() - other.to_large())
    }

    pub(super) fn to_large(&self) -> BigInt {
        match self {
            Self::Nanos(nanos) => BigInt::from(*nanos),
            Self::Large(nanos) => nanos.as_ref().clone(),
        }
    }

    /// Whole units, rounded away from zero, as the nearest `i64`.
    pub(super) fn units(&self) -> i64 {
        match self {
            Self::Nanos(nanos) => match whole_units(nanos.unsigned_abs()) {
                Some(units) => saturate(signed(*nanos, u128::from(units))),
                None => saturate(divide_away_from_zero(*nanos, NANOS_PER_UNIT.cast_signed())),
            },
            Self::Large(nanos) => nearest(nanos),
        }
    }

    /// Whole thousandths, rounded away from zero, as the nearest `i64`.
    pub(super) fn millis(&self) -> i64 {
        match self {
            Self::Nanos(nanos) => match i64::try_from(*nanos) {
                Ok(nanos) => {
                    let step = i64::try_from(NANOS_PER_MILLI).unwrap_or(i64::MAX);
                    nanos / step + (nanos % step).signum()
                }
                Err(_) => saturate(divide_away_from_zero(*nanos, NANOS_PER_MILLI.cast_signed())),
            },
            Self::Large(nanos) => nearest(nanos),
        }
    }

    /// This amount rounded away from zero to whole thousandths, or nothing if it is that already.
    pub(super) fn rounded_to_milli(&self) -> Option<Self> {
        match self {
            Self::Nanos(nanos) if is_whole_milli(nanos.unsigned_abs()) => None,
            _ => self.rounded_to(NANOS_PER_MILLI),
        }
    }

    /// This amount rounded away from zero to whole units, or nothing if it is that already.
    pub(super) fn rounded_to_unit(&self) -> Option<Self> {
        match self {
            Self::Nanos(nanos) if whole_units(nanos.unsigned_abs()).is_some() => None,
            _ => self.rounded_to(NANOS_PER_UNIT),
        }
    }

    fn rounded_to(&self, step: u128) -> Option<Self> {
        let nanos = self.to_large();
        let remainder = &nanos % step;
        if remainder.is_zero() {
            return None;
        }
        let away = BigInt::from(step) * nanos.signum();
        Some(Self::from(nanos - remainder + away))
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Nanos(a), Self::Nanos(b)) => a.cmp(b),
            _ => self.to_large().cmp(&other.to_large()),
        }
    }
}

/// The whole units in so many nano units, if there is no rest and few enough of them.
///
/// A billion is two to the ninth times an odd number. Most amounts shifted by nine bits fit into 64, where dividing is a
/// multiplication; dividing 128 bits costs ten times as much.
pub(super) fn whole_units(nanos: u128) -> Option<u64> {
    const ODD_PART: u64 = 1_953_125;
    const SHIFT: u32 = 9;
    if nanos.trailing_zeros() < SHIFT {
        return None;
    }
    match u64::try_from(nanos >> SHIFT) {
        Ok(shifted) => (shifted.is_multiple_of(ODD_PART)).then_some(shifted / ODD_PART),
        Err(_) if nanos.is_multiple_of(NANOS_PER_UNIT) => u64::try_from(nanos / NANOS_PER_UNIT).ok(),
        Err(_) => None,
    }
}

fn is_whole_milli(nanos: u128) -> bool {
    const ODD_PART: u64 = 15_625;
    const SHIFT: u32 = 6;
    if nanos.trailing_zeros() < SHIFT {
        return nanos == 0;
    }
    match u64::try_from(nanos >> SHIFT) {
        Ok(shifted) => shifted.is_multiple_of(ODD_PART),
        Err(_) => nanos.is_multiple_of(NANOS_PER_MILLI),
    }
}

fn signed(like: i128, magnitude: u128) -> i128 {
    let magnitude = i128::try_from(magnitude).unwrap_or(i128::MAX);
    if like < 0 { -magnitude } else { magnitude }
}

fn divide_away_from_zero(dividend: i128, divisor: i128) -> i128 {
    dividend / divisor + (dividend % divisor).signum()
}

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// What lies beyond `i128` nano units lies beyond any `i64` of thousandths or units.
fn nearest(nanos: &BigInt) -> i64 {
    if nanos.is_negative() { i64::MIN } else { i64::MAX }
}
