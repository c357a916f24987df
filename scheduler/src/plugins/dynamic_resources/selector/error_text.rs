//! Errors in upstream's words.

use cel::{ExecutionError, Value};

/// What upstream's library says of the same error, where it is one that valid expressions can run into.
///
/// # Source
/// github.com/google/cel-go `common/types/err.go`, k8s.io/dynamic-resource-allocation `cel/errors.go` (`EnhanceRuntimeError`)
pub(super) fn text(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!(
            "no such key: {key}. consider using CEL optional chaining (.? followed by orValue()) or guarding the check with has() for optional fields"
        ),
        ExecutionError::UnsupportedBinaryOperator(operator, left, _) => {
            format!("no such overload{}", unsupported_operator(operator, left))
        }
        ExecutionError::NoSuchOverload(_)
        | ExecutionError::ValuesNotComparable(..)
        | ExecutionError::UnexpectedType { .. } => "no such overload".to_owned(),
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::IndexOutOfBounds(Value::Int(index)) => format!("index out of bounds: {index}"),
        ExecutionError::Overflow(_, Value::UInt(_), _) => "unsigned integer overflow".to_owned(),
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        ExecutionError::FunctionError { function, message } if function == "lists.range" => {
            format!("{function}: {message}")
        }
        ExecutionError::FunctionError { message, .. } => message.clone(),
        // DIFFERENCE: D-scheduler-31.
        other => other.to_string(),
    }
}

/// What upstream adds where nothing can stand on the left of the operator but what is of other types.
fn unsupported_operator(operator: &str, left: &Value) -> &'static str {
    if matches!(left, Value::String(_)) {
        return "";
    }
    let is_number = matches!(left, Value::Int(_) | Value::UInt(_) | Value::Float(_));
    match operator {
        "add" if !is_number && !matches!(left, Value::Bytes(_) | Value::List(_)) => ": _+_",
        "sub" if !is_number => ": _-_",
        "mul" if !is_number => ": _*_",
        "div" if !is_number => ": _/_",
        "rem" if !is_number || matches!(left, Value::Float(_)) => ": _%_",
        _ => "",
    }
}
