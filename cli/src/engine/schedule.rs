//! The scheduler, until nothing moves.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use plimsoll_scheduler::framework::{BindingCycle, Change, Object as Changed, PreEnqueueRequest, Write};
use plimsoll_scheduler::queue::QueuedPodInfo;
use plimsoll_scheduler::{
    CycleState, Listers, Nomination, Outcome as Decision, PodInfo, Preemption, Profile, Snapshot, Status,
    TieBreak, schedule,
};
use rustc_hash::FxHashMap;

use super::devices::{self, ClaimMaker};
use super::volumes::{self, TakenForGranted};
use super::waiting_pods::WaitingPods;
use super::writes::{Written, write};
use super::{Engine, Progress, Row, Step, existing, extenders};
use crate::report::Outcome;
use crate::scheduler_config;
use crate::world::Object;

/// For so many times others are removed for a pod that finds no node even so.
const MAX_VAIN_PREEMPTIONS: u32 = 10;

/// What the scheduler remembers from one pod to the next.
pub(super) struct Scheduling {
    /// The profiles, each for the pods of one `schedulerName`; never empty.
    pub(super) profiles: Arc<[Profile]>,
    pub(super) snapshot: Snapshot,
    state: CycleState,
    /// How many rows have been looked at.
    seen: usize,
    waiting: WaitingPods,
    /// How often others were removed for a pod, by its row, and it found no node even so.
    vain_preemptions: FxHashMap<usize, u32>,
    /// Rows of pods that are on nodes, by namespace and name.
    placed: FxHashMap<(String, String), usize>,
    claim_maker: ClaimMaker,
}

impl Scheduling {
    /// A pod is gone, and what it took of its node is free again. Tells what else has changed.
    pub(super) fn forget(&mut self, namespace: &str, pod: &str) -> Vec<Change> {
        self.snapshot.remove_pod(namespace, pod);
        self.snapshot.clear_nomination(namespace, pod);
        self.placed.remove(&(namespace.to_owned(), pod.to_owned()));
        devices::release(namespace, pod, &mut self.snapshot)
    }

    /// Takes what the pod needs beside the room of the node that it gets.
    fn reserve(
        &mut self,
        pod: &PodInfo<'_>,
        node_name: &str,
        profile: usize,
        now: Timestamp,
        granted: &mut TakenForGranted,
    ) -> Result<Written, Status> {
        let Some(node) = self.snapshot.node(node_name) else { return Ok(Written::default()) };
        let profile = &self.profiles[profile];
        let taken = profile.reserve(pod, &self.snapshot, node)?;
        // It is written at once, and so nothing is assumed meanwhile.
        let stored = self.snapshot.listers();
        let cycle = BindingCycle { pod, node: node_name, taken: &taken, stored, now };
        let writes = profile.pre_bind(&cycle)?;
        Ok(self.write(writes, granted))
    }

    fn write(&mut self, writes: Vec<Write>, granted: &mut TakenForGranted) -> Written {
        write(writes, &mut self.snapshot, &mut self.claim_maker, granted)
    }

    fn place(&mut self, pod: &PodInfo<'_>, node: &str, index: usize) {
        self.snapshot.add_pod(pod, node);
        self.snapshot.clear_nomination(pod.namespace(), pod.name());
        self.placed.insert((pod.namespace().to_owned(), pod.name().to_owned()), index);
    }

    fn happened(&mut self, change: Change) {
        self.waiting.happened(change, self.snapshot.listers());
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
        let namespaces = self.world.namespaces.values().filter_map(|namespace| namespace.object.as_ref());
        for namespace in namespaces {
            snapshot.listers_mut().set_namespace(namespace);
        }
        let profiles: Arc<[Profile]> = self.profiles().into();
        Scheduling {
            profiles: Arc::clone(&profiles),
            snapshot,
            state: CycleState::default(),
            seen: 0,
            waiting: WaitingPods::new(profiles),
            vain_preemptions: FxHashMap::default(),
            placed: FxHashMap::default(),
            claim_maker: ClaimMaker::default(),
        }
    }

    /// The profiles of the scheduler's configuration. It has been checked when it was read.
    fn profiles(&mut self) -> Vec<Profile> {
        let configuration = self.settings.scheduler.as_ref();
        self.notes.extend(configuration.map(extenders::notes).unwrap_or_default());
        let made =
            configuration.map(|config| scheduler_config::profiles(config, &self.settings.scheduler_plugins));
        match made {
            Some(Ok(profiles)) if !profiles.is_empty() => profiles,
            other => {
                if let Some(Err(error)) = other {
                    self.notes.push(format!("the scheduler's configuration is left out: {error}"));
                }
                let mut profile = Profile::default();
                profile.percentage_of_nodes_to_score = 100;
                profile.tie_break = TieBreak::Seeded { seed: 0 };
                vec![profile]
            }
        }
    }

    /// Decides about every pod that has no node yet, in the order of the queue.
    pub(super) fn schedule_waiting(
        &mut self,
        scheduling: &mut Scheduling,
        progress: &mut dyn FnMut(Progress),
    ) {
        self.take_note_of_new_objects(scheduling);
        let mut done = 0;
        while let Some((pod, index)) = scheduling.waiting.next() {
            self.schedule_one(pod, index, scheduling);
            done += 1;
            let total = done + scheduling.waiting.active_count();
            progress(Progress { step: Step::Scheduling, done, total });
        }
        if std::mem::take(&mut self.usage_is_stale) {
            self.count_usage();
        }
    }

    /// Decides about every pod that has no node yet, those that waited before among them.
    pub(super) fn schedule_waiting_again(
        &mut self,
        scheduling: &mut Scheduling,
        progress: &mut dyn FnMut(Progress),
    ) {
        scheduling.waiting.retry_all(scheduling.snapshot.listers());
        self.schedule_waiting(scheduling, progress);
    }

    fn take_note_of_new_objects(&mut self, scheduling: &mut Scheduling) {
        for row in self.rows[scheduling.seen..].iter().filter(|row| row.is_stored()) {
            scheduling.claim_maker.take_note(&row.object);
        }
        let (mut waiting, mut changes) = (Vec::new(), Vec::new());
        for index in scheduling.seen..self.rows.len() {
            let row = &mut self.rows[index];
            if !row.is_stored() {
                continue;
            }
            let given_uid = row.given_uid.as_deref();
            if let Some(pod) = row.object.pod_mut() {
                scheduling.claim_maker.identify(pod, given_uid);
                scheduling.claim_maker.make_claims(pod, scheduling.snapshot.listers_mut());
            }
            let (is_strict, granted) = (self.settings.strict, &mut self.volumes_taken_for_granted);
            let Object::Pod(pod) = &row.object else {
                let listers = scheduling.snapshot.listers_mut();
                match &row.object {
                    Object::PersistentVolumeClaim(claim) => {
                        volumes::list_claim(claim, listers, is_strict, granted);
                        let claim = Arc::new(claim.as_ref().clone());
                        changes.push(Change::added(Changed::PersistentVolumeClaim(claim)));
                    }
                    object => list(object, listers),
                }
                continue;
            };
            for claim in volumes::ephemeral_claims(pod) {
                volumes::list_claim(&claim, scheduling.snapshot.listers_mut(), is_strict, granted);
            }
            let ended = existing::has_ended(pod);
            match (&row.node, ended) {
                (_, true) => {}
                (Some(node), false) => match PodInfo::new(pod) {
                    Ok(info) => {
                        scheduling.place(&info, node, index);
                        changes.push(Change::added(Changed::Pod(Arc::clone(pod))));
                    }
                    Err(error) => row.warnings.push(error.to_string()),
                },
                (None, false) => waiting.push(index),
            }
        }
        scheduling.seen = self.rows.len();
        // All that plugins look up is there by now.
        for change in changes {
            scheduling.happened(change);
        }
        for index in waiting {
            self.enqueue(index, scheduling);
        }
    }

    /// Puts a pod into the queue, if one of the profiles is for it.
    fn enqueue(&mut self, index: usize, scheduling: &mut Scheduling) {
        let Object::Pod(pod) = &self.rows[index].object else { return };
        if self.world.nodes.is_empty() {
            return;
        }
        let Some(profile) = profile_for(pod, &scheduling.profiles) else {
            let name = scheduler_name(pod);
            let message = format!("waits for the scheduler {name:?}, which does not run here");
            return self.keep_waiting(index, "Unschedulable", message);
        };
        let listers = scheduling.snapshot.listers();
        if scheduling.waiting.add(pod, index, listers) {
            let request = PreEnqueueRequest { pod, listers, is_preempting: false };
            let gate = scheduling.profiles[profile].pre_enqueue(&request, None);
            self.keep_waiting(index, "SchedulingGated", gate.message());
        }
    }

    fn schedule_one(&mut self, queued: QueuedPodInfo, index: usize, scheduling: &mut Scheduling) {
        let pod = Arc::clone(&queued.pod);
        let profile = profile_for(&pod, &scheduling.profiles);
        let Some(profile) = profile.filter(|_| self.rows[index].exists()) else {
            return scheduling.waiting.done(queued);
        };
        let info = match PodInfo::new(&pod) {
            Ok(info) => info,
            Err(error) => {
                self.keep_waiting(index, "SchedulerError", error.to_string());
                return scheduling.waiting.done(queued);
            }
        };
        let mut changes = Vec::new();
        let mut decision = self.decide(&info, index, profile, scheduling, &mut changes);
        while let Decision::Unschedulable(error) = &decision
            && let Nomination::Set(preemption) = &error.nomination
            && scheduling.vain_preemptions.get(&index).is_none_or(|times| *times < MAX_VAIN_PREEMPTIONS)
        {
            scheduling.snapshot.nominate(&info, &preemption.node);
            changes.extend(self.make_room(preemption, index, scheduling));
            *scheduling.vain_preemptions.entry(index).or_default() += 1;
            decision = self.decide(&info, index, profile, scheduling, &mut changes);
        }
        let keeps_nomination = matches!(
            &decision,
            Decision::Unschedulable(error) if error.nomination != Nomination::Clear
        );
        let turned_away = match decision {
            Decision::Placed(placement) => {
                let (now, granted) = (self.settings.now, &mut self.volumes_taken_for_granted);
                match scheduling.reserve(&info, &placement.node, profile, now, granted) {
                    Ok(written) => {
                        scheduling.place(&info, &placement.node, index);
                        scheduling.vain_preemptions.remove(&index);
                        changes.extend(written.changes);
                        Ok((placement.node, written.extended_resource_claim_status))
                    }
                    Err(status) if status.is_rejected() => {
                        Err((BTreeSet::from([status.plugin]), "Unschedulable", status.message()))
                    }
                    Err(status) => Err((BTreeSet::new(), "SchedulerError", status.message())),
                }
            }
            Decision::Unschedulable(error) => {
                Err((error.unschedulable_plugins(), "Unschedulable", error.message()))
            }
            Decision::NoNodes => {
                Err((BTreeSet::new(), "Unschedulable", decision.message().unwrap_or_default()))
            }
            Decision::Error(message) => Err((BTreeSet::new(), "SchedulerError", message)),
        };
        match turned_away {
            Ok((node, status)) => {
                scheduling.waiting.done(queued);
                // Nobody else holds the pod now, so that it isn't copied when it gets its node.
                drop(pod);
                if let Some(pod) = self.rows[index].object.pod_mut().filter(|_| status.is_some()) {
                    pod.status.get_or_insert_default().extended_resource_claim_status = status;
                }
                changes.extend(self.bind(index, node));
            }
            Err((rejected_by, reason, message)) => {
                if !keeps_nomination {
                    scheduling.snapshot.clear_nomination(info.namespace(), info.name());
                }
                self.keep_waiting(index, reason, message);
                scheduling.waiting.give_back(queued, rejected_by, scheduling.snapshot.listers());
            }
        }
        for change in changes {
            scheduling.happened(change);
        }
    }

    /// Decides about a pod. If it gets no node, what plugins want written to make room is written.
    fn decide(
        &mut self,
        pod: &PodInfo<'_>,
        index: usize,
        profile: usize,
        scheduling: &mut Scheduling,
        changes: &mut Vec<Change>,
    ) -> Decision {
        let profile = &scheduling.profiles[profile];
        let mut decision = schedule(pod, &scheduling.snapshot, profile, &mut scheduling.state);
        if let Decision::Unschedulable(error) = &mut decision {
            let writes = std::mem::take(&mut error.writes);
            let written = scheduling.write(writes, &mut self.volumes_taken_for_granted);
            let warning =
                |claim: &String| format!("ResourceClaim {claim} gives back its devices for the pod");
            self.rows[index].warnings.extend(written.released.iter().map(warning));
            changes.extend(written.changes);
        }
        decision
    }

    /// The pod has a node now.
    fn bind(&mut self, index: usize, node: String) -> Option<Change> {
        let row = &mut self.rows[index];
        row.outcome = Outcome::Placed;
        row.waits = None;
        row.node = Some(node.clone());
        row.object.pod_mut()?.spec.get_or_insert_default().node_name = Some(node);
        let Object::Pod(pod) = &row.object else { return None };
        Some(Change::added(Changed::Pod(Arc::clone(pod))))
    }

    fn keep_waiting(&mut self, index: usize, reason: &str, message: String) {
        let row = &mut self.rows[index];
        row.outcome = Outcome::Pending;
        row.waits = Some((reason.to_owned(), message));
    }

    /// Removes the pods that are in the way of another, and tells so. What owns one of them would create another in its place, which
    /// waits here under the same name.
    fn make_room(
        &mut self,
        preemption: &Preemption,
        preemptor: usize,
        scheduling: &mut Scheduling,
    ) -> Vec<Change> {
        let mut freed = Vec::new();
        let name = self.rows[preemptor].name();
        let message = format!("Preempted by pod {name} on node {}", preemption.node);
        for victim in &preemption.victims {
            let place = (victim.namespace.clone(), victim.name.clone());
            let Some(index) = scheduling.placed.get(&place).copied() else { continue };
            freed.extend(scheduling.forget(&victim.namespace, &victim.name));
            let row = &mut self.rows[index];
            row.node = None;
            row.outcome = Outcome::Pending;
            row.waits = Some(("Preempted".to_owned(), message.clone()));
            row.warnings.push(message.clone());
            let Object::Pod(pod) = &mut row.object else { continue };
            freed.push(Change::deleted(Changed::Pod(Arc::clone(pod))));
            let is_replaced =
                pod.metadata.owner_references.iter().flatten().any(|owner| owner.controller == Some(true));
            let pod = Arc::make_mut(pod);
            pod.spec.get_or_insert_default().node_name = None;
            if let Some(status) = &mut pod.status {
                status.extended_resource_claim_status = None;
            }
            if is_replaced {
                self.enqueue(index, scheduling);
            } else {
                row.preempted = true;
                self.usage_is_stale = true;
            }
        }
        let victims: Vec<String> =
            preemption.victims.iter().map(|victim| format!("{}/{}", victim.namespace, victim.name)).collect();
        let warning = format!("preempts on node {}: {}", preemption.node, victims.join(", "));
        self.rows[preemptor].warnings.push(warning);
        freed
    }
}

fn scheduler_name(pod: &Pod) -> &str {
    pod.spec.as_ref().and_then(|spec| spec.scheduler_name.as_deref()).unwrap_or_default()
}

/// The place of the profile that the pod is for.
fn profile_for(pod: &Pod, profiles: &[Profile]) -> Option<usize> {
    profiles.iter().position(|profile| profile.scheduler_name == scheduler_name(pod))
}

impl Row {
    /// Its namespace and name.
    pub(super) fn name(&self) -> String {
        let metadata = self.object.metadata();
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        format!("{namespace}/{}", metadata.name.as_deref().unwrap_or_default())
    }
}

/// Lets the scheduler look an object up, if it is of a kind that plugins look at.
fn list(object: &Object, listers: &mut Listers) {
    match object {
        Object::Service(service) => listers.set_service(service),
        Object::ReplicationController(controller) => listers.set_replication_controller(controller),
        Object::ReplicaSet(replica_set) => listers.set_replica_set(replica_set),
        Object::StatefulSet(stateful_set) => listers.set_stateful_set(stateful_set),
        Object::PodDisruptionBudget(budget) => listers.set_disruption_budget(budget),
        Object::PersistentVolume(volume) => volumes::list_volume(volume, &mut listers.storage),
        Object::StorageClass(class) => listers.storage.set_class(class),
        Object::CSINode(node) => listers.storage.set_csi_node(node),
        Object::CSIDriver(driver) => listers.storage.set_csi_driver(driver),
        Object::CSIStorageCapacity(capacity) => listers.storage.set_capacity(capacity),
        Object::VolumeAttachment(attachment) => listers.storage.set_attachment(attachment),
        Object::ResourceClaim(claim) => listers.devices.set_claim(claim),
        Object::DeviceClass(class) => listers.devices.set_class(class),
        Object::ResourceSlice(slice) => listers.devices.set_slice(slice),
        Object::DeviceTaintRule(rule) => listers.devices.set_taint_rule(rule),
        _ => {}
    }
}
