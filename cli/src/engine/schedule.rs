//! The scheduler, until nothing moves.

use plimsoll_scheduler::framework::QueuedPod;
use plimsoll_scheduler::{CycleState, Outcome as Decision, PodInfo, Profile, Snapshot, schedule};

use super::{Engine, Progress, Step, existing};
use crate::report::Outcome;

/// What the scheduler remembers from one pod to the next.
pub(super) struct Scheduling {
    profile: Profile,
    snapshot: Snapshot,
    state: CycleState,
    /// How many rows have been looked at.
    seen: usize,
    /// Rows of pods that wait to be decided.
    waiting: Vec<usize>,
}

impl Scheduling {
    /// A pod is gone, and what it took of its node is free again.
    pub(super) fn forget(&mut self, namespace: &str, pod: &str) {
        self.snapshot.remove_pod(namespace, pod);
    }
}

impl Engine<'_> {
    /// Prepares the scheduler for the nodes of the cluster.
    pub(super) fn begin_scheduling(&mut self) -> Scheduling {
        let mut snapshot = Snapshot::default();
        for node in &self.world.nodes {
            if let Err(error) = snapshot.set_node(node) {
                self.notes.push(format!("{error}: left out"));
            }
        }
        Scheduling {
            profile: Profile::default(),
            snapshot,
            state: CycleState::default(),
            seen: 0,
            waiting: Vec::new(),
        }
    }

    /// Decides about every pod that has no node yet, in the order of the queue.
    pub(super) fn schedule_waiting(
        &mut self,
        scheduling: &mut Scheduling,
        progress: &mut dyn FnMut(Progress),
    ) {
        self.take_note_of_new_pods(scheduling);
        let mut waiting = std::mem::take(&mut scheduling.waiting);
        self.sort_by_queue_order(&mut waiting, &scheduling.profile);
        let total = waiting.len();
        for (done, index) in waiting.into_iter().enumerate() {
            self.schedule_one(index, scheduling);
            progress(Progress { step: Step::Scheduling, done: done + 1, total });
        }
    }

    /// Decides about every pod that has no node yet, those that waited before among them.
    pub(super) fn schedule_waiting_again(
        &mut self,
        scheduling: &mut Scheduling,
        progress: &mut dyn FnMut(Progress),
    ) {
        let seen = self.rows.iter().enumerate().take(scheduling.seen);
        let pending = seen.filter(|(_, row)| row.is_stored() && row.outcome == Outcome::Pending);
        scheduling.waiting.extend(pending.map(|(place, _)| place));
        for place in &scheduling.waiting {
            self.rows[*place].waits = None;
        }
        self.schedule_waiting(scheduling, progress);
    }

    fn take_note_of_new_pods(&mut self, scheduling: &mut Scheduling) {
        for index in scheduling.seen..self.rows.len() {
            let row = &mut self.rows[index];
            if !row.is_stored() {
                continue;
            }
            let Some(pod) = row.pod() else { continue };
            let ended = existing::has_ended(pod);
            match (&row.node, ended) {
                (_, true) => {}
                (Some(node), false) => match PodInfo::new(pod) {
                    Ok(info) => scheduling.snapshot.add_pod(&info, node),
                    Err(error) => row.warnings.push(error.to_string()),
                },
                (None, false) => scheduling.waiting.push(index),
            }
        }
        scheduling.seen = self.rows.len();
    }

    fn sort_by_queue_order(&self, waiting: &mut [usize], profile: &Profile) {
        let infos: Vec<(usize, Option<PodInfo<'_>>)> = waiting
            .iter()
            .map(|index| (*index, self.rows[*index].pod().and_then(|pod| PodInfo::new(pod).ok())))
            .collect();
        let mut queue: Vec<(usize, Option<QueuedPod<'_>>)> = infos
            .iter()
            .map(|(index, info)| {
                let queued_at_micros = i64::try_from(*index).unwrap_or(i64::MAX);
                (*index, info.as_ref().map(|pod| QueuedPod { pod, queued_at_micros }))
            })
            .collect();
        queue.sort_by(|(_, first), (_, second)| match (first, second) {
            (Some(first), Some(second)) => profile.queue_order(first, second),
            _ => first.is_none().cmp(&second.is_none()),
        });
        for (slot, (index, _)) in waiting.iter_mut().zip(queue) {
            *slot = index;
        }
    }

    fn schedule_one(&mut self, index: usize, scheduling: &mut Scheduling) {
        let row = &mut self.rows[index];
        let Some(pod) = row.pod() else { return };
        if self.world.nodes.is_empty() {
            return;
        }
        let name = pod.spec.as_ref().and_then(|spec| spec.scheduler_name.as_deref()).unwrap_or_default();
        if name != scheduling.profile.scheduler_name {
            let message = format!("waits for the scheduler {name:?}, which does not run here");
            row.outcome = Outcome::Pending;
            row.waits = Some(("Unschedulable".to_owned(), message));
            return;
        }
        let info = match PodInfo::new(pod) {
            Ok(info) => info,
            Err(error) => {
                row.outcome = Outcome::Pending;
                row.waits = Some(("SchedulerError".to_owned(), error.to_string()));
                return;
            }
        };
        let gate = scheduling.profile.pre_enqueue(&info);
        if !gate.is_success() {
            row.outcome = Outcome::Pending;
            row.waits = Some(("SchedulingGated".to_owned(), gate.message()));
            return;
        }
        match schedule(&info, &scheduling.snapshot, &scheduling.profile, &mut scheduling.state) {
            Decision::Placed(placement) => {
                scheduling.snapshot.add_pod(&info, &placement.node);
                row.outcome = Outcome::Placed;
                row.node = Some(placement.node.clone());
                if let crate::world::Object::Pod(pod) = &mut row.object {
                    pod.spec.get_or_insert_default().node_name = Some(placement.node);
                }
            }
            other => {
                let reason =
                    if matches!(other, Decision::Error(_)) { "SchedulerError" } else { "Unschedulable" };
                row.outcome = Outcome::Pending;
                row.waits = Some((reason.to_owned(), other.message().unwrap_or_default()));
            }
        }
    }
}
