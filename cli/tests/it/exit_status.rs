//! What the exit status says.

use crate::support::{plimsoll, repository};

#[track_caller]
fn check(arguments: &[&str], input: &str, status: i32, errors: &str) {
    let answer = plimsoll(&repository(), arguments, input);
    assert_eq!((answer.status, answer.errors.as_str()), (status, errors), "{}", answer.output);
}

const POD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n";

#[test]
fn zero_if_everything_is_admitted_and_placed() {
    check(&["simulate", "-", "--nodes", "1"], POD, 0, "");
    check(&["simulate", "-"], POD, 0, "");
    check(&["plugins"], "", 0, "");
    check(&["--help"], "", 0, "");
}

#[test]
fn one_if_something_is_refused_or_waits() {
    let too_large = POD.replace("image: a}", "image: a, resources: {requests: {cpu: 64}}}");
    check(&["simulate", "-", "--nodes", "1"], &too_large, 1, "");
    check(&["simulate", "-"], &POD.replace("name: a}\nspec", "name: A}\nspec"), 1, "");
    check(
        &["simulate", "-", "--strict"],
        &POD.replace("name: a}\nspec", "name: a, namespace: b}\nspec"),
        1,
        "",
    );
}

#[test]
fn two_if_the_input_cannot_be_read() {
    check(&["simulate", "-"], "kind: Pod\n", 2, "error: standard input:1: Pod: apiVersion: is missing\n");
    check(
        &["simulate", "-"],
        &POD.replace("image: a}", "image: a, resources: {limits: {memory: 1gi}}}"),
        2,
        "error: standard input:4: Pod a: spec.containers[0].resources.limits.memory: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$': \"1gi\"\n  hint: write `1Gi`\n",
    );
    check(&["simulate", "nowhere"], "", 2, "error: nowhere: no such file or folder\n");
    check(
        &["simulate"],
        "",
        2,
        "error: no manifests given\n  hint: name files or folders, or - for standard input\n",
    );
}

#[test]
fn two_if_there_is_no_such_pod() {
    check(&["explain", "b", "-"], POD, 2, "error: no pod \"b\"\n  hint: there are default/a\n");
    let two = format!("{POD}---\n{}", POD.replace("name: a}\nspec", "name: a, namespace: b}\nspec"));
    check(
        &["explain", "a", "-"],
        &two,
        2,
        "error: more than one pod is called \"a\"\n  hint: say which: default/a, b/a\n",
    );
    check(
        &["explain", "a", "-"],
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        2,
        "error: no pod \"a\": there are no pods at all\n  hint: name manifests of pods, or of workloads that make pods\n",
    );
}

#[test]
fn a_wrong_call_is_explained() {
    let answer = plimsoll(&repository(), &["simulate", "--nodes", "many", "-"], "");
    assert_eq!(answer.status, 2);
    assert!(
        answer.errors.starts_with("error: invalid value 'many' for '--nodes <COUNT>'"),
        "{}",
        answer.errors
    );
}

#[test]
fn nothing_that_can_be_typed_brings_it_down() {
    for input in [
        "\u{0}\u{1}junk",
        "a: [",
        "- - - -",
        "a: &a [*a]",
        "{\"a\": ",
        "apiVersion: v1\nkind: Pod\nmetadata: 5\n",
        "apiVersion: v1\nkind: List\nitems: 5\n",
        "apiVersion: v1\nkind: Pod\nspec: {containers: 5}\n",
    ] {
        let answer = plimsoll(&repository(), &["simulate", "-"], input);
        assert_eq!(answer.status, 2, "{input:?}\n{}{}", answer.output, answer.errors);
        assert!(answer.errors.starts_with("error: "), "{input:?}: {}", answer.errors);
    }
}
