//! What holds of all decisions.

use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use plimsoll_api::group::GroupResource;
use plimsoll_api::request::Operation;
use plimsoll_quota::{CountedObject, Decision, Quota, Request, Seen, decide, recount};
use plimsoll_resource_math::ResourceList;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{Item, World, read};

const KEYS: [&str; 6] =
    ["pods", "count/pods", "cpu", "requests.memory", "limits.cpu", "requests.example.com/gpu"];

fn amount() -> impl Strategy<Value = String> {
    prop_oneof![
        (0_u32..3000).prop_map(|millis| format!("{millis}m")),
        (0_u32..8).prop_map(|units| units.to_string()),
        (0_u32..8).prop_map(|units| format!("{units}Gi")),
        (0_u32..8).prop_map(|units| format!("{units}e3")),
    ]
}

fn list(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    proptest::collection::vec((proptest::sample::select(names), amount()), 0..4).prop_map(|entries| {
        entries.into_iter().map(|(name, amount)| (name.to_owned(), Value::from(amount))).collect()
    })
}

fn pod() -> impl Strategy<Value = Pod> {
    let container = (list(&["cpu", "memory", "example.com/gpu"]), list(&["cpu", "memory"])).prop_map(
        |(requests, limits)| json!({"name": "a", "resources": {"requests": requests, "limits": limits}}),
    );
    let containers = proptest::collection::vec(container, 1..4);
    let phase = proptest::sample::select(vec!["Pending", "Running", "Succeeded"]);
    (containers, phase).prop_map(|(containers, phase)| {
        read(&json!({"metadata": {}, "spec": {"containers": containers}, "status": {"phase": phase}}))
    })
}

/// A quota that has counted nothing yet.
fn quota(name: &'static str) -> impl Strategy<Value = Quota> {
    let scopes =
        proptest::sample::select(vec![json!([]), json!([]), json!(["BestEffort"]), json!(["NotBestEffort"])]);
    (proptest::collection::btree_map(proptest::sample::select(&KEYS[..]), amount(), 1..5), scopes).prop_map(
        move |(hard, scopes)| {
            let zero: Value = hard.keys().map(|key| ((*key).to_owned(), Value::from("0"))).collect();
            let object: ResourceQuota = read(&json!({
                "metadata": {"name": name},
                "spec": {"hard": hard, "scopes": scopes},
                "status": {"hard": hard, "used": zero},
            }));
            Quota::parse(&object).unwrap()
        },
    )
}

proptest! {
    /// Whatever is admitted, nothing that it charges ends above its limit; and counting the admitted objects from zero
    /// finds what was charged.
    #[test]
    fn charges_stay_within_limits_and_recount_agrees(
        pods in proptest::collection::vec(pod(), 0..8),
        first in quota("a"),
        second in quota("b"),
    ) {
        let resource = GroupResource::new("", "pods");
        let world = World::read(&json!({}));
        let mut quotas = [first, second];
        let items: Vec<Item> = pods.into_iter().map(Item::of_pod).collect();
        let mut admitted = Vec::new();
        for item in &items {
            let request = Request {
                operation: Operation::Create,
                resource: &resource,
                subresource: "",
                namespace: "team",
                name: "p",
                object: item.object(),
                old_object: None,
            };
            let Decision::Admitted(charges) = decide(&request, &quotas, &[], &world.surroundings()).unwrap() else {
                continue;
            };
            for charge in &charges {
                quotas[charge.quota].apply(charge);
                let charged: Vec<_> = charge.requested.keys().collect();
                prop_assert!(quotas[charge.quota].used.mask(&charged).exceeded(&quotas[charge.quota].hard).is_empty());
            }
            admitted.push(CountedObject { resource: &resource, object: item.object(), usage: None });
        }
        for quota in &quotas {
            let mut recounted = quota.clone();
            recounted.used = ResourceList::new();
            recount(&mut recounted, Seen { objects: &admitted, ..Seen::default() }, &world.surroundings()).unwrap();
            prop_assert_eq!(&recounted.used, &quota.used);
        }
    }

    /// A refusal for want of quota names the smallest limit with which the request passes.
    #[test]
    fn the_smallest_raise_suffices(pod in pod(), quota in quota("a")) {
        let resource = GroupResource::new("", "pods");
        let world = World::read(&json!({}));
        let item = Item::of_pod(pod);
        let request = Request {
            operation: Operation::Create,
            resource: &resource,
            subresource: "",
            namespace: "team",
            name: "p",
            object: item.object(),
            old_object: None,
        };
        let mut quotas = [quota];
        if let Decision::Refused(refusal) = decide(&request, &quotas, &[], &world.surroundings()).unwrap()
            && let plimsoll_quota::Cause::Exceeded { keys, .. } = &refusal.cause
        {
            for key in keys {
                prop_assert!(key.smallest_raise().sign().is_gt());
                quotas[0].hard.insert(key.key.as_str(), key.sufficient());
            }
            let raised = decide(&request, &quotas, &[], &world.surroundings()).unwrap();
            prop_assert!(matches!(raised, Decision::Admitted(_)));
        }
    }
}
