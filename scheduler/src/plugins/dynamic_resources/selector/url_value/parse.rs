//! URLs as Go reads them.
//!
//! # Source
//! Go `net/url`

use std::net::IpAddr;

use plimsoll_api::quote::go_quote;

use crate::plugins::dynamic_resources::selector::address_value::address_problem;

/// A URL.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Url {
    pub(super) scheme: String,
    /// What stands for host and path if it doesn't begin with a slash.
    opaque: String,
    user: Option<String>,
    /// With the port.
    pub(super) host: String,
    /// With its escapes.
    pub(super) path: String,
    pub(super) query: String,
    fragment: String,
}

impl Url {
    /// The host without the brackets around an address, and the port.
    pub(super) fn host_and_port(&self) -> (&str, &str) {
        let (host, port) = match self.host.rfind(':').map(|colon| self.host.split_at(colon)) {
            Some((host, port)) if is_port(port) => (host, &port[1..]),
            _ => (self.host.as_str(), ""),
        };
        (host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host), port)
    }
}

/// Reads a URL that is whole: it has a scheme, or begins with a slash.
///
/// # Errors
/// It isn't one.
pub(in super::super) fn parse_request_uri(text: &str) -> Result<Url, String> {
    read(text, true).map_err(|problem| format!("parse {}: {problem}", go_quote(text)))
}

/// Reads a URL that may end with a fragment.
pub(super) fn parse(text: &str) -> Result<Url, String> {
    let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
    let mut url = read(before, false).map_err(|problem| format!("parse {}: {problem}", go_quote(before)))?;
    unescape(fragment, &|_| true).map_err(|problem| format!("parse {}: {problem}", go_quote(text)))?;
    fragment.clone_into(&mut url.fragment);
    Ok(url)
}

fn read(text: &str, is_request: bool) -> Result<Url, String> {
    let mut url = Url::default();
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    if text.is_empty() && is_request {
        return Err("empty url".to_owned());
    }
    if text == "*" {
        "*".clone_into(&mut url.path);
        return Ok(url);
    }
    let (scheme, rest) = scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (mut rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    query.clone_into(&mut url.query);
    if !rest.starts_with('/') {
        if !scheme.is_empty() {
            rest.clone_into(&mut url.opaque);
            return Ok(url);
        }
        if is_request {
            return Err("invalid URI for request".to_owned());
        }
        if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    let may_have_host = !scheme.is_empty() || !is_request && !rest.starts_with("///");
    if let Some(authority) = rest.strip_prefix("//").filter(|_| may_have_host) {
        let end = authority.find('/').unwrap_or(authority.len());
        rest = &authority[end..];
        let (user, host) = match authority[..end].rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, &authority[..end]),
        };
        url.host = read_host(&url.scheme, host)?;
        url.user = user.map(read_user).transpose()?;
    }
    url.path = escaped_path(rest)?;
    Ok(url)
}

fn scheme(text: &str) -> Result<(&str, &str), String> {
    let end = text.find(|character: char| !(character.is_ascii_alphanumeric() || "+-.".contains(character)));
    match end.map(|end| text.split_at(end)) {
        Some(("", rest)) if rest.starts_with(':') => Err("missing protocol scheme".to_owned()),
        Some((scheme, rest))
            if rest.starts_with(':') && scheme.starts_with(|first: char| first.is_ascii_alphabetic()) =>
        {
            Ok((scheme, &rest[1..]))
        }
        _ => Ok(("", text)),
    }
}

fn read_user(user: &str) -> Result<String, String> {
    let is_fine =
        |character: char| character.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(character);
    if !user.chars().all(is_fine) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let parts = user.splitn(2, ':').map(|part| unescape(part, &|_| true)).collect::<Result<Vec<_>, _>>()?;
    // A colon in a part would be escaped; no byte is 0.
    Ok(parts.iter().map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>().join("\0"))
}

fn read_host(scheme: &str, host: &str) -> Result<String, String> {
    let bad_port = |port: &str| format!("invalid port {} after host", go_quote(port));
    match host.rfind('[') {
        Some(0) => {
            let end = host.rfind(']').ok_or("missing ']' in host")?;
            let (address, port) = (&host[1..end], &host[end + 1..]);
            if !port.is_empty() && !is_port(port) {
                return Err(bad_port(port));
            }
            let (plain, zone) = address.split_at(address.find("%25").unwrap_or(address.len()));
            let is_fine_zone = |byte| byte == b'%' || byte == b' ' || is_host_byte(byte);
            let plain = unescape_host(plain)? + &text(unescape(zone, &is_fine_zone)?);
            let (address, after) = plain.split_once('%').unwrap_or((&plain, "zone"));
            match address.parse::<IpAddr>() {
                Ok(IpAddr::V6(_)) if !after.is_empty() => Ok(format!("[{plain}]{port}")),
                Ok(IpAddr::V4(_)) if !plain.contains('%') => Err("invalid IP-literal".to_owned()),
                _ => Err(format!("invalid host: {}", address_problem(&plain))),
            }
        }
        Some(_) => Err("invalid IP-literal".to_owned()),
        None => {
            let colon = if matches!(scheme, "http" | "https") { host.find(':') } else { host.rfind(':') };
            if let Some(port) = colon.map(|colon| &host[colon..]).filter(|port| !is_port(port)) {
                return Err(bad_port(port));
            }
            unescape_host(host)
        }
    }
}

/// Whether a text is a colon and digits, which may be none.
fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unescape_host(host: &str) -> Result<String, String> {
    let bytes = host.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        if *byte == b'%' {
            // Only what isn't ASCII may be escaped, and the sign itself.
            let escape = unescape(host.get(index..index + 3).unwrap_or(&host[index..]), &|_| true)?;
            if escape.first().is_none_or(u8::is_ascii) && escape != b"%" {
                return Err(bad_escape(&host[index..]));
            }
        } else if byte.is_ascii() && !is_host_byte(*byte) {
            return Err(format!(
                "invalid character {} in host name",
                go_quote(&char::from(*byte).to_string())
            ));
        }
    }
    Ok(text(unescape(host, &|_| true)?))
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!\"$&'()*+,-.:;<=>[]_~".contains(&byte)
}

/// A path with the escapes that it has, where they say all that has to be escaped.
fn escaped_path(path: &str) -> Result<String, String> {
    let plain = unescape(path, &|_| true)?;
    let is_path_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"$&+,-./:;=@_~".contains(&byte);
    if path.bytes().all(|byte| is_path_byte(byte) || b"!'()*[]%".contains(&byte)) {
        return Ok(path.to_owned());
    }
    let escaped =
        |byte: u8| if is_path_byte(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    Ok(plain.into_iter().map(escaped).collect())
}

/// The parameters of a query, without those that can't be read.
pub(super) fn query(query: &str) -> Vec<(String, String)> {
    let value = |part: &str| unescape(&part.replace('+', " "), &|_| true).map(text).ok();
    query
        .split('&')
        .filter(|parameter| !parameter.is_empty() && !parameter.contains(';'))
        .filter_map(|parameter| {
            let (key, after) = parameter.split_once('=').unwrap_or((parameter, ""));
            Some((value(key)?, value(after)?))
        })
        .collect()
}

/// A text without escapes, each of which has to stand for a byte that is fine.
fn unescape(text: &str, is_fine: &dyn Fn(u8) -> bool) -> Result<Vec<u8>, String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            plain.push(*first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let value = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match value.filter(|value| is_fine(*value)) {
            Some(value) => plain.push(value),
            None => return Err(bad_escape(&text[text.len() - rest.len()..])),
        }
        rest = &after[2..];
    }
    Ok(plain)
}

fn bad_escape(rest: &str) -> String {
    let bytes = &rest.as_bytes()[..rest.len().min(3)];
    format!("invalid URL escape {}", go_quote(&String::from_utf8_lossy(bytes)))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
