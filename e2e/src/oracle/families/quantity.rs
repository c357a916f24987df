//! Two texts as quantities: what each means and how it prints, and how they add, subtract and compare.

use std::cmp::Ordering;
use std::hint::black_box;

use plimsoll_resource_math::{ParseQuantityError, Quantity};
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Family, Pass, decode};
use crate::oracle::generate::quantity::any_text;

pub(super) const FAMILY: Family = Family {
    name: "quantity",
    generate,
    evaluate,
    known_difference: Some(known_difference),
    bench: Some(bench),
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

fn known_difference(_input: &Value, _ours: &Value, _theirs: &Value) -> Option<&'static str> {
    None
}

/// Times reading a text and writing its canonical form.
fn bench(inputs: &[Value]) -> anyhow::Result<Pass> {
    let texts =
        inputs.iter().map(|input| Ok(decode::<Input>(input)?.a)).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Box::new(move || {
        for text in &texts {
            let _ = black_box(Quantity::parse(text).map(|quantity| quantity.canonical()));
        }
    }))
}
