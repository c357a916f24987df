use k8s_openapi::api::core::v1::Pod;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::{Listers, PodInfo, Profile, Snapshot};

const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn claim(name: &str, spec: Value, annotations: Value) -> Value {
    let metadata = json!({"name": name, "namespace": "testns", "uid": "pvc-uid", "resourceVersion": "1", "annotations": annotations});
    json!({"metadata": metadata, "spec": spec})
}

fn unbound(name: &str) -> Value {
    claim(name, json!({}), Value::Null)
}

fn bound(name: &str, volume: &str) -> Value {
    claim(name, json!({"volumeName": volume}), json!({"pv.kubernetes.io/bind-completed": "true"}))
}

fn selected(claim: &Value, node: &str) -> Value {
    let mut claim = claim.clone();
    claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] = node.into();
    claim
}

fn volume(name: &str, node: &str, claim: Option<&str>) -> Value {
    let requirement = json!({"key": "nodeKey", "operator": "In", "values": [node]});
    let affinity = json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [requirement]}]}});
    let reference = claim.map(|claim| json!({"namespace": "testns", "name": claim, "uid": "pvc-uid"}));
    json!({
        "metadata": {"name": name, "resourceVersion": "1"},
        "spec": {"nodeAffinity": affinity, "claimRef": reference},
    })
}

fn without_claim_uid(mut volume: Value) -> Value {
    volume["spec"]["claimRef"]["uid"] = "".into();
    volume
}

fn pod() -> Pod {
    read(json!({"metadata": {"name": "test-pod", "namespace": "testns"}, "spec": {"containers": []}}))
}

fn stored(volumes: &[Value], claims: &[Value]) -> Listers {
    let mut listers = Listers::default();
    for volume in volumes {
        listers.storage.set_volume(&read(volume.clone()));
    }
    for claim in claims {
        listers.storage.set_claim(&read(claim.clone()));
    }
    listers
}

fn taken(volumes: &[Value], claims: &[Value]) -> Vec<Assumed> {
    let volumes = volumes.iter().map(|volume| Assumed::PersistentVolume(Box::new(read(volume.clone()))));
    let claims = claims.iter().map(|claim| Assumed::PersistentVolumeClaim(Box::new(read(claim.clone()))));
    volumes.chain(claims).collect()
}

/// What is said so many seconds after all was written, of a node with these labels.
fn progress(
    taken: &[Assumed],
    stored: &Listers,
    labels: &Value,
    seconds: i64,
    is_pod_there: bool,
) -> Progress {
    let (pod, labels) = (pod(), read(labels.clone()));
    let info = PodInfo::new(&pod).unwrap();
    let now = jiff::Timestamp::from_second(seconds).unwrap();
    let cycle = BindingCycle { pod: &info, node: "node1", taken, stored, now };
    let since = jiff::Timestamp::UNIX_EPOCH;
    let waiting = Waiting { since, node_labels: Some(&labels), is_pod_there };
    BindVolumes { bind_timeout: TIMEOUT }.progress(&cycle, &waiting)
}

fn failed(message: &str) -> Progress {
    Progress::Failed(format!("binding volumes: {message}"))
}

/// # Source
/// `pkg/scheduler/framework/plugins/volumebinding/binder_test.go` (`TestCheckBindings`)
#[test]
fn claims_are_waited_for_until_they_are_bound() {
    let a_bound = volume("pv-node1a", "node1", Some("unbound-pvc"));
    let b_bound = volume("pv-node1b", "node1", Some("unbound-pvc2"));
    let (a, pv_bound) = (volume("pv-node1a", "node1", None), volume("pv-bound", "node1", Some("bound-pvc")));
    let claim_a = bound("unbound-pvc", "pv-node1a");
    let prebound = claim("unbound-pvc", json!({"volumeName": "pv-node1a"}), Value::Null);
    let provisioned = unbound("provisioned-pvc");
    let asked = selected(&provisioned, "node1");
    let made = selected(&bound("provisioned-pvc", "pv-bound"), "node1");
    let emptied = claim("provisioned-pvc", json!({}), json!({}));
    let (first, second) = (unbound("unbound-pvc"), unbound("unbound-pvc2"));
    let (no_uid, wrong) = (without_claim_uid(a_bound.clone()), selected(&provisioned, "wrong-node"));
    let no_claim = "failed to check binding: persistentvolumeclaims \"testns/unbound-pvc\" not found";
    let gone =
        "failed to check provisioning pvc: persistentvolumeclaims \"testns/provisioned-pvc\" not found";
    let table = [
        ("nothing-to-bind", vec![], vec![], vec![], vec![], Progress::Done),
        ("binding-bound", vec![&a_bound], vec![], vec![&a_bound], vec![&claim_a], Progress::Done),
        ("binding-prebound", vec![&a_bound], vec![], vec![&a_bound], vec![&prebound], Progress::Wait),
        ("binding-unbound", vec![&a_bound], vec![], vec![&a_bound], vec![&first], Progress::Wait),
        ("binding-pvc-not-exists", vec![&a_bound], vec![], vec![&a_bound], vec![], failed(no_claim)),
        (
            "binding-pv-not-exists",
            vec![&a_bound],
            vec![],
            vec![],
            vec![&claim_a],
            failed("failed to check binding: persistentvolumes \"pv-node1a\" not found"),
        ),
        (
            "binding-claimref-nil",
            vec![&a_bound],
            vec![],
            vec![&a],
            vec![&claim_a],
            failed("ClaimRef got reset for pv \"pv-node1a\""),
        ),
        (
            "binding-claimref-uid-empty",
            vec![&a_bound],
            vec![],
            vec![&no_uid],
            vec![&claim_a],
            failed("ClaimRef got reset for pv \"pv-node1a\""),
        ),
        (
            "binding-one-bound,one-unbound",
            vec![&a_bound, &b_bound],
            vec![],
            vec![&a_bound, &b_bound],
            vec![&claim_a, &second],
            Progress::Wait,
        ),
        ("provisioning-pvc-bound", vec![], vec![&asked], vec![&pv_bound], vec![&made], Progress::Done),
        ("provisioning-pvc-unbound", vec![], vec![&asked], vec![], vec![&asked], Progress::Wait),
        ("provisioning-pvc-not-exists", vec![], vec![&asked], vec![], vec![], failed(gone)),
        (
            "provisioning-pvc-annotations-nil",
            vec![],
            vec![&asked],
            vec![],
            vec![&provisioned],
            failed("selectedNode annotation reset for PVC \"provisioned-pvc\""),
        ),
        (
            "provisioning-pvc-selected-node-dropped",
            vec![],
            vec![&asked],
            vec![],
            vec![&emptied],
            failed("provisioning failed for PVC \"provisioned-pvc\""),
        ),
        (
            "provisioning-pvc-selected-node-wrong-node",
            vec![],
            vec![&asked],
            vec![],
            vec![&wrong],
            failed("provisioning failed for PVC \"provisioned-pvc\""),
        ),
        (
            "binding-bound-provisioning-unbound",
            vec![&a_bound],
            vec![&asked],
            vec![&a_bound],
            vec![&claim_a, &asked],
            Progress::Wait,
        ),
        (
            "tolerate-provisioning-pvc-bound-pv-not-found",
            vec![],
            vec![&asked],
            vec![],
            vec![&made],
            Progress::Wait,
        ),
    ];
    for (name, volumes, claims, stored_volumes, stored_claims, expected) in table {
        let cloned = |list: Vec<&Value>| list.into_iter().cloned().collect::<Vec<Value>>();
        let taken = taken(&cloned(volumes), &cloned(claims));
        let stored = stored(&cloned(stored_volumes), &cloned(stored_claims));
        let labels = json!({"nodeKey": "node1"});
        assert_eq!(progress(&taken, &stored, &labels, 1, true), expected, "{name}");
    }
}

/// # Source
/// `pkg/scheduler/framework/plugins/volumebinding/binder_test.go` (`TestCheckBindingsWithCSIMigration`)
#[test]
fn a_volume_that_a_driver_has_taken_over_is_where_the_driver_says() {
    let disk = |claim: &str, source: &str| {
        json!({
            "metadata": {
                "name": "pv-migration-bound",
                "labels": {"failure-domain.beta.kubernetes.io/zone": "us-east-1", "failure-domain.beta.kubernetes.io/region": "us-east-1a"},
            },
            "spec": {
                "claimRef": {"namespace": "testns", "name": claim, "uid": "pvc-uid"},
                source: if source == "rbd" { json!({"image": "test-disk", "monitors": []}) } else { json!({"pdName": "test-disk"}) },
            },
        })
    };
    let made = selected(&bound("pvc-migration-provisioned", "pv-migration-bound"), "node1");
    let gce = disk("unbound-pvc", "gcePersistentDisk");
    let rbd = disk("unbound-pvc", "rbd");
    let elsewhere = failed(
        "pv \"pv-migration-bound\" node affinity doesn't match node \"node1\": no matching NodeSelectorTerms",
    );
    let migrated = Some("kubernetes.io/gce-pd");
    for (name, volume, is_made, zone, plugins, expected) in [
        ("provisioning-pvc-bound", &gce, true, "us-east-1", migrated, Progress::Done),
        ("binding-node-pv-same-zone", &gce, false, "us-east-1", migrated, Progress::Wait),
        ("binding-without-csinode", &gce, false, "us-east-1", None, Progress::Wait),
        ("binding-non-migrated-plugin", &gce, false, "us-east-1", Some(""), Progress::Wait),
        ("binding-node-pv-in-different-zones", &gce, false, "us-east-2", migrated, elsewhere),
        ("binding-node-pv-different-zones-migration-off", &rbd, false, "us-east-2", migrated, Progress::Wait),
    ] {
        let (volumes, claims) =
            if is_made { (vec![], vec![made.clone()]) } else { (vec![volume.clone()], vec![]) };
        let mut stored = stored(std::slice::from_ref(volume), &[made.clone(), unbound("unbound-pvc")]);
        if let Some(plugins) = plugins {
            let annotations = json!({"storage.alpha.kubernetes.io/migrated-plugins": plugins});
            let metadata = json!({"name": "node1", "annotations": annotations});
            stored.storage.set_csi_node(&read(json!({"metadata": metadata, "spec": {"drivers": []}})));
        }
        let labels = json!({"topology.gke.io/zone": zone});
        assert_eq!(progress(&taken(&volumes, &claims), &stored, &labels, 1, true), expected, "{name}");
    }
}

/// # Source
/// `pkg/scheduler/framework/plugins/volumebinding/binder_test.go` (`TestBindPodVolumes`)
#[test]
fn a_pod_does_not_wait_forever() {
    let a_bound = volume("pv-node1a", "node1", Some("unbound-pvc"));
    let claim_a = bound("unbound-pvc", "pv-node1a");
    let asked = selected(&unbound("provisioned-pvc"), "node1");
    let made = selected(&bound("provisioned-pvc", "dynamic-pv"), "node1");
    let made_elsewhere = selected(&bound("provisioned-pvc", "pv-node2"), "node1");
    let dynamic = volume("dynamic-pv", "node1", Some("provisioned-pvc"));
    let on_node1 = json!({"nodeKey": "node1"});
    let of_volume = taken(std::slice::from_ref(&a_bound), &[]);
    let of_claim = taken(&[], std::slice::from_ref(&asked));
    let unbound = stored(std::slice::from_ref(&a_bound), &[unbound("unbound-pvc")]);
    let is_bound = stored(&[a_bound.clone(), dynamic], &[claim_a.clone(), made]);
    let gone = stored(std::slice::from_ref(&a_bound), &[]);
    let wrong = stored(&[volume("pv-node2", "node2", None)], &[made_elsewhere]);
    let nothing = taken(&[], &[]);
    let elsewhere = |name| {
        failed(&format!(
            "pv {name:?} node affinity doesn't match node \"node1\": no matching NodeSelectorTerms"
        ))
    };
    let no_claim = "failed to check binding: persistentvolumeclaims \"testns/unbound-pvc\" not found";
    let no_labels = json!({});
    for (name, taken, stored, labels, seconds, is_pod_there, expected) in [
        ("nothing-to-bind-empty", &nothing, &gone, &on_node1, 1, true, Progress::Done),
        ("already-bound", &of_volume, &is_bound, &on_node1, 1, true, Progress::Done),
        (
            "binding-static-pv-succeeds-after-time: before",
            &of_volume,
            &unbound,
            &on_node1,
            5,
            true,
            Progress::Wait,
        ),
        ("binding-static-pv-succeeds-after-time", &of_volume, &is_bound, &on_node1, 6, true, Progress::Done),
        ("binding-dynamic-pv-succeeds-after-time", &of_claim, &is_bound, &on_node1, 6, true, Progress::Done),
        (
            "pod-deleted-after-time",
            &of_volume,
            &unbound,
            &on_node1,
            6,
            false,
            failed("pod does not exist any more: pod \"test-pod\" not found"),
        ),
        ("binding-times-out", &of_volume, &unbound, &on_node1, 10, true, failed("context deadline exceeded")),
        ("check-fails", &of_volume, &gone, &on_node1, 6, true, failed(no_claim)),
        ("node-affinity-fails", &of_volume, &is_bound, &no_labels, 1, true, elsewhere("pv-node1a")),
        (
            "node-affinity-fails-dynamic-provisioning",
            &of_claim,
            &wrong,
            &on_node1,
            6,
            true,
            elsewhere("pv-node2"),
        ),
    ] {
        assert_eq!(progress(taken, stored, labels, seconds, is_pod_there), expected, "{name}");
    }
}

#[test]
fn what_was_written_is_waited_for() {
    let mut written = volume("pv-node1a", "node1", Some("unbound-pvc"));
    written["metadata"]["resourceVersion"] = "10".into();
    // Without its claim it would be a failure.
    let old = volume("pv-node1a", "node1", None);
    let stored = stored(&[old], &[unbound("unbound-pvc")]);
    let labels = json!({"nodeKey": "node1"});
    assert_eq!(progress(&taken(&[written], &[]), &stored, &labels, 1, true), Progress::Wait);
}

/// # Source
/// `pkg/scheduler/framework/plugins/volumebinding/binder_test.go` (`TestBindAPIUpdate`), `volume_binding_test.go`
/// (`Test_PreBindPreFlight`)
#[test]
fn volumes_are_written_before_claims() {
    let a_bound = volume("pv-node1a", "node1", Some("unbound-pvc"));
    let b_bound = volume("pv-node1b", "node1", Some("unbound-pvc2"));
    let asked = selected(&unbound("provisioned-pvc"), "node1");
    for (name, taken, expected) in [
        ("nothing-to-bind-empty", taken(&[], &[]), vec![]),
        ("one-binding", taken(std::slice::from_ref(&a_bound), &[]), vec!["pv-node1a"]),
        ("two-bindings", taken(&[a_bound.clone(), b_bound.clone()], &[]), vec!["pv-node1a", "pv-node1b"]),
        ("one-provisioned-pvc", taken(&[], std::slice::from_ref(&asked)), vec!["provisioned-pvc"]),
        ("both", taken(&[a_bound], &[asked]), vec!["pv-node1a", "provisioned-pvc"]),
    ] {
        let (pod, stored) = (pod(), Listers::default());
        let info = PodInfo::new(&pod).unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let cycle = BindingCycle { pod: &info, node: "node1", taken: &taken, stored: &stored, now };
        let profile = Profile::default();
        let written: Vec<String> = profile
            .pre_bind(&cycle)
            .unwrap()
            .into_iter()
            .filter_map(|write| match write.action {
                Action::UpdatePersistentVolume(volume) => volume.metadata.name,
                Action::UpdatePersistentVolumeClaim(claim) => claim.metadata.name,
                _ => None,
            })
            .collect();
        assert_eq!(written, expected, "{name}");
        // "all bound", "volume to be bound".
        assert_eq!(profile.pre_flight(&cycle), !written.is_empty(), "{name}");
    }
}

/// # Source
/// `pkg/scheduler/framework/plugins/volumebinding/binder_test.go` (`TestRevertAssumedPodVolumes`)
#[test]
fn what_was_reserved_is_given_back() {
    let stored = stored(&[volume("pv-node1a", "node1", None)], &[unbound("provisioned-pvc")]);
    let mut snapshot = Snapshot::default();
    *snapshot.listers_mut() = stored.clone();
    let a_bound = volume("pv-node1a", "node1", Some("unbound-pvc"));
    let taken = taken(&[a_bound], &[selected(&unbound("provisioned-pvc"), "node1")]);
    let seen = |snapshot: &Snapshot| {
        let storage = &snapshot.listers().storage;
        let volume = storage.volume("pv-node1a").cloned();
        (volume, storage.claim("testns", "provisioned-pvc").cloned())
    };
    let before = seen(&snapshot);
    for assumed in &taken {
        snapshot.assume(assumed.clone());
    }
    assert_ne!(seen(&snapshot), before);
    snapshot.restore(&taken, &stored);
    assert_eq!(seen(&snapshot), before);
}

#[test]
fn a_failure_names_the_plugin() {
    let taken = taken(&[volume("pv-node1a", "node1", Some("unbound-pvc"))], &[]);
    let (pod, stored) = (pod(), Listers::default());
    let info = PodInfo::new(&pod).unwrap();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let cycle = BindingCycle { pod: &info, node: "node1", taken: &taken, stored: &stored, now };
    let waiting = Waiting { since: now, node_labels: None, is_pod_there: true };
    let status = Profile::default().progress(&cycle, &waiting).unwrap_err();
    assert_eq!(
        status.message(),
        "running PreBind plugin \"VolumeBinding\": binding volumes: failed to get node \"node1\": node \"node1\" not found"
    );
}
