//! New objects of the kinds, other than pods, whose validation is ours to repeat.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::matching::{NODE_LABELS, labels_of, taint, toleration};
use super::workload::workload;
use super::{NAMESPACES, chance, list, maybe, metadata, number, object, pick};

/// An object of any of these kinds, valid most of the time.
pub fn created(rng: &mut StdRng) -> Value {
    if chance(rng, 50) {
        return workload(rng);
    }
    let make = pick(
        rng,
        &[claim, namespace, node, priority_class, runtime_class, service, service, storage_class]
            as &[fn(&mut StdRng) -> Value],
    );
    make(rng)
}

fn of_cluster(rng: &mut StdRng, api_version: &str, kind: &str, names: &[&str]) -> Value {
    let name = pick(rng, names);
    let metadata = metadata(rng, name, None);
    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata})
}

fn claim(rng: &mut StdRng) -> Value {
    let namespace = pick(rng, NAMESPACES);
    let mut metadata = metadata(rng, "data", Some(namespace));
    if chance(rng, 10) {
        metadata["annotations"] =
            json!({"volume.beta.kubernetes.io/storage-class": pick(rng, &["fast", "Bad_Class", ""])});
    }
    let source = |rng: &mut StdRng| {
        object([
            (
                "apiGroup",
                maybe(rng, 50, |rng| pick(rng, &["snapshot.storage.k8s.io", "example.com", "Bad Group"])),
            ),
            ("kind", pick(rng, &["VolumeSnapshot", "PersistentVolumeClaim", "Populator"]).into()),
            ("name", pick(rng, &["old", "Bad Name", ""]).into()),
            ("namespace", maybe(rng, 10, |_| "elsewhere")),
        ])
    };
    let modes = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];
    let spec = object([
        ("accessModes", maybe(rng, 95, |rng| list(rng, 1..=2, |rng, _| pick(rng, &modes)))),
        (
            "resources",
            object([
                (
                    "requests",
                    maybe(rng, 97, |rng| json!({"storage": pick(rng, &["1Gi", "500m", "10G", "0", "-1"])})),
                ),
                ("limits", maybe(rng, 10, |rng| json!({"storage": pick(rng, &["5Gi", "100m"])}))),
            ]),
        ),
        ("storageClassName", maybe(rng, 60, |rng| pick(rng, &["fast", "", "Bad_Class"]))),
        ("volumeMode", maybe(rng, 30, |rng| pick(rng, &["Filesystem", "Block", "Tape"]))),
        ("volumeName", maybe(rng, 10, |_| "pv-1")),
        ("volumeAttributesClassName", maybe(rng, 15, |rng| pick(rng, &["gold", "Bad_Class", ""]))),
        ("selector", maybe(rng, 15, |rng| json!({"matchLabels": {"tier": pick(rng, &["a", "bad value"])}}))),
        ("dataSource", maybe(rng, 10, source)),
        ("dataSourceRef", maybe(rng, 10, source)),
    ]);
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})
}

fn namespace(rng: &mut StdRng) -> Value {
    let mut namespace = of_cluster(rng, "v1", "Namespace", &["team", "kube-x", "Bad", "a.b", "x"]);
    if chance(rng, 20) {
        let finalizers =
            list(rng, 0..=2, |rng, _| pick(rng, &["kubernetes", "example.com/keep", "bad one", "plain"]));
        namespace["spec"] = json!({"finalizers": finalizers});
    }
    namespace
}

fn node(rng: &mut StdRng) -> Value {
    let mut node = of_cluster(rng, "v1", "Node", &["worker-1", "worker.example", "Bad Node"]);
    let mut labels = labels_of(rng, NODE_LABELS);
    labels["kubernetes.io/hostname"] = "worker-1".into();
    node["metadata"]["labels"] = labels;
    node["spec"] = object([
        (
            "podCIDRs",
            maybe(rng, 20, |rng| {
                list(rng, 1..=2, |rng, _| {
                    pick(rng, &["10.0.0.0/24", "fd00::/64", "FD00::/64", "10.0.0.1/24", "x"])
                })
            }),
        ),
        ("providerID", maybe(rng, 20, |_| "cloud://1")),
        ("unschedulable", maybe(rng, 20, |rng| chance(rng, 50))),
        ("taints", maybe(rng, 40, |rng| list(rng, 1..=2, |rng, _| taint(rng)))),
    ]);
    let amounts = |rng: &mut StdRng| {
        object([
            ("cpu", pick(rng, &["4", "1500m", "-1"]).into()),
            ("memory", pick(rng, &["8Gi", "1.5", "100m"]).into()),
            ("pods", maybe(rng, 60, |rng| pick(rng, &["110", "1.5"]))),
            ("example.com/gpu", maybe(rng, 20, |rng| pick(rng, &["2", "0.5"]))),
        ])
    };
    node["status"] =
        object([("capacity", maybe(rng, 60, amounts)), ("allocatable", maybe(rng, 60, amounts))]);
    node
}

fn priority_class(rng: &mut StdRng) -> Value {
    let names = ["high", "system-mine", "system-node-critical", "Bad"];
    let mut class = of_cluster(rng, "scheduling.k8s.io/v1", "PriorityClass", &names);
    class["value"] = pick(rng, &[0, -5, 1000, 1_000_000_000, 1_000_000_001, 2_000_001_000]).into();
    for (field, value) in [
        ("globalDefault", maybe(rng, 30, |rng| chance(rng, 50))),
        (
            "preemptionPolicy",
            maybe(rng, 40, |rng| pick(rng, &["Never", "PreemptLowerPriority", "Sometimes"])),
        ),
        ("description", maybe(rng, 20, |_| "for people")),
    ] {
        if !value.is_null() {
            class[field] = value;
        }
    }
    class
}

fn runtime_class(rng: &mut StdRng) -> Value {
    let mut class = of_cluster(rng, "node.k8s.io/v1", "RuntimeClass", &["kata", "Bad"]);
    class["handler"] = pick(rng, &["kata", "Not A Handler", ""]).into();
    if chance(rng, 40) {
        class["overhead"] =
            json!({"podFixed": {"cpu": pick(rng, &["250m", "-1"]), "memory": pick(rng, &["64Mi", "0.5"])}});
    }
    if chance(rng, 40) {
        class["scheduling"] = object([
            ("nodeSelector", maybe(rng, 70, |rng| labels_of(rng, NODE_LABELS))),
            ("tolerations", maybe(rng, 50, |rng| list(rng, 1..=2, |rng, _| toleration(rng)))),
        ]);
    }
    class
}

fn storage_class(rng: &mut StdRng) -> Value {
    let mut class = of_cluster(rng, "storage.k8s.io/v1", "StorageClass", &["fast", "Bad_Class"]);
    class["provisioner"] =
        pick(rng, &["example.com/disk", "kubernetes.io/no-provisioner", "Bad One", ""]).into();
    let topology = |rng: &mut StdRng, _| {
        let expression = |rng: &mut StdRng, _| {
            let key = pick(
                rng,
                &["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone", "bad key"],
            );
            json!({"key": key, "values": list(rng, 0..=2, |rng, _| pick(rng, &["a", "b", "a"]))})
        };
        json!({"matchLabelExpressions": list(rng, 0..=2, expression)})
    };
    for (field, value) in [
        ("reclaimPolicy", maybe(rng, 40, |rng| pick(rng, &["Delete", "Retain", "Recycle"]))),
        (
            "volumeBindingMode",
            maybe(rng, 40, |rng| pick(rng, &["Immediate", "WaitForFirstConsumer", "Never"])),
        ),
        ("allowVolumeExpansion", maybe(rng, 30, |rng| chance(rng, 50))),
        ("parameters", maybe(rng, 30, |rng| json!({"type": "ssd", (pick(rng, &["", "fs"])): "x"}))),
        ("mountOptions", maybe(rng, 20, |_| json!(["ro", "soft"]))),
        ("allowedTopologies", maybe(rng, 25, |rng| list(rng, 1..=2, topology))),
    ] {
        if !value.is_null() {
            class[field] = value;
        }
    }
    class
}

fn service_port(rng: &mut StdRng, index: usize) -> Value {
    object([
        (
            "name",
            maybe(rng, 80, |rng| if chance(rng, 90) { format!("p{index}") } else { "Bad Port".to_owned() }),
        ),
        ("protocol", maybe(rng, 40, |rng| pick(rng, &["TCP", "UDP", "SCTP", "ICMP"]))),
        ("appProtocol", maybe(rng, 20, |rng| pick(rng, &["http", "example.com/p", "bad proto"]))),
        ("port", pick(rng, &[80, 443, 0, 70_000]).into()),
        (
            "targetPort",
            maybe(rng, 50, |rng| {
                if chance(rng, 50) {
                    Value::from(number(rng, 0..=9000))
                } else {
                    pick(rng, &["http", "Bad", ""]).into()
                }
            }),
        ),
        ("nodePort", maybe(rng, 15, |rng| pick(rng, &[30080, 31000, 1]))),
    ])
}

fn service(rng: &mut StdRng) -> Value {
    let namespace = pick(rng, NAMESPACES);
    let mut metadata = metadata(rng, "web", Some(namespace));
    if chance(rng, 10) {
        metadata["annotations"] = json!({
            "service.kubernetes.io/topology-aware-hints": pick(rng, &["auto", "disabled"]),
            "service.beta.kubernetes.io/load-balancer-source-ranges": pick(rng, &["10.0.0.0/8", "x", "10.0.0.0/8, 1.2.3.4/32"]),
        });
    }
    let addresses = ["10.96.0.10", "fd00::1", "FD00::1", "None", "010.0.0.1", "x", ""];
    let kind = maybe(rng, 90, |rng| {
        pick(rng, &["ClusterIP", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])
    });
    let is_external = kind == "ExternalName";
    let ports = if is_external { 30 } else { 97 };
    let spec = object([
        ("type", kind),
        ("selector", maybe(rng, 80, |rng| json!({"app": pick(rng, &["web", "bad value"])}))),
        ("ports", maybe(rng, ports, |rng| list(rng, 1..=2, service_port))),
        ("clusterIP", maybe(rng, 25, |rng| pick(rng, &addresses))),
        ("clusterIPs", maybe(rng, 8, |rng| list(rng, 1..=2, |rng, _| pick(rng, &addresses)))),
        (
            "externalName",
            maybe(rng, if is_external { 90 } else { 5 }, |rng| {
                pick(rng, &["db.example.com", "bad name", ""])
            }),
        ),
        (
            "externalIPs",
            maybe(rng, 10, |rng| {
                list(rng, 1..=2, |rng, _| pick(rng, &["192.0.2.1", "127.0.0.1", "FD00::2", "x"]))
            }),
        ),
        ("sessionAffinity", maybe(rng, 25, |rng| pick(rng, &["None", "ClientIP", "Sticky"]))),
        (
            "sessionAffinityConfig",
            maybe(rng, 8, |rng| json!({"clientIP": {"timeoutSeconds": pick(rng, &[0, 60, 90_000])}})),
        ),
        ("loadBalancerIP", maybe(rng, 8, |rng| pick(rng, &["192.0.2.7", "FD00::3", "x"]))),
        (
            "loadBalancerSourceRanges",
            maybe(rng, 8, |rng| {
                list(rng, 1..=2, |rng, _| {
                    pick(rng, &["10.0.0.0/8", "10.0.0.1/8", "FD00::/64", "x", " 10.0.0.0/8 "])
                })
            }),
        ),
        ("loadBalancerClass", maybe(rng, 8, |rng| pick(rng, &["example.com/lb", "bad class"]))),
        ("allocateLoadBalancerNodePorts", maybe(rng, 10, |rng| chance(rng, 50))),
        ("externalTrafficPolicy", maybe(rng, 15, |rng| pick(rng, &["Cluster", "Local", "Nowhere"]))),
        ("internalTrafficPolicy", maybe(rng, 15, |rng| pick(rng, &["Cluster", "Local", "Nowhere"]))),
        ("healthCheckNodePort", maybe(rng, 8, |rng| pick(rng, &[0, 30000, -1]))),
        (
            "ipFamilyPolicy",
            maybe(rng, 10, |rng| pick(rng, &["SingleStack", "PreferDualStack", "RequireDualStack", "Both"])),
        ),
        ("ipFamilies", maybe(rng, 10, |rng| list(rng, 1..=2, |rng, _| pick(rng, &["IPv4", "IPv6", "IPv5"])))),
        (
            "trafficDistribution",
            maybe(rng, 10, |rng| pick(rng, &["PreferClose", "PreferSameZone", "PreferSameNode", "Near"])),
        ),
        ("publishNotReadyAddresses", maybe(rng, 8, |rng| chance(rng, 50))),
    ]);
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
}
