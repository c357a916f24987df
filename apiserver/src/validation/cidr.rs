//! Ranges of IP addresses in fields that have always taken more than one way of writing them.
//!
//! # Source
//! apimachinery `pkg/util/validation/ip.go`

use std::net::IpAddr;

use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::quote::go_quote;

use super::ip::{is_mapped, parse_sloppy};

/// What is wrong with a range.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsValidCIDRForLegacyField`, strict)
pub(super) fn validate(errors: &mut ErrorList, value: &str, path: &Path<'_>) {
    let Some((address, length)) = parse(value) else {
        let detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
        errors.push(Error::invalid(path, value, detail));
        return;
    };
    let has_leading_zeros = value.split_once('/').is_none_or(|(address, length)| {
        address.parse::<IpAddr>().is_err() || (length.len() > 1 && length.starts_with('0'))
    });
    let detail = if has_leading_zeros {
        "must not have leading 0s in IP or prefix length"
    } else if is_mapped(address) {
        "must not have an IPv4-mapped IPv6 address"
    } else if has_bits_beyond(address, length) {
        "must not have bits set beyond the prefix length"
    } else {
        return;
    };
    errors.push(Error::invalid(path, value, detail));
}

/// The warning for a range that has been validated: of version 6, and not in its standard form.
///
/// # Source
/// apimachinery `pkg/util/validation` (`GetWarningsForCIDR`)
pub(crate) fn warning_for_cidr(value: &str, path: &Path<'_>) -> Option<String> {
    let (address, length) = parse(value)?;
    let canonical = format!("{address}/{length}");
    (address.is_ipv6() && canonical != value).then(|| {
        let (value, canonical) = (go_quote(value), go_quote(&canonical));
        format!("{path}: IPv6 CIDR value {value} should be in RFC 5952 canonical format ({canonical})")
    })
}

/// The address that a range begins with, if it is one. One of version 6 that stands for one of version 4 is the latter.
pub(super) fn address(value: &str) -> Option<IpAddr> {
    parse(value).map(|(address, _)| address.to_canonical())
}

/// The address and the number of bits that all addresses of a range share.
fn parse(value: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = value.split_once('/')?;
    let address = parse_sloppy(address)?;
    let is_number = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    let length = if is_number { length.parse().ok()? } else { return None };
    let most = if address.is_ipv4() { 32 } else { 128 };
    (length <= most).then_some((address, length))
}

fn has_bits_beyond(address: IpAddr, length: u32) -> bool {
    match address {
        IpAddr::V4(address) => address.to_bits().checked_shl(length).is_some_and(|rest| rest != 0),
        IpAddr::V6(address) => address.to_bits().checked_shl(length).is_some_and(|rest| rest != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_sloppy_from_broken() {
        let faults = |value: &str| {
            let mut errors = ErrorList::new();
            validate(&mut errors, value, &Path::root("cidr"));
            errors.into_iter().map(|error| error.detail).collect::<Vec<_>>()
        };
        for value in ["10.0.0.0/8", "::/0", "1.2.3.4/32", "2001:DB8::/32"] {
            assert!(faults(value).is_empty(), "{value}");
        }
        assert_eq!(faults("10.0.0.1/8"), ["must not have bits set beyond the prefix length"]);
        assert_eq!(faults("10.0.0.0/08"), ["must not have leading 0s in IP or prefix length"]);
        assert_eq!(faults("::ffff:1.2.3.0/120"), ["must not have an IPv4-mapped IPv6 address"]);
        for value in ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "/8"] {
            assert!(faults(value)[0].starts_with("must be a valid CIDR value"), "{value}");
        }
    }
}
