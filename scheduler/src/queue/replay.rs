//! Does to a queue what is written down, step by step: for case files, and for those who compare the queue with upstream's.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::DeviceTaintRule;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Moment, QueueSettings, QueuedPodInfo, SchedulingQueue, key};
use crate::framework::{Change, Nomination, Preemption};
use crate::listers::Listers;
use crate::pod_info::fields;
use crate::profile::Profile;

/// One thing done to the queue, as it is written: `do` says what, the other fields are of use to some.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
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
    change: Change,
    /// The new state of a rule that taints devices; with none the rule of the name is gone.
    rule: Option<DeviceTaintRule>,
}

/// A queue to which steps are done.
pub struct Replay {
    queue: SchedulingQueue,
    listers: Listers,
    /// The plugin of a name.
    plugin: fn(&str) -> Option<&'static str>,
    now_micros: i64,
    /// What the informer has of each pod.
    current: BTreeMap<String, Arc<Pod>>,
    in_flight: Vec<QueuedPodInfo>,
    taint_rules: BTreeMap<String, DeviceTaintRule>,
}

impl Replay {
    /// A queue without pods. `plugin` finds those by their names that turn pods away.
    pub fn new(profile: Profile, listers: Listers, plugin: fn(&str) -> Option<&'static str>) -> Self {
        Self {
            queue: SchedulingQueue::new([profile].into(), QueueSettings::default()),
            listers,
            plugin,
            now_micros: 0,
            current: BTreeMap::new(),
            in_flight: Vec::new(),
            taint_rules: BTreeMap::new(),
        }
    }

    /// Takes a step, a millisecond after the one before, so that no two pods enter at the same moment. Whether it makes sense now; if not
    /// it is left out.
    ///
    /// # Errors
    /// There is no such step or plugin, or the queue refuses it.
    pub fn take(&mut self, step: &Step) -> Result<bool, String> {
        self.now_micros += 1000;
        if step.what == "taintRule" {
            self.set_taint_rule(&step.name, step.rule.as_ref());
            return Ok(true);
        }
        let moment = Moment { now_micros: self.now_micros, listers: &self.listers };
        let current = self.current.get(&step.name).cloned();
        match (step.what.as_str(), current) {
            ("add", _) => {
                let pod = identified(&step.pod);
                let key = key(&pod);
                if self.queue.place(&key).is_some() || self.queue.in_flight().any(|other| *other == *key) {
                    return Ok(false);
                }
                self.current.insert(fields::name(&pod).to_owned(), Arc::clone(&pod));
                self.queue.pod_added(pod, moment);
            }
            ("update", _) => {
                let pod = identified(&step.pod);
                let Some(current) = self.current.get_mut(fields::name(&pod)) else { return Ok(false) };
                let old = std::mem::replace(current, Arc::clone(&pod));
                self.queue.pod_updated(old, pod, None, moment);
            }
            ("delete", Some(pod)) => {
                self.current.remove(&step.name);
                self.queue.pod_deleted(pod, None, moment);
            }
            ("pop", _) => self.in_flight.extend(self.queue.pop()),
            ("return" | "done", _) if self.in_flight.is_empty() => return Ok(false),
            ("done", _) => {
                let pod = self.in_flight.remove(step.which % self.in_flight.len());
                self.queue.done(&pod.pod);
            }
            ("return", _) => {
                let mut pod = self.in_flight.remove(step.which % self.in_flight.len());
                pod.clear_rejector_plugins();
                let named = |names: &Option<Vec<String>>| -> Result<Vec<&'static str>, String> {
                    let known =
                        |name: &String| (self.plugin)(name).ok_or_else(|| format!("no plugin {name:?}"));
                    names.iter().flatten().map(known).collect()
                };
                pod.unschedulable_plugins.extend(named(&step.unschedulable)?);
                pod.pending_plugins.extend(named(&step.pending)?);
                if let Some(latest) = self.current.get(fields::name(&pod.pod)) {
                    pod.pod = Arc::clone(latest);
                }
                self.queue.add_unschedulable_if_not_present(pod, moment)?;
            }
            ("activate", Some(pod)) => self.queue.activate(&[pod], moment),
            ("nominate", Some(pod)) => {
                let node = step.node.clone();
                let preemption = Preemption { node, victims: Vec::new(), disruption_budget_violations: 0 };
                self.queue.nominate(&pod, &Nomination::Set(preemption));
            }
            ("preempting", Some(pod)) => {
                if fields::spec(&pod).scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()) {
                    return Ok(false);
                }
                self.queue.set_preempting(&pod, step.on);
            }
            ("change", _) => self.queue.object_changed(step.change.clone(), moment),
            ("wait", _) => self.now_micros += step.millis * 1000,
            ("flushBackoff", _) => self.queue.flush_backoff_completed(self.now_micros),
            ("flushUnschedulable", _) => self.queue.flush_unschedulable_left_over(moment),
            // There is no such pod.
            ("delete" | "activate" | "nominate" | "preempting", None) => {}
            (other, _) => return Err(format!("no step {other:?}")),
        }
        Ok(true)
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

    /// Where each pod waits and why, and which node is set aside for whom. Times are in milliseconds.
    pub fn state(&self) -> Value {
        let mut in_flight: Vec<&str> = self.queue.in_flight().map(last_part).collect();
        in_flight.sort_unstable();
        let of_node =
            |node: &str| -> Value { self.queue.nominated_pods(node).map(|key| last_part(key)).collect() };
        let nominated: Map<String, Value> =
            self.queue.nominated_nodes().map(|node| (node.to_owned(), of_node(node))).collect();
        let waiting = |pod: &QueuedPodInfo| (fields::name(&pod.pod).to_owned(), told(pod));
        let backing_off = |pod: &QueuedPodInfo| {
            let mut told = told(pod);
            told["until"] = pod.backoff_expiration_seconds.map(|second| second * 1000).into();
            (fields::name(&pod.pod).to_owned(), told)
        };
        json!({
            "active": self.queue.active().map(waiting).collect::<Map<_, _>>(),
            "backoff": self.queue.backing_off().map(backing_off).collect::<Map<_, _>>(),
            "unschedulable": self.queue.unschedulable().map(waiting).collect::<Map<_, _>>(),
            "inFlight": in_flight, "nominated": nominated,
        })
    }

    /// The names of the pods that can be tried, in the order in which they are.
    pub fn order(mut self) -> Vec<String> {
        std::iter::from_fn(|| self.queue.pop()).map(|pod| fields::name(&pod.pod).to_owned()).collect()
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

/// Gives a pod the identity that a server would have given it.
fn identified(pod: &Pod) -> Arc<Pod> {
    let mut pod = pod.clone();
    pod.metadata.uid = Some(key(&pod).to_string());
    Arc::new(pod)
}

fn last_part(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}
