//! Networks in expressions.
//!
//! # Source
//! k8s.io/apiserver `pkg/cel/library/cidr.go`

use std::net::IpAddr;

use cel::common::types::{CelBool, CelInt, CelString};
use cel::common::value::Val;
use cel::{DeclarationError, Env, ExecutionError, add_member_overload, add_overload};
use plimsoll_api::quote::go_quote;

use super::{Ip, ip, is_mapped, problem};
use crate::plugins::dynamic_resources::selector::list_functions::no_such_overload;
use crate::plugins::dynamic_resources::selector::opaque_value::opaque_value;

/// A network, with an address in it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cidr {
    address: IpAddr,
    length: u8,
}

opaque_value!(Cidr, "net.CIDR");

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_type(Cidr::cel_type().to_owned())?;
    add_overload!(env, fn cidr: (CelString) -> Result<Cidr>)?;
    add_overload!(env, fn is_cidr: (CelString) -> CelBool, name = "isCIDR")?;
    add_overload!(env, fn cidr_text: (Cidr) -> CelString, name = "string")?;
    add_member_overload!(env, fn contains_ip: (Cidr, Ip) -> CelBool, name = "containsIP")?;
    add_member_overload!(env, fn contains_ip_text: (Cidr, CelString) -> Result<CelBool>, name = "containsIP")?;
    add_member_overload!(env, fn contains_cidr: (Cidr, Cidr) -> CelBool, name = "containsCIDR")?;
    add_member_overload!(env, fn contains_cidr_text: (Cidr, CelString) -> Result<CelBool>, name = "containsCIDR")?;
    add_member_overload!(env, fn cidr_ip: (Cidr) -> Ip, name = "ip")?;
    add_member_overload!(env, fn prefix_length: (Cidr) -> CelInt)?;
    add_member_overload!(env, fn masked: (Cidr) -> Cidr)?;
    Ok(())
}

/// # Source
/// k8s.io/apiserver `pkg/cel/library/cidr.go` (`parseCIDR`)
fn parse_cidr(text: &str) -> Result<Cidr, String> {
    let network = problem::network(text)
        .map_err(|problem| format!("network address parse error during conversion from string: {problem}"))?;
    if is_mapped(network.0) {
        return Err(format!("IPv4-mapped IPv6 address {} is not allowed", go_quote(text)));
    }
    Ok(Cidr { address: network.0, length: network.1 })
}

fn cidr(text: &CelString<'_>) -> Result<Cidr, ExecutionError> {
    parse_cidr(text.inner()).map_err(|problem| {
        let problem = format!("network address parse error during conversion from string: {problem}");
        ExecutionError::function_error("cidr", problem)
    })
}

fn is_cidr(text: &CelString<'_>) -> CelBool {
    parse_cidr(text.inner()).is_ok().into()
}

fn cidr_text(cidr: &Cidr) -> CelString<'static> {
    format!("{}/{}", cidr.address, cidr.length).into()
}

fn contains_ip(cidr: &Cidr, ip: &Ip) -> CelBool {
    let is_same_family = cidr.address.is_ipv4() == ip.0.is_ipv4();
    (is_same_family && first_bits(cidr.address, cidr.length) == first_bits(ip.0, cidr.length)).into()
}

fn contains_ip_text(cidr: &Cidr, text: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    // Upstream's function takes the error for a value of another type.
    let ip = ip(text).map_err(|_| no_such_overload("containsIP"))?;
    Ok(contains_ip(cidr, &ip))
}

fn contains_cidr(cidr: &Cidr, other: &Cidr) -> CelBool {
    (cidr.length <= other.length && *contains_ip(cidr, &Ip(other.address)).inner()).into()
}

fn contains_cidr_text(network: &Cidr, text: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    Ok(contains_cidr(network, &cidr(text)?))
}

fn cidr_ip(cidr: &Cidr) -> Ip {
    Ip(cidr.address)
}

fn prefix_length(cidr: &Cidr) -> CelInt {
    i64::from(cidr.length).into()
}

fn masked(cidr: &Cidr) -> Cidr {
    let bits = first_bits(cidr.address, cidr.length);
    let address = match cidr.address {
        // The shift leaves 32 bits.
        IpAddr::V4(_) => IpAddr::V4(u32::try_from(bits >> 96).unwrap_or_default().into()),
        IpAddr::V6(_) => IpAddr::V6(bits.into()),
    };
    Cidr { address, length: cidr.length }
}

/// The first so many bits of an address, and zeros after them.
fn first_bits(address: IpAddr, length: u8) -> u128 {
    let bits = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
    bits & mask
}
