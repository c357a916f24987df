//! What plugins say about whether a change may let a pod in, as upstream's say it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use plimsoll_fixtures::{Case, cases};
use serde_json::{Value, json};

use super::given::{Reader, list_objects};
use crate::Listers;
use crate::config::PluginArgs;
use crate::framework::{Change, HintRequest, Plugin, QueueingHint, Whose};
use crate::plugins::TABLE;

/// Asks the plugin about the case's change and compares with what upstream's said of each event that follows from it.
#[track_caller]
fn check(plugin: &str, case: &Case) {
    let given = &case.given;
    let pod: Pod = serde_json::from_value(given["pod"].clone()).unwrap();
    let change: Change = serde_json::from_value(given["change"].clone()).unwrap();
    let whose = if given["target"] == true { Whose::Target } else { Whose::Other };
    let mut listers = Listers::default();
    list_objects(given, &mut listers);
    let plugin = plugin_of(plugin, given);
    let request = HintRequest { pod: &pod, change: &change, listers: &listers };
    let hints: BTreeMap<String, Vec<&str>> = change
        .events(whose)
        .into_iter()
        .map(|event| {
            let heard = plugin.registered_events().iter().filter(|heard| heard.event.covers(event));
            let say = |hint: QueueingHint| if hint == QueueingHint::Queue { "Queue" } else { "QueueSkip" };
            let said = heard.map(|heard| match &heard.hint {
                None => "Queue",
                Some(hint) => hint(&request).map_or("error", say),
            });
            (event.label(), said.collect())
        })
        .collect();
    assert_eq!(json!(hints), case.expect, "{}: {}", case.source, case.name);
}

/// The plugin as the case's configuration has it.
fn plugin_of(name: &str, given: &Value) -> Plugin {
    let row = TABLE.iter().find(|row| row.name == name).unwrap();
    let told = given.pointer("/config/profiles/0/pluginConfig/0/args");
    let args = told.map(|args| PluginArgs::read(name, args.clone(), &mut Reader).unwrap());
    (row.new)(args.as_ref()).unwrap()
}

macro_rules! hints_of {
    ($($plugin:ident),* $(,)?) => {$(
        #[test]
        fn $plugin() {
            for case in cases(concat!("testdata/hints/", stringify!($plugin), ".yaml")) {
                check(crate::plugins::$plugin::NAME, &case);
            }
        }
    )*};
}
hints_of!(
    scheduling_gates,
    node_unschedulable,
    taint_toleration,
    node_affinity,
    node_ports,
    node_resources_fit,
    volume_restrictions,
    node_volume_limits,
    volume_binding,
    volume_zone,
    pod_topology_spread,
    inter_pod_affinity,
    node_declared_features,
);

/// What the plugins of a profile hear of, all together.
///
/// # Source
/// `pkg/scheduler/scheduler_test.go` (`Test_UnionedGVKs`)
#[test]
fn what_the_default_plugins_hear_of() {
    use crate::framework::{ActionType as A, EventResource as R};
    let mut heard: BTreeMap<R, A> = BTreeMap::new();
    for row in &TABLE {
        for registered in (row.new)(None).unwrap().registered_events() {
            let event = registered.event;
            heard
                .entry(event.resource)
                .and_modify(|kinds| *kinds = *kinds | event.action)
                .or_insert(event.action);
        }
    }
    let comes_or_changes = A::ADD | A::UPDATE;
    let pod_changes = A::UPDATE_POD_LABEL | A::UPDATE_POD_SCALE_DOWN;
    let node = A::UPDATE_NODE_ALLOCATABLE
        | A::UPDATE_NODE_LABEL
        | A::UPDATE_NODE_TAINT
        | A::UPDATE_NODE_DECLARED_FEATURE;
    let expected = [
        (R::AssignedPod, A::ADD | pod_changes | A::DELETE),
        (R::TargetPod, A::UPDATE),
        (R::Node, A::ADD | node | A::DELETE),
        (R::CsiNode, comes_or_changes),
        (R::CsiDriver, A::UPDATE),
        (R::CsiStorageCapacity, comes_or_changes),
        (R::PersistentVolume, comes_or_changes),
        (R::PersistentVolumeClaim, comes_or_changes),
        (R::StorageClass, comes_or_changes),
        (R::VolumeAttachment, A::DELETE),
        (R::DeviceClass, comes_or_changes),
        (R::ResourceClaim, A::ALL),
        (R::ResourceSlice, comes_or_changes),
    ];
    assert_eq!(heard, BTreeMap::from(expected));
}
