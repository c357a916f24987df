//! Input that can't be read, and how that is told: the file, the line, the object, the field, and what may have been meant.

use std::fmt::Write as _;
use std::fs;

use crate::support::{plimsoll, repository};

#[track_caller]
fn check(input: &str, problem: &str) {
    let answer = plimsoll(&repository(), &["simulate", "-"], input);
    assert_eq!((answer.status, answer.errors.as_str()), (2, format!("error: {problem}\n").as_str()));
    assert_eq!(answer.output, "", "nothing is simulated");
}

/// A pod whose first container has these fields beside its name and image; they stand on line 4.
fn pod(fields: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: a, {fields}}}]}}\n"
    )
}

const NO_QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

#[test]
fn keys_that_stand_twice() {
    check(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostNetwork: true\n  hostNetwork: false\n",
        "standard input:6: Pod a: key \"hostNetwork\" stands twice in one mapping",
    );
    check(
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","name":"b"}}"#,
        "standard input:1: Pod b: key \"name\" stands twice in one mapping",
    );
}

#[test]
fn values_of_the_wrong_type() {
    check(
        &pod("ports: [{containerPort: http}]"),
        "standard input:4: Pod a: spec.containers[0].ports[0].containerPort: expected a whole number of 32 bits, found string \"http\"",
    );
    check(
        &pod("env: {name: b}"),
        "standard input:4: Pod a: spec.containers[0].env: expected a sequence, found a mapping",
    );
    check(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: {version: 1}\n",
        "standard input:5: ConfigMap a: metadata.labels.version: expected a string, found integer `1`",
    );
    check("apiVersion: 1\nkind: Pod\n", "standard input:1: Pod: apiVersion: is missing");
    check("kind: Pod\napiVersion: ''\n", "standard input:1: Pod: apiVersion: is missing");
    check("- 1\n- 2\n", "standard input:1: expected an object with apiVersion and kind");
}

#[test]
fn amounts_that_are_no_quantities() {
    let in_limits = "standard input:4: Pod a: spec.containers[0].resources.limits.memory: ";
    for (amount, problem) in [
        (
            "1K",
            "unable to parse quantity's suffix: \"1K\"\n  hint: write `1k` (powers of 1000) or `1Ki` (powers of 1024)"
                .to_owned(),
        ),
        ("1gi", format!("{NO_QUANTITY}: \"1gi\"\n  hint: write `1Gi`")),
        (
            "0.5GB",
            format!("{NO_QUANTITY}: \"0.5GB\"\n  hint: write `0.5G` (powers of 1000) or `0.5Gi` (powers of 1024)"),
        ),
        ("two", format!("{NO_QUANTITY}: \"two\"")),
        (
            "1e1000",
            "quantity is out of range: at most 256 characters and an exponent of at most 100: \"1e1000\"".to_owned(),
        ),
    ] {
        check(&pod(&format!("resources: {{limits: {{memory: {amount}}}}}")), &format!("{in_limits}{problem}"));
    }
}

#[test]
fn broken_documents() {
    check("a: [", "standard input:1: unclosed bracket '['");
    check("a: &a\n  b: *a\n", "standard input:2: the value of an anchor contains itself");
    check("a:\n\tb: c\n", "standard input:2: tabs disallowed within this context (block indentation)");
    check("{\"a\": ", "standard input:1: EOF while parsing a value");
    let hint = "hint: this looks like a template; render it first, with `helm template` for one";
    check("{{ .Values.name }}: x\n", &format!("standard input:1: key must be a string\n  {hint}"));
    check(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name }}\n",
        &format!("standard input:4: a list or mapping may not be a key\n  {hint}"),
    );
}

#[test]
fn documents_that_would_grow_without_end() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(laughs, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let answer = plimsoll(&repository(), &["simulate", "-"], &laughs);
    assert_eq!(answer.status, 2);
    assert!(answer.errors.ends_with(": document contains excessive aliasing\n"), "{}", answer.errors);
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let deep = format!("a: {}{}\n", open.repeat(100_000), close.repeat(100_000));
        check(&deep, "standard input:1: recursion limit exceeded");
    }
    let large = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: {}}}\n",
        "x".repeat(3 << 20)
    );
    check(&large, "standard input:1: ConfigMap a: Request entity too large: limit is 3145728");
}

#[test]
fn nothing_to_read() {
    let nothing = "no objects found\n  hint: in folders, files that end with .yaml, .yml or .json are read";
    check("", nothing);
    check("---\n# only a comment\n---\n", nothing);
}

#[test]
fn files_that_are_no_text() {
    let folder = std::env::temp_dir().join(format!("plimsoll-bad-input-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in [
        ("junk.yaml", (0..=255).collect::<Vec<u8>>()),
        ("utf16.yaml", "\u{feff}kind: Pod".encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ] {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        let answer = plimsoll(&repository(), &["simulate", path.to_str().unwrap()], "");
        let expected = format!("error: {}: not a text in UTF-8\n", path.display());
        assert_eq!((answer.status, answer.errors), (2, expected));
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn marks_and_line_ends_of_other_systems_are_read() {
    let text = "\u{feff}apiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: a\r\ndata:\r\n  text: |\r\n    one\r\n    two\r\n";
    let answer = plimsoll(&repository(), &["simulate", "-", "-o", "json"], text);
    assert_eq!((answer.status, answer.errors.as_str()), (0, ""));
    assert!(answer.output.contains(r#""text": "one\ntwo\n""#), "{}", answer.output);
}

#[test]
fn well_formed_and_wrong_is_what_the_api_server_says() {
    let absurd =
        pod("resources: {requests: {cpu: -1}}").replace("containers", "restartPolicy: Sometimes, containers");
    let answer = plimsoll(&repository(), &["simulate", "-", "-o", "json"], &absurd);
    assert_eq!(answer.status, 1);
    for message in [
        r#"spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"#,
        r#"spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\""#,
    ] {
        assert!(answer.output.contains(message), "{}", answer.output);
    }
    let twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let answer = plimsoll(&repository(), &["simulate", "-"], twice);
    assert_eq!(answer.status, 1);
    assert!(answer.output.contains("409    configmaps \"a\" already exists"), "{}", answer.output);
}
