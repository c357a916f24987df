mod properties;

use std::cmp::Ordering;

use plimsoll_fixtures::{Case, cases};
use serde::Deserialize;

use super::Quantity;

#[derive(Deserialize)]
struct Printed {
    text: String,
    canonical: String,
    format: String,
    milli: String,
}

#[track_caller]
fn check_reading(case: &Case) {
    let text = case.given.as_str().unwrap();
    let parsed = Quantity::parse(text);
    if let Some(error) = case.expect.get("error") {
        assert_eq!(parsed.unwrap_err().to_string(), error.as_str().unwrap(), "{}", case.name);
        return;
    }
    let mut quantity = parsed.unwrap();
    let expect = Printed::deserialize(&case.expect).unwrap();
    assert_eq!(quantity.to_string(), expect.text, "{}", case.name);
    assert_eq!(quantity.canonical(), expect.canonical, "{}", case.name);
    assert_eq!(quantity.format().as_str(), expect.format, "{}", case.name);
    quantity.round_up_to_milli();
    assert_eq!(quantity.to_string(), expect.milli, "{}", case.name);
}

#[test]
fn reads_and_prints_as_upstream() {
    cases("testdata/quantity.yaml").iter().for_each(check_reading);
}

#[derive(Deserialize)]
struct Pair {
    a: String,
    b: String,
}

#[track_caller]
fn check_arithmetic(case: &Case) {
    let given = Pair::deserialize(&case.given).unwrap();
    let (a, b) = (Quantity::parse(&given.a).unwrap(), Quantity::parse(&given.b).unwrap());
    let (mut sum, mut difference) = (a.clone(), a.clone());
    sum.add(&b);
    difference.sub(&b);
    for (result, expect) in [(sum, &case.expect["add"]), (difference, &case.expect["sub"])] {
        assert_eq!(result.to_string(), expect["text"].as_str().unwrap(), "{}", case.name);
        assert_eq!(result.format().as_str(), expect["format"].as_str().unwrap(), "{}", case.name);
    }
    let order = match case.expect["compare"].as_i64().unwrap() {
        -1 => Ordering::Less,
        0 => Ordering::Equal,
        _ => Ordering::Greater,
    };
    assert_eq!((a.cmp(&b), b.cmp(&a)), (order, order.reverse()), "{}", case.name);
}

#[test]
fn adds_subtracts_and_compares_as_upstream() {
    cases("testdata/quantity_arithmetic.yaml").iter().for_each(check_arithmetic);
}

#[track_caller]
fn check_value(case: &Case) {
    let quantity = Quantity::parse(case.given.as_str().unwrap()).unwrap();
    let expect = |field: &str| case.expect[field].as_i64().unwrap();
    assert_eq!(quantity.value(), expect("value"), "{}", case.name);
    assert_eq!(quantity.milli_value(), expect("milli_value"), "{}", case.name);
}

#[test]
fn whole_numbers_are_rounded_away_from_zero() {
    cases("testdata/quantity_value.yaml").iter().for_each(check_value);
}

#[test]
fn whole_units_are_exact_or_none() {
    for (text, expected) in [
        ("0", Some(0)),
        ("2k", Some(2000)),
        ("-3", Some(-3)),
        ("1500m", None),
        ("1n", None),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("1e30", None),
    ] {
        assert_eq!(Quantity::parse(text).unwrap().to_whole_units(), expected, "{text}");
    }
}
