//! The kinds of objects that listers hold, each with a few states that differ in what plugins read.

use plimsoll_fixtures::object;

use crate::listers::Listers;

/// The names that objects of each kind have, two of each at a time. Namespaced ones are in the namespace `a`.
pub(super) const NAMES: [&str; 2] = ["a", "b"];

/// A kind of object.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// What an object of the kind may be, beside its name.
    pub(super) states: &'static [&'static str],
    set: fn(&mut Listers, &str),
    remove: fn(&mut Listers, &str),
}

impl Kind {
    pub(super) fn set(&self, listers: &mut Listers, name: &str, state: usize) {
        let state = self.states[state].trim_start_matches('{');
        let (labels, state) = match state.split_once("LABELS ") {
            Some((labels, rest)) => (labels, rest),
            None => ("", state),
        };
        (self.set)(listers, &format!("{{metadata: {{name: {name}, namespace: a{labels}}}, {state}"));
    }

    pub(super) fn remove(&self, listers: &mut Listers, name: &str) {
        (self.remove)(listers, name);
    }
}

macro_rules! kinds {
    ($($name:literal: |$listers:ident| $set:expr, |$object:ident| $remove:expr, [$($state:expr),* $(,)?];)*) => {
        pub(super) const KINDS: &[Kind] = &[$(Kind {
            name: $name,
            states: &[$($state),*],
            set: |$listers, yaml| $set(&object(yaml)),
            remove: |$listers, $object| _ = $remove,
        }),*];
    };
}

kinds! {
    "Namespace": |listers| |object| listers.set_namespace(object), |name| listers.remove_namespace(name), [
        "{, labels: {team: a}LABELS }", "{, labels: {team: b}LABELS }", "{}",
    ];
    "Service": |listers| |object| listers.set_service(object), |name| listers.remove_service("a", name), [
        "{spec: {selector: {app: a}}}", "{spec: {selector: {app: b}}}", "{spec: {}}",
    ];
    "ReplicationController": |listers| |object| listers.set_replication_controller(object),
    |name| listers.remove_replication_controller("a", name), [
        "{spec: {selector: {app: a}}}", "{spec: {selector: {app: b}}}", "{}",
    ];
    "ReplicaSet": |listers| |object| listers.set_replica_set(object), |name| listers.remove_replica_set("a", name), [
        "{spec: {selector: {matchLabels: {app: a}}}}", "{spec: {selector: {matchLabels: {app: b}}}}",
        "{spec: {selector: {matchExpressions: [{key: app, operator: Wrong}]}}}",
    ];
    "StatefulSet": |listers| |object| listers.set_stateful_set(object), |name| listers.remove_stateful_set("a", name), [
        "{spec: {serviceName: s, template: {}, selector: {matchLabels: {app: a}}}}",
        "{spec: {serviceName: s, template: {}, selector: {matchLabels: {app: b}}}}",
    ];
    "PodDisruptionBudget": |listers| |object| listers.set_disruption_budget(object),
    |name| listers.remove_disruption_budget("a", name), [
        "{spec: {selector: {matchLabels: {app: a}}}, status: {disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1}}",
        "{spec: {selector: {matchLabels: {app: b}}}, status: {disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1}}",
    ];
    "PersistentVolumeClaim": |listers| |object| listers.storage.set_claim(object),
    |name| listers.storage.remove_claim("a", name), [
        "{spec: {storageClassName: a, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
        "{spec: {storageClassName: a, accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}}",
        "{, annotations: {pv.kubernetes.io/bind-completed: 'yes'}LABELS spec: {volumeName: a, storageClassName: a, accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1Gi}}}}",
    ];
    "PersistentVolume": |listers| |object| listers.storage.set_volume(object), |name| listers.storage.remove_volume(name), [
        "{spec: {storageClassName: a, accessModes: [ReadWriteOnce, ReadWriteOncePod], capacity: {storage: 1Gi}, csi: {driver: a, volumeHandle: h}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [y]}]}]}}}, status: {phase: Available}}",
        "{, labels: {topology.kubernetes.io/zone: x}LABELS spec: {storageClassName: a, accessModes: [ReadWriteOnce, ReadWriteOncePod], capacity: {storage: 2Gi}, csi: {driver: a, volumeHandle: i}}, status: {phase: Available}}",
    ];
    "StorageClass": |listers| |object| listers.storage.set_class(object), |name| listers.storage.remove_class(name), [
        "{provisioner: a, volumeBindingMode: WaitForFirstConsumer}", "{provisioner: a, volumeBindingMode: Immediate}",
        "{provisioner: kubernetes.io/no-provisioner, volumeBindingMode: WaitForFirstConsumer}",
    ];
    "CSINode": |listers| |object| listers.storage.set_csi_node(object), |name| listers.storage.remove_csi_node(name), [
        "{spec: {drivers: [{name: a, nodeID: n, allocatable: {count: 0}}]}}",
        "{spec: {drivers: [{name: a, nodeID: n, allocatable: {count: 1}}]}}",
        "{spec: {drivers: [{name: a, nodeID: n, allocatable: {count: 2}}]}}",
    ];
    "CSIDriver": |listers| |object| listers.storage.set_csi_driver(object), |name| listers.storage.remove_csi_driver(name), [
        "{spec: {storageCapacity: true}}", "{spec: {storageCapacity: false}}",
    ];
    "CSIStorageCapacity": |listers| |object| listers.storage.set_capacity(object),
    |name| listers.storage.remove_capacity("a", name), [
        "{storageClassName: a, capacity: 9Gi, nodeTopology: {matchLabels: {zone: x}}}",
        "{storageClassName: a, capacity: 1Gi, nodeTopology: {}}",
    ];
    "VolumeAttachment": |listers| |object| listers.storage.set_attachment(object),
    |name| listers.storage.remove_attachment(name), [
        "{spec: {attacher: a, nodeName: a, source: {persistentVolumeName: b}}}",
        "{spec: {attacher: a, nodeName: b, source: {persistentVolumeName: a}}}",
    ];
    "ResourceClaim": |listers| |object| listers.devices.set_claim(object), |name| listers.devices.remove_claim("a", name), [
        "{spec: {devices: {requests: [{name: r, exactly: {deviceClassName: a, allocationMode: ExactCount, count: 1}}]}}}",
        "{spec: {devices: {requests: [{name: r, exactly: {deviceClassName: b, allocationMode: All, tolerations: [{key: t, operator: Exists}]}}]}}}",
        "{spec: {}, status: {allocation: {devices: {results: [{request: r, driver: a, pool: a, device: a}]}}}}",
    ];
    "DeviceClass": |listers| |object| listers.devices.set_class(object), |name| listers.devices.remove_class(name), [
        "{spec: {extendedResourceName: example.com/x}}",
        "{, creationTimestamp: '2024-01-01T00:00:00Z'LABELS spec: {extendedResourceName: example.com/x, selectors: [{cel: {expression: 'device.driver == \"b\"'}}]}}",
        "{spec: {extendedResourceName: example.com/y, selectors: [{cel: {expression: 'device.driver == \"a\"'}}]}}",
    ];
    "ResourceSlice": |listers| |object| listers.devices.set_slice(object), |name| listers.devices.remove_slice(name), [
        "{spec: {driver: a, pool: {name: a, generation: 1, resourceSliceCount: 1}, nodeName: a, devices: [{name: a}, {name: b}]}}",
        "{spec: {driver: a, pool: {name: a, generation: 1, resourceSliceCount: 2}, allNodes: true, devices: [{name: a, taints: [{key: t, effect: NoSchedule}]}]}}",
        "{spec: {driver: b, pool: {name: b, generation: 1, resourceSliceCount: 1}, nodeSelector: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [y]}]}]}, devices: [{name: a}, {name: c}]}}",
        "{spec: {driver: b, pool: {name: b, generation: 2, resourceSliceCount: 1}, perDeviceNodeSelection: true, devices: [{name: a, nodeName: b}, {name: b, allNodes: true}]}}",
    ];
    "DeviceTaintRule": |listers| |object| listers.devices.set_taint_rule(object),
    |name| listers.devices.remove_taint_rule(name), [
        "{spec: {deviceSelector: {driver: a}, taint: {key: t, effect: NoSchedule}}}",
        "{spec: {deviceSelector: {pool: b, device: a}, taint: {key: u, effect: NoExecute}}}", "{spec: {taint: {key: t, effect: NoSchedule}}}",
    ];
}
