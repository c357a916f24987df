//! Scenarios: a folder with `input.yaml` and `args`, and the answer that is expected in `expected.txt`.
//!
//! `UPDATE_EXPECT=1 cargo test` writes the answers anew.

use std::fs;
use std::path::Path;

use expect_test::expect_file;

use crate::support::{plimsoll, repository};

fn answer(folder: &Path, arguments: &[&str]) -> String {
    let answer = plimsoll(folder, arguments, "");
    format!("{}{}exit status {}\n", answer.output, answer.errors, answer.status)
}

#[test]
fn each_scenario_answers_as_expected() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut folders: Vec<_> = fs::read_dir(scenarios).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    for folder in folders {
        let arguments = fs::read_to_string(folder.join("args")).unwrap();
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        expect_file![folder.join("expected.txt")].assert_eq(&answer(&folder, &arguments));
    }
}

#[test]
fn the_same_input_gives_the_same_output() {
    let arguments = ["simulate", "examples/shop", "-o", "json"];
    let first = answer(&repository(), &arguments);
    assert_eq!(first, answer(&repository(), &arguments));
    let json = first.rsplit_once("exit status").unwrap().0;
    let report: serde_json::Value = serde_json::from_str(json).unwrap();
    assert!(report["objects"].as_array().unwrap().len() > 30);
}
