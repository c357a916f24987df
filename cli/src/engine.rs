//! One run: the state of the cluster first, then every object as if applied, then what controllers and the scheduler make
//! of it, until nothing moves.

mod admit;
mod changes;
mod devices;
mod existing;
mod expand;
mod explain;
mod extenders;
mod find_pod;
mod names_of_kinds;
mod quota;
mod rollout;
mod schedule;
mod state;
mod static_pods;
mod totals;
mod volumes;
mod waiting_pods;
mod why;
mod writes;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_api::group::GroupResource;
use plimsoll_api::status::Status;
use plimsoll_resource_math::pod_resources::ParsePodResourcesError;
use plimsoll_scheduler::config::KubeSchedulerConfiguration;
use plimsoll_scheduler::plugins::Registration;

use crate::explain::Explanation;
use crate::report::{Body, Change, ObjectReport, Outcome, Report, RolloutReport};
use crate::static_pods::StaticPod;
use crate::world::made_up_nodes::{MadeUpNodes, made_up_nodes};
use crate::world::{Input, InputKind, Inputs, Object, World};

pub use admit::{CreatedAlone, create_alone};
pub use find_pod::PodNotFound;
pub use why::{NodeWhy, Why, WhyError};

use schedule::Scheduling;

/// What a run depends on beside the objects.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether nothing is taken for granted, as by an API server: namespaces and storage must be declared, unknown fields are refused,
    /// and UIDs in the input are not kept.
    pub strict: bool,
    /// The time of the run.
    pub now: Timestamp,
    /// Nodes to be made up.
    pub made_up_nodes: Option<MadeUpNodes>,
    /// How the scheduler is configured; none for the profile of one with no file that looks at all nodes.
    pub scheduler: Option<KubeSchedulerConfiguration>,
    /// The plugins that the configuration can name.
    pub scheduler_plugins: Vec<Registration>,
}

/// Runs everything and tells what became of it. With `new`, the new forms of DaemonSets among the inputs, it goes on with the rolling
/// updates to these.
pub fn run(
    inputs: Inputs,
    static_pods: Vec<StaticPod>,
    new: Option<Inputs>,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress),
) -> Report {
    let mut engine = Engine::new(settings, inputs.kinds.clone());
    engine.run(inputs, static_pods, new, progress);
    engine.report()
}

/// Runs everything and explains the amounts of one pod.
///
/// # Errors
/// No pod, or more than one, goes by that name; or one of its amounts is no quantity.
pub fn explain(
    inputs: Inputs,
    static_pods: Vec<StaticPod>,
    settings: &Settings,
    pod: &str,
) -> Result<Explanation, ExplainError> {
    let mut engine = Engine::new(settings, inputs.kinds.clone());
    engine.keeps_given = true;
    engine.run(inputs, static_pods, None, &mut |_| {});
    let found = find_pod::find(&engine.rows, pod)?;
    Ok(engine.explain(found)?)
}

/// Runs everything and tells what the scheduler thinks of every node for one pod.
///
/// # Errors
/// No pod, or more than one, goes by that name; or the scheduler has nothing to decide about it.
pub fn why(
    inputs: Inputs,
    static_pods: Vec<StaticPod>,
    settings: &Settings,
    pod: &str,
) -> Result<Why, WhyError> {
    let mut engine = Engine::new(settings, inputs.kinds.clone());
    let mut scheduling = engine.run(inputs, static_pods, None, &mut |_| {});
    let found = find_pod::find(&engine.rows, pod)?;
    engine.why(found, &mut scheduling)
}

/// Why there is nothing to explain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// There is no such pod.
    #[error(transparent)]
    PodNotFound(#[from] PodNotFound),
    /// An amount in the pod is no quantity.
    #[error(transparent)]
    NoQuantity(#[from] ParsePodResourcesError),
}

impl Engine<'_> {
    fn run(
        &mut self,
        inputs: Inputs,
        static_pods: Vec<StaticPod>,
        new: Option<Inputs>,
        progress: &mut dyn FnMut(Progress),
    ) -> Scheduling {
        self.notes = inputs.notes;
        let (state, rest): (Vec<Input>, Vec<Input>) = inputs.objects.into_iter().partition(state::is_state);
        let unknown = rest.iter().filter(|input| !input.kind.known && input.kind.namespaced);
        let unknown =
            unknown.map(|input| input.kind.resource.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let total = state.len() + rest.len();
        self.take_state(state);
        self.make_up_nodes();
        self.countable_unknown = unknown;
        self.count_usage();
        self.create_mirror_pods(static_pods);
        progress(Progress { step: Step::Applying, done: total - rest.len(), total });
        for input in rest {
            self.apply(input);
            progress(Progress { step: Step::Applying, done: self.rows.len().min(total), total });
        }
        let mut scheduling = self.begin_scheduling();
        self.run_daemon_sets();
        self.run_workloads(&mut scheduling, progress);
        self.schedule_waiting(&mut scheduling, progress);
        if let Some(new) = new {
            self.roll_out(new, &mut scheduling, progress);
        }
        scheduling
    }

    /// Adds the nodes that the user asked for to those that are declared.
    fn make_up_nodes(&mut self) {
        let Some(nodes) = &self.settings.made_up_nodes else { return };
        let resource = GroupResource::new("", "nodes");
        let is_taken = |name: &str| self.world.holds(&resource, "", name);
        let made: Vec<Node> = made_up_nodes(nodes, is_taken).collect();
        self.world.nodes.extend(made);
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// Objects of this step that are done.
    pub done: usize,
    /// Objects of this step, as far as is known.
    pub total: usize,
}

/// The steps of a run that may be long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Objects are applied.
    Applying,
    /// Workloads create their pods.
    Creating,
    /// Pods are placed.
    Scheduling,
}

/// The state of a run.
struct Engine<'s> {
    settings: &'s Settings,
    kinds: plimsoll_apiserver::kinds::Kinds,
    world: World,
    rows: Vec<Row>,
    notes: Vec<String>,
    /// Namespaces that are taken to exist.
    assumed_namespaces: Vec<String>,
    /// Whether pods are kept as they were given, too.
    keeps_given: bool,
    /// Resources that quotas can count beside those that are known.
    countable_unknown: Vec<GroupResource>,
    rollouts: Vec<RolloutReport>,
    volumes_taken_for_granted: volumes::TakenForGranted,
    /// Whether pods were deleted since the usage of quotas was counted.
    usage_is_stale: bool,
}

/// One object and what became of it.
struct Row {
    api_version: String,
    kind: Arc<InputKind>,
    /// The object as stored; as it was refused, if it was.
    object: Object,
    outcome: Outcome,
    refusal: Option<Status>,
    /// What is said of a pod that waits.
    waits: Option<(String, String)>,
    warnings: Vec<String>,
    changes: Vec<Change>,
    node: Option<String>,
    /// Whether it was there before the run.
    existing: bool,
    /// The uid that it brings along, as objects of a dump do.
    given_uid: Option<String>,
    /// A pod as it was before anything was filled in, if that is kept.
    given: Option<Arc<Pod>>,
    /// Whether it has been deleted since.
    gone: bool,
    /// Whether it is a pod that was deleted to make room for another, and that nothing replaces. It is still told of, so it isn't
    /// `gone`.
    preempted: bool,
}

impl<'s> Engine<'s> {
    fn new(settings: &'s Settings, kinds: plimsoll_apiserver::kinds::Kinds) -> Self {
        Self {
            settings,
            kinds,
            world: World::new(),
            rows: Vec::new(),
            notes: Vec::new(),
            assumed_namespaces: Vec::new(),
            keeps_given: false,
            countable_unknown: Vec::new(),
            rollouts: Vec::new(),
            volumes_taken_for_granted: volumes::TakenForGranted::default(),
            usage_is_stale: false,
        }
    }

    fn report(mut self) -> Report {
        if !self.assumed_namespaces.is_empty() {
            self.assumed_namespaces.sort();
            let namespaces = self.assumed_namespaces.join(", ");
            self.notes.push(format!("namespaces that are not declared, taken to exist: {namespaces}"));
        }
        self.notes.extend(self.volumes_taken_for_granted.notes());
        let node_reports = self.node_reports();
        let quota_reports = self.quota_reports();
        let objects = self.rows.into_iter().filter(|row| !row.gone).map(Row::report).collect();
        Report::new(objects, quota_reports, node_reports, self.rollouts, self.notes)
    }
}

impl Row {
    /// An object with nothing said of it yet.
    fn new(api_version: String, kind: Arc<InputKind>, object: Object) -> Self {
        Self {
            api_version,
            kind,
            object,
            outcome: Outcome::Admitted,
            refusal: None,
            waits: None,
            warnings: Vec::new(),
            changes: Vec::new(),
            node: None,
            existing: false,
            given_uid: None,
            given: None,
            gone: false,
            preempted: false,
        }
    }

    /// Takes down why the object is not stored.
    fn refuse(&mut self, status: Status) {
        self.outcome = if status.code == 422 { Outcome::Invalid } else { Outcome::Denied };
        self.refusal = Some(status);
    }

    fn pod(&self) -> Option<&Pod> {
        match &self.object {
            Object::Pod(pod) => Some(pod),
            _ => None,
        }
    }

    /// Whether the object is stored.
    fn is_stored(&self) -> bool {
        !self.gone && !matches!(self.outcome, Outcome::Denied | Outcome::Invalid)
    }

    /// Whether the object would be found in the cluster now.
    fn exists(&self) -> bool {
        self.is_stored() && !self.preempted
    }

    fn report(mut self) -> ObjectReport {
        let stored = self.is_stored();
        let metadata = self.object.metadata_mut();
        let name = metadata.name.clone().or_else(|| metadata.generate_name.clone()).unwrap_or_default();
        let namespace = metadata.namespace.clone();
        forget_server_fields(metadata);
        let (code, mut reason, mut message) = match self.refusal {
            Some(status) => {
                let reason = Some(status.reason.as_str().to_owned()).filter(|reason| !reason.is_empty());
                (Some(status.code), reason, Some(status.message))
            }
            None => (None, None, None),
        };
        if let Some((waiting_reason, waiting_message)) = self.waits {
            reason = Some(waiting_reason);
            message = Some(waiting_message);
        }
        let object = stored.then(|| match self.object {
            Object::Pod(pod) => Body::Pod(pod),
            other => Body::Other(other.to_value()),
        });
        ObjectReport {
            api_version: self.api_version,
            kind: self.kind.kind.clone(),
            namespace,
            name,
            outcome: self.outcome,
            code,
            reason,
            message,
            warnings: self.warnings,
            changes: self.changes,
            node: self.node,
            object,
        }
    }
}

/// Drops what differs from one cluster to the next and says nothing about the object.
fn forget_server_fields(metadata: &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta) {
    metadata.uid = None;
    metadata.creation_timestamp = None;
    metadata.managed_fields = None;
    metadata.resource_version = None;
    metadata.self_link = None;
}
