//! Case files for label selectors and requirements.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use plimsoll_fixtures::{Case, cases};
use serde_json::json;

use super::*;

/// `given` is `{selector, labels: [...]}`; `expect` is the error text or, for each set of labels, whether it matches.
#[track_caller]
fn check_selector(case: &Case) {
    let selector: Option<LabelSelector> = serde_json::from_value(case.given["selector"].clone()).unwrap();
    let labels: Vec<Labels> = serde_json::from_value(case.given["labels"].clone()).unwrap();
    let answer = match Selector::from_label_selector(selector.as_ref()) {
        Ok(selector) => json!(labels.iter().map(|labels| selector.matches(labels)).collect::<Vec<_>>()),
        Err(error) => json!(error.to_string()),
    };
    assert_eq!(answer, case.expect, "{}", case.name);
}

/// `given` is `{key, operator, values, labels}`; `expect` is as for selectors.
#[track_caller]
fn check_requirement(case: &Case) {
    let operator = Operator::from_node_operator(case.given["operator"].as_str().unwrap()).unwrap();
    let values = serde_json::from_value(case.given["values"].clone()).unwrap();
    let labels: Vec<Labels> = serde_json::from_value(case.given["labels"].clone()).unwrap();
    let answer = match Requirement::new(case.given["key"].as_str().unwrap(), operator, values) {
        Ok(requirement) => json!(labels.iter().map(|labels| requirement.matches(labels)).collect::<Vec<_>>()),
        Err(error) => json!(error.to_string()),
    };
    assert_eq!(answer, case.expect, "{}", case.name);
}

#[test]
fn selectors_answer_as_upstream() {
    for case in cases("testdata/label_selector.yaml") {
        check_selector(&case);
    }
}

#[test]
fn requirements_answer_as_upstream() {
    for case in cases("testdata/label_requirement.yaml") {
        check_requirement(&case);
    }
}

#[test]
fn gt_and_lt_compare_integers_and_never_match_other_text() {
    let more = Requirement::new("x", Operator::Gt, Some(vec!["1".to_owned()])).unwrap();
    let less = Requirement::new("x", Operator::Lt, Some(vec!["1".to_owned()])).unwrap();
    let facts = |value: Option<&str>| (more.matches_value(value), less.matches_value(value));
    assert_eq!(facts(Some("2")), (true, false));
    assert_eq!(facts(Some("0")), (false, true));
    assert_eq!(facts(Some("1")), (false, false));
    assert_eq!(facts(Some("many")), (false, false));
    assert_eq!(facts(Some("99999999999999999999")), (false, false));
    assert_eq!(facts(None), (false, false));
}

#[test]
fn a_selector_of_no_labels_selects_everything() {
    let everything = Selector::from_labels(&Labels::new());
    assert!(everything.is_everything());
    assert!(everything.matches(&Labels::new()));
    assert!(!Selector::nothing().matches(&Labels::new()));
}
