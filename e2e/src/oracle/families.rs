//! The families of cases. To add one: a file here, a line in [`FAMILIES`], and a Go file that registers the same name.

mod amounts;
mod create;
mod daemonset;
mod daemonset_sync;
mod device_selector;
mod kubelet;
mod label_requirement;
mod label_selector;
mod limit_range;
mod limit_range_object;
mod node_affinity;
mod pod;
mod pod_defaults;
mod pod_resize;
mod pod_resources;
mod pod_validation;
mod qos;
mod quantity;
mod quota;
mod quota_admission;
mod quota_object;
mod quota_recount;
mod quota_usage;
mod resource_defaults;
mod scheduler;
mod scheduler_config;
mod scheduler_hint;
mod scheduler_queue;
mod tolerations;

use anyhow::{Context as _, anyhow};
use rand::rngs::StdRng;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::program::Outcome;

/// One kind of case: how to make one up and how our code answers it.
#[derive(Debug)]
pub struct Family {
    /// The name that upstream's program has it registered under.
    pub name: &'static str,
    /// Makes up the input of one case.
    pub generate: fn(&mut StdRng) -> Value,
    /// Our answer. What upstream refuses is part of the answer; an error says that the input can't be read at all, and
    /// counts as agreement where upstream can't read it either.
    pub evaluate: fn(&Value) -> anyhow::Result<Value>,
    /// The id of the deliberate difference that explains why these answers to the input differ, if one does. Arguments are the
    /// input, our answer and upstream's; a panic or error stands as `{"panic": ...}` or `{"error": ...}`.
    pub known_difference: Option<Explain>,
    /// What `oracle-bench` times, where it isn't the whole of `evaluate` on random cases.
    pub bench: Option<Bench>,
}

/// Names the deliberate difference between two answers.
pub type Explain = fn(&Value, &Value, &Value) -> Option<&'static str>;

/// How `oracle-bench` times a family. Upstream's program does the same with the same inputs.
#[derive(Debug, Clone, Copy)]
pub struct Bench {
    /// Inputs by the name under which each is timed by itself; without them, random cases are timed together.
    pub cases: Option<fn() -> Vec<NamedCase>>,
    /// Reads the inputs, which isn't timed.
    pub prepare: fn(&[Value]) -> anyhow::Result<Pass>,
}

/// An input and what it is called.
pub type NamedCase = (&'static str, Value);

/// What is timed, over and over.
pub struct Pass {
    /// How many operations one pass has.
    pub operations: usize,
    /// Makes one pass. Returns a count that must come out the same on upstream's side.
    pub run: Box<dyn FnMut() -> anyhow::Result<usize>>,
}

impl Family {
    /// The id of the deliberate difference that explains why two outcomes for the input differ, if one does.
    pub(super) fn explain(&self, input: &Value, ours: &Outcome, theirs: &Outcome) -> Option<&'static str> {
        self.known_difference.and_then(|explain| explain(input, &ours.to_value(), &theirs.to_value()))
    }
}

/// All families, by name.
// One to a line, so that families added at the same time don't collide.
#[rustfmt::skip]
pub static FAMILIES: &[Family] = &[
    create::FAMILY,
    daemonset::FAMILY,
    daemonset_sync::FAMILY,
    device_selector::FAMILY,
    kubelet::FAMILY,
    label_requirement::FAMILY,
    label_selector::FAMILY,
    limit_range::FAMILY,
    limit_range_object::FAMILY,
    node_affinity::FAMILY,
    pod_defaults::FAMILY,
    pod_resize::FAMILY,
    pod_resources::FAMILY,
    pod_validation::FAMILY,
    qos::FAMILY,
    quantity::FAMILY,
    quota_admission::FAMILY,
    quota_object::FAMILY,
    quota_recount::FAMILY,
    quota_usage::FAMILY,
    resource_defaults::FAMILY,
    scheduler::FAMILY,
    scheduler_config::FAMILY,
    scheduler_hint::FAMILY,
    scheduler_queue::FAMILY,
    tolerations::FAMILY,
];

/// The family of that name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> anyhow::Result<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name).ok_or_else(|| {
        let names: Vec<_> = FAMILIES.iter().map(|family| family.name).collect();
        anyhow!("no family {name:?}; there are: {}", names.join(", "))
    })
}

/// Reads the input, or one part of it, as an object.
fn decode<T: DeserializeOwned>(input: &Value) -> anyhow::Result<T> {
    T::deserialize(input).context("can't read the case")
}

#[cfg(test)]
mod tests {
    use super::FAMILIES;

    #[test]
    fn families_are_sorted_by_name_and_named_once() {
        assert!(FAMILIES.is_sorted_by(|one, next| one.name < next.name));
    }

    #[test]
    fn generated_cases_never_crash_our_side() {
        for family in FAMILIES {
            for number in 0..200 {
                let input = crate::oracle::case::input(family, 1, number);
                (family.evaluate)(&input).unwrap();
            }
        }
    }
}
