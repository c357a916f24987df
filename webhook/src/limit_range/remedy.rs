//! What would satisfy a broken rule.

use plimsoll_resource_math::resource_name::CPU;
use plimsoll_resource_math::{Format, Quantity};

use super::constraint::{Fault, Rule};
use super::ratio;
use super::refusal::Violation;

/// The field of `resources` to change; of a pod as a whole, the total of its containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// What is asked for.
    Requests,
    /// What may be used at most.
    Limits,
}

impl Field {
    /// The name of the field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Limits => "limits",
        }
    }
}

/// One change that helps to satisfy a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What to change.
    pub field: Field,
    /// The amount to set there: the nearest one that is within bounds.
    pub amount: Quantity,
}

pub(super) fn remedies(violation: &Violation) -> Vec<Remedy> {
    let bound = &violation.bound;
    let request = violation.request.as_ref();
    let limit = violation.limit.as_ref();
    match violation.rule {
        Rule::Min => {
            let requests = request.is_none_or(|request| request < bound);
            let limits = limit.is_some_and(|limit| limit < bound);
            set(bound, requests, limits)
        }
        Rule::Max => {
            let requests = match violation.fault {
                Fault::NoRequest => true,
                _ => request.is_some_and(|request| request > bound),
            };
            let limits = match violation.fault {
                Fault::NoRequest => false,
                _ => limit.map_or(violation.fault == Fault::NoLimit, |limit| limit > bound),
            };
            set(bound, requests, limits)
        }
        Rule::MaxLimitRequestRatio => match violation.fault {
            Fault::NoLimit => largest_limit(violation).into_iter().collect(),
            _ => least_request(violation).into_iter().collect(),
        },
    }
}

fn set(bound: &Quantity, requests: bool, limits: bool) -> Vec<Remedy> {
    let fields = [(requests, Field::Requests), (limits, Field::Limits)];
    let change = |(_, field)| Remedy { field, amount: bound.clone() };
    fields.into_iter().filter(|(wanted, _)| *wanted).map(change).collect()
}

/// The largest limit that the ratio allows for the request.
fn largest_limit(violation: &Violation) -> Option<Remedy> {
    let bound = &violation.bound;
    let request = violation.request.as_ref()?;
    let most = millis(request)?.checked_mul(millis(bound)?)? / 1000;
    let step = step(&violation.resource);
    let passes = |limit: &Quantity| !ratio::is_above(bound, request, limit);
    let limit = nearest(most - most.rem_euclid(step), -step, request.format(), passes)?;
    Some(Remedy { field: Field::Limits, amount: limit })
}

/// The least request that the ratio allows for the limit.
fn least_request(violation: &Violation) -> Option<Remedy> {
    let bound = &violation.bound;
    let limit = violation.limit.as_ref().filter(|limit| !limit.is_zero())?;
    let least = millis(limit)?.checked_mul(1000)? / millis(bound)?;
    let step = step(&violation.resource);
    let passes = |request: &Quantity| !ratio::is_above(bound, request, limit);
    let request = nearest(least - least.rem_euclid(step), step, limit.format(), passes)?;
    Some(Remedy { field: Field::Requests, amount: request })
}

/// The first amount that passes, of the few from `start` on; the way there is short, as only rounding is in it.
fn nearest(start: i128, step: i128, format: Format, passes: impl Fn(&Quantity) -> bool) -> Option<Quantity> {
    let amounts = (0..4).map_while(|steps| i64::try_from(start + steps * step).ok());
    let positive = amounts.filter(|millis| *millis > 0);
    positive.map(|millis| Quantity::from_millis(millis, format)).find(passes)
}

/// Thousandths, if that is exact, positive and not beyond 64 bits.
fn millis(amount: &Quantity) -> Option<i128> {
    let millis = amount.milli_value();
    (millis > 0 && *amount == Quantity::from_millis(millis, Format::DecimalSi)).then_some(i128::from(millis))
}

/// In which steps a resource is given, in thousandths: processor time by thousandths, everything else whole.
fn step(resource: &str) -> i128 {
    if resource == CPU { 1 } else { 1000 }
}
