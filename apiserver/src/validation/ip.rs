//! IP addresses in fields that have always taken more than one way of writing them.
//!
//! # Source
//! apimachinery `pkg/util/validation/ip.go`

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::quote::go_quote;

/// What is wrong with an address.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsValidIPForLegacyField`, strict)
pub fn validate_ip(errors: &mut ErrorList, value: &str, path: &Path<'_>) {
    let Some(address) = parse_sloppy(value) else {
        let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        errors.push(Error::invalid(path, value, detail));
        return;
    };
    if value.parse::<IpAddr>().is_err() {
        errors.push(Error::invalid(path, value, "must not have leading 0s"));
    } else if is_mapped(address) {
        errors.push(Error::invalid(path, value, "must not be an IPv4-mapped IPv6 address"));
    }
}

/// The warning for an address that is not in its standard form, if that can be read at all.
///
/// # Source
/// apimachinery `pkg/util/validation` (`GetWarningsForIP`)
pub fn warning_for_ip(value: &str, path: &Path<'_>) -> Option<String> {
    let address = parse_sloppy(value)?;
    if value.parse::<IpAddr>().is_err() || is_mapped(address) {
        let standard = address.to_canonical().to_string();
        let (value, standard) = (go_quote(value), go_quote(&standard));
        return Some(format!("{path}: non-standard IP address {value} is invalid: use {standard}"));
    }
    let canonical = address.to_string();
    (address.is_ipv6() && canonical != value).then(|| {
        let (value, canonical) = (go_quote(value), go_quote(&canonical));
        format!("{path}: IPv6 address {value} should be in RFC 5952 canonical format ({canonical})")
    })
}

pub(super) fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

/// Reads an address whose numbers may have leading zeros.
pub(super) fn parse_sloppy(value: &str) -> Option<IpAddr> {
    if let Ok(address) = value.parse() {
        return Some(address);
    }
    match value.rsplit_once(':') {
        None => parse_ipv4(value).map(IpAddr::V4),
        Some((start, end)) if end.contains('.') => {
            let [a, b, c, d] = parse_ipv4(end)?.octets();
            format!("{start}:{a}.{b}.{c}.{d}").parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        Some(_) => None,
    }
}

fn parse_ipv4(value: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = value.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_sloppy_from_broken() {
        let faults = |value: &str| {
            let mut errors = ErrorList::new();
            validate_ip(&mut errors, value, &Path::root("ip"));
            errors.into_iter().map(|error| error.detail).collect::<Vec<_>>()
        };
        for value in ["10.0.0.1", "::1", "2001:DB8::1"] {
            assert!(faults(value).is_empty(), "{value}");
        }
        assert_eq!(faults("010.0.0.1"), ["must not have leading 0s"]);
        assert_eq!(faults("::ffff:1.2.3.4"), ["must not be an IPv4-mapped IPv6 address"]);
        for value in ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "x", "1.2.3.+4", "::g"] {
            assert_eq!(faults(value).len(), 1, "{value}");
        }
    }
}
