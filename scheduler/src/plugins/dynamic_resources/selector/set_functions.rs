//! Lists as sets in expressions.
//!
//! # Source
//! github.com/google/cel-go `ext/sets.go`

use cel::common::types::{CelBool, LIST_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::list_functions::elements;

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    let lists = || vec![LIST_TYPE, LIST_TYPE];
    env.add_overload("sets.contains", "list_sets_contains_list", lists(), contains)?;
    env.add_overload("sets.equivalent", "list_sets_equivalent_list", lists(), equivalent)?;
    env.add_overload("sets.intersects", "list_sets_intersects_list", lists(), intersects)
}

fn contains<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (first, second) = both(&arguments)?;
    Ok(answer(has_all(&first, &second)))
}

fn equivalent<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (first, second) = both(&arguments)?;
    Ok(answer(has_all(&first, &second) && has_all(&second, &first)))
}

fn intersects<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (first, second) = both(&arguments)?;
    Ok(answer(first.iter().any(|element| has(&second, *element))))
}

/// The elements of a list.
type Elements<'a, 'v> = Vec<&'a (dyn Val + 'v)>;

fn both<'a, 'v>(
    arguments: &'a [CowVal<'_, 'v>],
) -> Result<(Elements<'a, 'v>, Elements<'a, 'v>), ExecutionError> {
    let [first, second] = arguments else { return Err(ExecutionError::missing_argument_or_target()) };
    Ok((elements(first.as_ref())?, elements(second.as_ref())?))
}

fn has_all(list: &[&dyn Val], others: &[&dyn Val]) -> bool {
    others.iter().all(|other| has(list, *other))
}

fn has(list: &[&dyn Val], sought: &dyn Val) -> bool {
    list.iter().any(|element| element.equals(sought))
}

fn answer<'b, 'v>(answer: bool) -> CowVal<'b, 'v> {
    CowVal::owned(CelBool::from(answer))
}
