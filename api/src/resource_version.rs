//! The order of resource versions.

use std::cmp::Ordering;
use std::fmt;

/// A resource version of the API server. Versions of one resource are in the order of their numbers.
///
/// # Source
/// apimachinery `pkg/util/resourceversion` (`CompareResourceVersion`)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(String);

impl Version {
    /// Reads a version; none if it is no positive decimal number, as an aggregated API server may send it.
    pub fn parse(text: &str) -> Option<Self> {
        let is_number =
            text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() && !text.starts_with('0');
        is_number.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        // Numbers of any length without leading zeros.
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ordered_by_number() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("9") < version("10"));
        assert!(version("10") < version("11"));
        assert!(version("18446744073709551616") > version("18446744073709551615"));
    }

    #[test]
    fn is_a_positive_number() {
        for text in ["", "0", "01", "a", "1a", "-1", " 1"] {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
    }
}
