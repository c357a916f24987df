//! Makes up Kubernetes objects: mostly valid, with a tail of odd ones.
//!
//! Everything is drawn from small sets of names, so that objects made apart still meet: a toleration finds its taint, a
//! LimitRange its pods.

pub mod created;
pub mod daemon_set;
pub mod daemon_set_sync;
pub mod devices;
mod extender;
pub mod limit_range;
pub mod matching;
pub mod node;
pub mod pod;
pub mod quantity;
pub mod quota_request;
pub mod resource_quota;
pub mod resources;
pub mod scheduler_config;
pub mod scheduler_hint;
pub mod scheduler_queue;
pub mod scheduling;
pub mod storage;
pub mod storage_change;
pub mod workload;

use std::ops::RangeInclusive;

use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value};

/// True in about `percent` of 100 calls.
pub fn chance(rng: &mut StdRng, percent: u32) -> bool {
    rng.random_range(0..100) < percent
}

/// One of the choices, each as likely. There must be one.
pub fn pick<T: Copy>(rng: &mut StdRng, choices: &[T]) -> T {
    choices[rng.random_range(0..choices.len())]
}

/// A whole number in the range.
pub fn number(rng: &mut StdRng, range: RangeInclusive<i64>) -> i64 {
    rng.random_range(range)
}

/// An index into a list of that length, which must not be 0.
pub fn number_below(rng: &mut StdRng, length: usize) -> usize {
    rng.random_range(0..length)
}

/// Each of the choices with that chance, in their order.
pub fn some_of<T: Copy>(rng: &mut StdRng, percent: u32, choices: &[T]) -> Vec<T> {
    choices.iter().copied().filter(|_| chance(rng, percent)).collect()
}

/// A list with so many elements, each made with its index.
pub fn list<T: Into<Value>>(
    rng: &mut StdRng,
    lengths: RangeInclusive<usize>,
    mut element: impl FnMut(&mut StdRng, usize) -> T,
) -> Value {
    let length = rng.random_range(lengths);
    (0..length).map(|index| element(rng, index).into()).collect()
}

/// The value with that chance, else null; [`object`] leaves nulls out.
pub fn maybe<T: Into<Value>>(rng: &mut StdRng, percent: u32, make: impl FnOnce(&mut StdRng) -> T) -> Value {
    if chance(rng, percent) { make(rng).into() } else { Value::Null }
}

/// An object of these fields without those that are null or an empty list.
pub fn object<const LENGTH: usize>(fields: [(&str, Value); LENGTH]) -> Value {
    let absent = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    let fields = fields.into_iter().filter(|(_, value)| !absent(value));
    Value::Object(fields.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}

/// The namespaces in use.
pub const NAMESPACES: &[&str] = &["default", "shop", "team-a", "kube-system"];

/// Metadata of an object called `name`, in `namespace`.
pub fn metadata(rng: &mut StdRng, name: &str, namespace: Option<&str>) -> Value {
    object([
        ("name", name.into()),
        ("namespace", namespace.into()),
        ("labels", maybe(rng, 60, matching::labels)),
        (
            "annotations",
            maybe(rng, 10, |rng| object([("example.com/note", pick(rng, &["", "a", "keep this"]).into())])),
        ),
    ])
}
