//! What plugins hear of devices: slices with the taints that rules give them.

use std::cell::RefCell;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::{DeviceTaintRule, ResourceSlice};
use plimsoll_fixtures::object;

use crate::framework::{
    ActionType, Change, EventRegistration, EventResource, ExtensionPoint, HintRequest, HintResult, Object,
    Plugin, QueueingHint, Status,
};
use crate::plugins::Registration;
use crate::queue::{Moment, QueueSettings};
use crate::{Listers, Profile, SchedulingQueue};

const NAME: &str = "Listening";

thread_local! {
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A plugin that only takes down what it hears of slices.
const LISTENING: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreEnqueue],
    weight: 1,
    summary: "",
    new: |_| {
        Ok(Plugin {
            pre_enqueue: Some(|_| Status::SUCCESS),
            events: Some(vec![EventRegistration::with(
                EventResource::ResourceSlice,
                ActionType::ALL,
                take_down,
            )]),
            ..Plugin::new(NAME)
        })
    },
};

fn take_down(request: &HintRequest<'_>) -> HintResult {
    let (old, new) = request.resource_slices()?;
    let slice = |object: Option<&ResourceSlice>| object.map_or_else(|| "-".to_owned(), taints);
    HEARD.with_borrow_mut(|heard| heard.push(format!("{} -> {}", slice(old), slice(new))));
    Ok(QueueingHint::Skip)
}

/// The taints of each device of a slice.
fn taints(slice: &ResourceSlice) -> String {
    let of_devices = slice.spec.devices.iter().flatten().map(|device| {
        let keys: Vec<&str> = device.taints.iter().flatten().map(|taint| taint.key.as_str()).collect();
        format!("{}({})", device.name, keys.join(" "))
    });
    let name = slice.metadata.name.as_deref().unwrap_or_default();
    format!("{name}: {}", of_devices.collect::<Vec<_>>().join(" "))
}

/// A queue in which a pod waits that the plugin turned away.
struct World {
    queue: SchedulingQueue,
    listers: Listers,
}

impl World {
    fn new() -> Self {
        let mut queue =
            SchedulingQueue::new([Profile::with_plugin(LISTENING)].into(), QueueSettings::default());
        let listers = Listers::default();
        let moment = Moment { now_micros: 0, listers: &listers };
        let pod: Pod = object(
            "{metadata: {name: p, namespace: a}, spec: {schedulerName: default-scheduler, containers: []}}",
        );
        queue.add(Arc::new(pod), moment);
        let mut pod = queue.pop().unwrap();
        pod.unschedulable_plugins.insert(NAME);
        queue.add_unschedulable_if_not_present(pod, moment).unwrap();
        Self { queue, listers }
    }

    fn set_rule(&mut self, old: Option<&DeviceTaintRule>, new: Option<&DeviceTaintRule>) -> Vec<String> {
        match (old, new) {
            (_, Some(new)) => self.listers.devices.set_taint_rule(new),
            (Some(_), None) => self.listers.devices.remove_taint_rule("rule"),
            (None, None) => {}
        }
        let moment = Moment { now_micros: 0, listers: &self.listers };
        self.queue.device_taint_rule_changed(old, new, moment);
        HEARD.take()
    }

    fn set_slice(
        &mut self,
        old: Option<&Arc<ResourceSlice>>,
        new: Option<&Arc<ResourceSlice>>,
    ) -> Vec<String> {
        match (old, new) {
            (_, Some(new)) => self.listers.devices.set_slice(new),
            (Some(_), None) => self.listers.devices.remove_slice("one"),
            (None, None) => {}
        }
        let object = |slice: Option<&Arc<ResourceSlice>>| slice.cloned().map(Object::ResourceSlice);
        let moment = Moment { now_micros: 0, listers: &self.listers };
        self.queue.object_changed(Change { old: object(old), new: object(new) }, moment);
        HEARD.take()
    }
}

fn rule(selector: &str, key: &str) -> DeviceTaintRule {
    object(&format!(
        "{{metadata: {{name: rule}}, spec: {{{selector}taint: {{key: {key}, effect: NoSchedule}}}}}}"
    ))
}

/// # Source
/// k8s.io/dynamic-resource-allocation `resourceslice/tracker/tracker_test.go` (`TestListPatchedResourceSlices`)
#[test]
fn a_rule_is_told_as_updates_of_the_slices_that_it_changes() {
    let mut world = World::new();
    let slice: Arc<ResourceSlice> = Arc::new(object(
        "{metadata: {name: one}, spec: {driver: d, pool: {name: p, generation: 1, resourceSliceCount: 1}, allNodes: true, devices: [{name: x, taints: [{key: own, effect: NoSchedule}]}, {name: y}]}}",
    ));
    let changed: Arc<ResourceSlice> = Arc::new(object(
        "{metadata: {name: one}, spec: {driver: d, pool: {name: p, generation: 2, resourceSliceCount: 1}, allNodes: true, devices: [{name: y}]}}",
    ));
    assert_eq!(world.set_slice(None, Some(&slice)), ["- -> one: x(own) y()"]);
    let [all, only_y] = [rule("deviceSelector: {}, ", "a"), rule("deviceSelector: {device: y}, ", "b")];
    let [other_driver, of_none] = [rule("deviceSelector: {driver: e}, ", "c"), rule("", "d")];
    assert_eq!(world.set_rule(None, Some(&all)), ["one: x(own) y() -> one: x(own a) y(a)"]);
    assert_eq!(world.set_rule(Some(&all), Some(&all)), [""; 0], "nothing has changed");
    assert_eq!(world.set_rule(Some(&all), Some(&only_y)), ["one: x(own a) y(a) -> one: x(own) y(b)"]);
    assert_eq!(world.set_slice(Some(&slice), Some(&changed)), ["one: x(own) y(b) -> one: y(b)"]);
    assert_eq!(world.set_slice(Some(&changed), Some(&slice)), ["one: y(b) -> one: x(own) y(b)"]);
    assert_eq!(world.set_rule(Some(&only_y), Some(&other_driver)), ["one: x(own) y(b) -> one: x(own) y()"]);
    assert_eq!(world.set_rule(Some(&other_driver), Some(&of_none)), [""; 0]);
    assert_eq!(world.set_rule(Some(&of_none), Some(&only_y)), ["one: x(own) y() -> one: x(own) y(b)"]);
    assert_eq!(world.set_rule(Some(&only_y), None), ["one: x(own) y(b) -> one: x(own) y()"]);
    assert_eq!(world.set_slice(Some(&slice), None), ["one: x(own) y() -> -"]);
}
