//! Devices, claims on them, and pods that have such claims.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{chance, list, maybe, number, object, pick, some_of};

/// Where pods with claims are, so that they meet them.
const NAMESPACES: &[&str] = &["default", "default", "default", "shop"];
const CLAIMS: &[&str] = &["one", "two", "three", "four"];
const CLASSES: &[&str] = &["gpu", "gpu", "gpu", "nic", "any"];
const DRIVERS: &[&str] = &["gpu.example.com", "nic.example.com"];
const POOLS: &[&str] = &["pool-a", "pool-b", "rack/1"];
const MODELS: &[&str] = &["a100", "h100"];
const RESOURCES: &[&str] = &["example.com/gpu", "deviceclass.resource.kubernetes.io/nic", "example.com/nic"];

/// Expressions that are valid, most of them true of some devices and not of others.
const EXPRESSIONS: &[&str] = &[
    "device.driver == 'gpu.example.com'",
    "device.attributes['gpu.example.com'].?model.orValue('') == 'a100'",
    "device.attributes['gpu.example.com'].?index.orValue(0) >= 1",
    "has(device.attributes['gpu.example.com'].model) && device.attributes['gpu.example.com'].model == 'h100'",
    "'shared.example.com' in device.attributes",
    "device.attributes[device.driver].?healthy.orValue(false)",
    "device.capacity[device.driver].?memory.orValue(quantity('0')).compareTo(quantity('40Gi')) >= 0",
    "device.attributes['shared.example.com'].?firmware.orValue(semver('0.0.1')).isGreaterThan(semver('1.0.0'))",
    "!(device.driver in ['nic.example.com', 'other.example.com'])",
    "cel.bind(of, device.attributes[device.driver], 'model' in of && of.model.startsWith('h'))",
    "device.attributes[device.driver].exists(name, name == 'index')",
    "true",
];
/// Expressions that some devices make fail.
const FRAGILE: &[&str] = &[
    "device.attributes[device.driver].model == 'a100'",
    "device.attributes[device.driver].model > 3",
    "device.attributes['gpu.example.com'].index > 0",
    "device.capacity[device.driver].memory.isGreaterThan(quantity('1Gi'))",
    "device.attributes[device.driver].model",
];

/// Gives most of the pods of the case claims, and the case devices.
pub fn add_devices(rng: &mut StdRng, case: &mut Value) {
    let nodes: Vec<String> = case["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|node| node["metadata"]["name"].as_str().map(str::to_owned))
        .collect();
    let is_scored_by_devices = chance(rng, 40);
    let mut slices = slices(rng, &nodes);
    if is_scored_by_devices {
        case["config"] = scored_by_devices(rng);
        slices.extend(nodes.iter().map(|node| own_devices(rng, node)));
    }
    let mut claims: Vec<Value> = Vec::new();
    for namespace in ["default", "shop"] {
        for name in some_of(rng, 85, CLAIMS) {
            let mut claim = json!({
                "metadata": {"name": name, "namespace": namespace, "uid": format!("{namespace}/{name}")},
                "spec": claim_spec(rng),
            });
            if chance(rng, 25) {
                claim["status"] = allocated(rng, &slices, &nodes);
            }
            if chance(rng, 3) {
                claim["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z".into();
            }
            claims.push(claim);
        }
    }
    for pod in case["pods"].as_array_mut().into_iter().flatten() {
        if chance(rng, 90) {
            pod["metadata"]["namespace"] = pick(rng, NAMESPACES).into();
            if chance(rng, 70) {
                // A pod that little else keeps off.
                for field in ["affinity", "nodeSelector", "topologySpreadConstraints"] {
                    super::scheduling::drop_field(&mut pod["spec"], field);
                }
                pod["spec"]["containers"] = json!([{"name": "app"}]);
            }
            add_claims(rng, pod, &mut claims);
            if is_scored_by_devices && chance(rng, 70) {
                super::scheduling::drop_field(&mut pod["spec"], "resourceClaims");
                let requests = json!({pick(rng, RESOURCES): pick(rng, &["1", "1", "2"])});
                pod["spec"]["containers"] = json!([{"name": "app", "resources": {"requests": requests}}]);
            } else if chance(rng, 20) {
                ask_for_extended(rng, pod);
                if chance(rng, 20) {
                    claims.push(left_over(rng, pod, &slices, &nodes));
                }
            }
        }
    }
    case["resourceSlices"] = slices.into();
    case["resourceClaims"] = claims.into();
    case["deviceClasses"] = classes(rng);
    case["deviceTaintRules"] = list(rng, 0..=1, taint_rule);
}

/// A configuration by which nodes are compared by extended resources that devices may serve.
fn scored_by_devices(rng: &mut StdRng) -> Value {
    let resources = |rng: &mut StdRng, weights: &[i64]| -> Vec<Value> {
        let mut names = some_of(rng, 70, RESOURCES);
        names.extend(some_of(rng, 40, &["cpu", "example.com/other"]));
        names.into_iter().map(|name| json!({"name": name, "weight": pick(rng, weights)})).collect()
    };
    let strategy = pick(rng, &["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"]);
    let mut fit = json!({"type": strategy, "resources": resources(rng, &[1, 1, 3, 100])});
    if strategy == "RequestedToCapacityRatio" {
        let shape = json!([{"utilization": 0, "score": number(rng, 0..=10)}, {"utilization": 100, "score": number(rng, 0..=10)}]);
        fit["requestedToCapacityRatio"] = json!({"shape": shape});
    }
    let told = json!([
        {"name": "NodeResourcesFit", "args": {"scoringStrategy": fit}},
        {"name": "NodeResourcesBalancedAllocation", "args": {"resources": resources(rng, &[1])}},
    ]);
    json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "profiles": [{"pluginConfig": told}],
    })
}

fn classes(rng: &mut StdRng) -> Value {
    let class = |rng: &mut StdRng, name: &str, selectors: Value, resource: Option<&str>| {
        let opaque = json!({"driver": pick(rng, DRIVERS), "parameters": {"of": name}});
        let spec = object([
            ("selectors", selectors),
            ("config", maybe(rng, 30, |_| json!([{"opaque": opaque}]))),
            ("extendedResourceName", resource.filter(|_| chance(rng, 50)).into()),
        ]);
        json!({"metadata": {"name": name}, "spec": spec})
    };
    let of_driver = |driver: &str| json!([{"cel": {"expression": format!("device.driver == '{driver}'")}}]);
    let mut classes = vec![class(rng, "gpu", of_driver(DRIVERS[0]), Some("example.com/gpu"))];
    if chance(rng, 90) {
        classes.push(class(rng, "nic", of_driver(DRIVERS[1]), Some("example.com/nic")));
    }
    if chance(rng, 90) {
        let selectors = maybe(rng, 40, selectors);
        classes.push(class(rng, "any", selectors, None));
    }
    classes.into()
}

fn selectors(rng: &mut StdRng) -> Value {
    list(rng, 1..=2, |rng, _| {
        let expressions = if chance(rng, 6) { FRAGILE } else { EXPRESSIONS };
        json!({"cel": {"expression": pick(rng, expressions)}})
    })
}

/// Devices that a node alone has, enough for a few pods.
fn own_devices(rng: &mut StdRng, node: &str) -> Value {
    let driver = pick(rng, DRIVERS);
    let devices: Vec<Value> = (0..number(rng, 1..=6)).map(|index| device(rng, driver, index)).collect();
    json!({"metadata": {"name": format!("own-{node}")}, "spec": {
        "driver": driver, "nodeName": node, "devices": devices,
        "pool": {"name": node, "generation": 1, "resourceSliceCount": 1},
    }})
}

/// Slices of one or two generations of a few pools; not all pools are whole.
pub(super) fn slices(rng: &mut StdRng, nodes: &[String]) -> Vec<Value> {
    let mut slices = Vec::new();
    for (pool_index, pool) in some_of(rng, 75, POOLS).into_iter().enumerate() {
        let driver = pick(rng, DRIVERS);
        let generation = number(rng, 1..=2);
        let count = number(rng, 1..=3);
        let said = if chance(rng, 8) { count + 1 } else { count };
        let mut next_device = 0;
        for index in 0..count {
            let mut slice = slice(rng, nodes, driver, &mut next_device);
            // Names aren't in the order in which slices are listed.
            let name = format!("slice-{}-{pool_index}", (index * 7 + 3) % 5);
            slice["metadata"] = json!({"name": name});
            slice["spec"]["pool"] =
                json!({"name": pool, "generation": generation, "resourceSliceCount": said});
            if chance(rng, 10) {
                let mut old = slice.clone();
                old["metadata"]["name"] = format!("old-{name}").into();
                old["spec"]["pool"]["generation"] = (generation - 1).into();
                slices.push(old);
            }
            slices.push(slice);
        }
    }
    slices
}

fn slice(rng: &mut StdRng, nodes: &[String], driver: &str, next_device: &mut i64) -> Value {
    let mut spec = json!({"driver": driver});
    let is_per_device = chance(rng, 12);
    if is_per_device {
        spec["perDeviceNodeSelection"] = true.into();
    } else {
        let place = place(rng, nodes);
        for (field, value) in place.as_object().into_iter().flatten() {
            spec[field] = value.clone();
        }
    }
    spec["devices"] = list(rng, 1..=4, |rng, _| {
        let mut device = device(rng, driver, *next_device);
        if is_per_device {
            let place = place(rng, nodes);
            for (field, value) in place.as_object().into_iter().flatten() {
                device[field] = value.clone();
            }
        }
        // Now and then two devices of a pool have the same name.
        if !chance(rng, 2) {
            *next_device += 1;
        }
        device
    });
    json!({"spec": spec})
}

/// Where devices can be used.
fn place(rng: &mut StdRng, nodes: &[String]) -> Value {
    let node = match nodes.len() {
        0 => "node-1".to_owned(),
        length => nodes[super::number_below(rng, length)].clone(),
    };
    match number(rng, 0..=9) {
        0..=4 => json!({"nodeName": node}),
        5..=6 => json!({"allNodes": true}),
        7..=8 => {
            let requirement = json!({"key": "topology.kubernetes.io/zone", "operator": pick(rng, &["In", "NotIn"]), "values": [pick(rng, &["a", "b"])]});
            json!({"nodeSelector": {"nodeSelectorTerms": [{"matchExpressions": [requirement]}]}})
        }
        _ => {
            let requirement = json!({"key": "metadata.name", "operator": "In", "values": [node]});
            json!({"nodeSelector": {"nodeSelectorTerms": [{"matchFields": [requirement]}]}})
        }
    }
}

fn device(rng: &mut StdRng, driver: &str, index: i64) -> Value {
    let mut attributes = json!({});
    if chance(rng, 90) {
        attributes["model"] = json!({"string": pick(rng, MODELS)});
    }
    if chance(rng, 80) {
        let name = if chance(rng, 70) { "index".to_owned() } else { format!("{driver}/index") };
        attributes[name] = json!({"int": number(rng, 0..=2)});
    }
    if chance(rng, 50) {
        attributes["healthy"] = json!({"bool": chance(rng, 70)});
    }
    if chance(rng, 60) {
        attributes["shared.example.com/numa"] = json!({"int": number(rng, 0..=1)});
        attributes["shared.example.com/firmware"] =
            json!({"version": pick(rng, &["1.0.0", "1.0.1-rc.1", "2.3.4+build"])});
    }
    object([
        ("name", format!("dev-{index}").into()),
        ("attributes", attributes),
        ("capacity", maybe(rng, 60, |rng| json!({"memory": {"value": pick(rng, &["20Gi", "40Gi", "80G"])}}))),
        ("taints", maybe(rng, 12, |rng| list(rng, 1..=2, |rng, _| taint(rng)))),
    ])
}

fn taint(rng: &mut StdRng) -> Value {
    json!({
        "key": pick(rng, &["example.com/broken", "example.com/slow"]), "value": pick(rng, &["", "yes"]),
        "effect": pick(rng, &["NoSchedule", "NoExecute", "None"]),
    })
}

pub(super) fn taint_rule(rng: &mut StdRng, index: usize) -> Value {
    let selector = object([
        ("driver", maybe(rng, 60, |rng| pick(rng, DRIVERS))),
        ("pool", maybe(rng, 40, |rng| pick(rng, POOLS))),
        ("device", maybe(rng, 60, |rng| pick(rng, &["dev-0", "dev-1", "dev-2"]))),
    ]);
    let spec = object([("deviceSelector", maybe(rng, 90, |_| selector)), ("taint", taint(rng))]);
    json!({"metadata": {"name": format!("rule-{index}")}, "spec": spec})
}

fn claim_spec(rng: &mut StdRng) -> Value {
    let requests = list(rng, 1..=3, request);
    let names = ["request-0", "request-1"];
    let constraints = maybe(rng, 30, |rng| {
        list(rng, 1..=2, |rng, _| {
            let attribute = pick(
                rng,
                &[
                    "gpu.example.com/model",
                    "gpu.example.com/index",
                    "shared.example.com/numa",
                    "nic.example.com/healthy",
                ],
            );
            let kind = if chance(rng, 70) { "matchAttribute" } else { "distinctAttribute" };
            object([(kind, attribute.into()), ("requests", maybe(rng, 40, |rng| some_of(rng, 60, &names)))])
        })
    });
    let config = maybe(rng, 25, |rng| {
        list(rng, 1..=2, |rng, index| {
            let opaque = json!({"driver": pick(rng, DRIVERS), "parameters": {"place": index}});
            object([
                ("opaque", opaque),
                ("requests", maybe(rng, 60, |rng| some_of(rng, 60, &["request-0", "request-1", "missing"]))),
            ])
        })
    });
    json!({"devices": object([("requests", requests), ("constraints", constraints), ("config", config)])})
}

fn request(rng: &mut StdRng, index: usize) -> Value {
    let name = format!("request-{index}");
    let class = if chance(rng, 3) { "missing" } else { pick(rng, CLASSES) };
    let tolerations = maybe(rng, 30, |rng| {
        list(rng, 1..=2, |rng, _| {
            let operator = pick(rng, &["Exists", "Equal", ""]);
            object([
                ("key", maybe(rng, 70, |rng| pick(rng, &["example.com/broken", "example.com/slow"]))),
                ("operator", Some(operator).filter(|operator| !operator.is_empty()).into()),
                ("value", maybe(rng, 40, |_| "yes")),
                ("effect", maybe(rng, 40, |rng| pick(rng, &["NoSchedule", "NoExecute"]))),
            ])
        })
    });
    let is_all = chance(rng, 15);
    let count = match number(rng, 0..=99) {
        0 => 33,
        1 => 0,
        2..=70 => 1,
        71..=90 => 2,
        _ => 3,
    };
    let exactly = object([
        ("deviceClassName", class.into()),
        ("allocationMode", if is_all { "All" } else { "ExactCount" }.into()),
        ("count", if is_all { Value::Null } else { count.into() }),
        ("selectors", maybe(rng, 35, selectors)),
        ("tolerations", tolerations),
        ("adminAccess", maybe(rng, 8, |rng| chance(rng, 80))),
    ]);
    json!({"name": name, "exactly": exactly})
}

/// The status of a claim that has a device, which may be there or not.
fn allocated(rng: &mut StdRng, slices: &[Value], nodes: &[String]) -> Value {
    let slice = &slices.get(super::number_below(rng, slices.len().max(1)));
    let (driver, pool) = match slice {
        Some(slice) => (slice["spec"]["driver"].clone(), slice["spec"]["pool"]["name"].clone()),
        None => (DRIVERS[0].into(), POOLS[0].into()),
    };
    let results = list(rng, 1..=2, |rng, index| {
        object([
            ("request", "request-0".into()),
            ("driver", driver.clone()),
            ("pool", pool.clone()),
            ("device", format!("dev-{}", number(rng, 0..=3) + i64::try_from(index).unwrap_or(0)).into()),
            ("adminAccess", maybe(rng, 10, |_| true)),
            ("shareID", maybe(rng, 6, |_| "11111111-2222-3333-4444-555555555555")),
            ("skipNodeOperations", maybe(rng, 5, |_| json!(["Prepare"]))),
        ])
    });
    let place = place(rng, nodes);
    let selector = match place.get("nodeName") {
        Some(node) => json!({"nodeSelectorTerms": [{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": [node]},
        ]}]}),
        None => place.get("nodeSelector").cloned().unwrap_or_default(),
    };
    let allocation = object([("devices", json!({"results": results})), ("nodeSelector", selector)]);
    let reserved = json!([{"resource": "pods", "name": "other", "uid": "other"}]);
    object([("allocation", allocation), ("reservedFor", maybe(rng, 50, |_| reserved))])
}

fn add_claims(rng: &mut StdRng, pod: &mut Value, claims: &mut Vec<Value>) {
    let (namespace, name) = (pod["metadata"]["namespace"].clone(), pod["metadata"]["name"].clone());
    let (namespace, name) = (namespace.as_str().unwrap_or_default(), name.as_str().unwrap_or_default());
    let mut statuses = Vec::new();
    let entries = list(rng, 1..=2, |rng, index| {
        let entry = format!("entry-{index}");
        if chance(rng, 55) {
            let claim = if chance(rng, 4) { "missing" } else { pick(rng, CLAIMS) };
            return json!({"name": entry, "resourceClaimName": claim});
        }
        let generated = format!("{name}-{entry}-abcde");
        match number(rng, 0..=99) {
            0..=2 => {}
            3..=5 => statuses.push(json!({"name": entry})),
            _ => statuses.push(json!({"name": entry, "resourceClaimName": generated})),
        }
        let uid = if chance(rng, 97) { format!("{namespace}/{name}") } else { "other".to_owned() };
        let owner = json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid, "controller": true});
        claims.push(json!({
            "metadata": {
                "name": generated, "namespace": namespace, "uid": format!("{namespace}/{generated}"),
                "ownerReferences": [owner],
            },
            "spec": claim_spec(rng),
        }));
        if chance(rng, 98) {
            json!({"name": entry, "resourceClaimTemplateName": "template"})
        } else {
            json!({"name": entry})
        }
    });
    pod["spec"]["resourceClaims"] = entries;
    if !statuses.is_empty() {
        pod["status"]["resourceClaimStatuses"] = statuses.into();
    }
}

/// The pod asks for devices as for other resources.
/// The claim that was made up for a pod when it was tried before.
fn left_over(rng: &mut StdRng, pod: &Value, slices: &[Value], nodes: &[String]) -> Value {
    let (namespace, name) = (&pod["metadata"]["namespace"], &pod["metadata"]["name"]);
    let pod_uid = format!("{}/{}", namespace.as_str().unwrap_or_default(), name.as_str().unwrap_or_default());
    let claim_name = format!("{}-extended-resources-before", name.as_str().unwrap_or_default());
    let owner = json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": pod_uid, "controller": true});
    let exactly = json!({"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1});
    let requests = json!([{"name": "container-0-request-0", "exactly": exactly}]);
    object([
        (
            "metadata",
            json!({
                "name": claim_name, "namespace": namespace, "uid": format!("{pod_uid}/before"),
                "annotations": {"resource.kubernetes.io/extended-resource-claim": "true"}, "ownerReferences": [owner],
                "finalizers": ["resource.kubernetes.io/delete-protection"],
            }),
        ),
        ("spec", json!({"devices": {"requests": requests}})),
        ("status", maybe(rng, 60, |rng| allocated(rng, slices, nodes))),
    ])
}

fn ask_for_extended(rng: &mut StdRng, pod: &mut Value) {
    if chance(rng, 60) {
        super::scheduling::drop_field(&mut pod["spec"], "resourceClaims");
    }
    let container = |rng: &mut StdRng, name: String, may_last: bool| {
        let mut requests = json!({});
        for resource in some_of(rng, 45, RESOURCES) {
            requests[resource] = pick(rng, &["1", "1", "2", "0"]).into();
        }
        if chance(rng, 30) {
            requests["cpu"] = "10m".into();
        }
        let mut container = json!({"name": name, "resources": {"requests": requests}});
        if may_last && chance(rng, 30) {
            container["restartPolicy"] = "Always".into();
        }
        container
    };
    pod["spec"]["containers"] = list(rng, 1..=2, |rng, index| container(rng, format!("app-{index}"), false));
    pod["spec"]["initContainers"] =
        list(rng, 0..=2, |rng, index| container(rng, format!("init-{index}"), true));
}
