//! Regular expressions in expressions: `matches`, `find`, `findAll`.
//!
//! # Source
//! k8s.io/apiserver `pkg/cel/library/regex.go`, github.com/google/cel-go `common/stdlib/standard.go`

mod syntax;

use cel::common::ast::CallExpr;
use cel::common::types::{CelBool, CelInt, CelList, CelString, INT_TYPE, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};
use regex::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;

use super::cost::{Meter, meter};
use super::weight::of_text;

/// How many bytes of an expression count as one part of it.
///
/// # Source
/// github.com/google/cel-go `common/cost.go` (`RegexStringLengthCostFactor`)
const BYTES_EACH_PART: u64 = 4;

/// How many bytes a compiled expression may take, and how many times as dear one of that size is. Few texts repeat so much
/// that they don't fit into the first.
const SIZES: [(usize, u64); 3] = [(32 << 10, 1), (256 << 10, 8), (2 << 20, 64)];
/// What it costs to compile one that fits into the first of these sizes.
const COMPILING: u64 = 100;

/// Expressions that were compiled, and how many times as dear they are.
pub(super) type Patterns = FxHashMap<String, (Regex, u64)>;

/// Whether a call is of one of these functions, which are called with the meter.
pub(super) fn is_matching(call: &CallExpr) -> bool {
    let is_member = call.target.is_some();
    match call.func_name.as_str() {
        "matches" => true,
        "find" | "findAll" => is_member,
        _ => false,
    }
}

/// The name of a function that is called with the meter.
pub(super) fn metered_name(function: &str) -> String {
    format!("@{function}")
}

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    let texts = || vec![Meter::cel_type().to_owned(), STRING_TYPE, STRING_TYPE];
    env.add_overload("@matches", "matches", texts(), matches)?;
    env.add_overload("@find", "find", texts(), find)?;
    env.add_overload("@findAll", "find_all", texts(), find_all)?;
    let with_limit = texts().into_iter().chain([INT_TYPE]).collect();
    env.add_overload("@findAll", "find_all_int", with_limit, find_all)
}

fn matches<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (text, regex) = read(&arguments, "")?;
    Ok(CowVal::owned(CelBool::from(regex.is_match(text))))
}

fn find<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (text, regex) = read(&arguments, "Illegal regex: ")?;
    let found = regex.find(text).map_or("", |found| found.as_str());
    Ok(CowVal::owned(CelString::from(found.to_owned())))
}

fn find_all<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (text, regex) = read(&arguments, "Illegal regex: ")?;
    let limit = arguments.get(3).and_then(|limit| limit.downcast_ref::<CelInt>()).map(|limit| *limit.inner());
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let owned =
        |found: regex::Match<'_>| Box::new(CelString::from(found.as_str().to_owned())) as Box<dyn Val>;
    let found: Vec<Box<dyn Val>> = regex.find_iter(text).take(limit).map(owned).collect();
    // Each byte of the text was paid for, but each part may have none.
    meter(&arguments)?.spend(found.len() as u64)?;
    Ok(CowVal::owned(CelList::from(found)))
}

/// The text and the expression, once the search is paid for.
fn read<'a>(arguments: &'a [CowVal<'_, '_>], problem: &str) -> Result<(&'a str, Regex), ExecutionError> {
    let [meter_value, text, pattern, ..] = arguments else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let meter = meter(std::slice::from_ref(meter_value))?;
    let text = text_of(text)?;
    let pattern = text_of(pattern)?;
    let (regex, factor) = compile(meter, pattern, problem)?;
    let parts = 1 + (pattern.len() as u64).div_ceil(BYTES_EACH_PART);
    meter.spend((1 + of_text(text.len())).saturating_mul(parts).saturating_mul(factor))?;
    Ok((text, regex))
}

fn text_of<'a>(value: &'a CowVal<'_, '_>) -> Result<&'a str, ExecutionError> {
    let text = value.downcast_ref::<CelString>().map(CelString::inner);
    text.ok_or_else(|| ExecutionError::no_such_overload("matches", Vec::new()))
}

fn compile(meter: &Meter, pattern: &str, problem: &str) -> Result<(Regex, u64), ExecutionError> {
    if let Some(known) = meter.patterns().lock().get(pattern) {
        return Ok(known.clone());
    }
    let ours = syntax::translated(pattern);
    let mut last = None;
    for (size, factor) in SIZES {
        meter.spend(COMPILING * factor)?;
        match RegexBuilder::new(&ours).size_limit(size).dfa_size_limit(size.max(256 << 10)).build() {
            Ok(regex) => {
                meter.patterns().lock().insert(pattern.to_owned(), (regex.clone(), factor));
                return Ok((regex, factor));
            }
            Err(error) => {
                let is_too_big = matches!(error, regex::Error::CompiledTooBig(_));
                last = Some(error);
                if !is_too_big {
                    break;
                }
            }
        }
    }
    let error = last.map(|error| error.to_string()).unwrap_or_default();
    // DIFFERENCE: D-scheduler-31.
    Err(ExecutionError::function_error("matches", format!("{problem}error parsing regexp: {error}")))
}
