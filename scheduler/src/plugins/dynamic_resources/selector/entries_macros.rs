//! Loops with two variables: the index and the element of a list, or the key and the value of a map.
//!
//! # Source
//! github.com/google/cel-go `ext/comprehensions.go`

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, ListExpr, LiteralValue, operators};
use cel::common::types::{CelInt, CelList, CelMap, CelMapKey, DYN_TYPE, LIST_TYPE};
use cel::common::value::{CowVal, Val};
use cel::parser::{Expression, Macro, MacroExprHelper, ParseError};
use cel::{DeclarationError, Env, ExecutionError};

use super::bind_macro::bind;
use super::list_functions::{elements, no_such_overload};

/// Pairs of what the two variables of a loop stand for.
const ENTRIES: &str = "@entries";
/// A map of such pairs.
const MAP_OF_PAIRS: &str = "@mapOfPairs";
/// A map of all that a list of maps has.
const MAP_OF_MAPS: &str = "@mapOfMaps";
/// The variable for a pair.
const PAIR: &str = "@pair";
/// The variable for what a loop gathers.
const RESULT: &str = "@result";

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(ENTRIES, ENTRIES, vec![DYN_TYPE], entries)?;
    env.add_overload(MAP_OF_PAIRS, MAP_OF_PAIRS, vec![LIST_TYPE], map_of_pairs)?;
    env.add_overload(MAP_OF_MAPS, MAP_OF_MAPS, vec![LIST_TYPE], map_of_maps)?;
    for (name, arguments, kind) in [
        ("all", 3, Kind::All),
        ("exists", 3, Kind::Exists),
        ("existsOne", 3, Kind::ExistsOne),
        ("exists_one", 3, Kind::ExistsOne),
        ("transformList", 3, Kind::List),
        ("transformList", 4, Kind::List),
        ("transformMap", 3, Kind::Map),
        ("transformMap", 4, Kind::Map),
        ("transformMapEntry", 3, Kind::MapOfMaps),
        ("transformMapEntry", 4, Kind::MapOfMaps),
    ] {
        env.add_macro(Macro::receiver(name, arguments, move |helper, target, arguments| {
            expand(kind, helper, target, arguments)
        }))?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Kind {
    All,
    Exists,
    ExistsOne,
    List,
    Map,
    MapOfMaps,
}

fn expand(
    kind: Kind,
    helper: &mut MacroExprHelper<'_>,
    target: &mut Option<Expression>,
    arguments: &mut Vec<Expression>,
) -> Result<Option<Expression>, ParseError> {
    let (first, second) = match arguments.as_slice() {
        [first, second, ..] => (name(helper, first)?, name(helper, second)?),
        _ => return Ok(None),
    };
    if first == second {
        let problem = format!("duplicate variable name: {first}");
        return Err(helper.new_error(arguments[1].id, problem));
    }
    let names = [first, second];
    let (Some(target), Some(body)) = (target.take(), arguments.pop()) else { return Ok(None) };
    let filter = arguments.drain(2..).next();
    let range = call(helper, ENTRIES, vec![target]);
    let body = match kind {
        Kind::Map => {
            let key = part(helper, 0);
            helper.next_expr(Expr::List(ListExpr::new(vec![key, body])))
        }
        _ => body,
    };
    let body = with_names(helper, &names, body);
    let filter = filter.map(|filter| with_names(helper, &names, filter));
    let looped = looped(kind, helper, range, filter, body);
    Ok(Some(match kind {
        Kind::Map => call(helper, MAP_OF_PAIRS, vec![looped]),
        Kind::MapOfMaps => call(helper, MAP_OF_MAPS, vec![looped]),
        Kind::All | Kind::Exists | Kind::ExistsOne | Kind::List => looped,
    }))
}

/// The loop over the pairs, in the form that the library knows of its own macros.
fn looped(
    kind: Kind,
    helper: &mut MacroExprHelper<'_>,
    range: Expression,
    filter: Option<Expression>,
    body: Expression,
) -> Expression {
    let gathered = |helper: &mut MacroExprHelper<'_>| helper.next_expr(Expr::Ident(RESULT.to_owned()));
    let (start, condition, step) = match kind {
        Kind::All | Kind::Exists => {
            let is_all = matches!(kind, Kind::All);
            let (before, so_far) = (gathered(helper), gathered(helper));
            let goes_on = if is_all { before } else { call(helper, operators::LOGICAL_NOT, vec![before]) };
            let condition = call(helper, operators::NOT_STRICTLY_FALSE, vec![goes_on]);
            let operator = if is_all { operators::LOGICAL_AND } else { operators::LOGICAL_OR };
            let step = call(helper, operator, vec![so_far, body]);
            (literal(helper, LiteralValue::Boolean(is_all.into())), Some(condition), step)
        }
        Kind::ExistsOne => {
            let (before, otherwise) = (gathered(helper), gathered(helper));
            let one = literal(helper, LiteralValue::Int(1.into()));
            let more = call(helper, operators::ADD, vec![before, one]);
            let step = call(helper, operators::CONDITIONAL, vec![body, more, otherwise]);
            (literal(helper, LiteralValue::Int(0.into())), None, step)
        }
        Kind::List | Kind::Map | Kind::MapOfMaps => {
            let before = gathered(helper);
            let new = helper.next_expr(Expr::List(ListExpr::new(vec![body])));
            let mut step = call(helper, operators::ADD, vec![before, new]);
            if let Some(filter) = filter {
                let otherwise = gathered(helper);
                step = call(helper, operators::CONDITIONAL, vec![filter, step, otherwise]);
            }
            (helper.next_expr(Expr::List(ListExpr::new(Vec::new()))), None, step)
        }
    };
    let mut result = gathered(helper);
    if matches!(kind, Kind::ExistsOne) {
        let one = literal(helper, LiteralValue::Int(1.into()));
        result = call(helper, operators::EQUALS, vec![result, one]);
    }
    let always = literal(helper, LiteralValue::Boolean(true.into()));
    helper.next_expr(Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: range,
        iter_var: PAIR.to_owned(),
        iter_var2: None,
        accu_var: RESULT.to_owned(),
        accu_init: start,
        loop_cond: condition.unwrap_or(always),
        loop_step: step,
        result,
    })))
}

fn with_names(helper: &mut MacroExprHelper<'_>, names: &[String; 2], body: Expression) -> Expression {
    let (first, second) = (part(helper, 0), part(helper, 1));
    let inner = bind(helper, names[1].clone(), second, body);
    bind(helper, names[0].clone(), first, inner)
}

/// One of the two in a pair.
fn part(helper: &mut MacroExprHelper<'_>, index: i64) -> Expression {
    let pair = helper.next_expr(Expr::Ident(PAIR.to_owned()));
    let index = literal(helper, LiteralValue::Int(CelInt::from(index)));
    call(helper, operators::INDEX, vec![pair, index])
}

fn name(helper: &mut MacroExprHelper<'_>, argument: &Expression) -> Result<String, ParseError> {
    match &argument.expr {
        Expr::Ident(name) => Ok(name.clone()),
        _ => Err(helper.new_error(argument.id, "argument must be a simple name")),
    }
}

fn literal(helper: &mut MacroExprHelper<'_>, value: LiteralValue) -> Expression {
    helper.next_expr(Expr::Literal(value))
}

fn call(helper: &mut MacroExprHelper<'_>, function: &str, args: Vec<Expression>) -> Expression {
    helper.next_expr(Expr::Call(CallExpr { func_name: function.to_owned(), target: None, args }))
}

/// Maps come in the order of their keys: upstream's order is random.
fn entries<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let range = arguments.first().ok_or_else(ExecutionError::missing_argument_or_target)?.as_ref();
    let mut first: Vec<Box<dyn Val + 'v>> = elements(range)?.into_iter().map(Val::clone_as_boxed).collect();
    let mut pairs: Vec<Box<dyn Val + 'v>> = Vec::with_capacity(first.len());
    if range.downcast_ref::<CelList<'_>>().is_some() {
        for (index, element) in first.into_iter().enumerate() {
            let index = CelInt::from(i64::try_from(index).unwrap_or(i64::MAX));
            pairs.push(Box::new(CelList::from(vec![Box::new(index) as Box<dyn Val + 'v>, element])));
        }
    } else {
        let indexer = range.as_indexer().ok_or_else(|| no_such_overload(ENTRIES))?;
        first.sort_by(|one, other| {
            let ordering = one.as_comparer().and_then(|one| one.compare(other.as_ref()).ok());
            ordering.unwrap_or(std::cmp::Ordering::Equal)
        });
        for key in first {
            let value = indexer.get(key.as_ref())?.into_owned();
            pairs.push(Box::new(CelList::from(vec![key, value])));
        }
    }
    Ok(CowVal::owned(CelList::from(pairs)))
}

fn map_of_pairs<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let list = arguments.first().ok_or_else(ExecutionError::missing_argument_or_target)?;
    let mut map = std::collections::HashMap::new();
    for pair in elements(list.as_ref())? {
        let [key, value] = elements(pair)?[..] else { return Err(no_such_overload(MAP_OF_PAIRS)) };
        let key: CelMapKey<'v> = CowVal::Owned(key.clone_as_boxed()).try_into()?;
        map.insert(key, value.clone_as_boxed());
    }
    Ok(CowVal::owned(CelMap::from(map)))
}

fn map_of_maps<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let list = arguments.first().ok_or_else(ExecutionError::missing_argument_or_target)?;
    let mut all = std::collections::HashMap::new();
    for map in elements(list.as_ref())? {
        let map = map.downcast_ref::<CelMap<'_>>().ok_or_else(|| no_such_overload(MAP_OF_MAPS))?;
        for (key, value) in map.inner() {
            if all.insert(key.clone(), value.clone_as_boxed()).is_some() {
                let problem = format!("insert failed: key {} already exists", key_text(key));
                return Err(ExecutionError::function_error(MAP_OF_MAPS, problem));
            }
        }
    }
    Ok(CowVal::owned(CelMap::from(all)))
}

fn key_text(key: &CelMapKey<'_>) -> String {
    match key {
        CelMapKey::Bool(key) => key.inner().to_string(),
        CelMapKey::Int(key) => key.inner().to_string(),
        CelMapKey::UInt(key) => key.inner().to_string(),
        CelMapKey::String(key) => key.inner().to_owned(),
    }
}
