//! Single changes of the objects of storage and of devices.

use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::matching::NODE_NAMES;
use super::storage::{CLAIMS, CLASSES, DRIVERS, SIZES, VOLUMES, attachment, claim, class, csi_node, volume};
use super::{NAMESPACES, chance, maybe, number, object, pick};

const KINDS: &[&str] = &[
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
    "CSINode",
    "CSIDriver",
    "CSIStorageCapacity",
    "VolumeAttachment",
    "DeviceClass",
    "ResourceClaim",
    "ResourceClaim",
    "ResourceSlice",
];

/// The kind of an object, the object, and the object as something else has made it.
pub fn storage_change(rng: &mut StdRng) -> (&'static str, Value, Value) {
    let kind = pick(rng, KINDS);
    let namespace = pick(rng, &NAMESPACES[..2]);
    let name = match kind {
        "PersistentVolumeClaim" => pick(rng, &[CLAIMS, &["pod-0-v0", "pod-0-v1"]].concat()),
        "PersistentVolume" => pick(rng, VOLUMES),
        "StorageClass" => pick(rng, CLASSES),
        "CSINode" => pick(rng, NODE_NAMES),
        "CSIDriver" => pick(rng, DRIVERS),
        "ResourceClaim" => pick(rng, &["one", "two"]),
        _ => "gpu",
    };
    let mut make = || match kind {
        "PersistentVolumeClaim" => claim(rng, namespace, name),
        "PersistentVolume" => volume(rng, name, &[]),
        "StorageClass" => class(rng, name),
        "CSINode" => csi_node(rng, name),
        "CSIDriver" => {
            json!({"metadata": {"name": name}, "spec": object([("storageCapacity", maybe(rng, 80, |rng| chance(rng, 50)))])})
        }
        "CSIStorageCapacity" => object([
            ("metadata", json!({"name": "capacity", "namespace": "kube-system"})),
            ("storageClassName", pick(rng, CLASSES).into()),
            ("capacity", maybe(rng, 80, |rng| pick(rng, SIZES))),
            ("maximumVolumeSize", maybe(rng, 40, |rng| pick(rng, SIZES))),
        ]),
        "VolumeAttachment" => attachment(rng, 0),
        "ResourceClaim" => resource_claim(rng, namespace, name),
        "ResourceSlice" => json!({"metadata": {"name": name}, "spec": {
            "driver": "gpu.example.com",
            "nodeName": pick(rng, NODE_NAMES),
            "pool": {"name": "pool", "generation": number(rng, 1..=2), "resourceSliceCount": 1},
        }}),
        _ => json!({"metadata": {"name": name}, "spec": object([
            ("extendedResourceName", maybe(rng, 70, |rng| pick(rng, &["example.com/gpu", "example.com/nic", ""]))),
        ])}),
    };
    let (old, other) = (make(), make());
    let new = mixed(rng, &old, &other);
    (kind, old, new)
}

fn resource_claim(rng: &mut StdRng, namespace: &str, name: &str) -> Value {
    let finalizers = maybe(rng, 30, |_| json!(["resource.kubernetes.io/delete-protection"]));
    let used_by = json!([{"resource": "pods", "name": "other", "uid": "other"}]);
    let status = maybe(rng, 80, |rng| {
        let allocation = maybe(rng, 60, |_| json!({"devices": {}}));
        object([("allocation", allocation), ("reservedFor", maybe(rng, 30, |_| used_by))])
    });
    let metadata = object([
        ("name", name.into()),
        ("namespace", namespace.into()),
        ("uid", format!("{namespace}/{name}").into()),
        ("finalizers", finalizers),
    ]);
    object([("metadata", metadata), ("spec", json!({})), ("status", status)])
}

/// The object with a few fields of another.
fn mixed(rng: &mut StdRng, object: &Value, other: &Value) -> Value {
    let (Value::Object(fields), Value::Object(others)) = (object, other) else {
        return if chance(rng, 30) { other.clone() } else { object.clone() };
    };
    let mut mix = Map::new();
    for (name, value) in fields {
        match others.get(name) {
            Some(other) => mix.insert(name.clone(), mixed(rng, value, other)),
            None if chance(rng, 30) => None,
            None => mix.insert(name.clone(), value.clone()),
        };
    }
    for (name, value) in others {
        if !fields.contains_key(name) && chance(rng, 30) {
            mix.insert(name.clone(), value.clone());
        }
    }
    Value::Object(mix)
}
