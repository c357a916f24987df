use k8s_openapi::api::core::v1::{Taint, Toleration};
use plimsoll_fixtures::{Case, cases};
use serde_json::{Value, json};

use super::*;

#[track_caller]
fn check(case: &Case) {
    let list = |field: &str| case.given.get(field).cloned().unwrap_or_else(|| json!([]));
    let taints: Vec<Taint> = serde_json::from_value(list("taints")).unwrap();
    let tolerations: Vec<Toleration> = serde_json::from_value(list("tolerations")).unwrap();
    let effects: Option<Vec<String>> =
        case.given.get("effects").map(|it| serde_json::from_value(it.clone()).unwrap());
    let filter = |taint: &Taint| effects.as_ref().is_none_or(|effects| effects.contains(&taint.effect));
    let got = match find_untolerated(&taints, &tolerations, filter) {
        Some(taint) => json!({ "untolerated": taint }),
        None => Value::Object(serde_json::Map::new()),
    };
    assert_eq!(got, case.expect, "{}", case.name);
}

#[test]
fn tolerates_what_upstream_tolerates() {
    cases("testdata/untolerated_taint.yaml").iter().for_each(check);
}

#[test]
fn only_preferring_another_node_does_not_forbid() {
    let taint = |effect: &str| Taint { effect: effect.to_owned(), ..Taint::default() };
    assert!(forbids_scheduling(&taint("NoSchedule")) && forbids_scheduling(&taint("NoExecute")));
    assert!(!forbids_scheduling(&taint("PreferNoSchedule")) && !forbids_scheduling(&taint("")));
}
