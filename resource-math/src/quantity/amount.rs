//! The number inside a quantity: whole nano units, in a machine integer where it fits.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

/// Whole nano units. `Large` holds only what does not fit into `Nanos`, so that equal amounts are equal values.
#[derive(Clone, Debug, PartialEq, Eq)]
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

    /// This amount divided by `divisor` (positive), rounded away from zero, as the nearest `i64`.
    pub(super) fn divided_away_from_zero(&self, divisor: i128) -> i64 {
        match self {
            Self::Nanos(nanos) => saturate(divide_away_from_zero(*nanos, divisor)),
            // Beyond `i128` nano units lies beyond any `i64` of thousandths or units.
            Self::Large(nanos) if nanos.is_negative() => i64::MIN,
            Self::Large(_) => i64::MAX,
        }
    }

    /// This amount rounded away from zero to a multiple of `step` (positive), or nothing if it is one already.
    pub(super) fn rounded_away_from_zero(&self, step: i128) -> Option<Self> {
        match self {
            Self::Nanos(nanos) if nanos % step == 0 => None,
            Self::Nanos(nanos) => {
                let steps = BigInt::from(divide_away_from_zero(*nanos, step));
                Some(Self::from(steps * step))
            }
            Self::Large(nanos) => {
                let remainder = nanos.as_ref() % step;
                if remainder.is_zero() {
                    return None;
                }
                let away = if nanos.is_negative() { -step } else { step };
                Some(Self::from(nanos.as_ref() - remainder + away))
            }
        }
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

fn divide_away_from_zero(dividend: i128, divisor: i128) -> i128 {
    let quotient = dividend / divisor;
    if dividend % divisor == 0 { quotient } else { quotient + dividend.signum() }
}

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}
