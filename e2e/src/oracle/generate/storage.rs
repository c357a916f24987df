//! Claims, volumes and what drivers say of them, and pods that use them.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::matching::NODE_NAMES;
use super::{chance, list, maybe, number, object, pick, some_of};

pub(super) const CLAIMS: &[&str] = &["data", "cache", "shared", "logs"];
pub(super) const VOLUMES: &[&str] = &["pv-0", "pv-1", "pv-2", "pv-3", "pv-4", "pv-5"];
pub(super) const CLASSES: &[&str] = &["fast", "slow", "local", "in-tree"];
/// Where pods with volumes are, so that they meet claims.
const NAMESPACES: &[&str] = &["default", "default", "default", "shop"];
pub(super) const DRIVERS: &[&str] = &[
    "csi.example.com",
    "csi.example.com",
    "disk.example.com",
    "ebs.csi.aws.com",
    "pd.csi.storage.gke.io",
    "disk.csi.azure.com",
    "cinder.csi.openstack.org",
    "pxd.portworx.com",
];
const PROVISIONERS: &[&str] = &[
    "csi.example.com",
    "csi.example.com",
    "disk.example.com",
    "kubernetes.io/no-provisioner",
    "kubernetes.io/gce-pd",
    "kubernetes.io/aws-ebs",
    "kubernetes.io/azure-file",
    "",
];
const IN_TREE_PLUGINS: &[&str] = &["kubernetes.io/gce-pd", "kubernetes.io/aws-ebs", "kubernetes.io/cinder"];
const ZONES: &[&str] = &["a", "b", "c", "a__b", " a__c", "a__", "", "us-x-a__us-x-b", "us-x-a__eu-y-b"];
const TOPOLOGY_KEYS: &[&str] = &[
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
];
pub(super) const SIZES: &[&str] = &["1Gi", "2Gi", "5Gi", "10Gi"];
const ACCESS_MODES: &[&str] = &["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];

/// Gives most of the pods of these lists volumes, the nodes zones and regions, and the case the objects of storage.
pub fn add_storage(rng: &mut StdRng, case: &mut Value) {
    for node in case["nodes"].as_array_mut().into_iter().flatten() {
        for (key, values) in [
            ("topology.kubernetes.io/region", ["a", "b"]),
            ("failure-domain.beta.kubernetes.io/zone", ["a", "b"]),
            ("failure-domain.beta.kubernetes.io/region", ["a", "b"]),
        ] {
            if chance(rng, 15) {
                node["metadata"]["labels"][key] = pick(rng, &values).into();
            }
        }
    }
    let mut claims = claims(rng);
    for kind in ["running", "nominated", "pods"] {
        for pod in case[kind].as_array_mut().into_iter().flatten() {
            if chance(rng, 80) {
                add_volumes(rng, pod);
                claims.extend(ephemeral_claims(rng, pod));
            }
        }
    }
    let node_names: Vec<String> = case["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|node| node["metadata"]["name"].as_str().map(str::to_owned))
        .collect();
    case["persistentVolumes"] = volumes(rng, &claims);
    case["persistentVolumeClaims"] = claims.into();
    case["storageClasses"] = some_of(rng, 85, CLASSES).iter().map(|name| class(rng, name)).collect();
    case["csiNodes"] = csi_nodes(rng, &node_names);
    case["csiDrivers"] = csi_drivers(rng);
    case["csiStorageCapacities"] = capacities(rng);
    case["volumeAttachments"] = list(rng, 0..=4, attachment);
}

pub(super) fn add_volumes(rng: &mut StdRng, pod: &mut Value) {
    pod["metadata"]["namespace"] = pick(rng, NAMESPACES).into();
    pod["spec"]["volumes"] = list(rng, 1..=3, |rng, index| {
        let mut volume = pod_volume_source(rng);
        volume["name"] = format!("v{index}").into();
        volume
    });
}

fn pod_volume_source(rng: &mut StdRng) -> Value {
    match number(rng, 0..=99) {
        0..=1 => json!({"persistentVolumeClaim": {"claimName": pick(rng, &["missing", ""])}}),
        2..=54 => json!({"persistentVolumeClaim": {"claimName": pick(rng, CLAIMS)}}),
        55..=64 => json!({"ephemeral": {"volumeClaimTemplate": {"spec": claim_spec(rng)}}}),
        65..=67 => json!({"emptyDir": {}}),
        68..=69 => json!({"configMap": {"name": "settings"}}),
        70..=72 => json!({"csi": {"driver": pick(rng, DRIVERS)}}),
        _ => in_tree_source(rng, Place::Pod),
    }
}

/// Where a volume of the tree's own kinds is described.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Pod,
    Volume,
}

fn in_tree_source(rng: &mut StdRng, place: Place) -> Value {
    let read_only = maybe(rng, 50, |_| true);
    match number(rng, 0..=9) {
        0 | 1 => {
            json!({"gcePersistentDisk": object([("pdName", pick(rng, &["disk-1", "disk-2"]).into()), ("readOnly", read_only)])})
        }
        2 => {
            let ids = &["vol-1", "vol-2", "aws://a/vol-1", "aws:///vol-2", "aws://a/other"];
            json!({"awsElasticBlockStore": object([("volumeID", pick(rng, ids).into()), ("readOnly", read_only)])})
        }
        3 => json!({"iscsi": object([
            ("targetPortal", "10.0.0.1".into()),
            ("iqn", pick(rng, &["iqn.2026-01.com.example:1", "iqn.2026-01.com.example:2"]).into()),
            ("lun", 0.into()),
            ("readOnly", read_only),
        ])}),
        4 => {
            let monitors = some_of(rng, 60, &["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
            json!({"rbd": object([
                ("monitors", json!(monitors)),
                ("pool", maybe(rng, 50, |rng| pick(rng, &["rbd", "other"]))),
                ("image", pick(rng, &["one", "two"]).into()),
                ("readOnly", read_only),
            ]) })
        }
        5 => json!({"azureDisk": object([
            ("diskName", "disk".into()),
            ("diskURI", pick(rng, &["/disks/1", "/disks/2"]).into()),
            ("kind", maybe(rng, 40, |rng| pick(rng, &["Managed", "managed", "Managed", "Dedicated"]))),
        ])}),
        6 => json!({"cinder": {"volumeID": pick(rng, &["1", "2", ""])}}),
        7 => json!({"portworxVolume": {"volumeID": pick(rng, &["1", "2"])}}),
        8 if place == Place::Pod => json!({"azureFile": {"secretName": "s", "shareName": "share"}}),
        8 => json!({"local": {"path": "/mnt"}}),
        _ => pick_source(rng),
    }
}

fn pick_source(rng: &mut StdRng) -> Value {
    if chance(rng, 50) {
        json!({"vsphereVolume": {"volumePath": "path"}})
    } else {
        json!({"nfs": {"server": "10.0.0.1", "path": "/"}})
    }
}

/// Claims of the usual names in the usual namespaces, most of them there.
fn claims(rng: &mut StdRng) -> Vec<Value> {
    let mut claims = Vec::new();
    for namespace in ["default", "shop"] {
        for name in some_of(rng, 95, CLAIMS) {
            claims.push(claim(rng, namespace, name));
        }
    }
    claims
}

pub(super) fn claim(rng: &mut StdRng, namespace: &str, name: &str) -> Value {
    let mut spec = claim_spec(rng);
    let is_bound = chance(rng, 60);
    if is_bound {
        spec["volumeName"] = pick(rng, VOLUMES).into();
    }
    let annotations = object([
        ("pv.kubernetes.io/bind-completed", maybe(rng, if is_bound { 85 } else { 3 }, |_| "yes")),
        ("volume.kubernetes.io/selected-node", maybe(rng, 15, |rng| pick(rng, NODE_NAMES))),
        // Upstream stops where the class of a volume that is to be made stands in the annotation only.
        ("volume.beta.kubernetes.io/storage-class", maybe(rng, 5, |rng| pick(rng, CLASSES))),
    ]);
    if annotations.get("volume.beta.kubernetes.io/storage-class").is_some() {
        spec["storageClassName"] = class_name(rng).into();
    }
    json!({
        "metadata": object([
            ("name", name.into()),
            ("namespace", namespace.into()),
            ("uid", format!("{namespace}/{name}").into()),
            ("annotations", annotations),
            ("deletionTimestamp", maybe(rng, 3, |_| "2026-01-02T00:00:00Z")),
        ]),
        "spec": spec,
        "status": {"phase": if is_bound { "Bound" } else { "Pending" }},
    })
}

fn claim_spec(rng: &mut StdRng) -> Value {
    let mut modes = some_of(rng, 30, ACCESS_MODES);
    if modes.is_empty() {
        modes.push(pick(rng, &["ReadWriteOnce", "ReadWriteOncePod"]));
    }
    object([
        ("accessModes", json!(modes)),
        ("resources", json!({"requests": {"storage": pick(rng, SIZES)}})),
        ("storageClassName", maybe(rng, 95, class_name)),
        ("volumeMode", maybe(rng, 50, |rng| pick(rng, &["Filesystem", "Filesystem", "Block"]))),
        ("selector", maybe(rng, 8, |rng| json!({"matchLabels": {"disk": pick(rng, &["ssd", "hdd"])}}))),
    ])
}

fn class_name(rng: &mut StdRng) -> &'static str {
    if chance(rng, 6) { pick(rng, &["", "missing"]) } else { pick(rng, CLASSES) }
}

/// The claims of the pod's ephemeral volumes, as a controller makes them, and some that something else has made.
fn ephemeral_claims(rng: &mut StdRng, pod: &Value) -> Vec<Value> {
    let metadata = &pod["metadata"];
    let (namespace, name) =
        (metadata["namespace"].as_str().unwrap_or_default(), metadata["name"].as_str().unwrap_or_default());
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let mut claims = Vec::new();
    for volume in volumes.filter(|volume| volume.get("ephemeral").is_some()) {
        if chance(rng, 8) {
            continue;
        }
        let volume = volume["name"].as_str().unwrap_or_default();
        let mut claim = claim(rng, namespace, &format!("{name}-{volume}"));
        if chance(rng, 95) {
            let uid = if chance(rng, 97) { format!("{namespace}/{name}") } else { "other".to_owned() };
            let mut owner = json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid});
            if chance(rng, 97) {
                owner["controller"] = true.into();
            }
            claim["metadata"]["ownerReferences"] = json!([owner]);
        }
        claims.push(claim);
    }
    claims
}

/// Most of the volumes, most of them bound to the claim that names them.
fn volumes(rng: &mut StdRng, claims: &[Value]) -> Value {
    let names = some_of(rng, 92, VOLUMES);
    names.iter().map(|name| volume(rng, name, claims)).collect()
}

pub(super) fn volume(rng: &mut StdRng, name: &str, claims: &[Value]) -> Value {
    let claim = claims.iter().find(|claim| claim["spec"]["volumeName"] == name);
    let mut labels = json!({});
    for key in TOPOLOGY_KEYS {
        if chance(rng, 15) {
            labels[*key] = pick(rng, ZONES).into();
        }
    }
    if chance(rng, 30) {
        labels["disk"] = pick(rng, &["ssd", "hdd"]).into();
    }
    let claim = if chance(rng, 92) { claim } else { claims.first() };
    let mut spec = object([
        ("capacity", json!({"storage": distinct_size(rng, name)})),
        ("accessModes", json!(some_of(rng, 60, ACCESS_MODES))),
        ("storageClassName", maybe(rng, 90, class_name)),
        ("volumeMode", maybe(rng, 50, |rng| pick(rng, &["Filesystem", "Filesystem", "Block"]))),
        ("nodeAffinity", maybe(rng, 30, node_affinity)),
        ("claimRef", claim.map_or(Value::Null, |claim| claim_ref(rng, claim))),
    ]);
    let handle = pick(rng, &["h-0", "h-1", "h-2", "h-3", ""]);
    let source = if chance(rng, 50) {
        json!({"csi": {"driver": pick(rng, DRIVERS), "volumeHandle": handle}})
    } else {
        in_tree_source(rng, Place::Volume)
    };
    for (field, value) in source.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    let phase = if claim.is_some() { "Bound" } else { pick(rng, &["Available", "Available", "Released"]) };
    json!({"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"phase": phase}})
}

/// A size that no other volume has: of equally small ones upstream takes any.
fn distinct_size(rng: &mut StdRng, volume: &str) -> String {
    let place = VOLUMES.iter().position(|name| *name == volume).unwrap_or(0);
    format!("{}Mi", pick(rng, &[1, 2, 5, 10, 20]) * 1024 + place)
}

fn claim_ref(rng: &mut StdRng, claim: &Value) -> Value {
    let metadata = &claim["metadata"];
    object([
        ("kind", "PersistentVolumeClaim".into()),
        ("name", metadata["name"].clone()),
        ("namespace", metadata["namespace"].clone()),
        ("uid", maybe(rng, 85, |rng| if chance(rng, 95) { metadata["uid"].clone() } else { "other".into() })),
    ])
}

fn node_affinity(rng: &mut StdRng) -> Value {
    let key = pick(
        rng,
        &[
            "topology.kubernetes.io/zone",
            "topology.kubernetes.io/zone",
            "failure-domain.beta.kubernetes.io/zone",
            "kubernetes.io/hostname",
            "disk",
        ],
    );
    let values: &[&str] = match key {
        "kubernetes.io/hostname" => NODE_NAMES,
        "disk" => &["ssd", "hdd"],
        _ => &["a", "b", "c"],
    };
    let chosen = some_of(rng, 60, values);
    let operator = if chosen.is_empty() { "Exists" } else { "In" };
    let requirement = object([("key", key.into()), ("operator", operator.into()), ("values", json!(chosen))]);
    json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [requirement]}]}})
}

pub(super) fn class(rng: &mut StdRng, name: &str) -> Value {
    let modes = &["WaitForFirstConsumer", "WaitForFirstConsumer", "WaitForFirstConsumer", "Immediate"];
    object([
        ("metadata", json!({"name": name})),
        (
            "provisioner",
            if name == "local" { "kubernetes.io/no-provisioner" } else { pick(rng, PROVISIONERS) }.into(),
        ),
        ("volumeBindingMode", maybe(rng, 97, |rng| pick(rng, modes))),
        ("allowedTopologies", maybe(rng, 25, |rng| list(rng, 1..=2, |rng, _| topology_term(rng)))),
    ])
}

fn topology_term(rng: &mut StdRng) -> Value {
    let key = pick(
        rng,
        &[
            "topology.kubernetes.io/zone",
            "topology.kubernetes.io/region",
            "failure-domain.beta.kubernetes.io/zone",
        ],
    );
    json!({"matchLabelExpressions": [{"key": key, "values": some_of(rng, 60, &["a", "b", "c"])}]})
}

fn csi_nodes(rng: &mut StdRng, node_names: &[String]) -> Value {
    let mut nodes = Vec::new();
    for name in node_names {
        if chance(rng, 80) {
            nodes.push(csi_node(rng, name));
        }
    }
    nodes.into()
}

pub(super) fn csi_node(rng: &mut StdRng, name: &str) -> Value {
    let mut drivers = some_of(rng, 60, DRIVERS);
    drivers.dedup();
    let drivers: Vec<Value> = drivers
        .into_iter()
        .map(|driver| {
            let counts = maybe(rng, 95, |rng| number(rng, 0..=4));
            let allocatable = maybe(rng, 80, |_| object([("count", counts)]));
            object([
                ("name", driver.into()),
                ("nodeID", name.into()),
                ("allocatable", allocatable),
                ("topologyKeys", maybe(rng, 30, |_| json!(["topology.kubernetes.io/zone"]))),
            ])
        })
        .collect();
    let migrated = some_of(rng, 60, IN_TREE_PLUGINS).join(",");
    let annotations =
        object([("storage.alpha.kubernetes.io/migrated-plugins", maybe(rng, 50, |_| migrated))]);
    json!({"metadata": {"name": name, "annotations": annotations}, "spec": {"drivers": drivers}})
}

/// At most one of them keeps pods off nodes without it: upstream asks drivers in any order, and names the first that is missing.
fn csi_drivers(rng: &mut StdRng) -> Value {
    let mut drivers = some_of(rng, 60, DRIVERS);
    drivers.dedup();
    let keeping = maybe(rng, 50, |rng| pick(rng, DRIVERS));
    let driver = |name: &str, rng: &mut StdRng| {
        json!({"metadata": {"name": name}, "spec": object([
            ("storageCapacity", maybe(rng, 60, |rng| chance(rng, 70))),
            ("preventPodSchedulingIfMissing", if keeping == name { true.into() } else { maybe(rng, 30, |_| false) }),
        ])})
    };
    drivers.into_iter().map(|name| driver(name, rng)).collect()
}

/// What is left of each class is the same everywhere: of several capacities that are open to a node upstream takes any. And it
/// stops where only a maximum size is known.
fn capacities(rng: &mut StdRng) -> Value {
    let left: Vec<(&str, Option<&str>)> = CLASSES
        .iter()
        .chain(&["", "missing"])
        .map(|class| {
            let left = pick(rng, &["1Gi", "5Gi", "10Gi", "30Gi", "9999999999"]);
            (*class, chance(rng, 92).then_some(left))
        })
        .collect();
    list(rng, 0..=5, |rng, index| {
        let topology = maybe(rng, 92, |rng| match number(rng, 0..=9) {
            0..=3 => json!({}),
            4..=6 => json!({"matchLabels": {"topology.kubernetes.io/zone": pick(rng, &["a", "b", "c"])}}),
            7 => json!({"matchExpressions": [{"key": "disk", "operator": "Exists"}]}),
            _ => {
                let names = some_of(rng, 50, NODE_NAMES);
                json!({"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": names}]})
            }
        });
        let (class, left) = pick(rng, &left);
        let maximum = if left.is_none() { Value::Null } else { maybe(rng, 30, |rng| pick(rng, SIZES)) };
        object([
            ("metadata", json!({"name": format!("capacity-{index}"), "namespace": "kube-system"})),
            ("storageClassName", class.into()),
            ("nodeTopology", topology),
            ("capacity", left.into()),
            ("maximumVolumeSize", maximum),
        ])
    })
}

pub(super) fn attachment(rng: &mut StdRng, index: usize) -> Value {
    let source = if chance(rng, 92) {
        json!({"persistentVolumeName": pick(rng, VOLUMES)})
    } else {
        json!({"inlineVolumeSpec": {"csi": {"driver": pick(rng, DRIVERS), "volumeHandle": "h-0"}}})
    };
    let attacher = if chance(rng, 4) { "" } else { pick(rng, DRIVERS) };
    json!({
        "metadata": {"name": format!("attachment-{index}")},
        "spec": {"attacher": attacher, "nodeName": pick(rng, NODE_NAMES), "source": source},
    })
}
