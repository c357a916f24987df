//! Two texts as quantities: what each means and how it prints, and how they add, subtract and compare.

use std::cmp::Ordering;
use std::hint::black_box;

use plimsoll_resource_math::{Format, ParseQuantityError, Quantity};
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::amounts::{has_wrapped_exponent, is_above_letters, is_out_of_range};
use super::{Bench, Family, Pass, decode};
use crate::oracle::generate::quantity::any_text;

pub(super) const FAMILY: Family = Family {
    name: "quantity",
    generate,
    evaluate,
    known_difference: Some(known_difference),
    bench: Some(Bench { cases: None, prepare: bench }),
};

#[derive(Deserialize)]
struct Input {
    a: String,
    b: String,
}

fn generate(rng: &mut StdRng) -> Value {
    json!({"a": any_text(rng), "b": any_text(rng)})
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let (a, b) = (Quantity::parse(&input.a), Quantity::parse(&input.b));
    let mut output = json!({"a": facts(&a), "b": facts(&b)});
    if let (Ok(a), Ok(b)) = (a, b) {
        let (mut sum, mut difference) = (a.clone(), a.clone());
        sum.add(&b);
        difference.sub(&b);
        output["add"] = result(&sum);
        output["sub"] = result(&difference);
        output["compare"] = sign(a.cmp(&b)).into();
    }
    Ok(output)
}

fn facts(parsed: &Result<Quantity, ParseQuantityError>) -> Value {
    let quantity = match parsed {
        Ok(quantity) => quantity,
        Err(error) => return json!({"error": error.to_string()}),
    };
    let mut rounded = quantity.clone();
    rounded.round_up_to_milli();
    json!({
        "text": quantity.to_string(),
        "canonical": quantity.canonical(),
        "format": quantity.format().as_str(),
        "value": quantity.value(),
        "milli_value": quantity.milli_value(),
        "sign": sign(quantity.sign()),
        "rounded_up_to_milli": rounded.to_string(),
    })
}

fn result(quantity: &Quantity) -> Value {
    json!({"text": quantity.to_string(), "format": quantity.format().as_str()})
}

fn sign(ordering: Ordering) -> i8 {
    ordering as i8
}

fn known_difference(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    const FAR_EXPONENT: &str = "D-Quantity-2";
    if theirs["error"].as_str().is_some_and(|error| error.starts_with("upstream would take")) {
        return Some(FAR_EXPONENT);
    }
    let input: Input = decode(input).ok()?;
    if [&input.a, &input.b].into_iter().any(|text| is_out_of_range(text) || has_wrapped_exponent(text)) {
        return Some(FAR_EXPONENT);
    }
    let (a, b) = (Quantity::parse(&input.a).ok(), Quantity::parse(&input.b).ok());
    let mut amounts = vec![("a", a.clone()), ("b", b.clone())];
    if let (Some(a), Some(b)) = (a, b) {
        let (mut sum, mut difference) = (a.clone(), a);
        sum.add(&b);
        difference.sub(&b);
        amounts.extend([("add", Some(sum)), ("sub", Some(difference))]);
    }
    let mut rest = ours.clone();
    let mut found = None;
    for (side, amount) in amounts {
        let Some(amount) = amount else { continue };
        for field in ["text", "canonical", "rounded_up_to_milli", "value", "milli_value"] {
            if ours[side].get(field) != theirs[side].get(field) {
                found = Some(explained(field, &amount)?);
                rest[side][field] = theirs[side][field].clone();
            }
        }
    }
    found.filter(|_| rest == *theirs)
}

/// The id under which a field of this amount may differ.
fn explained(field: &str, amount: &Quantity) -> Option<&'static str> {
    let rounded = match field {
        "value" => Quantity::from_units(amount.value(), Format::DecimalSi),
        "milli_value" => Quantity::from_millis(amount.milli_value(), Format::DecimalSi),
        _ => return is_above_letters(amount).then_some("D-Quantity-1"),
    };
    // Saturated where upstream wraps around, which it does with negative nano units of 64 bits already; or rounded away
    // from zero where upstream rounds towards it and adds one.
    let saturated =
        [amount.value(), amount.milli_value()].iter().any(|value| matches!(*value, i64::MIN | i64::MAX));
    let far_below = Quantity::parse("-9223372036854775808n").is_ok_and(|least| *amount < least);
    let broken_below = amount.sign().is_lt() && rounded != *amount;
    (saturated || far_below || broken_below).then_some("D-Quantity-3")
}

/// Times reading a text and writing its canonical form into a buffer, as upstream's side does.
fn bench(inputs: &[Value]) -> anyhow::Result<Pass> {
    let texts =
        inputs.iter().map(|input| Ok(decode::<Input>(input)?.a)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut printed = String::with_capacity(64);
    Ok(Pass {
        operations: texts.len(),
        run: Box::new(move || {
            for text in &texts {
                if let Ok(quantity) = black_box(Quantity::parse(black_box(text))) {
                    printed.clear();
                    quantity.append_to(&mut printed);
                    black_box(printed.len());
                }
            }
            // Not all texts are quantities on both sides.
            Ok(0)
        }),
    })
}
