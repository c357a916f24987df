use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::resource::v1::{Device, DeviceClass};
use serde_json::{Value, json};

use super::new;
use crate::config::DynamicResourcesArgs;
use crate::framework::{
    Assumed, Change, EventResource, HintRequest, Object, Plugin, PreFilter, QueueingHint,
};
use crate::schedule::{CycleState, Outcome, schedule};
use crate::{PodInfo, Profile, Snapshot};

fn pod(name: &str, claim: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": name, "namespace": "default", "uid": name},
        "spec": {"containers": [], "resourceClaims": [{"name": "c", "resourceClaimName": claim}]},
    }))
    .unwrap()
}

fn claim(name: &str, request: &Value) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "default", "uid": name},
        "spec": {"devices": {"requests": [request]}},
    })
}

fn one_device() -> Value {
    json!({"name": "r", "exactly": {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1}})
}

/// Nodes with these devices each, and claims.
fn snapshot(nodes: &[(&str, Value)], claims: &[Value]) -> Snapshot {
    let named = |(name, _): &(&str, Value)| -> Node {
        let status = json!({"allocatable": {"cpu": "4", "pods": "10"}});
        serde_json::from_value(json!({"metadata": {"name": name}, "status": status})).unwrap()
    };
    let mut snapshot = Snapshot::new(&nodes.iter().map(named).collect::<Vec<_>>()).unwrap();
    let listers = &mut snapshot.listers_mut().devices;
    listers.set_class(&serde_json::from_value(json!({"metadata": {"name": "gpu"}, "spec": {}})).unwrap());
    for (node, devices) in nodes {
        let pool = json!({"name": node, "generation": 1, "resourceSliceCount": 1});
        let spec = json!({"driver": "d", "nodeName": node, "pool": pool, "devices": devices});
        let slice = json!({"metadata": {"name": node}, "spec": spec});
        listers.set_slice(&serde_json::from_value(slice).unwrap());
    }
    for claim in claims {
        listers.set_claim(&serde_json::from_value(claim.clone()).unwrap());
    }
    snapshot
}

fn message(pod: &Pod, snapshot: &Snapshot, state: &mut CycleState) -> Option<String> {
    schedule(&PodInfo::new(pod).unwrap(), snapshot, &Profile::default(), state).message()
}

#[test]
fn a_claim_whose_allocation_is_not_written_yet_keeps_other_pods_waiting() {
    let two = json!([{"name": "a"}, {"name": "b"}]);
    let claims = [claim("shared", &one_device()), claim("own", &one_device())];
    let mut snapshot = snapshot(&[("node", two)], &claims);
    let first = pod("first", "shared");
    let taken = Profile::default().reserve(&PodInfo::new(&first).unwrap(), &snapshot, 0).unwrap();
    for assumed in taken {
        snapshot.assume(assumed);
    }
    let mut state = CycleState::default();
    let waits = message(&pod("second", "shared"), &snapshot, &mut state).unwrap();
    assert!(waits.contains("resource claim default/shared is in the process of being allocated"), "{waits}");
    // Its device is taken, but not the other.
    let info_pod = pod("third", "own");
    let info = PodInfo::new(&info_pod).unwrap();
    let taken = Profile::default().reserve(&info, &snapshot, 0).unwrap();
    assert!(format!("{taken:?}").contains("device: \"b\""));
    let written = snapshot.listers().devices.claim("default", "shared").unwrap().clone();
    snapshot.listers_mut().devices.set_claim(&written);
    assert_eq!(message(&pod("second", "shared"), &snapshot, &mut state), None);
}

#[test]
fn claims_that_have_no_name_yet_take_their_devices_each() {
    let mut snapshot = snapshot(&[("node", json!([{"name": "a"}, {"name": "b"}]))], &[]);
    let class = json!({"metadata": {"name": "gpu"}, "spec": {"extendedResourceName": "example.com/gpu"}});
    snapshot.listers_mut().devices.set_class(&serde_json::from_value(class).unwrap());
    let mut written = Vec::new();
    for (name, device) in [("first", "a"), ("second", "b")] {
        let resources = json!({"requests": {"example.com/gpu": "1"}, "limits": {"example.com/gpu": "1"}});
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "default", "uid": name},
            "spec": {"containers": [{"name": "c", "resources": resources}]},
        }))
        .unwrap();
        let taken = Profile::default().reserve(&PodInfo::new(&pod).unwrap(), &snapshot, 0).unwrap();
        assert!(format!("{taken:?}").contains(&format!("device: \"{device}\"")), "{name}: {taken:?}");
        for assumed in taken {
            if let Assumed::ResourceClaim(assumed) = &assumed {
                let mut claim = assumed.claim.clone();
                claim.metadata.name = Some(name.to_owned());
                written.push(claim);
            }
            snapshot.assume(assumed);
        }
    }
    for claim in &written {
        snapshot.listers_mut().devices.set_claim(claim);
    }
    let allocated = snapshot.listers().devices.allocated_in("d", "node").unwrap();
    assert_eq!(allocated.values().map(|uses| uses.whole).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(snapshot.listers().devices.claims_in("default").count(), 2);
}

#[test]
fn expressions_that_are_too_deep_are_refused_before_they_are_read() {
    let selectors = super::selector::CompiledSelectors::default();
    for expression in [format!("{} == 1", "1+".repeat(5000) + "1"), "(".repeat(2000), " ".repeat(20_000)] {
        let error = selectors.matches(&expression, "d", &Device::default()).unwrap_err();
        assert!(format!("{error:?}").contains("may have"), "{error:?}");
    }
}

#[test]
fn the_next_search_begins_behind_the_nodes_that_were_visited_before_an_error() {
    let all = json!({"name": "r", "exactly": {"deviceClassName": "gpu", "allocationMode": "All"}});
    let twins = json!([{"name": "a"}, {"name": "a"}]);
    let nodes = [("a", json!([])), ("b", twins), ("c", json!([]))];
    let snapshot = snapshot(&nodes, &[claim("all", &all)]);
    let mut state = CycleState::default();
    let pod = pod("pod", "all");
    let outcome = schedule(&PodInfo::new(&pod).unwrap(), &snapshot, &Profile::default(), &mut state);
    assert!(
        matches!(&outcome, Outcome::Error(message) if message.contains("currently invalid")),
        "{outcome:?}"
    );
    assert_eq!(state.next_start_node_index, 1);
}

#[test]
fn what_is_postponed_is_named() {
    let list = json!({"name": "r", "firstAvailable": [
        {"name": "s", "deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1},
    ]});
    let mut share = one_device();
    share["exactly"]["capacity"] = json!({"requests": {"memory": "1Gi"}});
    let counters = json!([{"counterSet": "set", "counters": {"memory": {"value": "1"}}}]);
    for (request, device, named) in [
        (list, json!({"name": "a"}), "DRAPrioritizedList"),
        (share, json!({"name": "a"}), "DRAConsumableCapacity"),
        (one_device(), json!({"name": "a", "allowMultipleAllocations": true}), "DRAConsumableCapacity"),
        (one_device(), json!({"name": "a", "bindingConditions": ["ready"]}), "DRADeviceBindingConditions"),
        (one_device(), json!({"name": "a", "consumesCounters": counters}), "DRAPartitionableDevices"),
    ] {
        let mut snapshot = snapshot(&[("node", json!([device]))], &[claim("c", &request)]);
        if named == "DRAPartitionableDevices" {
            // The counters stand in a slice of their own.
            let set = json!({"name": "set", "counters": {"memory": {"value": "1"}}});
            for (name, content) in
                [("node", json!({"devices": [device]})), ("counters", json!({"sharedCounters": [set]}))]
            {
                let pool = json!({"name": "node", "generation": 1, "resourceSliceCount": 2});
                let mut spec = json!({"driver": "d", "nodeName": "node", "pool": pool});
                spec.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
                let slice = json!({"metadata": {"name": name}, "spec": spec});
                snapshot.listers_mut().devices.set_slice(&serde_json::from_value(slice).unwrap());
            }
        }
        let said = message(&pod("pod", "c"), &snapshot, &mut CycleState::default()).unwrap();
        assert!(said.contains(named), "{named}: {said}");
    }
}

#[test]
fn a_search_that_takes_too_long_is_given_up() {
    // Thirty devices, of which no sixteen have the same model: trying them all would take ages.
    let devices: Vec<Value> = (0..30)
        .map(|index| json!({"name": format!("d{index}"), "attributes": {"model": {"int": index % 2}}}))
        .collect();
    let mut wanted = claim(
        "c",
        &json!({"name": "r", "exactly": {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 16}}),
    );
    wanted["spec"]["devices"]["constraints"] = json!([{"matchAttribute": "d/model"}]);
    let snapshot = snapshot(&[("node", devices.into())], &[wanted]);
    let timeout = "1ms".parse().unwrap();
    let plugin =
        new(&DynamicResourcesArgs { filter_timeout: Some(timeout), ..DynamicResourcesArgs::default() });
    let pod = pod("pod", "c");
    let info = PodInfo::new(&pod).unwrap();
    let PreFilter::Run { filter, .. } = plugin.filter.as_ref().unwrap().pre_filter(&info, &snapshot) else {
        panic!("nodes are judged")
    };
    assert_eq!(filter.check(0).message(), "node node: timed out trying to allocate devices");
}

#[test]
fn the_newest_class_serves_an_extended_resource() {
    let mut snapshot = Snapshot::default();
    let listers = &mut snapshot.listers_mut().devices;
    for (name, year) in [("b", 2025), ("a", 2025), ("c", 2024)] {
        let class: DeviceClass = serde_json::from_value(json!({
            "metadata": {"name": name, "creationTimestamp": format!("{year}-01-01T00:00:00Z")},
            "spec": {"extendedResourceName": "example.com/gpu"},
        }))
        .unwrap();
        listers.set_class(&class);
    }
    let name = |resource: &str| listers.class_for_resource(resource)?.metadata.name.clone();
    assert_eq!(name("example.com/gpu").as_deref(), Some("a"));
    assert_eq!(name("deviceclass.resource.kubernetes.io/c").as_deref(), Some("c"));
    assert_eq!(name("example.com/other"), None);
}

/// # Source
/// `pkg/scheduler/framework/plugins/dynamicresources/dynamicresources_test.go` (`TestIsSchedulableAfterClaimChange`)
#[test]
fn hints_about_claims_are_upstreams() {
    let read =
        |value: &Value| Object::ResourceClaim(Arc::new(serde_json::from_value(value.clone()).unwrap()));
    let own = claim("own", &one_device());
    let other = claim("other", &one_device());
    let with = |claim: &Value, field: &str, value: Value| {
        let mut claim = claim.clone();
        claim[field] = value;
        claim
    };
    let allocated = |claim: &Value| with(claim, "status", json!({"allocation": {"devices": {}}}));
    let reserved = json!({"reservedFor": [{"resource": "pods", "name": "x", "uid": "x"}]});
    let mut finalized = own.clone();
    finalized["metadata"]["finalizers"] = json!(["resource.kubernetes.io/delete-protection"]);
    let finalized = with(&finalized, "status", json!({}));
    for (name, old, new, expected) in [
        ("skip-deletes", Some(own.clone()), None, QueueingHint::Skip),
        ("queue-on-delete-with-allocation", Some(allocated(&own)), None, QueueingHint::Queue),
        (
            "skip-unrelated-claim",
            Some(other.clone()),
            Some(with(&other, "status", reserved.clone())),
            QueueingHint::Skip,
        ),
        ("queue-on-add", None, Some(own.clone()), QueueingHint::Queue),
        ("skip-adding-finalizer", Some(own.clone()), Some(finalized), QueueingHint::Skip),
        (
            "queue-on-status-change",
            Some(own.clone()),
            Some(with(&own, "status", reserved)),
            QueueingHint::Queue,
        ),
        ("claim-deallocate", Some(allocated(&other)), Some(other.clone()), QueueingHint::Queue),
    ] {
        let snapshot = snapshot(&[("node", json!([]))], &[own.clone(), other.clone()]);
        let change = Change { old: old.as_ref().map(read), new: new.as_ref().map(read) };
        let pod = pod("pod", "own");
        let request = HintRequest { pod: &pod, change: &change, listers: snapshot.listers() };
        let plugin = new_plugin();
        let heard = plugin.registered_events().iter();
        let mut heard = heard.filter(|heard| heard.event.resource == EventResource::ResourceClaim);
        let hint = heard.next().and_then(|heard| heard.hint.as_ref()).unwrap();
        assert_eq!(hint(&request), Ok(expected), "{name}");
    }
    // A pod one of whose claims is missing isn't helped by another.
    let snapshot = snapshot(&[("node", json!([]))], std::slice::from_ref(&own));
    let change = Change::added(read(&own));
    let pod = pod("pod", "missing");
    let request = HintRequest { pod: &pod, change: &change, listers: snapshot.listers() };
    let plugin = new_plugin();
    let hint = plugin.registered_events()[1].hint.as_ref().unwrap();
    assert_eq!(hint(&request), Ok(QueueingHint::Skip));
}

fn new_plugin() -> Plugin {
    new(&DynamicResourcesArgs::default())
}
