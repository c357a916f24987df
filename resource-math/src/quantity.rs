//! A fixed-point amount as the Kubernetes API writes it: `250m`, `1.5Gi`, `2e3`.
//!
//! Every amount is held exactly, in whole nano units, so that adding, subtracting and comparing never round.
//!
//! # Source
//! apimachinery `pkg/api/resource` (`Quantity`)

mod amount;
mod parse;
mod print;
mod suffix;

use std::cmp::Ordering;

use num_traits::ToPrimitive as _;

use amount::Amount;
pub use parse::ParseQuantityError;

/// Nano units in one unit.
const NANOS_PER_UNIT: u128 = 1_000_000_000;
/// Nano units in one thousandth.
const NANOS_PER_MILLI: u128 = 1_000_000;

/// How an amount is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Powers of ten as a letter: `500m`, `2k`, `3G`.
    #[default]
    DecimalSi,
    /// Powers of 1024: `64Mi`.
    BinarySi,
    /// Powers of ten as a number: `2e3`.
    DecimalExponent,
}

impl Format {
    /// The name that upstream gives the format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DecimalSi => "DecimalSI",
            Self::BinarySi => "BinarySI",
            Self::DecimalExponent => "DecimalExponent",
        }
    }
}

/// An exact amount of a resource, with the format in which it is written.
///
/// Two quantities are equal if their amounts are, whatever their formats. Printing gives back the text that was parsed
/// where upstream does so, else the canonical text.
///
/// ```
/// use plimsoll_resource_math::Quantity;
/// let mut memory = Quantity::parse("1.5Gi")?;
/// memory.add(&Quantity::parse("512Mi")?);
/// assert_eq!(memory.to_string(), "2Gi");
/// # Ok::<(), plimsoll_resource_math::ParseQuantityError>(())
/// ```
///
/// # Source
/// apimachinery `pkg/api/resource` (`Quantity`)
#[derive(Clone, Debug, Default)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// The text that was parsed, kept until the amount changes: only where upstream keeps it too and it is not the
    /// canonical one.
    text: Option<Box<str>>,
}

impl Quantity {
    /// Reads a quantity. The text is taken as it is; JSON trims white space around it before.
    ///
    /// Amounts are rounded away from zero to whole nano units.
    ///
    /// # Errors
    /// Upstream's three texts, by what is wrong with the form, the suffix or the number.
    ///
    /// # Source
    /// apimachinery `pkg/api/resource` (`ParseQuantity`)
    pub fn parse(text: &str) -> Result<Self, ParseQuantityError> {
        parse::parse(text)
    }

    /// A whole number of units.
    pub fn from_units(units: i64, format: Format) -> Self {
        Self { amount: Amount::Nanos(i128::from(units) * NANOS_PER_UNIT.cast_signed()), format, text: None }
    }

    /// A whole number of thousandths.
    pub fn from_millis(millis: i64, format: Format) -> Self {
        Self { amount: Amount::Nanos(i128::from(millis) * NANOS_PER_MILLI.cast_signed()), format, text: None }
    }

    /// How the amount is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether the amount is zero.
    pub fn is_zero(&self) -> bool {
        self.sign() == Ordering::Equal
    }

    /// The amount compared with zero.
    pub fn sign(&self) -> Ordering {
        self.amount.sign()
    }

    /// The amount in whole units, rounded away from zero; the nearest `i64` if it lies beyond.
    ///
    /// # Source
    /// apimachinery `pkg/api/resource` (`Quantity.Value`). DIFFERENCE: D-Quantity-3: upstream wraps around.
    pub fn value(&self) -> i64 {
        self.amount.units()
    }

    /// The amount in thousandths, rounded away from zero; the nearest `i64` if it lies beyond.
    ///
    /// # Source
    /// apimachinery `pkg/api/resource` (`Quantity.MilliValue`). DIFFERENCE: D-Quantity-3: upstream wraps around.
    pub fn milli_value(&self) -> i64 {
        self.amount.millis()
    }

    /// The amount in whole units; none if it isn't a whole number or lies beyond an `i64`.
    pub fn to_whole_units(&self) -> Option<i64> {
        let units = self.value();
        (Self::from_units(units, self.format) == *self).then_some(units)
    }

    /// The nearest floating point number to the amount.
    ///
    /// # Source
    /// apimachinery `pkg/api/resource` (`Quantity.AsApproximateFloat64`), which may be off by a last bit.
    pub fn to_approximate_float(&self) -> f64 {
        // A number in digits is always a float.
        format!("{}e-9", self.amount.to_large()).parse().unwrap_or_default()
    }

    /// Adds an amount. The sum keeps this quantity's format; a zero takes the other's.
    pub fn add(&mut self, other: &Self) {
        self.prepare_change(other);
        self.amount = self.amount.plus(&other.amount);
    }

    /// Takes an amount away. The difference keeps this quantity's format; a zero takes the other's.
    pub fn sub(&mut self, other: &Self) {
        self.prepare_change(other);
        self.amount = self.amount.minus(&other.amount);
    }

    /// Rounds away from zero to whole thousandths, as the API server does with the amounts of stored objects.
    ///
    /// # Source
    /// kubernetes `pkg/apis/core/v1` (`SetDefaults_ResourceList`)
    pub fn round_up_to_milli(&mut self) {
        if let Some(rounded) = self.amount.rounded_to_milli() {
            self.text = None;
            self.amount = rounded;
        }
    }

    /// Rounds away from zero to whole units.
    ///
    /// # Source
    /// apimachinery `pkg/api/resource` (`Quantity.RoundUp`)
    pub fn round_up_to_unit(&mut self) {
        if let Some(rounded) = self.amount.rounded_to_unit() {
            self.text = None;
            self.amount = rounded;
        }
    }

    /// How much of `whole` this amount is, in percent, rounded down; nothing if `whole` is not positive.
    pub fn percent_of(&self, whole: &Self) -> Option<i64> {
        if whole.sign() != Ordering::Greater {
            return None;
        }
        (self.amount.to_large() * 100_u32 / whole.amount.to_large()).to_i64()
    }

    /// The canonical text, even where the parsed text was kept.
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        print::append(&self.amount, self.format, &mut text);
        text
    }

    /// Appends the text to a buffer; with a buffer that is used again, printing allocates nothing.
    pub fn append_to(&self, buffer: &mut String) {
        match &self.text {
            Some(text) => buffer.push_str(text),
            None => print::append(&self.amount, self.format, buffer),
        }
    }

    fn prepare_change(&mut self, other: &Self) {
        self.text = None;
        if self.is_zero() {
            self.format = other.format;
        }
    }
}

impl std::ops::Neg for Quantity {
    type Output = Self;

    fn neg(self) -> Self {
        Self { amount: Amount::default().minus(&self.amount), format: self.format, text: None }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.amount == other.amount
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.amount.cmp(&other.amount)
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.text {
            Some(text) => formatter.pad(text),
            None => formatter.pad(&self.canonical()),
        }
    }
}

impl std::str::FromStr for Quantity {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
