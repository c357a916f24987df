//! IP addresses in expressions.
//!
//! # Source
//! k8s.io/apiserver `pkg/cel/library/ip.go`

mod cidr;
mod problem;

use std::net::{IpAddr, Ipv4Addr};

use cel::common::types::{CelBool, CelInt, CelString};
use cel::common::value::Val;
use cel::{DeclarationError, Env, ExecutionError, add_member_overload, add_overload};
use plimsoll_api::quote::go_quote;

pub(super) use self::problem::of_address as address_problem;
use super::opaque_value::opaque_value;

/// An address.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ip(IpAddr);

opaque_value!(Ip, "net.IP");

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_type(Ip::cel_type().to_owned())?;
    add_overload!(env, fn ip: (CelString) -> Result<Ip>)?;
    add_overload!(env, fn is_ip: (CelString) -> CelBool, name = "isIP")?;
    add_overload!(env, fn is_canonical: (CelString) -> Result<CelBool>, name = "ip.isCanonical")?;
    add_overload!(env, fn ip_text: (Ip) -> CelString, name = "string")?;
    add_member_overload!(env, fn family: (Ip) -> CelInt)?;
    add_member_overload!(env, fn is_unspecified: (Ip) -> CelBool)?;
    add_member_overload!(env, fn is_loopback: (Ip) -> CelBool)?;
    add_member_overload!(env, fn is_link_local_multicast: (Ip) -> CelBool)?;
    add_member_overload!(env, fn is_link_local_unicast: (Ip) -> CelBool)?;
    add_member_overload!(env, fn is_global_unicast: (Ip) -> CelBool)?;
    cidr::add_to(env)
}

/// # Source
/// k8s.io/apiserver `pkg/cel/library/ip.go` (`parseIPAddr`)
fn parse_ip(text: &str) -> Result<IpAddr, String> {
    let (address, zone) = text.split_once('%').unwrap_or((text, ""));
    let parsed = address.parse::<IpAddr>().ok().filter(|_| problem::has_zone_if_any(text));
    let Some(parsed) = parsed else {
        return Err(format!(
            "IP Address {} parse error during conversion from string: {}",
            go_quote(text),
            problem::of_address(text)
        ));
    };
    if !zone.is_empty() {
        return Err(format!("IP address {} with zone value is not allowed", go_quote(text)));
    }
    if is_mapped(parsed) {
        return Err(format!("IPv4-mapped IPv6 address {} is not allowed", go_quote(text)));
    }
    Ok(parsed)
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

fn ip(text: &CelString<'_>) -> Result<Ip, ExecutionError> {
    parse_ip(text.inner()).map(Ip).map_err(|problem| ExecutionError::function_error("ip", problem))
}

fn is_ip(text: &CelString<'_>) -> CelBool {
    parse_ip(text.inner()).is_ok().into()
}

fn is_canonical(text: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    Ok((ip(text)?.0.to_string() == text.inner()).into())
}

fn ip_text(ip: &Ip) -> CelString<'static> {
    ip.0.to_string().into()
}

fn family(ip: &Ip) -> CelInt {
    CelInt::from(if ip.0.is_ipv4() { 4 } else { 6 })
}

fn is_unspecified(ip: &Ip) -> CelBool {
    ip.0.is_unspecified().into()
}

fn is_loopback(ip: &Ip) -> CelBool {
    ip.0.is_loopback().into()
}

fn is_link_local_multicast(ip: &Ip) -> CelBool {
    let is = match ip.0 {
        IpAddr::V4(address) => matches!(address.octets(), [224, 0, 0, _]),
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    };
    is.into()
}

fn is_link_local_unicast(ip: &Ip) -> CelBool {
    let is = match ip.0 {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    is.into()
}

fn is_global_unicast(ip: &Ip) -> CelBool {
    let is_other = ip.0.is_unspecified()
        || ip.0 == IpAddr::V4(Ipv4Addr::BROADCAST)
        || ip.0.is_loopback()
        || ip.0.is_multicast()
        || *is_link_local_unicast(ip).inner();
    (!is_other).into()
}
