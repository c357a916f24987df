//! What quota is asked about: services, claims on volumes and devices, device classes, other objects.

use plimsoll_resource_math::{ParseQuantityError, Quantity};
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::resources::amount;
use super::{chance, list, maybe, number, object, pick};

/// The namespace of all quotas and objects here.
pub const NAMESPACE: &str = "team";

/// Device classes that claims name.
const CLASSES: &[&str] = &["gpu", "nic", "ghost", ""];
/// Volume attributes classes, and so the values that selectors name.
const ATTRIBUTES: &[&str] = &["high", "low", "missing", ""];

/// The metadata of an object of that namespace.
pub fn metadata(rng: &mut StdRng, name: &str) -> Value {
    object([
        ("name", maybe(rng, 92, |_| name)),
        ("generateName", maybe(rng, 10, |_| format!("{name}-"))),
        ("namespace", NAMESPACE.into()),
        ("resourceVersion", maybe(rng, 90, |_| "7")),
    ])
}

/// A service of any type.
pub fn service(rng: &mut StdRng) -> Value {
    let types = ["ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer", "ExternalName", "Other"];
    json!({
        "metadata": metadata(rng, "web"),
        "spec": object([
            ("type", maybe(rng, 90, |rng| pick(rng, &types))),
            ("allocateLoadBalancerNodePorts", maybe(rng, 40, |rng| chance(rng, 40))),
            ("ports", list(rng, 0..=3, |rng, _| {
                object([("port", 80.into()), ("nodePort", maybe(rng, 40, |rng| pick(rng, &[0, 30080, 31000])))])
            })),
        ]),
    })
}

/// A claim on a volume, perhaps growing, perhaps changing its attributes.
pub fn volume_claim(rng: &mut StdRng) -> Value {
    let mut metadata = metadata(rng, "data");
    if chance(rng, 15) {
        let class = pick(rng, &["gold", "", "slow"]);
        metadata["annotations"] = json!({"volume.beta.kubernetes.io/storage-class": class});
    }
    json!({
        "metadata": metadata,
        "spec": object([
            ("storageClassName", maybe(rng, 70, |rng| pick(rng, &["gold", "gold", "slow", ""]))),
            ("volumeAttributesClassName", maybe(rng, 40, |rng| pick(rng, ATTRIBUTES))),
            ("resources", maybe(rng, 95, |rng| json!({"requests": storage(rng, 95)}))),
        ]),
        "status": object([
            ("allocatedResources", maybe(rng, 25, |rng| storage(rng, 80))),
            ("currentVolumeAttributesClassName", maybe(rng, 20, |rng| pick(rng, ATTRIBUTES))),
            ("modifyVolumeStatus", maybe(rng, 15, |rng| json!({
                "status": "Pending",
                "targetVolumeAttributesClassName": pick(rng, ATTRIBUTES),
            }))),
        ]),
    })
}

fn storage(rng: &mut StdRng, percent: u32) -> Value {
    let amount = if chance(rng, 20) {
        pick(rng, &["0.5", "1500m", "1.1Gi", "-1"]).into()
    } else {
        amount(rng, "storage")
    };
    object([("storage", maybe(rng, percent, |_| amount))])
}

/// A claim on devices, perhaps made for the extended resources of a pod.
pub fn resource_claim(rng: &mut StdRng) -> Value {
    let name = pick(rng, &["claim-a", "claim-b", "claim-c"]);
    let mut metadata = metadata(rng, name);
    metadata["name"] = name.into();
    if chance(rng, 50) {
        let value = if chance(rng, 90) { "true" } else { "false" };
        metadata["annotations"] = json!({"resource.kubernetes.io/extended-resource-claim": value});
        metadata["ownerReferences"] = json!([{
            "apiVersion": if chance(rng, 95) { "v1" } else { "apps/v1" },
            "kind": if chance(rng, 95) { "Pod" } else { "Job" },
            "name": pick(rng, &["owner", "owner", "other"]),
            "uid": pick(rng, &["1", "1", "2"]),
            "controller": chance(rng, 92),
        }]);
    }
    if chance(rng, 80) {
        metadata["creationTimestamp"] = pick(rng, &["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"]).into();
    }
    json!({
        "metadata": metadata,
        "spec": {"devices": {"requests": list(rng, 0..=3, device_request)}},
    })
}

fn device_request(rng: &mut StdRng, index: usize) -> Value {
    object([
        ("name", format!("request-{index}").into()),
        ("exactly", maybe(rng, 70, |rng| devices(rng, 0))),
        ("firstAvailable", maybe(rng, 35, |rng| list(rng, 0..=3, devices))),
    ])
}

fn devices(rng: &mut StdRng, index: usize) -> Value {
    object([
        ("name", format!("devices-{index}").into()),
        ("deviceClassName", pick(rng, CLASSES).into()),
        (
            "allocationMode",
            maybe(rng, 95, |rng| pick(rng, &["ExactCount", "ExactCount", "ExactCount", "All", "Later"])),
        ),
        ("count", maybe(rng, 90, |rng| if chance(rng, 3) { -2 } else { number(rng, 0..=4) })),
    ])
}

/// Device classes, some with an extended resource, at times the same one.
pub fn device_classes(rng: &mut StdRng) -> Value {
    let names: Vec<_> = ["gpu", "nic"].into_iter().filter(|_| chance(rng, 70)).collect();
    let class = |name: &str, rng: &mut StdRng| {
        let shared = chance(rng, 5);
        let resource = if shared || name == "gpu" { "example.com/gpu" } else { "example.com/nic" };
        json!({
            "metadata": {"name": name, "creationTimestamp": pick(rng, &["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"])},
            "spec": object([("extendedResourceName", maybe(rng, 70, |_| resource))]),
        })
    };
    names.into_iter().map(|name| class(name, rng)).collect()
}

/// An object of which quota looks at the metadata alone.
pub fn other(rng: &mut StdRng) -> Value {
    json!({"metadata": metadata(rng, "settings")})
}

/// The resources that [`any_object`] makes objects of.
pub const RESOURCES: &[(&str, &str)] = &[
    ("", "services"),
    ("", "persistentvolumeclaims"),
    ("resource.k8s.io", "resourceclaims"),
    ("", "configmaps"),
    ("", "secrets"),
    ("", "replicationcontrollers"),
    ("", "resourcequotas"),
    ("", "endpoints"),
    ("apps", "deployments"),
    ("example.com", "widgets"),
];

/// A resource: pods half of the time.
pub fn resource(rng: &mut StdRng) -> (&'static str, &'static str) {
    match number(rng, 0..=99) {
        0..50 => ("", "pods"),
        50..62 => ("", "persistentvolumeclaims"),
        62..74 => ("resource.k8s.io", "resourceclaims"),
        74..84 => ("", "services"),
        84..87 => {
            pick(rng, &[("", "events"), ("", "bindings"), ("authorization.k8s.io", "subjectaccessreviews")])
        }
        _ => pick(rng, RESOURCES),
    }
}

/// An object of the resource.
pub fn any_object(rng: &mut StdRng, resource: &str) -> Value {
    match resource {
        "pods" => pod(rng),
        "services" => service(rng),
        "persistentvolumeclaims" => volume_claim(rng),
        "resourceclaims" => resource_claim(rng),
        _ => other(rng),
    }
}

/// A pod at any point of its life.
pub fn pod(rng: &mut StdRng) -> Value {
    let mut pod = if chance(rng, 60) { super::pod::pod(rng) } else { super::pod::pod_with_status(rng) };
    let mut metadata = metadata(rng, "web");
    if chance(rng, 12) {
        metadata["deletionTimestamp"] =
            pick(rng, &["2020-01-01T00:00:00Z", "2025-06-01T00:00:00Z", "2090-01-01T00:00:00Z"]).into();
        if chance(rng, 80) {
            metadata["deletionGracePeriodSeconds"] = pick(rng, &[0, 1, 30, 1_000_000_000]).into();
        }
    }
    pod["metadata"] = metadata;
    if chance(rng, 12)
        && let Some(container) = pod.pointer_mut("/spec/containers/0")
    {
        let resource = format!("deviceclass.resource.kubernetes.io/{}", pick(rng, CLASSES));
        container["resources"]["requests"][resource] = "1".into();
    }
    pod
}

/// The time, the device classes and the stored objects on which usage depends. The object itself is not among them.
pub fn world(rng: &mut StdRng) -> Map<String, Value> {
    let owner = |rng: &mut StdRng| {
        let mut owner = pod(rng);
        owner["metadata"] = json!({"name": "owner", "namespace": NAMESPACE, "uid": "1"});
        owner["spec"]["containers"] = json!([{"name": "a", "resources": {"requests": {
            "example.com/gpu": pick(rng, &["1", "2", "5"]),
            "deviceclass.resource.kubernetes.io/gpu": pick(rng, &["1", "2"]),
        }}}]);
        if chance(rng, 40) {
            owner["status"]["extendedResourceClaimStatus"] =
                json!({"resourceClaimName": pick(rng, &["claim-a", "claim-b"]), "requestMappings": []});
        }
        owner
    };
    let pods = if chance(rng, 70) { json!([owner(rng)]) } else { json!([]) };
    let world = json!({
        "now": "2025-06-01T00:00:01Z",
        "deviceClasses": device_classes(rng),
        "pods": pods,
        "claims": list(rng, 0..=2, |rng, _| resource_claim(rng)),
    });
    world.as_object().cloned().unwrap_or_default()
}

/// Keys of a quota, of all evaluators and none.
pub fn keys(rng: &mut StdRng, percent: u32) -> Vec<&'static str> {
    super::some_of(rng, percent, KEYS)
}

/// All keys with a meaning, and some without.
pub const KEYS: &[&str] = &[
    "pods",
    "count/pods",
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "hugepages-2Mi",
    "requests.hugepages-2Mi",
    "requests.hugepages-x/y",
    "requests.example.com/gpu",
    "requests.example.com/nic",
    "limits.example.com/gpu",
    "example.com/gpu",
    "requests.deviceclass.resource.kubernetes.io/gpu",
    "requests.deviceclass.resource.kubernetes.io/ghost",
    "gpu.deviceclass.resource.k8s.io/devices",
    "nic.deviceclass.resource.k8s.io/devices",
    ".deviceclass.resource.k8s.io/devices",
    "count/resourceclaims.resource.k8s.io",
    "services",
    "count/services",
    "services.nodeports",
    "services.loadbalancers",
    "persistentvolumeclaims",
    "count/persistentvolumeclaims",
    "requests.storage",
    "gold.storageclass.storage.k8s.io/requests.storage",
    "gold.storageclass.storage.k8s.io/persistentvolumeclaims",
    ".storageclass.storage.k8s.io/requests.storage",
    "configmaps",
    "count/configmaps",
    "secrets",
    "resourcequotas",
    "count/resourcequotas",
    "replicationcontrollers",
    "count/deployments.apps",
    "count/widgets.example.com",
    "count/endpoints",
];

/// One requirement of a scope selector, with values that are no labels at times.
pub fn scope_requirement(rng: &mut StdRng) -> Value {
    let mut requirement = super::resource_quota::scope_requirement(rng);
    match number(rng, 0..=49) {
        0 => requirement["values"] = json!(["not a label!", "-x"]),
        1 => requirement["operator"] = "Gt".into(),
        2 => requirement["values"] = json!([]),
        3 => requirement["values"] = json!(["x".repeat(64)]),
        _ => {}
    }
    requirement
}

/// A quota of that name whose status names the keys given, in use or not counted yet.
pub fn quota(rng: &mut StdRng, name: &str, keys: &[&str]) -> Value {
    let mut hard = Map::new();
    let mut used = Map::new();
    for key in keys {
        let limit = amount_of(rng, key);
        if !chance(rng, 2) {
            let amount = if chance(rng, 30) { "0".to_owned() } else { amount_of(rng, key) };
            used.insert((*key).to_owned(), amount.into());
        }
        hard.insert((*key).to_owned(), limit.into());
    }
    let scopes = [
        "Terminating",
        "NotTerminating",
        "BestEffort",
        "NotBestEffort",
        "PriorityClass",
        "CrossNamespacePodAffinity",
        "VolumeAttributesClass",
        "Bogus",
    ];
    let limits = Value::Object(hard);
    json!({
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": object([
            ("hard", limits.clone()),
            ("scopes", maybe(rng, 15, |rng| list(rng, 1..=2, |rng, _| pick(rng, &scopes)))),
            ("scopeSelector", maybe(rng, 12, |rng| json!({"matchExpressions": list(rng, 0..=2, |rng, _| scope_requirement(rng))}))),
        ]),
        "status": {"hard": limits, "used": used},
    })
}

fn amount_of(rng: &mut StdRng, key: &str) -> String {
    if key.ends_with("cpu") {
        amount(rng, "cpu")
    } else if ["memory", "storage", "hugepages-2Mi"].iter().any(|ending| key.ends_with(ending)) {
        amount(rng, "memory")
    } else {
        number(rng, 0..=9).to_string()
    }
}

/// Replaces amounts so large that upstream prints or rounds them wrongly, and exponents that Plimsoll does not read; both are
/// covered by the family of quantities.
pub fn tamed(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, tamed(value))).collect(),
        Value::Array(elements) => elements.into_iter().map(tamed).collect(),
        Value::String(text) if is_wild(&text) => "7".into(),
        other => other,
    }
}

fn is_wild(text: &str) -> bool {
    match (Quantity::parse(text), Quantity::parse("10P")) {
        (Err(ParseQuantityError::OutOfRange), _) => true,
        (Ok(amount), Ok(bound)) => amount > bound || -amount > bound,
        _ => false,
    }
}
