//! What the families of pods share: pods with many kinds of fields, mistakes in them, and outcomes in a form that can be
//! compared.

use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::amounts::{exceeds_int64, same_but_for_wording, wraps_in_thousandths};
use crate::oracle::generate::matching::label_selector;
use crate::oracle::generate::pod::pod;
use crate::oracle::generate::{chance, maybe, number, object, pick};

/// A pod with at most a few mistakes.
pub(super) fn mistaken_pod(rng: &mut StdRng) -> Value {
    let mut pod = rich_pod(rng);
    if chance(rng, 70) {
        for _ in 0..number(rng, 1..=3) {
            spoil(rng, &mut pod);
        }
    }
    pod
}

/// A pod that uses fields which the general generator leaves alone.
pub(super) fn rich_pod(rng: &mut StdRng) -> Value {
    let mut pod = pod(rng);
    let spec = &mut pod["spec"];
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            enrich_container(rng, container);
        }
    }
    drop_nulls(spec);
    let extra = object([
        ("volumes", maybe(rng, 50, volumes)),
        ("securityContext", maybe(rng, 15, pod_security)),
        ("hostUsers", maybe(rng, 4, |rng| chance(rng, 50))),
        ("hostPID", maybe(rng, 4, |_| true)),
        ("hostIPC", maybe(rng, 4, |_| true)),
        ("shareProcessNamespace", maybe(rng, 4, |_| true)),
        ("hostname", maybe(rng, 4, |rng| pick(rng, &["a", "A", "a.b"]))),
        ("hostnameOverride", maybe(rng, 3, |rng| pick(rng, &["a", "A", "a.b"]))),
        ("serviceAccountName", maybe(rng, 40, |rng| pick(rng, &["default", "builder"]))),
        ("serviceAccount", maybe(rng, 10, |rng| pick(rng, &["default", "builder"]))),
        ("os", maybe(rng, 8, |rng| json!({"name": pick(rng, &["linux", "linux", "windows", "beos"])}))),
        ("dnsPolicy", maybe(rng, 8, |rng| pick(rng, &["Default", "None", "ClusterFirst"]))),
        (
            "dnsConfig",
            maybe(rng, 8, |rng| {
                json!({"nameservers": [pick(rng, ADDRESSES), pick(rng, ADDRESSES)], "searches": [pick(rng, &["a.b", "_x.", ".", "A"])],
                    "options": [{"name": pick(rng, &["ndots", ""])}]})
            }),
        ),
        (
            "hostAliases",
            maybe(
                rng,
                5,
                |rng| json!([{"ip": pick(rng, ADDRESSES), "hostnames": ["a", "b.c"]}, {"ip": pick(rng, ADDRESSES)}]),
            ),
        ),
        ("imagePullSecrets", maybe(rng, 5, |rng| json!([{"name": pick(rng, &["a", ""])}, {"name": "a"}]))),
        ("readinessGates", maybe(rng, 4, |_| json!([{"conditionType": "example.com/ready"}]))),
        (
            "resourceClaims",
            maybe(rng, 8, |rng| {
                json!([{"name": "gpu", "resourceClaimName": "a"},
                    {"name": pick(rng, &["net", "gpu"]), "resourceClaimTemplateName": "b"}])
            }),
        ),
        ("schedulingGroup", maybe(rng, 2, |_| json!({"podGroupName": "g"}))),
    ]);
    merge(spec, extra);
    enrich_selectors(rng, spec);
    merge(&mut pod["metadata"], json!({"annotations": annotations(rng)}));
    let metadata = object([
        (
            "finalizers",
            maybe(rng, 5, |rng| json!([pick(rng, &["example.com/a", "a", "orphan", "kubernetes"])])),
        ),
        (
            "ownerReferences",
            maybe(rng, 8, |rng| {
                json!([{"apiVersion": pick(rng, &["v1", "apps/v1", ""]), "kind": pick(rng, &["ReplicaSet", "Event"]), "name": "a",
                    "uid": "1", "controller": true},
                    {"apiVersion": "apps/v1", "kind": "Job", "name": "b", "uid": "2", "controller": chance(rng, 20)}])
            }),
        ),
        ("generateName", maybe(rng, 5, |rng| pick(rng, &["a-", "A-", "a--"]))),
    ]);
    merge(&mut pod["metadata"], metadata);
    pod
}

const ADDRESSES: &[&str] =
    &["10.0.0.1", "10.0.0.1", "8.8.8.8", "::1", "010.0.0.1", "::ffff:1.2.3.4", "FE80::1", "x", "1.2.3"];

fn annotations(rng: &mut StdRng) -> Value {
    object([
        ("kubernetes.io/config.mirror", maybe(rng, 2, |_| "x")),
        (
            "controller.kubernetes.io/pod-deletion-cost",
            maybe(rng, 3, |rng| pick(rng, &["1", "-1", "01", "x", "99999999999"])),
        ),
        (
            "seccomp.security.alpha.kubernetes.io/pod",
            maybe(rng, 3, |rng| pick(rng, &["runtime/default", "unconfined", "localhost/../x", "y"])),
        ),
        (
            "container.apparmor.security.beta.kubernetes.io/app-0",
            maybe(rng, 4, |rng| {
                pick(rng, &["runtime/default", "unconfined", "localhost/p", "localhost/", "y"])
            }),
        ),
        ("scheduler.alpha.kubernetes.io/critical-pod", maybe(rng, 2, |_| "")),
        ("pod.beta.kubernetes.io/init-containers", maybe(rng, 2, |_| "[]")),
    ])
}

fn enrich_container(rng: &mut StdRng, container: &mut Value) {
    let extra = object([
        ("imagePullPolicy", maybe(rng, 10, |rng| pick(rng, &["Always", "Never", "Sometimes"]))),
        ("livenessProbe", maybe(rng, 12, probe)),
        ("readinessProbe", maybe(rng, 12, probe)),
        ("startupProbe", maybe(rng, 8, probe)),
        (
            "lifecycle",
            maybe(rng, 10, |rng| {
                let mut lifecycle = json!({(pick(rng, &["preStop", "postStart"])): handler(rng, true)});
                if chance(rng, 10) {
                    lifecycle["stopSignal"] = "SIGTERM".into();
                }
                lifecycle
            }),
        ),
        (
            "env",
            maybe(
                rng,
                25,
                |rng| json!([{"name": pick(rng, &["A", "B"]), "value": pick(rng, &["x", "", "$(A)1"])}, env(rng), env(rng)]),
            ),
        ),
        ("envFrom", maybe(rng, 8, env_from)),
        ("volumeMounts", maybe(rng, 30, volume_mounts)),
        (
            "volumeDevices",
            maybe(
                rng,
                4,
                |rng| json!([{"name": pick(rng, &["claim", "data"]), "devicePath": pick(rng, &["/a", "/b", "../x"])}]),
            ),
        ),
        ("securityContext", maybe(rng, 12, security)),
        (
            "restartPolicyRules",
            maybe(
                rng,
                3,
                |rng| json!([{"action": pick(rng, &["Restart", "Stop"]), "exitCodes": {"operator": pick(rng, &["In", "Is"]), "values": [1]}}]),
            ),
        ),
        ("terminationMessagePolicy", maybe(rng, 4, |rng| pick(rng, &["File", "Pipe"]))),
    ]);
    merge(container, extra);
    if chance(rng, 8) {
        container["resources"]["claims"] =
            json!([{"name": pick(rng, &["gpu", "net"])}, {"name": "gpu", "request": "r"}]);
    }
    if chance(rng, 10) {
        container["image"] = pick(
            rng,
            &["a", "a:latest", "A", "x.io/a:latest", " a", "a_b.c/x", "localhost/a@sha256:0", "a/b:1", ""],
        )
        .into();
    }
}

fn handler(rng: &mut StdRng, in_lifecycle: bool) -> Value {
    let port = match number(rng, 0..=3) {
        0 => json!("http"),
        1 => json!(pick(rng, &[0, 80, 70000])),
        _ => json!(80),
    };
    match number(rng, 0..=4) {
        0 => json!({"exec": {"command": ["a"]}}),
        1 => json!({"tcpSocket": {"port": port}}),
        2 if in_lifecycle => json!({"sleep": {"seconds": number(rng, -1..=60)}}),
        2 => json!({"grpc": {"port": pick(rng, &[0, 80])}}),
        3 => json!({"exec": {"command": []}, "tcpSocket": {"port": port}}),
        _ => object([(
            "httpGet",
            object([
                ("port", port),
                ("path", maybe(rng, 50, |rng| pick(rng, &["/", "/x"]))),
                ("scheme", maybe(rng, 30, |rng| pick(rng, &["HTTP", "HTTPS", "FTP"]))),
                (
                    "httpHeaders",
                    maybe(rng, 30, |rng| json!([{"name": pick(rng, &["X-A", "a b"]), "value": "x"}])),
                ),
            ]),
        )]),
    }
}

fn probe(rng: &mut StdRng) -> Value {
    let mut probe = handler(rng, false);
    let numbers = object([
        ("initialDelaySeconds", maybe(rng, 20, |rng| number(rng, -1..=5))),
        ("timeoutSeconds", maybe(rng, 20, |rng| number(rng, -1..=5))),
        ("periodSeconds", maybe(rng, 20, |rng| number(rng, -1..=5))),
        ("successThreshold", maybe(rng, 10, |rng| number(rng, -1..=2))),
        ("failureThreshold", maybe(rng, 20, |rng| number(rng, -1..=5))),
        ("terminationGracePeriodSeconds", maybe(rng, 5, |rng| number(rng, -1..=5))),
    ]);
    merge(&mut probe, numbers);
    probe
}

fn env(rng: &mut StdRng) -> Value {
    let source = match number(rng, 0..=5) {
        0 => json!({"fieldRef": {"fieldPath": field_path(rng)}}),
        1 => json!({"resourceFieldRef": resource_field(rng)}),
        2 => json!({"configMapKeyRef": {"name": "a", "key": pick(rng, &["k", "..", "a b"])}}),
        3 => json!({"secretKeyRef": {"name": "a", "key": "k"}, "fieldRef": {"fieldPath": "metadata.name"}}),
        4 => {
            json!({"fileKeyRef": {"volumeName": pick(rng, &["data", "claim", "none"]), "path": "a", "key": "k"}})
        }
        _ => json!({}),
    };
    object([
        ("name", pick(rng, &["A", "B", "C=", "é"]).into()),
        ("valueFrom", source),
        ("value", maybe(rng, 5, |_| "x")),
    ])
}

fn field_path(rng: &mut StdRng) -> &'static str {
    pick(
        rng,
        &[
            "metadata.name",
            "metadata.labels",
            "metadata.labels['a']",
            "metadata.annotations['A b']",
            "spec.host",
            "status.phase",
            "x",
            "x['a']",
            "",
        ],
    )
}

fn resource_field(rng: &mut StdRng) -> Value {
    object([
        ("containerName", maybe(rng, 60, |_| "app-0")),
        (
            "resource",
            pick(
                rng,
                &[
                    "limits.cpu",
                    "requests.memory",
                    "limits.hugepages-2Mi",
                    "limits.ephemeral-storage",
                    "cpu",
                    "",
                ],
            )
            .into(),
        ),
        ("divisor", maybe(rng, 50, |rng| pick(rng, &["1", "1m", "1Mi", "0", "2", "1000m"]))),
    ])
}

fn env_from(rng: &mut StdRng) -> Value {
    json!([object([
        ("prefix", maybe(rng, 20, |rng| pick(rng, &["P_", "P="]))),
        ("configMapRef", maybe(rng, 60, |rng| json!({"name": pick(rng, &["a", "A", "a-", ""])}))),
        ("secretRef", maybe(rng, 30, |_| json!({"name": "b"}))),
    ])])
}

fn volume_mounts(rng: &mut StdRng) -> Value {
    let mount = |rng: &mut StdRng| {
        object([
            ("name", pick(rng, &["data", "data", "claim", "none"]).into()),
            ("mountPath", pick(rng, &["/a", "/b", "/c", ""]).into()),
            ("subPath", maybe(rng, 10, |rng| pick(rng, &["x", "/x", "../x"]))),
            ("subPathExpr", maybe(rng, 5, |rng| pick(rng, &["x", "/x"]))),
            ("readOnly", maybe(rng, 10, |_| true)),
            ("recursiveReadOnly", maybe(rng, 5, |rng| pick(rng, &["Enabled", "Disabled", "Maybe"]))),
            ("mountPropagation", maybe(rng, 5, |rng| pick(rng, &["None", "Bidirectional", "Up"]))),
            ("bindMountOptions", maybe(rng, 2, |_| json!(["noexec"]))),
        ])
    };
    json!([mount(rng), mount(rng)])
}

fn volumes(rng: &mut StdRng) -> Value {
    let extra = object([("name", pick(rng, &["extra", "extra", "data", "E"]).into()), source(rng)]);
    let mut claim =
        json!({"name": "claim", "persistentVolumeClaim": {"claimName": pick(rng, &["data", "web-e", ""])}});
    if chance(rng, 3) {
        claim["hostPath"] = json!({"path": "/x"});
    }
    json!([{"name": "data", "emptyDir": {}}, claim, extra])
}

fn items(rng: &mut StdRng) -> Value {
    json!([{"key": "k", "path": pick(rng, &["p", "a/b", "../x", "..x", ""])},
        object([("key", pick(rng, &["k", ""]).into()), ("path", pick(rng, &["p", "q", "p/x"]).into()), ("mode", maybe(rng, 20, |rng| pick(rng, &[0, 511, 512]))), ("user", maybe(rng, 5, |_| 5))])])
}

fn downward_api(rng: &mut StdRng) -> Value {
    json!({"items": [object([
        ("path", pick(rng, &["p", "q", ""]).into()),
        ("fieldRef", maybe(rng, 60, |rng| json!({"fieldPath": field_path(rng)}))),
        ("resourceFieldRef", maybe(rng, 40, resource_field)),
    ])]})
}

fn source(rng: &mut StdRng) -> (&'static str, Value) {
    match number(rng, 0..=27) {
        0 => (
            "hostPath",
            json!({"path": pick(rng, &["/a", "/../a", ""]), "type": pick(rng, &["", "File", "Pipe"])}),
        ),
        1 => (
            "secret",
            json!({"secretName": pick(rng, &["a", ""]), "items": items(rng), "defaultMode": pick(rng, &[0, 420, 600])}),
        ),
        2 => ("configMap", json!({"name": pick(rng, &["a", ""]), "items": items(rng)})),
        3 => ("downwardAPI", downward_api(rng)),
        4..=7 => ("projected", projected(rng)),
        8 => ("nfs", json!({"server": "a", "path": pick(rng, &["/a", "a", ""])})),
        9 => (
            "csi",
            json!({"driver": pick(rng, &["a.b", "A", "", "a b"]), "nodePublishSecretRef": {"name": pick(rng, &["a", "", "A"])}}),
        ),
        10 => (
            "ephemeral",
            json!({"volumeClaimTemplate": {
                "metadata": object([
                    ("labels", json!({"a": pick(rng, &["b", "b b"])})),
                    ("name", maybe(rng, 20, |_| "x")),
                    ("finalizers", maybe(rng, 10, |_| json!(["a/b"]))),
                ]),
                "spec": {
                    "accessModes": [pick(rng, &["ReadWriteOnce", "ReadWriteOncePod", "Write"])],
                    "resources": {"requests": {"storage": pick(rng, &["1Gi", "0", "1.5"])}, "limits": {"storage": pick(rng, &["2Gi", "0.5"])}},
                    "storageClassName": pick(rng, &["", "fast", "F"]),
                },
            }}),
        ),
        11 => ("image", json!({"reference": pick(rng, &["a", "a:1", ""])})),
        12 => (
            "iscsi",
            json!({"targetPortal": pick(rng, &["a", ""]), "iqn": pick(rng, ISCSI_NAMES), "lun": pick(rng, &[0, 256]), "initiatorName": pick(rng, ISCSI_NAMES)}),
        ),
        13 => {
            ("gcePersistentDisk", json!({"pdName": pick(rng, &["a", ""]), "partition": pick(rng, &[0, 300])}))
        }
        14 => ("awsElasticBlockStore", json!({"volumeID": pick(rng, &["a", ""])})),
        15 => ("glusterfs", json!({"endpoints": "a", "path": pick(rng, &["a", ""])})),
        16 => ("flocker", json!({"datasetName": pick(rng, &["a", "a/b", ""])})),
        17 => ("rbd", json!({"monitors": [], "image": pick(rng, &["a", ""])})),
        18 => ("cinder", json!({"volumeID": "a", "secretRef": {"name": pick(rng, &["a", ""])}})),
        19 => ("cephfs", json!({"monitors": ["a"]})),
        20 => {
            ("quobyte", json!({"registry": pick(rng, &["a:1", "a", "a:1,b", "[::1]:2", ""]), "volume": "v"}))
        }
        21 => (
            "fc",
            json!({"targetWWNs": ["a"], "wwids": if chance(rng, 30) { json!(["b"]) } else { Value::Null }, "lun": pick(rng, &[0, 256])}),
        ),
        22 => (
            "flexVolume",
            json!({"driver": "a", "options": {(pick(rng, &["a", "kubernetes.io/x", "k8s.io"])): "b"}}),
        ),
        23 => (
            "azureDisk",
            json!({"diskName": "a", "diskURI": pick(rng, &["https://a", "/subscriptions/a", ""]), "kind": pick(rng, &["Managed", "Shared", "X"])}),
        ),
        24 => (
            "scaleIO",
            json!({"gateway": "a", "system": "b", "secretRef": {"name": "x"}, "volumeName": pick(rng, &["a", ""])}),
        ),
        25 => (
            "storageos",
            json!({"volumeName": pick(rng, &["a", "A", ""]), "volumeNamespace": pick(rng, &["", "B"])}),
        ),
        26 => ("gitRepo", json!({"repository": "a", "directory": pick(rng, &["", "..", "/a"])})),
        _ => (
            "emptyDir",
            json!({"sizeLimit": pick(rng, &["1Gi", "-1", "1.5"]), "medium": pick(rng, &["", "Memory"])}),
        ),
    }
}

const ISCSI_NAMES: &[&str] = &[
    "iqn.2001-04.com.example:x",
    "iqn.2001-04.com.example",
    "iqn",
    "eui.0123456789abcdef",
    "eui.0",
    "naa.0",
    "x",
];

fn projected(rng: &mut StdRng) -> Value {
    let source = |rng: &mut StdRng| match number(rng, 0..=5) {
        0 => json!({"secret": {"name": "a", "items": items(rng)}}),
        1 => json!({"configMap": {"name": pick(rng, &["a", ""]), "items": items(rng)}}),
        2 => json!({"downwardAPI": downward_api(rng)}),
        3 => {
            json!({"serviceAccountToken": {"path": pick(rng, &["t", "p", "", "../t"]), "expirationSeconds": pick(rng, &[600, 10, 5_000_000_000_i64])}})
        }
        4 => json!({"clusterTrustBundle": object([
            ("name", maybe(rng, 50, |rng| pick(rng, &["a", "a.b:c:d", "A", ":a"]))),
            ("signerName", maybe(rng, 50, |rng| pick(rng, &["a.b/c", "a/b", "a.b", "a.b/C"]))),
            ("labelSelector", maybe(rng, 30, label_selector)),
            ("path", pick(rng, &["c", "p", ""]).into()),
        ])}),
        _ => json!({"podCertificate": object([
            ("signerName", pick(rng, &["a.b/c", "kubernetes.io/c", ""]).into()),
            ("keyType", pick(rng, &["ED25519", "RSA"]).into()),
            ("maxExpirationSeconds", maybe(rng, 50, |rng| pick(rng, &[0, 3600, 90_000, 9_000_000]))),
            ("keyPath", maybe(rng, 50, |rng| pick(rng, &["k", "p"]))),
            ("userAnnotations", maybe(rng, 20, |rng| json!({(pick(rng, &["a.b/c", "C", "A.b/C", "/"])): "x"}))),
        ])}),
    };
    let (mut first, second) = (source(rng), source(rng));
    if chance(rng, 5) {
        merge(&mut first, second.clone());
    }
    json!({"sources": [first, second]})
}

fn security(rng: &mut StdRng) -> Value {
    object([
        ("privileged", maybe(rng, 40, |rng| chance(rng, 60))),
        ("allowPrivilegeEscalation", maybe(rng, 40, |rng| chance(rng, 40))),
        ("runAsUser", maybe(rng, 20, |rng| pick(rng, &[-1, 0, 5_000_000_000_i64]))),
        ("runAsGroup", maybe(rng, 10, |rng| pick(rng, &[-1, 0]))),
        ("procMount", maybe(rng, 10, |rng| pick(rng, &["Default", "Unmasked", "X"]))),
        ("seccompProfile", maybe(rng, 20, profile)),
        ("appArmorProfile", maybe(rng, 20, profile)),
        ("capabilities", maybe(rng, 20, |rng| json!({"add": [pick(rng, &["CAP_SYS_ADMIN", "NET_ADMIN"])]}))),
        ("windowsOptions", maybe(rng, 10, windows)),
    ])
}

fn windows(rng: &mut StdRng) -> Value {
    object([
        ("hostProcess", maybe(rng, 50, |rng| chance(rng, 60))),
        ("gmsaCredentialSpecName", maybe(rng, 20, |rng| pick(rng, &["a", "A"]))),
        ("gmsaCredentialSpec", maybe(rng, 20, |_| "x")),
        (
            "runAsUserName",
            maybe(rng, 40, |rng| pick(rng, &["a", "b\\a", ".b\\a", "b\\c\\d", "..", "a:b", "b\\", "\t"])),
        ),
    ])
}

fn profile(rng: &mut StdRng) -> Value {
    object([
        ("type", pick(rng, &["Localhost", "RuntimeDefault", "Unconfined", "X"]).into()),
        ("localhostProfile", maybe(rng, 40, |rng| pick(rng, &["p", " p", "../p", "/p"]))),
    ])
}

fn pod_security(rng: &mut StdRng) -> Value {
    object([
        ("fsGroup", maybe(rng, 30, |rng| pick(rng, &[-1, 0, 1000]))),
        ("supplementalGroups", maybe(rng, 20, |rng| json!([pick(rng, &[-1, 0])]))),
        ("fsGroupChangePolicy", maybe(rng, 20, |rng| pick(rng, &["Always", "X"]))),
        ("supplementalGroupsPolicy", maybe(rng, 20, |rng| pick(rng, &["Merge", "X"]))),
        ("seLinuxChangePolicy", maybe(rng, 20, |rng| pick(rng, &["MountOption", "X"]))),
        (
            "sysctls",
            maybe(rng, 30, |rng| {
                json!([{"name": pick(rng, &["net.a", "kernel.shmmax", "a..b", "", "net/x"]), "value": "1"},
                    {"name": pick(rng, &["net.a", "fs.mqueue.x"]), "value": "1"}])
            }),
        ),
        ("seccompProfile", maybe(rng, 20, profile)),
        ("appArmorProfile", maybe(rng, 20, profile)),
        ("windowsOptions", maybe(rng, 20, windows)),
    ])
}

/// Label keys to merge, minimal domains and policies of spread constraints.
fn enrich_selectors(rng: &mut StdRng, spec: &mut Value) {
    for constraint in spec["topologySpreadConstraints"].as_array_mut().into_iter().flatten() {
        let extra = object([
            ("matchLabelKeys", maybe(rng, 30, |rng| json!([pick(rng, &["app", "tier", "a b"])]))),
            ("minDomains", maybe(rng, 20, |rng| number(rng, 0..=2))),
            ("nodeAffinityPolicy", maybe(rng, 10, |rng| pick(rng, &["Honor", "X"]))),
        ]);
        merge(constraint, extra);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let terms = &mut spec["affinity"][kind]["requiredDuringSchedulingIgnoredDuringExecution"];
        for term in terms.as_array_mut().into_iter().flatten() {
            let extra = object([
                ("matchLabelKeys", maybe(rng, 30, |rng| json!([pick(rng, &["app", "tier"])]))),
                ("mismatchLabelKeys", maybe(rng, 30, |rng| json!([pick(rng, &["app", "tier"])]))),
            ]);
            merge(term, extra);
        }
    }
    drop_nulls(spec);
}

/// Indexing has left nulls where nothing was.
fn drop_nulls(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.values_mut().for_each(drop_nulls);
        fields.retain(|_, value| !value.is_null());
    }
}

fn merge(target: &mut Value, extra: Value) {
    if target.is_null() {
        *target = Value::Object(Map::new());
    }
    if let (Value::Object(target), Value::Object(extra)) = (target, extra) {
        target.extend(extra);
    }
}

const ODD_TEXTS: &[&str] = &[
    "",
    "x",
    "Bad_Name",
    "a.b",
    "-a",
    "a-",
    "a/b",
    "a b",
    "../x",
    "/abs",
    "..x",
    "Always",
    "Never",
    "None",
    "Exists",
    "In",
    "Gt",
    "TCP",
    "é",
    "<&>",
    "example.com/x",
    "a/b/c",
    "metadata.name",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// Parts of paths to amounts, which have to stay quantities, or the object can't be read.
const AMOUNT_PATHS: &[&str] = &[
    "/allocatable/",
    "/capacity/",
    "/divisor",
    "/limits/",
    "/overhead/",
    "/podFixed/",
    "/requests/",
    "/sizeLimit",
];

/// Changes one value somewhere in the object into another of its type, or takes it away.
pub(super) fn spoil(rng: &mut StdRng, object: &mut Value) {
    let mut paths = Vec::new();
    collect(object, &mut String::new(), &mut paths);
    // What an object is called decides whether it can be read at all.
    paths.retain(|path| !matches!(path.as_str(), "/apiVersion" | "/kind"));
    if paths.is_empty() {
        return;
    }
    let path = paths
        [usize::try_from(number(rng, 0..=i64::try_from(paths.len()).unwrap_or(1) - 1)).unwrap_or(0)]
    .clone();
    let Some(value) = object.pointer_mut(&path) else {
        return;
    };
    let is_amount = AMOUNT_PATHS.iter().any(|part| path.contains(part));
    match value {
        Value::String(text) if is_amount => {
            pick(rng, &["-1", "0", "1.5", "1Mi", "3Mi", "0.0001"]).clone_into(text);
        }
        Value::String(text) => pick(rng, ODD_TEXTS).clone_into(text),
        Value::Number(_) => *value = pick(rng, &[-1, 0, 1, 101, 65_536, 2_147_483_647]).into(),
        Value::Bool(flag) => *flag = !*flag,
        Value::Array(list) if list.is_empty() => {}
        Value::Array(list) => {
            let copy = list[0].clone();
            if chance(rng, 50) { list.push(copy) } else { list.clear() }
        }
        Value::Object(fields) => {
            if let Some(key) = fields.keys().next().cloned() {
                fields.remove(&key);
            }
        }
        Value::Null => {}
    }
}

fn collect(value: &Value, path: &mut String, paths: &mut Vec<String>) {
    let length = path.len();
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                path.push('/');
                path.push_str(&key.replace('~', "~0").replace('/', "~1"));
                paths.push(path.clone());
                collect(value, path, paths);
                path.truncate(length);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                path.push('/');
                path.push_str(&index.to_string());
                paths.push(path.clone());
                collect(value, path, paths);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// DIFFERENCE: D-Pod-1. Upstream takes a huge whole number for a fraction, or a huge fraction for a whole number; all else is the
/// same.
pub(super) fn explain_integers(ours: &Value, theirs: &Value) -> Option<&'static str> {
    let is_fraction = |error: &str| {
        let amount = error.strip_suffix("\": must be an integer").and_then(|front| front.rsplit('"').next());
        amount.is_some_and(wraps_in_thousandths)
    };
    let (ours, theirs) = (errors(ours), errors(theirs));
    let same = others(&ours, is_fraction) == others(&theirs, is_fraction);
    (ours.len() != theirs.len() && same).then_some("D-Pod-1")
}

/// DIFFERENCE: D-Pod-5. Upstream takes a huge amount for a multiple of any size of huge pages; all else is the same.
pub(super) fn explain_huge_pages(ours: &Value, theirs: &Value) -> Option<&'static str> {
    let is_indivisible = |error: &str| {
        let amount = error
            .split_once(" is not positive integer multiple of ")
            .and_then(|(front, _)| front.rsplit(' ').next());
        amount.is_some_and(exceeds_int64)
    };
    let (ours, theirs) = (errors(ours), errors(theirs));
    let same = others(&ours, is_indivisible) == others(&theirs, is_indivisible);
    (ours.len() > theirs.len() && same).then_some("D-Pod-5")
}

fn errors(outcome: &Value) -> Vec<String> {
    let errors = outcome["errors"].as_array().into_iter().flatten();
    errors.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The errors for which `apart` does not hold, in order of text, as one in between may part neighbours that would have been sorted.
fn others(errors: &[String], apart: impl Fn(&str) -> bool) -> Vec<&String> {
    let mut others: Vec<&String> = errors.iter().filter(|error| !apart(error)).collect();
    others.sort();
    others
}

/// DIFFERENCE: D-Quantity-3. Upstream warns of a fraction of a byte where its count of thousandths has wrapped around; all
/// else is the same.
pub(super) fn explain_fractions(ours: &Value, theirs: &Value) -> Option<&'static str> {
    let of_wrapped = |warning: &&Value| {
        let amount = warning.as_str().and_then(|text| text.split_once(": fractional byte value \""));
        amount.and_then(|(_, rest)| rest.split('"').next()).is_some_and(wraps_in_thousandths)
    };
    let others = |outcome: &Value| {
        let warnings = outcome["warnings"].as_array().into_iter().flatten();
        warnings.filter(|warning| !of_wrapped(warning)).cloned().collect::<Vec<_>>()
    };
    let rest_agrees = ours["errors"] == theirs["errors"] && ours["stored"] == theirs["stored"];
    (rest_agrees && others(ours) == others(theirs)).then_some("D-Quantity-3")
}

/// DIFFERENCE: D-PodResources-2. A message shows a sum of amounts in the format that upstream remembers.
pub(super) fn explain_wording(ours: &Value, theirs: &Value) -> Option<&'static str> {
    same_but_for_wording(&ours["errors"], &theirs["errors"]).then_some("D-PodResources-2")
}

/// DIFFERENCE: D-Pod-4. Our type of a ScaleIO volume can't leave its secret out; all else is the same.
pub(super) fn explain_secret(ours: &Value, theirs: &Value) -> Option<&'static str> {
    (without_empty_secrets(ours) == without_empty_secrets(theirs)).then_some("D-Pod-4")
}

fn without_empty_secrets(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(key, value)| {
                *key != "secretRef" || **value != json!({}) || !fields.contains_key("storageMode")
            });
            kept.map(|(key, value)| (key.clone(), without_empty_secrets(value))).collect()
        }
        Value::Array(list) => list.iter().map(without_empty_secrets).collect(),
        other => other.clone(),
    }
}

/// Sorts neighbours that come from the same map, whose order is random for upstream.
pub(super) fn ordered(mut texts: Vec<String>) -> Vec<String> {
    let mut start = 0;
    while start < texts.len() {
        let place = map_path(&texts[start]).to_owned();
        let length = texts[start..].iter().take_while(|text| map_path(text) == place).count();
        texts[start..start + length].sort();
        start += length;
    }
    texts
}

fn map_path(text: &str) -> &str {
    let mut path = text.split_once(": ").map_or(text, |(path, _)| path);
    for start in [".limits", ".requests", "metadata.annotations", "status.capacity", "status.allocatable"] {
        path = path.split_once(start).map_or(path, |(before, _)| before);
    }
    let is_key = |(index, _): &(usize, &str)| {
        path.as_bytes().get(index + 1).is_some_and(|next| !next.is_ascii_digit())
    };
    path.match_indices('[').find(is_key).map_or(path, |(index, _)| &path[..index])
}

/// An object without its type and without what is absent, empty or zero: our types do not tell these apart where
/// upstream does.
pub(super) fn pruned(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|key, _| !matches!(key.as_str(), "apiVersion" | "kind"));
    }
    prune(&mut value);
    value
}

fn prune(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(prune);
            fields.retain(|key, value| !is_absent(key, value));
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}

fn is_absent(key: &str, value: &Value) -> bool {
    const MAPS: [&str; 13] = [
        "annotations",
        "labels",
        "limits",
        "matchLabels",
        "metadata",
        "nodeSelector",
        "options",
        "overhead",
        "requests",
        "resources",
        "status",
        "userAnnotations",
        "volumeAttributes",
    ];
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty() && MAPS.contains(&key),
    }
}
