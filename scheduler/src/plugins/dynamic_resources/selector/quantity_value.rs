//! Amounts in expressions.
//!
//! # Source
//! k8s.io/apiserver `pkg/cel/library/quantity.go`, `pkg/cel/quantity.go`
#![expect(clippy::trivially_copy_pass_by_ref, reason = "the form that the library asks for")]

use std::cmp::Ordering;

use cel::common::types::{CelBool, CelDouble, CelInt, CelString};
use cel::{DeclarationError, Env, ExecutionError, add_member_overload, add_overload};
use plimsoll_resource_math::Quantity;
use plimsoll_resource_math::quantity::Format;

use super::opaque_value::opaque_value;

/// An amount.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct QuantityValue(pub(super) Quantity);

opaque_value!(QuantityValue, "kubernetes.Quantity");

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    type Q = QuantityValue;
    add_overload!(env, fn quantity: (CelString) -> Result<Q>)?;
    add_overload!(env, fn is_quantity: (CelString) -> CelBool, name = "isQuantity")?;
    add_overload!(env, fn sign: (Q) -> CelInt)?;
    add_member_overload!(env, fn is_greater_than: (Q, Q) -> CelBool, name = "isGreaterThan")?;
    add_member_overload!(env, fn is_less_than: (Q, Q) -> CelBool, name = "isLessThan")?;
    add_member_overload!(env, fn compare_to: (Q, Q) -> CelInt, name = "compareTo")?;
    add_member_overload!(env, fn is_integer: (Q) -> CelBool, name = "isInteger")?;
    add_member_overload!(env, fn as_integer: (Q) -> Result<CelInt>, name = "asInteger")?;
    add_member_overload!(env, fn as_approximate_float: (Q) -> CelDouble, name = "asApproximateFloat")?;
    add_member_overload!(env, fn add: (Q, Q) -> Q)?;
    add_member_overload!(env, fn add_int: (Q, CelInt) -> Q, name = "add")?;
    add_member_overload!(env, fn sub: (Q, Q) -> Q)?;
    add_member_overload!(env, fn sub_int: (Q, CelInt) -> Q, name = "sub")?;
    Ok(())
}

fn quantity(text: &CelString<'_>) -> Result<QuantityValue, ExecutionError> {
    let parsed = Quantity::parse(text.inner());
    parsed.map(QuantityValue).map_err(|error| ExecutionError::function_error("quantity", error))
}

fn is_quantity(text: &CelString<'_>) -> CelBool {
    Quantity::parse(text.inner()).is_ok().into()
}

fn sign(amount: &QuantityValue) -> CelInt {
    number(amount.0.sign())
}

fn is_greater_than(first: &QuantityValue, second: &QuantityValue) -> CelBool {
    (first.0 > second.0).into()
}

fn is_less_than(first: &QuantityValue, second: &QuantityValue) -> CelBool {
    (first.0 < second.0).into()
}

fn compare_to(first: &QuantityValue, second: &QuantityValue) -> CelInt {
    number(first.0.cmp(&second.0))
}

fn is_integer(amount: &QuantityValue) -> CelBool {
    amount.0.to_whole_units().is_some().into()
}

fn as_integer(amount: &QuantityValue) -> Result<CelInt, ExecutionError> {
    amount
        .0
        .to_whole_units()
        .map(CelInt::from)
        .ok_or_else(|| ExecutionError::function_error("asInteger", "cannot convert value to integer"))
}

fn as_approximate_float(amount: &QuantityValue) -> CelDouble {
    amount.0.to_approximate_float().into()
}

fn add(first: &QuantityValue, second: &QuantityValue) -> QuantityValue {
    let mut sum = first.clone();
    sum.0.add(&second.0);
    sum
}

fn sub(first: &QuantityValue, second: &QuantityValue) -> QuantityValue {
    let mut difference = first.clone();
    difference.0.sub(&second.0);
    difference
}

fn add_int(amount: &QuantityValue, units: &CelInt) -> QuantityValue {
    add(amount, &of_units(units))
}

fn sub_int(amount: &QuantityValue, units: &CelInt) -> QuantityValue {
    sub(amount, &of_units(units))
}

fn of_units(units: &CelInt) -> QuantityValue {
    QuantityValue(Quantity::from_units(*units.inner(), Format::DecimalExponent))
}

fn number(ordering: Ordering) -> CelInt {
    i64::from(ordering as i8).into()
}
