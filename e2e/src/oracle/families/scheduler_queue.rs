//! Where pods wait after each of many steps, and in which order they are tried.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::anyhow;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::DeviceTaintRule;
use plimsoll_scheduler::framework::{Nomination, Preemption};
use plimsoll_scheduler::queue::{Moment, QueueSettings, QueuedPodInfo};
use plimsoll_scheduler::{Listers, SchedulingQueue};
use serde::Deserialize;
use serde_json::{Value, json};

use super::object_change::ObjectChange;
use super::scheduler::{self, differs_by_amounts, identify};
use super::{Family, decode};
use crate::oracle::generate::scheduler_queue::{PLUGINS, scheduler_queue};

pub(super) const FAMILY: Family = Family {
    name: "scheduler_queue",
    generate: scheduler_queue,
    evaluate,
    known_difference: Some(differs_by_amounts),
    bench: None,
};

/// A queue and what is done to it.
#[derive(Deserialize)]
struct Input {
    #[serde(flatten)]
    world: scheduler::Input,
    #[serde(default)]
    steps: Vec<Step>,
}

/// One thing done to the queue.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Step {
    #[serde(rename = "do")]
    what: String,
    pod: Pod,
    name: String,
    which: usize,
    unschedulable: Option<Vec<String>>,
    pending: Option<Vec<String>>,
    node: String,
    on: bool,
    millis: i64,
    change: ObjectChange,
    /// The new state of a rule that taints devices; with none the rule of the name is gone.
    rule: Option<DeviceTaintRule>,
}

struct World {
    queue: SchedulingQueue,
    listers: Listers,
    now_micros: i64,
    /// What the informer has of each pod.
    current: BTreeMap<String, Arc<Pod>>,
    in_flight: Vec<QueuedPodInfo>,
    taint_rules: BTreeMap<String, DeviceTaintRule>,
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let Some(profile) = input.world.profile() else { return Ok(json!("no valid configuration")) };
    let mut listers = Listers::default();
    input.world.add_objects(&mut listers);
    let queue = SchedulingQueue::new([profile].into(), QueueSettings::default());
    let mut world = World {
        queue,
        listers,
        now_micros: 0,
        current: BTreeMap::new(),
        in_flight: Vec::new(),
        taint_rules: BTreeMap::new(),
    };
    let mut states = Vec::new();
    for step in &input.steps {
        // No two pods enter at the same moment.
        world.now_micros += 1000;
        world.take(step)?;
        states.push(world.state());
    }
    let mut order = Vec::new();
    while let Some(pod) = world.queue.pop() {
        order.push(name(&pod.pod).to_owned());
    }
    Ok(json!({"states": states, "order": order}))
}

impl World {
    /// Takes one step. A step that makes no sense now is left out.
    fn take(&mut self, step: &Step) -> anyhow::Result<()> {
        if step.what == "taintRule" {
            self.set_taint_rule(&step.name, step.rule.as_ref());
            return Ok(());
        }
        let moment = Moment { now_micros: self.now_micros, listers: &self.listers };
        let current = self.current.get(&step.name).cloned();
        match (step.what.as_str(), current) {
            ("add", _) => {
                let pod = identified(&step.pod);
                let key = uid(&pod).to_owned();
                if self.queue.place(&key).is_none() && !self.queue.in_flight().any(|other| other == key) {
                    self.current.insert(name(&pod).to_owned(), Arc::clone(&pod));
                    self.queue.pod_added(pod, moment);
                }
            }
            ("update", _) => {
                let pod = identified(&step.pod);
                if let Some(old) = self.current.get(name(&pod)).cloned() {
                    self.current.insert(name(&pod).to_owned(), Arc::clone(&pod));
                    self.queue.pod_updated(old, pod, None, moment);
                }
            }
            ("delete", Some(pod)) => {
                self.current.remove(&step.name);
                self.queue.pod_deleted(pod, None, moment);
            }
            ("pop", _) => self.in_flight.extend(self.queue.pop()),
            ("return" | "done", _) if self.in_flight.is_empty() => {}
            ("done", _) => {
                let pod = self.in_flight.remove(step.which % self.in_flight.len());
                self.queue.done(&pod.pod);
            }
            ("return", _) => {
                let mut pod = self.in_flight.remove(step.which % self.in_flight.len());
                pod.clear_rejector_plugins();
                pod.unschedulable_plugins.extend(plugins(step.unschedulable.as_deref()));
                pod.pending_plugins.extend(plugins(step.pending.as_deref()));
                if let Some(latest) = self.current.get(name(&pod.pod)) {
                    pod.pod = Arc::clone(latest);
                }
                self.queue
                    .add_unschedulable_if_not_present(pod, moment)
                    .map_err(|message| anyhow!(message))?;
            }
            ("activate", Some(pod)) => self.queue.activate(&[pod], moment),
            ("nominate", Some(pod)) => {
                let preemption = Preemption {
                    node: step.node.clone(),
                    victims: Vec::new(),
                    disruption_budget_violations: 0,
                };
                self.queue.nominate(&pod, &Nomination::Set(preemption));
            }
            ("preempting", Some(pod)) => {
                let gates = pod.spec.as_ref().and_then(|spec| spec.scheduling_gates.as_ref());
                if gates.is_none_or(Vec::is_empty) {
                    self.queue.set_preempting(&pod, step.on);
                }
            }
            ("change", _) => self.queue.object_changed(step.change.0.clone(), moment),
            ("wait", _) => self.now_micros += step.millis * 1000,
            ("flushBackoff", _) => self.queue.flush_backoff_completed(self.now_micros),
            ("flushUnschedulable", _) => self.queue.flush_unschedulable_left_over(moment),
            ("delete" | "activate" | "nominate" | "preempting", None) => {}
            (other, _) => anyhow::bail!("no step {other:?}"),
        }
        Ok(())
    }

    fn set_taint_rule(&mut self, name: &str, rule: Option<&DeviceTaintRule>) {
        let old = if let Some(rule) = rule {
            self.listers.devices.set_taint_rule(rule);
            self.taint_rules.insert(name.to_owned(), rule.clone())
        } else {
            self.listers.devices.remove_taint_rule(name);
            self.taint_rules.remove(name)
        };
        let moment = Moment { now_micros: self.now_micros, listers: &self.listers };
        self.queue.device_taint_rule_changed(old.as_ref(), rule, moment);
    }

    fn state(&self) -> Value {
        let mut in_flight: Vec<&str> =
            self.queue.in_flight().filter_map(|uid| uid.rsplit('/').next()).collect();
        in_flight.sort_unstable();
        let of_node = |node: &str| -> Vec<String> {
            let names = self.queue.nominated_pods(node).filter_map(|key| key.rsplit('/').next());
            names.map(ToOwned::to_owned).collect()
        };
        let nominated: BTreeMap<&str, Vec<String>> =
            self.queue.nominated_nodes().map(|node| (node, of_node(node))).collect();
        let backing_off = |pod: &QueuedPodInfo| {
            let mut told = told(pod);
            told["until"] = pod.backoff_expiration_seconds.map(|second| second * 1000).into();
            (name(&pod.pod).to_owned(), told)
        };
        let waiting = |pod: &QueuedPodInfo| (name(&pod.pod).to_owned(), told(pod));
        json!({
            "active": self.queue.active().map(waiting).collect::<BTreeMap<_, _>>(),
            "backoff": self.queue.backing_off().map(backing_off).collect::<BTreeMap<_, _>>(),
            "unschedulable": self.queue.unschedulable().map(waiting).collect::<BTreeMap<_, _>>(),
            "inFlight": in_flight, "nominated": nominated,
        })
    }
}

fn told(pod: &QueuedPodInfo) -> Value {
    let millis = |micros: Option<i64>| micros.map_or(-1, |micros| micros / 1000);
    json!({
        "since": pod.queued_at_micros / 1000, "initial": millis(pod.initial_attempt_at_micros),
        "flushed": millis(pod.flushed_at_micros), "wasFlushed": pod.was_flushed_from_unschedulable,
        "attempts": pod.attempts, "rejections": pod.unschedulable_count, "errors": pod.consecutive_errors_count,
        "unschedulable": pod.unschedulable_plugins, "pending": pod.pending_plugins,
        "gate": pod.gating_plugin.unwrap_or_default(),
        "version": pod.pod.metadata.resource_version.clone().unwrap_or_default(),
    })
}

fn plugins(names: Option<&[String]>) -> impl Iterator<Item = &'static str> {
    names.into_iter().flatten().filter_map(|name| PLUGINS.iter().copied().find(|known| known == name))
}

fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

fn uid(pod: &Pod) -> &str {
    pod.metadata.uid.as_deref().unwrap_or_default()
}

fn identified(pod: &Pod) -> Arc<Pod> {
    let mut pod = pod.clone();
    identify(&mut pod);
    Arc::new(pod)
}
