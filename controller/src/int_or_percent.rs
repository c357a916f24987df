//! Numbers of pods that may also be given as a percentage of all of them.
//!
//! # Source
//! apimachinery `pkg/util/intstr`

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use plimsoll_api::quote::go_quote;

/// Why a number of pods can't be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// There is none.
    #[error("nil value for IntOrString")]
    Missing,
    /// It is a text, but no percentage.
    #[error("invalid value for IntOrString: invalid type: string is not a percentage")]
    NotAPercentage,
    /// It is a percentage of no number.
    #[error(
        "invalid value for IntOrString: invalid value {}: strconv.Atoi: parsing {}: invalid syntax",
        go_quote(.0),
        go_quote(.1)
    )]
    NotANumber(String, String),
}

/// The number of pods, a percentage of all of them being rounded up.
///
/// # Source
/// apimachinery `pkg/util/intstr/intstr.go` (`GetScaledValueFromIntOrPercent`)
pub fn rounded_up(value: &IntOrString, total: i32) -> Result<i64, CountError> {
    match value {
        IntOrString::Int(number) => Ok(i64::from(*number)),
        IntOrString::String(text) => {
            let number = text.strip_suffix('%').ok_or(CountError::NotAPercentage)?;
            let percent: i64 =
                number.parse().map_err(|_| CountError::NotANumber(text.clone(), number.to_owned()))?;
            let hundredths = i128::from(percent) * i128::from(total);
            let rounded = hundredths.div_euclid(100) + i128::from(hundredths.rem_euclid(100) > 0);
            Ok(i64::try_from(rounded).unwrap_or(i64::MAX))
        }
    }
}
