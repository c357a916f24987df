//! What can be asked of a list in expressions, beside what the library has.
//!
//! # Source
//! k8s.io/apiserver `pkg/cel/library/lists.go`, github.com/google/cel-go `cel/library.go` (`optionalLib`)

use std::cmp::Ordering;

use cel::common::types::{
    BOOL_TYPE, BYTES_TYPE, CelBool, CelInt, CelList, CelOptional, DOUBLE_TYPE, DYN_TYPE, INT_TYPE, LIST_TYPE,
    STRING_TYPE, UINT_TYPE,
};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_member_overload("isSorted", "list_is_sorted", LIST_TYPE, vec![], is_sorted)?;
    env.add_member_overload("sum", "list_sum", LIST_TYPE, vec![], sum)?;
    env.add_member_overload("min", "list_min", LIST_TYPE, vec![], min)?;
    env.add_member_overload("max", "list_max", LIST_TYPE, vec![], max)?;
    env.add_member_overload("indexOf", "list_index_of", LIST_TYPE, vec![DYN_TYPE], index_of)?;
    env.add_member_overload("lastIndexOf", "list_last_index_of", LIST_TYPE, vec![DYN_TYPE], last_index_of)?;
    env.add_member_overload("includes", "list_includes_dyn_dyn", DYN_TYPE, vec![DYN_TYPE], includes)?;
    env.add_member_overload("first", "list_first", LIST_TYPE, vec![], first)?;
    env.add_member_overload("last", "list_last", LIST_TYPE, vec![], last)?;
    env.add_member_overload("unwrapOpt", "optional_unwrapOpt", LIST_TYPE, vec![], unwrap)?;
    env.add_overload("optional.unwrap", "optional_unwrap", vec![LIST_TYPE], unwrap)
}

type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

fn is_sorted<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    for pair in list_of(&arguments, "isSorted", is_comparable)?.windows(2) {
        if let [one, next] = pair
            && compare(*one, *next)? == Some(Ordering::Greater)
        {
            return Ok(CowVal::owned(CelBool::from(false)));
        }
    }
    Ok(CowVal::owned(CelBool::from(true)))
}

fn sum<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let mut sum: Option<Box<dyn Val + 'v>> = None;
    for element in list_of(&arguments, "sum", is_number)? {
        sum = Some(match sum {
            None => element.clone_as_boxed(),
            Some(sum) => {
                let adder = sum.as_adder().ok_or_else(|| no_such_overload("sum"))?;
                adder.add(element)?.into_owned()
            }
        });
    }
    Ok(sum.map_or_else(|| CowVal::owned(CelInt::from(0)), CowVal::Owned))
}

fn min<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    outermost(&arguments, "min", Ordering::Greater)
}

fn max<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    outermost(&arguments, "max", Ordering::Less)
}

/// The first element that none goes beyond.
fn outermost<'b, 'v>(arguments: &[CowVal<'b, 'v>], name: &str, replaced: Ordering) -> Answer<'b, 'v> {
    let mut found: Option<&(dyn Val + 'v)> = None;
    for element in list_of(arguments, name, is_comparable)? {
        match found {
            Some(best) if compare(best, element)? != Some(replaced) => {}
            _ => found = Some(element),
        }
    }
    let found =
        found.ok_or_else(|| ExecutionError::function_error(name, format!("{name} called on empty list")))?;
    Ok(CowVal::Owned(found.clone_as_boxed()))
}

fn index_of<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let [_, sought] = arguments.as_slice() else { return Err(no_such_overload("indexOf")) };
    let found = list(&arguments)?.iter().position(|element| element.equals(sought.as_ref()));
    Ok(CowVal::owned(position(found)))
}

fn last_index_of<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let [_, sought] = arguments.as_slice() else { return Err(no_such_overload("lastIndexOf")) };
    let found = list(&arguments)?.iter().rposition(|element| element.equals(sought.as_ref()));
    Ok(CowVal::owned(position(found)))
}

fn position(found: Option<usize>) -> CelInt {
    CelInt::from(found.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1))
}

/// Whether a list has a value, or what is no list is that value.
fn includes<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let [target, sought] = arguments.as_slice() else { return Err(no_such_overload("includes")) };
    let found = match target.downcast_ref::<CelList<'_>>() {
        Some(list) => list.inner().iter().any(|element| element.equals(sought.as_ref())),
        None => target.as_ref().equals(sought.as_ref()),
    };
    Ok(CowVal::owned(CelBool::from(found)))
}

fn first<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    Ok(optional(list(&arguments)?.first().map(|element| element.clone_as_boxed())))
}

fn last<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    Ok(optional(list(&arguments)?.last().map(|element| element.clone_as_boxed())))
}

fn optional<'b, 'v>(value: Option<Box<dyn Val + 'v>>) -> CowVal<'b, 'v> {
    CowVal::owned(value.map_or_else(CelOptional::none, CelOptional::of))
}

/// The values of those optional elements that have one.
fn unwrap<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let mut values: Vec<Box<dyn Val + 'v>> = Vec::new();
    for element in list(&arguments)? {
        let element = element.downcast_ref::<CelOptional<'_>>().ok_or_else(|| no_such_overload("unwrap"))?;
        values.extend(element.option().map(Val::clone_as_boxed));
    }
    Ok(CowVal::owned(CelList::from(values)))
}

fn list<'a, 'v>(arguments: &'a [CowVal<'_, 'v>]) -> Result<Vec<&'a (dyn Val + 'v)>, ExecutionError> {
    elements(arguments.first().ok_or_else(ExecutionError::missing_argument_or_target)?.as_ref())
}

/// The elements of a list, of whose first one upstream goes by when it looks for the function.
fn list_of<'a, 'v>(
    arguments: &'a [CowVal<'_, 'v>],
    function: &str,
    is_fine: fn(&dyn Val) -> bool,
) -> Result<Vec<&'a (dyn Val + 'v)>, ExecutionError> {
    let elements = list(arguments)?;
    if elements.first().is_some_and(|first| !is_fine(*first)) {
        let problem = format!("no such overload: {function}(list)");
        return Err(ExecutionError::function_error(function, problem));
    }
    Ok(elements)
}

fn is_number(element: &dyn Val) -> bool {
    [INT_TYPE, UINT_TYPE, DOUBLE_TYPE].contains(element.get_type())
}

fn is_comparable(element: &dyn Val) -> bool {
    is_number(element) || [BOOL_TYPE, STRING_TYPE, BYTES_TYPE].contains(element.get_type())
}

/// The elements of a list.
pub(super) fn elements<'a, 'v>(list: &'a (dyn Val + 'v)) -> Result<Vec<&'a (dyn Val + 'v)>, ExecutionError> {
    let mut iterator = list.as_iterable().ok_or_else(|| no_such_overload("list"))?.iter();
    Ok(std::iter::from_fn(|| iterator.next()).collect())
}

/// How two elements compare, if they do: upstream goes on where they don't.
fn compare(one: &dyn Val, other: &dyn Val) -> Result<Option<Ordering>, ExecutionError> {
    if other.as_comparer().is_none() {
        return Err(no_such_overload("compare"));
    }
    Ok(one.as_comparer().ok_or_else(|| no_such_overload("compare"))?.compare(other).ok())
}

pub(super) fn no_such_overload(function: &str) -> ExecutionError {
    ExecutionError::no_such_overload(function, Vec::new())
}
