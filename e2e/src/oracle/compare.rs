//! Where two answers differ.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Number, Value};

use super::program::Outcome;

/// One place where the answers differ.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    /// The way there, as `.containers[0].image`; empty for the answer as a whole.
    pub(super) path: String,
    /// What stands there in our answer, if anything does.
    pub(super) ours: Option<Value>,
    /// What stands there in upstream's.
    pub(super) theirs: Option<Value>,
}

/// What stays the same while a case shrinks: two cases with the same kind of difference show the same fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    place: String,
    ours_absent: bool,
    theirs_absent: bool,
}

impl Difference {
    /// The kind of this difference. Which element of a list it is doesn't matter.
    pub(super) fn kind(&self) -> Kind {
        let digits = |symbol: &char| !symbol.is_ascii_digit();
        Kind {
            place: self.path.split('[').map(|part| part.chars().filter(digits).collect::<String>()).collect(),
            ours_absent: self.ours.is_none(),
            theirs_absent: self.theirs.is_none(),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |side: &Option<Value>| side.as_ref().map_or("(absent)".to_owned(), Value::to_string);
        let path = if self.path.is_empty() { "(all)" } else { &self.path };
        write!(formatter, "{path}: ours {}, upstream {}", text(&self.ours), text(&self.theirs))
    }
}

/// All places where two outcomes differ, none where they agree. Two sides that both can't read a case agree.
pub(super) fn compare(ours: &Outcome, theirs: &Outcome) -> Vec<Difference> {
    match (ours, theirs) {
        (Outcome::Unreadable(_), Outcome::Unreadable(_)) => Vec::new(),
        (Outcome::Output(ours), Outcome::Output(theirs)) => {
            let mut found = Vec::new();
            collect(&mut String::new(), ours, theirs, &mut found);
            found
        }
        (ours, theirs) => vec![whole(ours, theirs)],
    }
}

/// The difference of two outcomes that are not both answers. Its path tells what they are, and where our code panicked, so
/// that a shrunk case fails in the same place.
fn whole(ours: &Outcome, theirs: &Outcome) -> Difference {
    let name = |outcome: &Outcome| match outcome {
        Outcome::Output(_) => "answer".to_owned(),
        Outcome::Unreadable(_) => "unreadable".to_owned(),
        Outcome::Panic(reason) => format!("panic {}", reason.lines().next().unwrap_or_default()),
    };
    Difference {
        path: format!("({} / {})", name(ours), name(theirs)),
        ours: Some(ours.to_value()),
        theirs: Some(theirs.to_value()),
    }
}

fn collect(path: &mut String, ours: &Value, theirs: &Value, found: &mut Vec<Difference>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            for key in keys {
                step(path, &format!(".{key}"), ours.get(key), theirs.get(key), found);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            for index in 0..ours.len().max(theirs.len()) {
                step(path, &format!("[{index}]"), ours.get(index), theirs.get(index), found);
            }
        }
        (Value::Number(ours_number), Value::Number(theirs_number))
            if same_number(ours_number, theirs_number) => {}
        _ if ours == theirs => {}
        _ => found.push(Difference {
            path: path.clone(),
            ours: Some(ours.clone()),
            theirs: Some(theirs.clone()),
        }),
    }
}

/// One step down. A null is the same as nothing: Go prints nulls for what Rust leaves out.
fn step(
    path: &mut String,
    segment: &str,
    ours: Option<&Value>,
    theirs: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    let length = path.len();
    path.push_str(segment);
    let present = |side: Option<&Value>| side.filter(|value| !value.is_null()).cloned();
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if !ours.is_null() && !theirs.is_null() => {
            collect(path, ours, theirs, found);
        }
        _ => {
            let (ours, theirs) = (present(ours), present(theirs));
            if ours.is_some() || theirs.is_some() {
                found.push(Difference { path: path.clone(), ours, theirs });
            }
        }
    }
    path.truncate(length);
}

/// Go prints the float 1.0 as 1.
fn same_number(ours: &Number, theirs: &Number) -> bool {
    ours == theirs || ((ours.is_f64() || theirs.is_f64()) && ours.as_f64() == theirs.as_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Outcome, compare};

    #[track_caller]
    fn check(ours: Value, theirs: Value, expected: &[&str]) {
        let found = compare(&Outcome::Output(ours), &Outcome::Output(theirs));
        let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn equal_answers_have_no_difference() {
        check(json!({"a": [1, {"b": "x"}]}), json!({"a": [1, {"b": "x"}]}), &[]);
    }

    #[test]
    fn each_place_that_differs_is_named() {
        check(
            json!({"a": [1, 2], "b": {"c": "x"}, "only": true}),
            json!({"a": [1, 3, 4], "b": {"c": "y"}}),
            &[
                ".a[1]: ours 2, upstream 3",
                ".a[2]: ours (absent), upstream 4",
                r#".b.c: ours "x", upstream "y""#,
                ".only: ours true, upstream (absent)",
            ],
        );
    }

    #[test]
    fn a_null_is_the_same_as_nothing() {
        check(json!({"a": null}), json!({"b": null}), &[]);
        check(json!({"a": null}), json!({"a": 1}), &[".a: ours (absent), upstream 1"]);
    }

    #[test]
    fn an_empty_list_is_not_the_same_as_nothing() {
        check(json!({"a": []}), json!({}), &[".a: ours [], upstream (absent)"]);
    }

    #[test]
    fn whole_floats_equal_integers() {
        check(json!(1.0), json!(1), &[]);
        check(json!(1), json!(2), &["(all): ours 1, upstream 2"]);
        check(
            json!(9_007_199_254_740_993_i64),
            json!(9_007_199_254_740_992_i64),
            &["(all): ours 9007199254740993, upstream 9007199254740992"],
        );
    }

    #[test]
    fn two_sides_that_cannot_read_a_case_agree() {
        let unreadable = |text: &str| Outcome::Unreadable(text.to_owned());
        assert!(compare(&unreadable("ours"), &unreadable("theirs")).is_empty());
        assert_eq!(compare(&unreadable("ours"), &Outcome::Output(json!(1))).len(), 1);
    }

    #[test]
    fn the_kind_forgets_which_element_it_was() {
        let kind = |ours: Value| compare(&Outcome::Output(ours), &Outcome::Output(json!({})))[0].kind();
        let element = |length: usize| {
            let list: Vec<_> = (0..length).map(|_| json!({"x": 1})).collect();
            compare(
                &Outcome::Output(json!({"a": list})),
                &Outcome::Output(json!({"a": vec![json!({"x": 1}); length - 1]})),
            )[0]
            .kind()
        };
        assert_eq!(element(2), element(12));
        assert_ne!(kind(json!({"a": 1})), kind(json!({"b": 1})));
    }
}
