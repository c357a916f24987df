//! The three rules of an item, on the amounts of one resource.
//!
//! DIFFERENCE: D-LimitRange-2. Amounts are compared exactly; upstream compares 64-bit integers, which wrap around for
//! large amounts and drop the fraction above 9223372036854775.

use plimsoll_resource_math::Quantity;

use super::ratio;

/// A rule of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// `min`: neither request nor limit below it, and a request given.
    Min,
    /// `max`: neither limit nor request above it, and a limit given; of claims only the request counts.
    Max,
    /// `maxLimitRequestRatio`: the limit at most so many times the request, and both given and not zero.
    MaxLimitRequestRatio,
}

impl Rule {
    /// The field of the item that holds the rule.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::MaxLimitRequestRatio => "maxLimitRequestRatio",
        }
    }

    /// The first way in which the amounts of a container or pod break the rule.
    pub fn check(
        self,
        bound: &Quantity,
        request: Option<&Quantity>,
        limit: Option<&Quantity>,
    ) -> Option<Fault> {
        match self {
            Self::Min => min(bound, request, limit),
            Self::Max => max(bound, request, limit),
            Self::MaxLimitRequestRatio => max_ratio(bound, request, limit),
        }
    }
}

/// In what way amounts break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// There is no request; for the ratio, or it is zero.
    NoRequest,
    /// There is no limit; for the ratio, or it is zero.
    NoLimit,
    /// The request is out of bounds.
    Request,
    /// The limit is out of bounds.
    Limit,
    /// The limit is too many times the request.
    Ratio,
}

/// The first way in which a request and a limit fall below `bound`.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`minConstraint`)
fn min(bound: &Quantity, request: Option<&Quantity>, limit: Option<&Quantity>) -> Option<Fault> {
    match (request, limit) {
        (None, _) => Some(Fault::NoRequest),
        (Some(request), _) if request < bound => Some(Fault::Request),
        (_, Some(limit)) if limit < bound => Some(Fault::Limit),
        _ => None,
    }
}

/// The first way in which a limit and a request exceed `bound`.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`maxConstraint`)
fn max(bound: &Quantity, request: Option<&Quantity>, limit: Option<&Quantity>) -> Option<Fault> {
    match (limit, request) {
        (None, _) => Some(Fault::NoLimit),
        (Some(limit), _) if limit > bound => Some(Fault::Limit),
        (_, Some(request)) if request > bound => Some(Fault::Request),
        _ => None,
    }
}

/// The way in which a request exceeds `bound`, where limits don't count.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`maxRequestConstraint`)
pub(super) fn max_request(bound: &Quantity, request: Option<&Quantity>) -> Option<Fault> {
    match request {
        None => Some(Fault::NoRequest),
        Some(request) if request > bound => Some(Fault::Request),
        Some(_) => None,
    }
}

/// The first way in which the ratio of limit to request exceeds `bound`, or can't be told.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`limitRequestRatioConstraint`)
fn max_ratio(bound: &Quantity, request: Option<&Quantity>, limit: Option<&Quantity>) -> Option<Fault> {
    let not_zero = |amount: &&Quantity| !amount.is_zero();
    let Some(request) = request.filter(not_zero) else { return Some(Fault::NoRequest) };
    let Some(limit) = limit.filter(not_zero) else { return Some(Fault::NoLimit) };
    ratio::is_above(bound, request, limit).then_some(Fault::Ratio)
}
