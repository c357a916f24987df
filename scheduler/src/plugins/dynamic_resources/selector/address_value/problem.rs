//! What Go says of texts that are no addresses or networks.
//!
//! # Source
//! Go `net/netip` (`ParseAddr`, `ParsePrefix`)

use std::net::IpAddr;

use plimsoll_api::quote::go_quote;

/// How many groups an address of version 6 has.
const GROUPS: usize = 8;

/// Whether there is a zone behind a `%`, and only behind an address of version 6.
pub(super) fn has_zone_if_any(text: &str) -> bool {
    text.split_once('%').is_none_or(|(address, zone)| !zone.is_empty() && address.contains(':'))
}

/// A network: an address and the length of its prefix.
///
/// # Errors
/// What Go says of it.
pub(super) fn network(text: &str) -> Result<(IpAddr, u8), String> {
    let problem = |problem: String| format!("netip.ParsePrefix({}): {problem}", go_quote(text));
    let Some((address, length)) = text.rsplit_once('/') else { return Err(problem("no '/'".to_owned())) };
    let without_zone = address.split_once('%').map_or(address, |(before, _)| before);
    let Some(parsed) = without_zone.parse::<IpAddr>().ok().filter(|_| has_zone_if_any(address)) else {
        return Err(problem(of_address(address)));
    };
    if address.contains('%') {
        return Err(problem("IPv6 zones cannot be present in a prefix".to_owned()));
    }
    let is_number = length.bytes().all(|byte| byte.is_ascii_digit()) && !length.is_empty();
    if !is_number || length.len() > 1 && length.starts_with('0') || length.parse::<i64>().is_err() {
        return Err(problem(format!("bad bits after slash: {}", go_quote(length))));
    }
    let most = if parsed.is_ipv4() { 32 } else { 128 };
    match length.parse::<u8>() {
        Ok(length) if length <= most => Ok((parsed, length)),
        _ => Err(problem("prefix length out of range".to_owned())),
    }
}

/// What is wrong with a text that is no address.
pub(in super::super) fn of_address(text: &str) -> String {
    let (problem, at) = match text.find(['.', ':', '%']).map(|index| &text[index..=index]) {
        Some(".") => of_version_4(text),
        Some(":") => of_version_6(text),
        Some(_) => ("missing IPv6 address", ""),
        None => ("unable to parse IP", ""),
    };
    let at = if at.is_empty() { String::new() } else { format!(" (at {})", go_quote(at)) };
    format!("ParseAddr({}): {problem}{at}", go_quote(text))
}

/// A problem and where it is.
type Problem<'t> = (&'static str, &'t str);

fn of_version_4(text: &str) -> Problem<'_> {
    let (mut dots, mut value, mut digits) = (0, 0, 0);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' if digits == 1 && value == 0 => {
                return ("IPv4 field has octet with leading zero", "");
            }
            b'0'..=b'9' => {
                value = value * 10 + i32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return ("IPv4 field has value >255", "");
                }
            }
            b'.' if digits == 0 || index + 1 == text.len() => {
                return ("IPv4 field must have at least one digit", &text[index..]);
            }
            b'.' if dots == 3 => return ("IPv4 address too long", ""),
            b'.' => (dots, value, digits) = (dots + 1, 0, 0),
            _ => return ("unexpected character", text.get(index..).unwrap_or_default()),
        }
    }
    ("IPv4 address too short", "")
}

fn of_version_6(text: &str) -> Problem<'_> {
    let mut rest = text;
    if let Some((address, zone)) = text.split_once('%') {
        if zone.is_empty() {
            return ("zone must be a non-empty string", "");
        }
        rest = address;
    }
    let mut groups = 0;
    let mut has_gap = false;
    if let Some(after) = rest.strip_prefix("::") {
        has_gap = true;
        rest = after;
    }
    while groups < GROUPS {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits > 4 {
            return ("each group must have 4 or less digits", rest);
        }
        if digits == 0 {
            return ("each colon-separated field must have at least one digit", rest);
        }
        let after = &rest[digits..];
        if after.starts_with('.') {
            return if !has_gap && groups != GROUPS - 2 {
                ("embedded IPv4 address must replace the final 2 fields of the address", rest)
            } else if groups + 2 > GROUPS {
                ("too many hex fields to fit an embedded IPv4 at the end of the address", rest)
            } else if rest.parse::<std::net::Ipv4Addr>().is_err() {
                of_version_4(rest)
            } else {
                ("the :: must expand to at least one field of zeros", "")
            };
        }
        groups += 1;
        rest = after;
        if rest.is_empty() {
            break;
        }
        let Some(after) = rest.strip_prefix(':') else { return ("unexpected character, want colon", rest) };
        if after.is_empty() {
            return ("colon must be followed by more characters", rest);
        }
        rest = after;
        if let Some(after) = rest.strip_prefix(':') {
            if has_gap {
                return ("multiple :: in address", rest);
            }
            has_gap = true;
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
    }
    if !rest.is_empty() {
        return ("trailing garbage after address", rest);
    }
    if groups < GROUPS {
        return ("address string too short", "");
    }
    ("the :: must expand to at least one field of zeros", "")
}
