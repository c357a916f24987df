use super::*;

fn read(text: &str) -> Result<Vec<Manifest>, Vec<String>> {
    let source = Source { name: "a.yaml".to_owned(), text: text.to_owned() };
    read_all(&[source]).map_err(|problems| problems.iter().map(Problem::to_string).collect())
}

#[track_caller]
fn check_kinds(text: &str, expected: &[(&str, &str, usize)]) {
    let manifests = read(text).unwrap();
    let found: Vec<(&str, &str, usize)> = manifests
        .iter()
        .map(|manifest| (manifest.api_version.as_str(), manifest.kind.as_str(), manifest.place.line))
        .collect();
    assert_eq!(found, expected);
}

#[track_caller]
fn check_problems(text: &str, expected: &[&str]) {
    assert_eq!(read(text).unwrap_err(), expected);
}

#[test]
fn cuts_a_text_into_documents() {
    check_kinds(
        "# first\n---\napiVersion: v1\nkind: A\n--- # again\n\n---\n---\napiVersion: v1\nkind: B\n",
        &[("v1", "A", 3), ("v1", "B", 8)],
    );
    check_kinds("---\n", &[]);
    check_kinds("", &[]);
    check_problems("a: 1\n--- x\n", &["a.yaml:2: invalid Yaml document separator: x"]);
}

#[test]
fn takes_lists_apart() {
    check_kinds(
        "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n- {apiVersion: v1, kind: Pod}\n",
        &[("v1", "Pod", 1), ("v1", "Pod", 1)],
    );
    check_kinds(
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: apps/v1, kind: Deployment}\n",
        &[("apps/v1", "Deployment", 1)],
    );
    check_problems(
        "apiVersion: v1\nkind: List\nitems:\n- metadata: {name: a}\n",
        &["a.yaml:4: kind: is missing"],
    );
}

#[test]
fn reads_json_and_yaml_that_looks_like_it() {
    check_kinds(
        "{\"apiVersion\": \"v1\", \"kind\": \"A\"}\n{\"apiVersion\": \"v1\", \"kind\": \"B\"}\n",
        &[("v1", "A", 1), ("v1", "B", 2)],
    );
    check_kinds(
        "{apiVersion: v1, kind: A}\n---\napiVersion: v1\nkind: B\n",
        &[("v1", "A", 1), ("v1", "B", 3)],
    );
}

#[test]
fn names_the_place_of_a_fault() {
    check_problems("a: [\n", &["a.yaml:1: unclosed bracket '['"]);
    check_problems(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}\nspec:\n  x: 1\n  x: 2\n",
        &["a.yaml:6: Pod b/a: key \"x\" stands twice in one mapping"],
    );
    check_problems("kind: Pod\nmetadata: {name: a}\n", &["a.yaml:1: Pod a: apiVersion: is missing"]);
    check_problems("just text\n", &["a.yaml:1: expected an object with apiVersion and kind"]);
    let large = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  a: {}\n", "x".repeat(OBJECT_LIMIT));
    check_problems(&large, &["a.yaml:1: ConfigMap: Request entity too large: limit is 3145728"]);
}
