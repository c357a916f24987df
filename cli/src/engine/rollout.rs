//! A rolling update of DaemonSets, step by step: what `simulate --from OLD --to NEW` shows.
//!
//! A step is one look of the controller. What it deletes is gone at once, and what it creates and the scheduler places is Ready at the
//! next look, which comes as late as `minReadySeconds` want it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::DaemonSet;
use plimsoll_api::status::Status;
use plimsoll_controller::daemon_set::pod::Readiness;
use plimsoll_controller::daemon_set::{
    Actions, DaemonPod, FailedPods, PodMaker, Situation, TEMPLATE_GENERATION_ANNOTATION, plan, revision_hash,
    template_generation,
};

use super::expand::CreatedKinds;
use super::schedule::Scheduling;
use super::{Engine, Progress, Row};
use crate::report::{Outcome, RolloutOutcome, RolloutReport, RolloutStep};
use crate::world::{Input, Inputs, Object, uid_of};

/// More steps than this for each pod there is or should be no rollout needs.
const STEPS_A_POD: usize = 4;

/// A DaemonSet whose pods follow its new template.
struct Rollout {
    daemon_set: Box<DaemonSet>,
    hash: String,
    maker: PodMaker,
    failed: FailedPods,
    /// Its pods by name, each with the place of its row.
    pods: BTreeMap<String, (usize, DaemonPod)>,
    /// Why the last pod was refused.
    refusal: Option<String>,
    report: RolloutReport,
}

impl Rollout {
    fn situation<'a>(
        &'a self,
        engine: &'a Engine<'_>,
        pods: &'a [&'a DaemonPod],
        now: Timestamp,
    ) -> Situation<'a> {
        Situation::new(&self.daemon_set, &self.hash, &engine.world.nodes, pods, now)
    }

    fn pods(&self) -> Vec<&DaemonPod> {
        self.pods.values().map(|(_, pod)| pod).collect()
    }

    fn min_ready(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.daemon_set.spec.min_ready_seconds.unwrap_or(0)))
    }
}

impl Engine<'_> {
    /// Applies the new form of DaemonSets, and lets their pods follow.
    pub(super) fn roll_out(
        &mut self,
        new: Inputs,
        scheduling: &mut Scheduling,
        progress: &mut dyn FnMut(Progress),
    ) {
        self.notes.extend(new.notes);
        let (daemon_sets, others): (Vec<Input>, Vec<Input>) =
            new.objects.into_iter().partition(|input| matches!(input.object, Object::DaemonSet(_)));
        if !others.is_empty() {
            let note = "of the new manifests only DaemonSets are rolled out; other objects stay as they were";
            self.notes.push(note.to_owned());
        }
        let mut going: Vec<Rollout> = Vec::new();
        for input in daemon_sets {
            if let Some(rollout) = self.begin_rollout(input, &going) {
                going.push(rollout);
            }
        }
        let mut now = self.settings.now;
        let mut kinds = CreatedKinds::default();
        // Each step brings a pod or takes one; a rollout that does so again and again must not take forever.
        let pods: usize = going.iter().map(|rollout| rollout.pods.len()).sum();
        let limit = STEPS_A_POD * (pods + going.len() * (self.world.nodes.len() + 1));
        for _ in 0..limit {
            if !self.take_step(&mut going, now, scheduling, &mut kinds, progress) {
                break;
            }
            let pause = going.iter().map(Rollout::min_ready).max().unwrap_or_default();
            now = now.checked_add(pause + SignedDuration::from_secs(1)).unwrap_or(now);
        }
        let reports: Vec<RolloutReport> =
            going.into_iter().map(|rollout| self.end_rollout(rollout, now)).collect();
        self.rollouts.extend(reports);
    }

    /// Replaces a DaemonSet; none if there is nothing to follow.
    fn begin_rollout(&mut self, input: Input, going: &[Rollout]) -> Option<Rollout> {
        let mut row = self.row(input);
        let answer = row.refusal.take().map_or_else(
            || self.place_in_namespace(&mut row).and_then(|()| self.default_and_validate(&mut row)),
            Err,
        );
        let warnings = std::mem::take(&mut row.warnings);
        let metadata = row.object.metadata();
        let (namespace, name) =
            (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        let mut report = RolloutReport {
            namespace,
            name,
            outcome: RolloutOutcome::Unchanged,
            message: None,
            desired: 0,
            lowest_ready: 0,
            steps: Vec::new(),
        };
        let is_again = |other: &Rollout| {
            (&other.report.namespace, &other.report.name) == (&report.namespace, &report.name)
        };
        let begun = answer.map_err(|status| (RolloutOutcome::Refused, status.message));
        let replaced = begun.and_then(|()| {
            if going.iter().any(is_again) {
                let told = "it stands in the new manifests twice; the first counts";
                return Err((RolloutOutcome::Unchanged, told.to_owned()));
            }
            self.replace_daemon_set(row, &report)
        });
        self.warn(&report, warnings);
        match replaced {
            Ok(place) => self.rollout(place, report),
            Err((outcome, message)) => {
                report.outcome = outcome;
                report.message = Some(message);
                self.rollouts.push(report);
                None
            }
        }
    }

    /// Adds what is warned of in the new form of a DaemonSet to what was warned of in the old one.
    fn warn(&mut self, of: &RolloutReport, warnings: Vec<String>) {
        let Some(place) = self.stored_daemon_set(of) else {
            // Nothing else is told of it that these could stand by.
            let notes =
                warnings.iter().map(|warning| format!("DaemonSet {}/{}: {warning}", of.namespace, of.name));
            self.notes.extend(notes);
            return;
        };
        let told = &mut self.rows[place].warnings;
        for warning in warnings {
            if !told.contains(&warning) {
                told.push(warning);
            }
        }
    }

    /// The place of the row of the DaemonSet that a report is about.
    fn stored_daemon_set(&self, report: &RolloutReport) -> Option<usize> {
        let wanted = (Some(report.namespace.as_str()), Some(report.name.as_str()));
        self.rows.iter().position(|row| {
            let metadata = row.object.metadata();
            row.is_stored()
                && matches!(row.object, Object::DaemonSet(_))
                && (metadata.namespace.as_deref(), metadata.name.as_deref()) == wanted
        })
    }

    /// Puts the new form of a DaemonSet in place of the old one, and returns the place of its row.
    fn replace_daemon_set(
        &mut self,
        row: Row,
        report: &RolloutReport,
    ) -> Result<usize, (RolloutOutcome, String)> {
        let place = self.stored_daemon_set(report).ok_or_else(|| {
            (
                RolloutOutcome::Unchanged,
                "it is not among the old manifests, so it has no pods to replace".to_owned(),
            )
        })?;
        let kind = row.kind.group_kind();
        let (Object::DaemonSet(mut new), Object::DaemonSet(old)) = (row.object, &mut self.rows[place].object)
        else {
            return Err((RolloutOutcome::Unchanged, "it is no DaemonSet".to_owned()));
        };
        let errors = plimsoll_apiserver::validation::daemon_set::validate_update(&new, old);
        if !errors.is_empty() {
            let refusal = Status::invalid(&kind, &report.name, &errors);
            return Err((RolloutOutcome::Refused, refusal.message));
        }
        let is_same = new.spec.template == old.spec.template;
        let generation = template_generation(&old.metadata).unwrap_or(1).saturating_add(i64::from(!is_same));
        let annotations = new.metadata.annotations.get_or_insert_default();
        annotations.insert(TEMPLATE_GENERATION_ANNOTATION.to_owned(), generation.to_string());
        new.metadata.uid.clone_from(&old.metadata.uid);
        new.status = old.status.take();
        *old = new;
        if is_same {
            return Err((RolloutOutcome::Unchanged, "its template stays the same".to_owned()));
        }
        Ok(place)
    }

    /// Takes stock of the pods of the DaemonSet at this place.
    fn rollout(&self, place: usize, report: RolloutReport) -> Option<Rollout> {
        let row = &self.rows[place];
        let Object::DaemonSet(daemon_set) = &row.object else { return None };
        let uid = uid_of(&row.kind.resource, &report.namespace, &report.name);
        let pods: BTreeMap<String, (usize, DaemonPod)> = self
            .claimed_by(daemon_set, &uid)
            .unwrap_or_default()
            .into_iter()
            .map(|(place, row, pod)| {
                let mut daemon_pod = DaemonPod::from(pod);
                // What a dump tells of its pods is kept.
                if !row.existing && row.node.is_some() {
                    daemon_pod.readiness = Readiness::Ready { since: Some(Timestamp::MIN) };
                }
                (daemon_pod.name().to_owned(), (place, daemon_pod))
            })
            .collect();
        let hash = revision_hash(daemon_set, pods.values().map(|(_, pod)| pod));
        let maker = PodMaker::new(daemon_set, &uid, &hash);
        let mut rollout = Rollout {
            daemon_set: daemon_set.clone(),
            hash,
            maker,
            failed: FailedPods::default(),
            pods,
            refusal: None,
            report,
        };
        let pods = rollout.pods();
        let status = rollout.situation(self, &pods, self.settings.now).status();
        rollout.report.desired = status.desired_number_scheduled;
        rollout.report.lowest_ready = status.number_ready;
        Some(rollout)
    }

    /// Has the controller look at each DaemonSet once; tells whether anything moved.
    fn take_step(
        &mut self,
        going: &mut [Rollout],
        now: Timestamp,
        scheduling: &mut Scheduling,
        kinds: &mut CreatedKinds,
        progress: &mut dyn FnMut(Progress),
    ) -> bool {
        let mut moved = false;
        for rollout in going.iter_mut() {
            let mut failed = std::mem::take(&mut rollout.failed);
            let pods = rollout.pods();
            let planned = plan(&rollout.situation(self, &pods, now), Some(&mut failed));
            rollout.failed = failed;
            rollout.report.message = planned.stalled.map(|stalled| stalled.to_string());
            moved |= self.act(rollout, planned.actions, now, scheduling, kinds);
        }
        if moved {
            self.count_usage();
            self.schedule_waiting_again(scheduling, progress);
            for (place, pod) in going.iter_mut().flat_map(|rollout| rollout.pods.values_mut()) {
                let row = &self.rows[*place];
                if let Some(placed) = row.pod().filter(|_| row.node.is_some())
                    && pod.node_name.is_empty()
                {
                    *pod = DaemonPod::from(placed);
                    pod.readiness = Readiness::Ready { since: Some(now) };
                }
            }
        }
        moved
    }

    /// Creates and deletes pods; tells whether any came or went.
    fn act(
        &mut self,
        rollout: &mut Rollout,
        actions: Actions,
        now: Timestamp,
        scheduling: &mut Scheduling,
        kinds: &mut CreatedKinds,
    ) -> bool {
        let mut step = RolloutStep { deleted_from: Vec::new(), created_on: Vec::new(), ready: 0, updated: 0 };
        rollout.refusal = None;
        for node in actions.create_on {
            let row = Row::new("v1".to_owned(), kinds.pod(), rollout.maker.pod_for(&node).into());
            if self.create(row) {
                let place = self.rows.len() - 1;
                if let Some(pod) = self.rows[place].pod() {
                    let pod = DaemonPod::from(pod);
                    rollout.pods.insert(pod.name().to_owned(), (place, pod));
                }
                step.created_on.push(node);
            } else if let Some(refused) = self.rows.pop() {
                // It will be tried again: one row for each try would say the same.
                rollout.refusal = refused.refusal.map(|status| status.message);
            }
        }
        for name in actions.delete {
            let Some((place, pod)) = rollout.pods.remove(&name) else { continue };
            let row = &mut self.rows[place];
            row.gone = true;
            scheduling.forget(&rollout.report.namespace, &name);
            step.deleted_from.push(pod.target.unwrap_or_default());
        }
        if step.created_on.is_empty() && step.deleted_from.is_empty() {
            return false;
        }
        let pods = rollout.pods();
        let status = rollout.situation(self, &pods, now).status();
        step.ready = status.number_ready;
        step.updated = status.updated_number_scheduled;
        rollout.report.lowest_ready = rollout.report.lowest_ready.min(step.ready);
        rollout.report.steps.push(step);
        true
    }

    /// Nothing moves any more.
    fn end_rollout(&self, rollout: Rollout, now: Timestamp) -> RolloutReport {
        let pods = rollout.pods();
        let status = rollout.situation(self, &pods, now).status();
        let is_complete = status.updated_number_scheduled == status.desired_number_scheduled
            && status.number_available == status.desired_number_scheduled;
        let mut report = rollout.report;
        report.outcome = if is_complete { RolloutOutcome::Complete } else { RolloutOutcome::Stalled };
        if is_complete {
            return report;
        }
        let strategy = rollout.daemon_set.spec.update_strategy.as_ref();
        let is_on_delete = strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete");
        let rows = rollout.pods.values().map(|(place, _)| &self.rows[*place]);
        let mut waiting = rows.filter(|row| row.outcome == Outcome::Pending).filter_map(|row| {
            let name = row.object.metadata().name.as_deref().unwrap_or_default();
            Some(format!("{name} waits: {}", row.waits.as_ref()?.1))
        });
        let on_delete = || {
            is_on_delete
                .then(|| "updateStrategy is OnDelete: each pod stays until someone deletes it".to_owned())
        };
        let reason = report.message.take().or(rollout.refusal).or_else(|| waiting.next()).or_else(on_delete);
        report.message = reason.or_else(|| Some("pods that are not Ready hold it up".to_owned()));
        report
    }
}
