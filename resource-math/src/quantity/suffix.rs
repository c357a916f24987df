//! The letters after a number.

use super::Format;

/// What a number is multiplied with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suffix {
    /// Two to this power.
    Binary(u32),
    /// Ten to this power, written as a letter.
    Decimal(i64),
    /// Ten to this power, written as a number.
    Exponent(i64),
}

/// Suffixes of powers of ten, from nano on, each a thousand times the one before.
pub(super) const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// Suffixes of powers of 1024, from none on.
pub(super) const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl Suffix {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        Some(match text {
            b"" => Self::Decimal(0),
            b"m" => Self::Decimal(-3),
            b"Ki" => Self::Binary(10),
            b"Mi" => Self::Binary(20),
            b"Gi" => Self::Binary(30),
            b"k" => Self::Decimal(3),
            b"M" => Self::Decimal(6),
            b"G" => Self::Decimal(9),
            b"T" => Self::Decimal(12),
            b"P" => Self::Decimal(15),
            b"E" => Self::Decimal(18),
            b"u" => Self::Decimal(-6),
            b"n" => Self::Decimal(-9),
            b"Ti" => Self::Binary(40),
            b"Pi" => Self::Binary(50),
            b"Ei" => Self::Binary(60),
            [b'e' | b'E', exponent @ ..] => Self::Exponent(std::str::from_utf8(exponent).ok()?.parse().ok()?),
            _ => return None,
        })
    }

    pub(super) fn format(self) -> Format {
        match self {
            Self::Binary(_) => Format::BinarySi,
            Self::Decimal(_) => Format::DecimalSi,
            Self::Exponent(_) => Format::DecimalExponent,
        }
    }
}
