//! Step by step where pods wait, as in upstream's queue. The oracle's family `scheduler_queue` takes the same steps.

use plimsoll_fixtures::{Case, cases};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::*;
use crate::framework::Preemption;
use crate::plugins::TABLE;

/// One thing that is done.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Step {
    #[serde(rename = "do")]
    what: String,
    pod: Pod,
    name: String,
    which: usize,
    unschedulable: Vec<String>,
    pending: Vec<String>,
    node: String,
    on: bool,
    millis: i64,
    change: Written,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    kind: String,
    old: Option<Value>,
    new: Option<Value>,
}

struct World {
    queue: SchedulingQueue,
    listers: Listers,
    now_micros: i64,
    /// What there is of each pod.
    current: BTreeMap<String, Arc<Pod>>,
    in_flight: Vec<QueuedPodInfo>,
}

#[test]
fn queue() {
    cases("testdata/queue.yaml").iter().for_each(check);
}

#[track_caller]
fn check(case: &Case) {
    let steps: Vec<Step> = serde_json::from_value(case.given["steps"].clone()).unwrap();
    let queue = SchedulingQueue::new([Profile::default()].into(), QueueSettings::default());
    let mut world = World {
        queue,
        listers: Listers::default(),
        now_micros: 0,
        current: BTreeMap::new(),
        in_flight: Vec::new(),
    };
    for step in steps {
        // No two pods enter at the same moment.
        world.now_micros += 1000;
        world.take(step);
    }
    assert_eq!(world.answer(), case.expect, "{}: {}", case.source, case.name);
}

impl World {
    fn take(&mut self, step: Step) {
        let moment = Moment { now_micros: self.now_micros, listers: &self.listers };
        let current = self.current.get(&step.name).cloned();
        match (step.what.as_str(), current) {
            ("add", _) => {
                let pod = self.keep(step.pod);
                self.queue.pod_added(pod, Moment { now_micros: self.now_micros, listers: &self.listers });
            }
            ("update", _) => {
                let old = Arc::clone(&self.current[name(&step.pod)]);
                let new = self.keep(step.pod);
                let moment = Moment { now_micros: self.now_micros, listers: &self.listers };
                self.queue.pod_updated(old, new, None, moment);
            }
            ("delete", Some(pod)) => {
                self.current.remove(&step.name);
                self.queue.pod_deleted(pod, None, moment);
            }
            ("pop", _) => self.in_flight.extend(self.queue.pop()),
            ("return", _) => {
                let mut pod = self.in_flight.remove(step.which);
                pod.clear_rejector_plugins();
                pod.unschedulable_plugins.extend(plugins(&step.unschedulable));
                pod.pending_plugins.extend(plugins(&step.pending));
                pod.pod = Arc::clone(&self.current[name(&pod.pod)]);
                self.queue.add_unschedulable_if_not_present(pod, moment).unwrap();
            }
            ("activate", Some(pod)) => self.queue.activate(&[pod], moment),
            ("nominate", Some(pod)) => {
                let preemption =
                    Preemption { node: step.node, victims: Vec::new(), disruption_budget_violations: 0 };
                self.queue.nominate(&pod, &Nomination::Set(preemption));
            }
            ("preempting", Some(pod)) => self.queue.set_preempting(&pod, step.on),
            ("change", _) => {
                let read = |object: &Option<Value>| {
                    object.as_ref().map(|json| Object::read(&step.change.kind, json).unwrap())
                };
                let change = Change { old: read(&step.change.old), new: read(&step.change.new) };
                self.queue.object_changed(change, moment);
            }
            ("wait", _) => self.now_micros += step.millis * 1000,
            ("flushBackoff", _) => self.queue.flush_backoff_completed(self.now_micros),
            ("flushUnschedulable", _) => self.queue.flush_unschedulable_left_over(moment),
            ("delete" | "activate" | "nominate" | "preempting", None) => {}
            (other, _) => unreachable!("no step {other:?}"),
        }
    }

    fn keep(&mut self, mut pod: Pod) -> Arc<Pod> {
        pod.metadata.uid = Some(key(&pod).to_string());
        let pod = Arc::new(pod);
        self.current.insert(name(&pod).to_owned(), Arc::clone(&pod));
        pod
    }

    fn answer(mut self) -> Value {
        let mut in_flight: Vec<&str> = self.queue.in_flight().map(last_part).collect();
        in_flight.sort_unstable();
        let of_node =
            |node: &str| json!(self.queue.nominated_pods(node).map(|key| last_part(key)).collect::<Vec<_>>());
        let nominated: Map<String, Value> =
            self.queue.nominated_nodes().map(|node| (node.to_owned(), of_node(node))).collect();
        let waiting = |pod: &QueuedPodInfo| (name(&pod.pod).to_owned(), told(pod));
        let backing_off = |pod: &QueuedPodInfo| {
            let mut told = told(pod);
            told["until"] = pod.backoff_expiration_seconds.map(|second| second * 1000).into();
            (name(&pod.pod).to_owned(), told)
        };
        let mut answer = json!({
            "active": self.queue.active().map(waiting).collect::<Map<_, _>>(),
            "backoff": self.queue.backing_off().map(backing_off).collect::<Map<_, _>>(),
            "unschedulable": self.queue.unschedulable().map(waiting).collect::<Map<_, _>>(),
            "inFlight": in_flight,
            "nominated": nominated,
        });
        let order: Vec<String> =
            std::iter::from_fn(|| self.queue.pop()).map(|pod| name(&pod.pod).to_owned()).collect();
        answer["order"] = json!(order);
        without_empty(answer)
    }
}

fn told(pod: &QueuedPodInfo) -> Value {
    without_empty(json!({
        "attempts": pod.attempts,
        "rejections": pod.unschedulable_count,
        "errors": pod.consecutive_errors_count,
        "unschedulable": pod.unschedulable_plugins,
        "pending": pod.pending_plugins,
        "gate": pod.gating_plugin.unwrap_or_default(),
        "wasFlushed": pod.was_flushed_from_unschedulable,
        "version": pod.pod.metadata.resource_version,
    }))
}

/// Leaves out what is zero, none or empty.
fn without_empty(mut object: Value) -> Value {
    let says = |value: &Value| {
        ![json!(0), json!([]), json!({}), json!(""), json!(false), Value::Null].contains(value)
    };
    object.as_object_mut().unwrap().retain(|_, value| says(value));
    object
}

fn plugins(names: &[String]) -> impl Iterator<Item = &'static str> {
    names.iter().map(|name| TABLE.iter().find(|row| row.name == name).unwrap().name)
}

fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

fn last_part(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}
