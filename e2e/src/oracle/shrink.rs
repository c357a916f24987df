//! Makes the input of a differing case smaller while it still differs in the same way.

use serde_json::{Number, Value};

/// How often the best input so far is made smaller, and how many smaller inputs are tried each time.
const ROUNDS: usize = 400;
const TRIES: usize = 256;

/// Shrinks an input greedily. `keep` is given inputs that are each a little smaller and tells the first that still shows
/// the fault, if any does.
pub(super) fn shrink(
    mut input: Value,
    mut keep: impl FnMut(&[Value]) -> anyhow::Result<Option<usize>>,
) -> anyhow::Result<Value> {
    for _ in 0..ROUNDS {
        let mut smaller = candidates(&input);
        let mut kept = None;
        while kept.is_none() && !smaller.is_empty() {
            let rest = smaller.split_off(smaller.len().min(TRIES));
            kept = keep(&smaller)?.map(|index| smaller.swap_remove(index));
            smaller = rest;
        }
        match kept {
            Some(better) => input = better,
            None => break,
        }
    }
    Ok(input)
}

/// Inputs one step smaller, those that lose most first.
fn candidates(input: &Value) -> Vec<Value> {
    let mut edits = Vec::new();
    collect(input, &mut Vec::new(), &mut edits);
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.saves));
    edits.iter().map(|edit| edit.apply(input)).collect()
}

/// One way to make an input smaller.
struct Edit {
    path: Vec<Step>,
    change: Change,
    /// About how much smaller it gets.
    saves: usize,
}

#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

enum Change {
    Remove,
    Replace(Value),
}

impl Edit {
    fn apply(&self, input: &Value) -> Value {
        let mut copy = input.clone();
        let Some((end, parents)) = self.path.split_last() else {
            return match &self.change {
                Change::Replace(value) => value.clone(),
                Change::Remove => copy,
            };
        };
        let parent = parents.iter().try_fold(&mut copy, |place, step| match step {
            Step::Key(key) => place.get_mut(key),
            Step::Index(index) => place.get_mut(*index),
        });
        match (parent, end, &self.change) {
            (Some(Value::Object(map)), Step::Key(key), Change::Remove) => drop(map.remove(key)),
            (Some(Value::Array(list)), Step::Index(index), Change::Remove) => drop(list.remove(*index)),
            (Some(Value::Object(map)), Step::Key(key), Change::Replace(value)) => {
                map.insert(key.clone(), value.clone());
            }
            (Some(Value::Array(list)), Step::Index(index), Change::Replace(value)) => {
                list[*index] = value.clone();
            }
            // The path was read off the same input.
            _ => {}
        }
        copy
    }
}

fn collect(value: &Value, path: &mut Vec<Step>, edits: &mut Vec<Edit>) {
    if !path.is_empty() {
        edits.push(Edit { path: path.clone(), change: Change::Remove, saves: weight(value) });
    }
    for (smaller, saves) in replacements(value) {
        edits.push(Edit { path: path.clone(), change: Change::Replace(smaller), saves });
    }
    let children: Vec<(Step, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, child)| (Step::Key(key.clone()), child)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(index, child)| (Step::Index(index), child)).collect()
        }
        _ => Vec::new(),
    };
    for (step, child) in children {
        path.push(step);
        collect(child, path, edits);
        path.pop();
    }
}

/// Smaller values that a scalar may become, and half a list.
fn replacements(value: &Value) -> Vec<(Value, usize)> {
    match value {
        Value::String(text) => shorter(text),
        Value::Number(number) => closer_to_zero(number).map(|number| (Value::Number(number), 0)).collect(),
        Value::Array(list) if list.len() > 3 => {
            let (front, back) = list.split_at(list.len() / 2);
            [back, front].map(|half| (Value::from(half), weight(value) / 2)).into()
        }
        _ => Vec::new(),
    }
}

fn shorter(text: &str) -> Vec<(Value, usize)> {
    let symbols: Vec<char> = text.chars().collect();
    let half = symbols.len() / 2;
    let pieces = [&symbols[half..], &symbols[..half], symbols.get(1..).unwrap_or_default(), {
        &symbols[..symbols.len().saturating_sub(1)]
    }];
    pieces
        .iter()
        .filter(|piece| !piece.is_empty() && piece.len() < symbols.len())
        .map(|piece| (Value::from(piece.iter().collect::<String>()), (symbols.len() - piece.len()) / 8))
        .collect()
}

fn closer_to_zero(number: &Number) -> impl Iterator<Item = Number> {
    let value = number.as_i64().filter(|value| value.abs() > 1);
    value.into_iter().flat_map(|value| [0, 1, value / 2]).map(Number::from)
}

/// About how long the JSON is.
fn weight(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.iter().map(|(key, child)| key.len() / 8 + weight(child)).sum::<usize>(),
        Value::Array(list) => 1 + list.iter().map(weight).sum::<usize>(),
        Value::String(text) => 1 + text.len() / 8,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::shrink;

    #[track_caller]
    fn check(input: Value, fault: impl Fn(&Value) -> bool, expected: Value) {
        let shrunk = shrink(input, |smaller| Ok(smaller.iter().position(&fault))).unwrap();
        assert_eq!(shrunk, expected);
    }

    #[test]
    fn what_plays_no_part_goes_away() {
        check(
            json!({"metadata": {"name": "web"}, "spec": {"containers": [{"image": "a"}, {"image": "bad"}], "x": 1}}),
            |input| input.to_string().contains("bad"),
            json!({"spec": {"containers": [{"image": "bad"}]}}),
        );
    }

    #[test]
    fn texts_and_numbers_get_smaller() {
        check(
            json!({"cpu": "0001234m", "count": 1000}),
            |input| {
                input["cpu"].as_str().is_some_and(|text| text.contains('m'))
                    && input["count"].as_i64().is_some_and(|count| count >= 10)
            },
            json!({"cpu": "m", "count": 15}),
        );
    }

    #[test]
    fn a_list_with_two_culprits_keeps_both() {
        check(
            json!([1, 2, 3, 4, 5, 6, 7, 8]),
            |input| {
                let has = |wanted: i64| input.as_array().is_some_and(|list| list.contains(&json!(wanted)));
                has(2) && has(7)
            },
            json!([2, 7]),
        );
    }

    #[test]
    fn an_input_that_cannot_shrink_stays() {
        check(json!({"a": "b"}), |input| input == &json!({"a": "b"}), json!({"a": "b"}));
    }

    #[test]
    fn a_failure_to_ask_ends_it() {
        assert!(shrink(json!({"a": 1}), |_| anyhow::bail!("gone")).is_err());
    }
}
