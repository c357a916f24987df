//! What a case is given, beside its nodes and pods.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::config::{KubeSchedulerConfiguration, PluginArgs, ReadArgs, set_defaults, validate};
use crate::plugins::TABLE;
use crate::{Listers, PodInfo, Profile, Snapshot};

/// The objects of one kind.
pub(super) fn all<T: DeserializeOwned>(given: &Value, field: &str) -> Vec<T> {
    given.get(field).map(|list| serde_json::from_value(list.clone()).unwrap()).unwrap_or_default()
}

/// The first profile of the case's configuration, or the default one.
pub(crate) fn profile(given: &Value) -> Profile {
    let Some(config) = given.get("config") else { return Profile::default() };
    let mut configuration: KubeSchedulerConfiguration = serde_json::from_value(config.clone()).unwrap();
    for told in configuration.profiles.iter_mut().flat_map(|profile| &mut profile.plugin_config) {
        let args = told.given.take().unwrap_or_else(|| json!({}));
        told.read = Some(PluginArgs::read(&told.name, args, &mut Reader).unwrap());
    }
    set_defaults(&mut configuration);
    assert_eq!(validate(&configuration), []);
    Profile::new(&configuration.profiles[0], &configuration, &TABLE).unwrap()
}

/// Reads the arguments of plugins.
pub(super) struct Reader;

impl ReadArgs for Reader {
    type Error = serde_json::Error;

    fn read<T: DeserializeOwned>(&mut self, given: Value) -> Result<T, Self::Error> {
        serde_json::from_value(given)
    }
}

/// Sets nodes aside for the pods that wait for them.
pub(super) fn nominate(given: &Value, snapshot: &mut Snapshot) {
    for pod in &all(given, "nominated") {
        let pod = PodInfo::new(pod).unwrap();
        snapshot.nominate(&pod, pod.nominated_node_name());
    }
}

/// Lets plugins look up the objects that a case lists beside nodes and pods.
pub(crate) fn list_objects(given: &Value, listers: &mut Listers) {
    for namespace in all(given, "namespaces") {
        listers.set_namespace(&namespace);
    }
    for service in all(given, "services") {
        listers.set_service(&service);
    }
    for controller in all(given, "replicationControllers") {
        listers.set_replication_controller(&controller);
    }
    for replica_set in all(given, "replicaSets") {
        listers.set_replica_set(&replica_set);
    }
    for stateful_set in all(given, "statefulSets") {
        listers.set_stateful_set(&stateful_set);
    }
    for budget in all(given, "podDisruptionBudgets") {
        listers.set_disruption_budget(&budget);
    }
    for claim in all(given, "persistentVolumeClaims") {
        listers.storage.set_claim(&claim);
    }
    for volume in all(given, "persistentVolumes") {
        listers.storage.set_volume(&volume);
    }
    for class in all(given, "storageClasses") {
        listers.storage.set_class(&class);
    }
    for node in all(given, "csiNodes") {
        listers.storage.set_csi_node(&node);
    }
    for driver in all(given, "csiDrivers") {
        listers.storage.set_csi_driver(&driver);
    }
    for capacity in all(given, "csiStorageCapacities") {
        listers.storage.set_capacity(&capacity);
    }
    for attachment in all(given, "volumeAttachments") {
        listers.storage.set_attachment(&attachment);
    }
    for claim in all(given, "resourceClaims") {
        listers.devices.set_claim(&claim);
    }
    for class in all(given, "deviceClasses") {
        listers.devices.set_class(&class);
    }
    for slice in all(given, "resourceSlices") {
        listers.devices.set_slice(&slice);
    }
    for rule in all(given, "deviceTaintRules") {
        listers.devices.set_taint_rule(&rule);
    }
}
