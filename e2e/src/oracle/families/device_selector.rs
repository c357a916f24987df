//! What a selector says of a device: random expressions of the types that a selector can use.

use k8s_openapi::api::resource::v1::Device;
use plimsoll_scheduler::plugins::dynamic_resources::{SelectorError, device_matches};
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{Family, decode};
use crate::oracle::generate::{chance, maybe, number, object, pick};

mod expressions;

pub(super) const FAMILY: Family = Family {
    name: "device_selector",
    generate,
    evaluate,
    known_difference: Some(known_difference),
    bench: None,
};

const DRIVER: &str = "gpu.example.com";

fn generate(rng: &mut StdRng) -> Value {
    let expression = expressions::boolean(rng, 4);
    json!({"expression": expression, "driver": DRIVER, "device": device(rng)})
}

fn device(rng: &mut StdRng) -> Value {
    let attributes = object([
        ("model", maybe(rng, 80, |rng| json!({"string": pick(rng, expressions::TEXTS)}))),
        ("index", maybe(rng, 80, |rng| json!({"int": number(rng, -2..=5)}))),
        (
            "firmware",
            maybe(rng, 80, |rng| json!({"version": pick(rng, &["1.2.3", "1.0.0-rc.1", "2.0.0+build"])})),
        ),
        (
            "models",
            maybe(
                rng,
                80,
                |rng| json!({"strings": [pick(rng, expressions::TEXTS), pick(rng, expressions::TEXTS)]}),
            ),
        ),
        (
            "sizes",
            maybe(
                rng,
                80,
                |rng| json!({"ints": [number(rng, 0..=3), number(rng, 0..=3), number(rng, 0..=3)]}),
            ),
        ),
        ("other.example.com/healthy", maybe(rng, 80, |rng| json!({"bool": chance(rng, 50)}))),
    ]);
    let capacity = object([
        ("memory", maybe(rng, 80, |rng| json!({"value": pick(rng, &["40Gi", "1", "1500m"])}))),
        ("other.example.com/cores", maybe(rng, 80, |rng| json!({"value": pick(rng, &["7", "7k", "0"])}))),
    ]);
    json!({"name": "gpu-0", "attributes": attributes, "capacity": capacity})
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let expression = input["expression"].as_str().unwrap_or_default();
    let driver = input["driver"].as_str().unwrap_or_default();
    let device: Device = decode(&input["device"])?;
    Ok(match device_matches(expression, driver, &device) {
        Ok(matches) => json!({"matches": matches}),
        Err(SelectorError::Compile(problem)) => json!({"compile_error": problem}),
        Err(SelectorError::Runtime(problem)) => json!({"runtime_error": problem}),
    })
}

/// Upstream refuses expressions whose types don't fit before it asks them, and computes what is constant; it crashes where `sort`
/// and `distinct` are called on what failed. Each library has its own words for regular expressions that make no sense, and for
/// values that `format` can't take.
fn known_difference(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let tells = |answer: &Value, text: &str| {
        answer["runtime_error"].as_str().is_some_and(|problem| problem.contains(text))
    };
    let has_own_words = ["error parsing regexp: ", "error during formatting: "]
        .iter()
        .any(|text| tells(ours, text) && tells(theirs, text));
    let crashed = tells(theirs, "internal error: interface conversion: ");
    // It may take the type of what a loop makes for another one.
    let has_wrong_type = theirs["runtime_error"]
        .as_str()
        .is_some_and(|problem| problem.starts_with("no such overload: ") && problem.ends_with("(list)"));
    // Where both sides fail, upstream tells of the left one.
    let is_other_side = ours.get("runtime_error").is_some()
        && theirs.get("runtime_error").is_some()
        && input["expression"].as_str().is_some_and(may_fail_twice);
    let is_refused = theirs.get("compile_error").is_some();
    let is_known = is_refused || is_other_side || has_own_words || crashed || has_wrong_type;
    is_known.then_some("D-scheduler-31")
}

fn may_fail_twice(expression: &str) -> bool {
    ["&&", "||", ".all(", ".exists("].iter().any(|operator| expression.contains(operator))
}
