//! What is known of functions by their names: which are named with a dot, and what the weights of their arguments cost.

use cel::common::ast::{CallExpr, Expr};

use crate::plugins::dynamic_resources::selector::format_value::is_function as is_format;

/// Functions with a dot in their name: what is in front of the dot isn't an argument.
const QUALIFIED: &[(&str, &str)] = &[
    ("lists", "range"),
    ("strings", "quote"),
    ("optional", "of"),
    ("optional", "ofNonZeroValue"),
    ("optional", "none"),
    ("optional", "unwrap"),
    ("sets", "contains"),
    ("sets", "equivalent"),
    ("sets", "intersects"),
    ("ip", "isCanonical"),
];

/// What the weights of the arguments of a call cost.
pub(super) enum Costs {
    /// Their sum, so many times.
    Sum(u64),
    /// Their product, so many times.
    Product(u64),
    /// The product of the only argument with itself.
    Square,
    /// The number that is the argument.
    Number,
}

/// Names with more than one meaning have the costs of the dearest.
pub(super) fn costs(function: &str) -> Costs {
    match function {
        // The results may be as long as the product of the arguments.
        "replace" => Costs::Product(10),
        "contains" | "indexOf" | "lastIndexOf" | "join" | "intersects" | "equivalent" => Costs::Product(1),
        "distinct" => Costs::Square,
        "range" => Costs::Number,
        // A logarithm of comparisons for each element.
        "sort" | "@sortByAssociatedKeys" => Costs::Sum(20),
        // A value for each byte.
        "split" => Costs::Sum(10),
        // Up to a hundred digits in front of the point and as many after it for a number.
        "format" => Costs::Sum(50),
        _ => Costs::Sum(1),
    }
}

/// Whether what a function seems to be called on is a part of its name.
pub(super) fn is_qualified(call: &CallExpr) -> bool {
    let Some(Expr::Ident(namespace)) = call.target.as_ref().map(|target| &target.expr) else { return false };
    let namespace = namespace.trim_start_matches('.');
    QUALIFIED.contains(&(namespace, &call.func_name)) || namespace == "format" && is_format(&call.func_name)
}
