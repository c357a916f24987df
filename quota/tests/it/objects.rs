//! The ResourceQuota object.

use k8s_openapi::api::core::v1::ResourceQuota;
use plimsoll_api::field::ErrorList;
use plimsoll_fixtures::{Case, cases};
use plimsoll_quota::{Quota, object};
use serde_json::json;

use crate::world::{amounts, read};

#[track_caller]
fn check(case: &Case) {
    let mut quota: ResourceQuota = read(&case.given["quota"]);
    let mut old: ResourceQuota = read(&case.given["old"]);
    object::set_defaults(&mut quota).unwrap();
    object::set_defaults(&mut old).unwrap();
    let parsed = Quota::parse(&quota).unwrap();
    let answer = json!({
        "defaulted": {
            "specHard": amounts(&parsed.spec_hard),
            "statusHard": amounts(&parsed.hard),
            "used": amounts(&parsed.used),
        },
        "create": texts(&object::validate(&quota).unwrap()),
        "update": texts(&object::validate_update(&quota, &old).unwrap()),
        "updateStatus": texts(&object::validate_status_update(&quota).unwrap()),
        "warnings": object::warnings_on_create(&quota).unwrap(),
    });
    assert_eq!(answer, case.expect, "{} ({})", case.name, case.source);
}

/// Sorted, as upstream's order follows its maps.
fn texts(errors: &ErrorList) -> Vec<String> {
    let mut texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.sort();
    texts
}

#[test]
fn objects() {
    cases("testdata/object.yaml").iter().for_each(check);
}

/// DIFFERENCE: D-quota-4.
#[test]
fn whole_numbers_are_whole_at_any_size() {
    let quota: ResourceQuota = read(&json!({"metadata": {}, "spec": {"hard": {"pods": "100E"}}}));
    assert_eq!(object::validate(&quota).unwrap(), ErrorList::new());
}
