use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, LimitRange, Pod};
use plimsoll_resource_math::Quantity;
use plimsoll_resource_math::pod_resources::PodResources;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::super::*;
use super::parse;

const RESOURCES: &[&str] = &["cpu", "memory", "example.com/gpu", "storage"];
const AMOUNTS: &[&str] =
    &["0", "1m", "100m", "333m", "1", "1.5", "3", "7", "1Ki", "100M", "1.5Gi", "-1", "9E", "100E", "1e30"];

type Amounts = BTreeMap<&'static str, &'static str>;

fn amounts() -> impl Strategy<Value = Amounts> {
    btree_map(select(RESOURCES), select(AMOUNTS), 0..4)
}

fn item() -> impl Strategy<Value = Value> {
    let types =
        select(&["Container", "Container", "Pod", "PersistentVolumeClaim", "example.com/Thing", ""][..]);
    (types, amounts(), amounts(), amounts(), amounts(), amounts()).prop_map(
        |(item_type, min, max, default, default_request, ratio)| {
            json!({
                "type": item_type, "min": min, "max": max, "default": default,
                "defaultRequest": default_request, "maxLimitRequestRatio": ratio,
            })
        },
    )
}

fn limit_range_objects() -> impl Strategy<Value = Vec<LimitRange>> {
    vec((select(&["a", "b", "c"][..]), vec(item(), 0..3)), 0..4).prop_map(|limit_ranges| {
        let object =
            |(name, limits): &(_, _)| json!({"metadata": {"name": name}, "spec": {"limits": limits}});
        limit_ranges.iter().map(|limit_range| parse(&object(limit_range))).collect()
    })
}

fn container() -> impl Strategy<Value = Value> {
    (option::of(amounts()), option::of(amounts()), any::<bool>()).prop_map(|(requests, limits, sidecar)| {
        let policy = sidecar.then_some("Always");
        json!({"name": "c", "restartPolicy": policy, "resources": {"requests": requests, "limits": limits}})
    })
}

fn pod() -> impl Strategy<Value = Pod> {
    (vec(container(), 0..3), vec(container(), 0..3), option::of(amounts())).prop_map(
        |(containers, init_containers, level)| {
            let level = level.map(|limits| json!({"limits": limits}));
            parse(&json!({"spec": {
                "containers": containers, "initContainers": init_containers, "resources": level,
            }}))
        },
    )
}

fn ready(objects: &[LimitRange]) -> LimitRanges {
    objects.iter().map(|limit_range| Limits::parse(limit_range).unwrap()).collect()
}

fn containers(pod: &Pod) -> Vec<Container> {
    let spec = pod.spec.clone().unwrap_or_default();
    spec.containers.into_iter().chain(spec.init_containers.unwrap_or_default()).collect()
}

fn has(container: &Container, field: Field, resource: &str) -> bool {
    let resources = container.resources.clone().unwrap_or_default();
    let list = match field {
        Field::Requests => resources.requests,
        Field::Limits => resources.limits,
    };
    list.is_some_and(|list| list.contains_key(resource))
}

proptest! {
    #[test]
    fn filling_in_twice_is_the_same_as_once(mut pod in pod(), objects in limit_range_objects()) {
        let limit_ranges = ready(&objects);
        default_pod(&mut pod, &limit_ranges);
        let once = pod.clone();
        prop_assert_eq!(default_pod(&mut pod, &limit_ranges), []);
        prop_assert_eq!(pod, once);
    }

    #[test]
    fn after_filling_in_no_default_is_missing(mut pod in pod(), objects in limit_range_objects()) {
        let limit_ranges = ready(&objects);
        default_pod(&mut pod, &limit_ranges);
        let items = limit_ranges.iter().flat_map(Limits::items);
        for item in items.filter(|item| item.item_type == ItemType::Container) {
            for container in containers(&pod) {
                for name in item.default.keys() {
                    prop_assert!(has(&container, Field::Limits, name));
                }
                for name in item.default_request.keys() {
                    prop_assert!(has(&container, Field::Requests, name));
                }
            }
        }
    }

    #[test]
    fn the_order_in_which_limit_ranges_come_does_not_matter(pod in pod(), mut objects in limit_range_objects()) {
        objects.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        objects.dedup_by(|a, b| a.metadata.name == b.metadata.name);
        let forward = ready(&objects);
        objects.reverse();
        let backward = ready(&objects);
        let (mut one, mut other) = (pod.clone(), pod);
        prop_assert_eq!(default_pod(&mut one, &forward), default_pod(&mut other, &backward));
        prop_assert_eq!(&one, &other);
        let amounts = PodResources::parse(&one).unwrap();
        prop_assert_eq!(validate_pod(&amounts, &forward), validate_pod(&amounts, &backward));
    }

    #[test]
    fn objects_default_to_a_fixed_point(mut objects in limit_range_objects()) {
        for limit_range in &mut objects {
            object::set_defaults(limit_range).unwrap();
            let once = limit_range.clone();
            object::set_defaults(limit_range).unwrap();
            prop_assert_eq!(&*limit_range, &once);
            object::validate(&Limits::parse(limit_range).unwrap());
        }
    }

    #[test]
    fn remedies_satisfy_the_rule(pod in pod(), objects in limit_range_objects()) {
        let Err(refusal) = validate_pod(&PodResources::parse(&pod).unwrap(), &ready(&objects)) else {
            return Ok(());
        };
        for violation in refusal.violations {
            let remedies = violation.remedies();
            let after = |field, there: &Option<Quantity>| {
                let remedy = remedies.iter().find(|remedy| remedy.field == field);
                remedy.map(|remedy| remedy.amount.clone()).or_else(|| there.clone())
            };
            let (request, limit) =
                (after(Field::Requests, &violation.request), after(Field::Limits, &violation.limit));
            if remedies.is_empty() {
                prop_assert_eq!(violation.rule, Rule::MaxLimitRequestRatio);
            } else {
                let fault = violation.rule.check(&violation.bound, request.as_ref(), limit.as_ref());
                prop_assert_eq!(fault, None, "{} {:?}", violation, remedies);
            }
        }
    }
}
