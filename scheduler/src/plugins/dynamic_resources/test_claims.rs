//! Pods, claims and devices as upstream's `TestPlugin` (`dynamicresources_test.go`) has them.

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::resource::v1::ResourceClaim;
use serde_json::{Value, json};

use super::reserve::FINALIZER;
use crate::Snapshot;
use crate::framework::{Action, Write};

pub(super) fn pod(spec: &Value) -> Pod {
    let entry = json!({"name": "res", "resourceClaimName": "my-claim"});
    let metadata = json!({"name": "my-pod", "namespace": "default", "uid": "1234"});
    serde_json::from_value(json!({
        "metadata": metadata, "spec": spec,
        "status": {"resourceClaimStatuses": [entry]},
    }))
    .unwrap()
}

pub(super) fn with_claim() -> Pod {
    pod(&json!({"containers": [], "resourceClaims": [{"name": "res", "resourceClaimName": "my-claim"}]}))
}

pub(super) fn from_template() -> Pod {
    pod(&json!({"containers": [], "resourceClaims": [{"name": "res", "resourceClaimTemplateName": "of"}]}))
}

pub(super) fn asking_for(resources: &[Value]) -> Pod {
    let container = |(index, requests): (usize, &Value)| json!({"name": format!("con{index}"), "resources": {"requests": requests}});
    let containers: Vec<Value> = resources.iter().enumerate().map(container).collect();
    pod(&json!({ "containers": containers }))
}

pub(super) fn pending() -> Value {
    let owner =
        json!({"apiVersion": "v1", "kind": "Pod", "name": "my-pod", "uid": "1234", "controller": true});
    let request = json!({"name": "req-1", "exactly": {"deviceClassName": "class", "allocationMode": "ExactCount", "count": 1}});
    json!({
        "metadata": {"name": "my-claim", "namespace": "default", "uid": "claim", "ownerReferences": [owner]},
        "spec": {"devices": {"requests": [request]}},
    })
}

pub(super) fn with(mut claim: Value, field: &str, value: Value) -> Value {
    claim[field] = value;
    claim
}

pub(super) fn finalized(mut claim: Value) -> Value {
    claim["metadata"]["finalizers"] = json!([FINALIZER]);
    claim
}

pub(super) fn allocated() -> Value {
    let result = json!({"request": "req-1", "driver": "driver", "pool": "worker", "device": "instance-1"});
    finalized(with(pending(), "status", json!({"allocation": {"devices": {"results": [result]}}})))
}

pub(super) fn reserved(mut claim: Value) -> Value {
    claim["status"]["reservedFor"] = json!([{"resource": "pods", "name": "my-pod", "uid": "1234"}]);
    claim
}

/// Nodes with two devices each, of which the node itself has so many of an extended resource.
pub(super) fn snapshot(claims: &[Value], of_node: &Value) -> Snapshot {
    let mut allocatable = json!({"cpu": "4", "pods": "10"});
    for (name, amount) in of_node.as_object().into_iter().flatten() {
        allocatable[name] = amount.clone();
    }
    let node: Node = serde_json::from_value(
        json!({"metadata": {"name": "worker"}, "status": {"allocatable": allocatable}}),
    )
    .unwrap();
    let mut snapshot = Snapshot::new(&[node]).unwrap();
    let listers = &mut snapshot.listers_mut().devices;
    for (name, resource) in [("class", "example.com/gpu"), ("class2", "example.com/gpu2")] {
        let class = json!({"metadata": {"name": name}, "spec": {"extendedResourceName": resource}});
        listers.set_class(&serde_json::from_value(class).unwrap());
    }
    let devices = json!([{"name": "instance-1"}, {"name": "instance-2"}, {"name": "instance-3"}]);
    let pool = json!({"name": "worker", "generation": 1, "resourceSliceCount": 1});
    let spec = json!({"driver": "driver", "nodeName": "worker", "pool": pool, "devices": devices});
    let slice = json!({"metadata": {"name": "worker"}, "spec": spec});
    listers.set_slice(&serde_json::from_value(slice).unwrap());
    for claim in claims {
        listers.set_claim(&serde_json::from_value(claim.clone()).unwrap());
    }
    snapshot
}

/// What is written of claims, as verb and claim, and of the pod.
pub(super) fn shown(writes: &[Write]) -> Vec<(&'static str, Value)> {
    let show = |write: &Write| match &write.action {
        Action::CreateResourceClaim(claim) => ("create", value_of(claim)),
        Action::UpdateResourceClaim(claim) => ("update", value_of(claim)),
        Action::UpdateResourceClaimStatus(claim) => ("update status", value_of(claim)),
        Action::UnreserveResourceClaim { claim, pod_uid } => {
            ("unreserve", json!([claim.metadata.name, pod_uid]))
        }
        Action::DeleteResourceClaim { namespace, name } => ("delete", json!([namespace, name])),
        Action::PatchExtendedResourceClaimStatus { name, status, .. } => ("patch", json!([name, status])),
        Action::UpdatePersistentVolume(_) | Action::UpdatePersistentVolumeClaim(_) => panic!("of volumes"),
    };
    writes.iter().map(show).collect()
}

fn value_of(claim: &ResourceClaim) -> Value {
    let mut value = json!(claim);
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| name != "apiVersion" && name != "kind");
    }
    value
}
