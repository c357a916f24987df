use std::fmt::Write;

use serde_json::json;

use super::*;

#[track_caller]
fn check(text: &str, expected: Value) {
    assert_eq!(load(text).map(|document| document.value), Ok(expected), "{text}");
}

#[track_caller]
fn check_error(text: &str, line: usize, message: &str) {
    assert_eq!(load(text), Err(YamlError { line, message: message.to_owned() }), "{text}");
}

#[test]
fn reads_collections_and_scalars() {
    check(
        "a: 1\nb: [x, 'y', \"z\", yes]\nc: {d: ~}\n",
        json!({"a": 1, "b": ["x", "y", "z", true], "c": {"d": null}}),
    );
    check("", Value::Null);
    check("# only a comment\n", Value::Null);
    check("a: |\n  x\n  y\n", json!({"a": "x\ny\n"}));
    check("1: a\ntrue: b\n1.5: c\n", json!({"1": "a", "true": "b", "1.5": "c"}));
}

#[test]
fn expands_aliases_and_merges() {
    check("a: &x {b: 1}\nc: *x\n", json!({"a": {"b": 1}, "c": {"b": 1}}));
    check(
        "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n",
        json!({"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
    );
    check(
        "a: &x {b: 1}\nc: &y {b: 2, d: 2}\ne:\n  <<: [*x, *y]\n",
        json!({"a": {"b": 1}, "c": {"b": 2, "d": 2}, "e": {"b": 1, "d": 2}}),
    );
    check("{\"<<\": 1}", json!({"<<": 1}));
}

#[test]
fn names_the_key_that_stands_twice() {
    let duplicate = |text| load(text).map(|document| document.duplicate);
    assert_eq!(duplicate("a: 1\nb: 2\na: 3\n"), Ok(Some(Duplicate { key: "a".to_owned(), line: 3 })));
    assert_eq!(duplicate("x: &x {b: 1}\nd:\n  <<: *x\n  b: 3\n"), Ok(None));
}

#[test]
fn refuses_what_cannot_end_well() {
    check_error("a: &x [*x]\n", 1, "the value of an anchor contains itself");
    check_error(
        "a:\n  - b\n  <<: 1\n",
        3,
        "while parsing a block collection, did not find expected '-' indicator",
    );
    check_error("a: .nan\n", 1, ".nan has no form in JSON");
    check_error("a: 1\n~: 2\n", 2, "a key may not be null");
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        let _ = writeln!(bomb, "a{level}: &a{level} [{}]", [previous.as_str(); 10].join(", "));
    }
    let error = load(&bomb).unwrap_err();
    assert_eq!(error.message, "document contains excessive aliasing");
    assert!(load(&"[".repeat(100_000)).is_err());
}

#[test]
fn finds_the_line_of_a_path() {
    let text = "kind: Pod\nspec:\n  containers:\n  - name: a\n  - name: b\n    image: c\n";
    let path = |steps: &[&str]| -> Vec<PathStep> {
        steps
            .iter()
            .map(|step| step.parse().map_or_else(|_| PathStep::Key((*step).to_owned()), PathStep::Index))
            .collect()
    };
    assert_eq!(line_of(text, &path(&["spec", "containers", "1", "image"])), 6);
    assert_eq!(line_of(text, &path(&["spec", "containers", "1"])), 5);
    assert_eq!(line_of(text, &path(&["spec", "volumes", "1"])), 2);
    assert_eq!(line_of(text, &path(&[])), 1);
}
