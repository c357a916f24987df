//! The JSON that `simulate` prints is as `docs/simulate.schema.json` says.

use std::fs;

use serde_json::Value;

use crate::support::{plimsoll, repository};

fn schema() -> Value {
    serde_json::from_str(&fs::read_to_string(repository().join("docs/simulate.schema.json")).unwrap())
        .unwrap()
}

#[track_caller]
fn faults(report: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    validator.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn what_is_printed_keeps_to_the_schema() {
    let scenarios = fs::read_dir(repository().join("cli/tests/scenarios")).unwrap();
    let inputs = scenarios.map(|scenario| scenario.unwrap().path().join("input.yaml"));
    for input in inputs.chain([repository().join("examples/shop")]) {
        let path = input.to_str().unwrap();
        for output in ["json", "yaml"] {
            let answer = plimsoll(&repository(), &["simulate", path, "--nodes", "2", "-o", output], "");
            let report: Value = serde_saphyr::from_str(&answer.output).unwrap();
            assert_eq!(faults(&report), Vec::<String>::new(), "{path}");
        }
    }
}

#[test]
fn rollouts_keep_to_the_schema() {
    for scenario in ["rollout", "rollout_quota", "rollout_no_room"] {
        let folder = repository().join("cli/tests/scenarios").join(scenario);
        let arguments = fs::read_to_string(folder.join("args")).unwrap();
        let arguments: Vec<&str> = arguments.split_whitespace().chain(["-o", "json"]).collect();
        let report: Value = serde_json::from_str(&plimsoll(&folder, &arguments, "").output).unwrap();
        assert_eq!(faults(&report), Vec::<String>::new(), "{scenario}");
        assert!(!report["rollouts"].as_array().unwrap().is_empty());
    }
}

#[test]
fn the_schema_tells_right_from_wrong() {
    let answer = plimsoll(&repository(), &["simulate", "examples/shop", "-o", "json"], "");
    let report: Value = serde_json::from_str(&answer.output).unwrap();
    for (pointer, wrong) in
        [("/objects/0/outcome", "lost"), ("/summary/objects", "many"), ("/nodes/0/pods", "-1")]
    {
        let mut spoilt = report.clone();
        *spoilt.pointer_mut(pointer).unwrap() = wrong.into();
        assert!(!faults(&spoilt).is_empty(), "{pointer}");
    }
}
