//! What is legal in the LimitRanges of a namespace and still a trap.
//!
//! Upstream checks each LimitRange by itself and says nothing about these.

use std::fmt;

use plimsoll_resource_math::Quantity;

use super::limits::{Item, ItemType, LimitRanges, Limits};

/// An amount and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the LimitRange.
    pub limit_range: String,
    /// The amount.
    pub amount: Quantity,
}

/// One trap, for one type of items and one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// The type of the items.
    pub item_type: ItemType,
    /// The resource.
    pub resource: String,
    /// What kind of trap.
    pub trap: Trap,
}

/// The kinds of traps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trap {
    /// The `min` of one LimitRange is above the `max` of another: no amount satisfies both.
    Contradiction {
        /// The `min`.
        min: Place,
        /// The `max`.
        max: Place,
    },
    /// The `default` that containers get is above the `max` of another LimitRange: whoever leaves the limit out is refused.
    DefaultAboveMax {
        /// The `default`.
        default: Place,
        /// The `max`.
        max: Place,
    },
    /// The `default` is below `max`, or there is no `max`: a container that gives only a request, and a larger one, gets a limit
    /// below its request and is invalid. So for requests alone `default` is the `max`.
    HiddenMax {
        /// The `default`.
        default: Place,
    },
}

/// All traps, by LimitRange, then by item, then by resource.
pub fn lint(limit_ranges: &LimitRanges) -> Vec<Lint> {
    let mut lints = Vec::new();
    for limits in limit_ranges {
        for item in limits.items() {
            lint_item(limits, item, limit_ranges, &mut lints);
        }
    }
    lints
}

fn lint_item(limits: &Limits, item: &Item, all: &LimitRanges, lints: &mut Vec<Lint>) {
    let place = |limits: &Limits, amount: &Quantity| Place {
        limit_range: limits.name.clone(),
        amount: amount.clone(),
    };
    let mut add = |resource: &str, trap: Trap| {
        lints.push(Lint { item_type: item.item_type.clone(), resource: resource.to_owned(), trap });
    };
    for (resource, min) in &item.min {
        for (other, max) in others(limits, item, all, resource).filter(|(_, max)| min > *max) {
            add(resource, Trap::Contradiction { min: place(limits, min), max: place(other, max) });
        }
    }
    for (resource, default) in &item.default {
        if item.item_type != ItemType::Container || !is_first(limits, all, resource) {
            continue;
        }
        for (other, max) in others(limits, item, all, resource).filter(|(_, max)| default > *max) {
            add(resource, Trap::DefaultAboveMax { default: place(limits, default), max: place(other, max) });
        }
        if item.max.get(resource).is_none_or(|max| default < max) {
            add(resource, Trap::HiddenMax { default: place(limits, default) });
        }
    }
}

/// The `max` that other LimitRanges set for the type of the item.
fn others<'a>(
    limits: &'a Limits,
    item: &'a Item,
    all: &'a LimitRanges,
    resource: &'a str,
) -> impl Iterator<Item = (&'a Limits, &'a Quantity)> {
    let others = all.iter().filter(move |other| other.name != limits.name);
    let items = others.flat_map(|other| other.items().iter().map(move |item| (other, item)));
    items
        .filter(move |(_, other)| other.item_type == item.item_type)
        .filter_map(move |(limits, other)| other.max.get(resource).map(|max| (limits, max)))
}

/// Whether the default for a resource comes from this LimitRange, and not from one before it.
fn is_first(limits: &Limits, all: &LimitRanges, resource: &str) -> bool {
    let first = all.iter().find(|limits| limits.container_defaults.limits.contains_key(resource));
    first.is_some_and(|first| first.name == limits.name)
}

impl fmt::Display for Lint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (resource, item_type) = (&self.resource, self.item_type.as_str());
        match &self.trap {
            Trap::Contradiction { min, max } => {
                write!(formatter, "no {item_type} can have {resource}: min in {min} is above max in {max}")
            }
            Trap::DefaultAboveMax { default, max } => write!(
                formatter,
                "a {item_type} without {resource} limit is refused: default in {default} is above max in {max}"
            ),
            Trap::HiddenMax { default } => write!(
                formatter,
                "a {item_type} with a {resource} request above {} and no limit is invalid: its limit comes from default in {default}",
                default.amount
            ),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LimitRange {} ({})", self.limit_range, self.amount)
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::LimitRange;
    use plimsoll_fixtures::object;

    use super::*;

    #[track_caller]
    fn check(limit_ranges: &[&str], expected: &[&str]) {
        let parse = |yaml: &&str| Limits::parse(&object::<LimitRange>(yaml)).unwrap();
        let lints = lint(&limit_ranges.iter().map(parse).collect());
        assert_eq!(lints.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn one_sound_limit_range_is_fine() {
        check(
            &[
                "{metadata: {name: a}, spec: {limits: [{type: Container, min: {cpu: 1}, default: {cpu: 2}, max: {cpu: 2}}]}}",
                "{metadata: {name: b}, spec: {limits: [{type: Pod, max: {cpu: 500m}}]}}",
            ],
            &[],
        );
    }

    #[test]
    fn tells_of_limit_ranges_that_contradict_each_other() {
        check(
            &[
                "{metadata: {name: b}, spec: {limits: [{type: Container, min: {cpu: 2}, default: {cpu: 3}, max: {cpu: 3}}]}}",
                "{metadata: {name: a}, spec: {limits: [{type: Container, max: {cpu: 1}}]}}",
            ],
            &[
                "no Container can have cpu: min in LimitRange b (2) is above max in LimitRange a (1)",
                "a Container without cpu limit is refused: default in LimitRange b (3) is above max in LimitRange a (1)",
            ],
        );
    }

    #[test]
    fn tells_of_a_default_that_is_a_hidden_max() {
        check(
            &["{metadata: {name: a}, spec: {limits: [{type: Container, default: {cpu: 1}, max: {cpu: 2}}]}}"],
            &[
                "a Container with a cpu request above 1 and no limit is invalid: its limit comes from default in LimitRange a (1)",
            ],
        );
    }
}
