use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_fixtures::{Case, cases};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ResourceList;

#[derive(Deserialize)]
struct Given {
    operation: String,
    a: BTreeMap<String, ApiQuantity>,
    b: BTreeMap<String, ApiQuantity>,
}

#[track_caller]
fn check(case: &Case) {
    let given = Given::deserialize(&case.given).unwrap();
    let (a, b) = (ResourceList::parse(Some(&given.a)).unwrap(), ResourceList::parse(Some(&given.b)).unwrap());
    let changed = |change: fn(&mut ResourceList, &ResourceList)| {
        let mut changed = a.clone();
        change(&mut changed, &b);
        json!(changed.to_api())
    };
    let ours: Value = match given.operation.as_str() {
        "equals" => (a == b).into(),
        "exceeded" => a.exceeded(&b).into(),
        "is_zero" => a.is_zero().into(),
        "negative" => a.negative().into(),
        "mask" => json!(a.mask(b.keys()).to_api()),
        "max" => changed(ResourceList::max),
        "add" => changed(ResourceList::add),
        "sub" => changed(ResourceList::sub),
        "sub_to_zero" => changed(ResourceList::sub_to_zero),
        _ => changed(|list, _| list.remove_zeros()),
    };
    assert_eq!(ours, case.expect, "{}", case.name);
}

#[test]
fn lists_are_computed_as_upstream_does() {
    cases("testdata/resource_list.yaml").iter().for_each(check);
}

#[test]
fn the_first_bad_amount_is_named() {
    let list: BTreeMap<String, ApiQuantity> =
        serde_json::from_value(json!({"cpu": "1", "memory": "1 Gi"})).unwrap();
    let error = ResourceList::parse(Some(&list)).unwrap_err();
    assert_eq!((error.name.as_str(), error.value.as_str()), ("memory", "1 Gi"));
}

#[test]
fn white_space_around_an_amount_is_not_part_of_it() {
    let list: BTreeMap<String, ApiQuantity> = serde_json::from_value(json!({"cpu": " 1\n"})).unwrap();
    assert_eq!(ResourceList::parse(Some(&list)).unwrap().amount("cpu").to_string(), "1");
}

#[test]
fn the_lesser_of_two_lists_has_what_both_have() {
    let list = |amounts: &[(&str, &str)]| -> ResourceList {
        let amounts =
            amounts.iter().map(|(name, amount)| ((*name).to_owned(), ApiQuantity((*amount).to_owned())));
        ResourceList::parse(Some(&amounts.collect())).unwrap()
    };
    let mut lesser = list(&[("cpu", "2"), ("memory", "1Gi"), ("pods", "3")]);
    lesser.min(&list(&[("cpu", "500m"), ("memory", "2Gi"), ("storage", "1Gi")]));
    assert_eq!(lesser, list(&[("cpu", "500m"), ("memory", "1Gi")]));
}
