//! What the evaluation of an expression may cost. Upstream's library counts the cost of what it evaluates and stops once it
//! exceeds a limit; this one has no such count, so [`metered`](super::metered) writes calls of the functions here into the
//! expression.
//!
//! A step of an evaluation costs what it does upstream, by about. Reading or copying a value costs what it weighs, as this
//! library copies values that upstream shares.
//!
//! # Source
//! github.com/google/cel-go `interpreter/runtimecost.go`, k8s.io/apiserver `pkg/cel/library/cost.go`

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cel::common::types::{CelBool, CelInt, DYN_TYPE, INT_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};
use parking_lot::Mutex;

use super::regular_expressions::Patterns;
use super::weight::weight;

/// What one evaluation may cost.
///
/// # Source
/// k8s.io/api `resource/v1/types.go` (`CELSelectorExpressionMaxCost`)
const LIMIT: u64 = 1_000_000;

/// How long a list `lists.range` makes.
///
/// # Source
/// github.com/google/cel-go `ext/lists.go`
const MAX_RANGE: u64 = 1_000_000;

/// # Source
/// github.com/google/cel-go `interpreter/runtimecost.go`
pub(super) const LIMIT_EXCEEDED: &str = "operation cancelled: actual cost limit exceeded";

/// The variable that holds the meter. No expression can name it.
pub(super) const METER: &str = "@meter";
/// `@spend(@meter, n)`: true, or an error once the limit is exceeded.
pub(super) const SPEND: &str = "@spend";
/// `@weigh(@meter, n, value)`: the value, after spending `n` times what it weighs.
pub(super) const WEIGH: &str = "@weigh";
/// `@range(@meter, n)`: `n`, after spending as much.
pub(super) const RANGE: &str = "@range";
/// `@note(@meter, slot, value)`: the value, after noting what it weighs in a slot.
pub(super) const NOTE: &str = "@note";
/// `@multiply(@meter, n, first slot, past the last slot, value)`: the value, after spending `n` times the product of what it
/// and all that is noted in these slots weighs.
pub(super) const MULTIPLY: &str = "@multiply";

static METER_TYPE: Type = Type::new_unspecified_type("@meter");

/// What is left to spend, shared by all copies.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<State>);

#[derive(Debug)]
struct State {
    left: AtomicU64,
    slots: Box<[AtomicU64]>,
    patterns: Mutex<Patterns>,
}

impl Meter {
    /// A meter of an evaluation that notes weights in so many slots.
    pub(super) fn new(slots: usize) -> Self {
        Self(Arc::new(State {
            // One more, as what costs just as much as the limit is fine.
            left: (LIMIT + 1).into(),
            slots: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            patterns: Mutex::default(),
        }))
    }

    /// # Errors
    /// That would exceed the limit; from then on nothing can be spent any more.
    pub(super) fn spend(&self, cost: u64) -> Result<(), ExecutionError> {
        // One thread evaluates, so nothing comes between.
        let left = self.left().checked_sub(cost.max(1));
        self.0.left.store(left.unwrap_or(0), Ordering::Relaxed);
        left.map(drop).ok_or_else(|| ExecutionError::function_error(SPEND, LIMIT_EXCEEDED))
    }

    /// Whether the limit was exceeded, even where the expression goes on after an error.
    pub(super) fn is_exceeded(&self) -> bool {
        self.left() == 0
    }

    /// What a value weighs, or something more than what is left.
    pub(super) fn weigh(&self, value: &dyn Val) -> u64 {
        weight(value, self.left())
    }

    /// The regular expressions that this evaluation has read.
    pub(super) fn patterns(&self) -> &Mutex<Patterns> {
        &self.0.patterns
    }

    fn left(&self) -> u64 {
        self.0.left.load(Ordering::Relaxed)
    }
}

impl StaticVal for Meter {}

impl Val for Meter {
    fn get_type(&self) -> &Type {
        Self::cel_type()
    }

    fn cel_type() -> &'static Type {
        &METER_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    let meter = || METER_TYPE.to_owned();
    env.add_overload(SPEND, SPEND, vec![meter(), INT_TYPE], spend)?;
    env.add_overload(RANGE, RANGE, vec![meter(), DYN_TYPE], range)?;
    env.add_overload(WEIGH, WEIGH, vec![meter(), INT_TYPE, DYN_TYPE], weigh)?;
    env.add_overload(NOTE, NOTE, vec![meter(), INT_TYPE, DYN_TYPE], note)?;
    env.add_overload(MULTIPLY, MULTIPLY, vec![meter(), INT_TYPE, INT_TYPE, INT_TYPE, DYN_TYPE], multiply)
}

fn spend<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    meter(&arguments)?.spend(number(&arguments, 1))?;
    Ok(CowVal::owned(CelBool::from(true)))
}

fn range<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    // The library makes no longer lists.
    let length = Some(number(&arguments, 1)).filter(|length| *length <= MAX_RANGE);
    meter(&arguments)?.spend(length.unwrap_or(0))?;
    last(arguments)
}

fn weigh<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (meter, weight) = meter_and_weight(&arguments)?;
    meter.spend(weight.saturating_mul(number(&arguments, 1)))?;
    last(arguments)
}

fn note<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (meter, weight) = meter_and_weight(&arguments)?;
    meter.spend(weight)?;
    if let Some(slot) = meter.0.slots.get(index(&arguments, 1)) {
        slot.store(weight, Ordering::Relaxed);
    }
    last(arguments)
}

fn multiply<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (meter, weight) = meter_and_weight(&arguments)?;
    let slots = meter.0.slots.get(index(&arguments, 2)..index(&arguments, 3)).unwrap_or_default();
    let factors = slots.iter().map(|slot| slot.load(Ordering::Relaxed)).chain([weight]);
    meter.spend(factors.fold(number(&arguments, 1), u64::saturating_mul))?;
    last(arguments)
}

pub(super) fn meter<'a>(arguments: &'a [CowVal<'_, '_>]) -> Result<&'a Meter, ExecutionError> {
    let found = arguments.first().and_then(|first| first.downcast_ref::<Meter>());
    found.ok_or_else(|| ExecutionError::undeclared_reference(METER))
}

/// The meter, and what the last argument weighs.
fn meter_and_weight<'a>(arguments: &'a [CowVal<'_, '_>]) -> Result<(&'a Meter, u64), ExecutionError> {
    let meter = meter(arguments)?;
    let weight = arguments.last().map_or(0, |value| meter.weigh(value.as_ref()));
    Ok((meter, weight))
}

fn number(arguments: &[CowVal<'_, '_>], index: usize) -> u64 {
    let found = arguments.get(index).and_then(|argument| argument.downcast_ref::<CelInt>());
    found.and_then(|number| u64::try_from(*number.inner()).ok()).unwrap_or(0)
}

fn index(arguments: &[CowVal<'_, '_>], index: usize) -> usize {
    usize::try_from(number(arguments, index)).unwrap_or(usize::MAX)
}

fn last<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    arguments.pop().ok_or_else(ExecutionError::missing_argument_or_target)
}
