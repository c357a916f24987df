use k8s_openapi::api::core::v1::{Node, Pod, PreferredSchedulingTerm};
use plimsoll_api::field;
use plimsoll_fixtures::{Case, cases};
use serde_json::{Value, json};

use super::*;
use crate::label_selector::labels_of;

fn read<T: k8s_openapi::serde::de::DeserializeOwned + Default>(value: &Value) -> T {
    if value.is_null() { T::default() } else { serde_json::from_value(value.clone()).unwrap() }
}

#[track_caller]
fn check(case: &Case, got: &Value) {
    assert_eq!(got, &case.expect, "{}", case.name);
}

#[test]
fn requires_what_upstream_requires() {
    for case in cases("testdata/required_node_affinity.yaml") {
        let pod: Pod = read(&case.given["pod"]);
        let node: Node = read(&case.given["node"]);
        let affinity = RequiredNodeAffinity::new(&pod.spec.unwrap_or_default());
        let name = node.metadata.name.clone().unwrap_or_default();
        let matches = affinity.matches(labels_of(&node.metadata), &name);
        let mut got = json!({ "matches": matches });
        if !matches
            && affinity.matches_labels(labels_of(&node.metadata))
            && !affinity.parse_errors().is_empty()
        {
            got["error"] = plimsoll_api::aggregate::aggregate(affinity.parse_errors()).into();
        }
        check(&case, &got);
    }
}

#[test]
fn prefers_what_upstream_prefers() {
    for case in cases("testdata/preferred_scheduling_terms.yaml") {
        let terms: Vec<PreferredSchedulingTerm> = read(&case.given["terms"]);
        let node: Node = read(&case.given["node"]);
        let name = node.metadata.name.clone().unwrap_or_default();
        let got = match PreferredSchedulingTerms::new(&terms) {
            Ok(terms) => json!({ "score": terms.score(labels_of(&node.metadata), &name) }),
            Err(errors) => json!({ "error": field::aggregate(&errors) }),
        };
        check(&case, &got);
    }
}
