//! What became of everything that went through the engines: the data behind every form of output.
//!
//! Serialised, this is the stable interface of `-o json` and `-o yaml`; `docs/simulate.schema.json` describes it.

mod rollout;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use serde::{Serialize, Serializer};
use serde_json::Value;

pub use rollout::{RolloutOutcome, RolloutReport, RolloutStep};

/// The version of the machine-readable output; it changes when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// The outcome of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Every object of the input, and every object that a workload made, in the order in which they were decided.
    pub objects: Vec<ObjectReport>,
    /// Every quota, by namespace and name, as it stands at the end.
    pub quotas: Vec<QuotaReport>,
    /// Every node, in order of name, as it stands at the end.
    pub nodes: Vec<NodeReport>,
    /// What became of the rolling updates, if any were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rollouts: Vec<RolloutReport>,
    /// The counts, and what is to be said of the run as a whole.
    pub summary: Summary,
}

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectReport {
    /// Group and version, as the object gives them.
    pub api_version: String,
    /// The kind of object.
    pub kind: String,
    /// Absent for objects of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name, a generated one included.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The HTTP status of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The machine-readable reason of a refusal, or of a pod that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The sentence that users of a real cluster see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the API server warns of, and hints.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What LimitRanges and API defaulting filled in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The node of a placed pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The object as it is stored; absent if it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Body>,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Stored; for a pod that needs no scheduler here, that is all.
    Admitted,
    /// Refused by admission.
    Denied,
    /// Refused because it is not valid.
    Invalid,
    /// Stored, a pod, and on a node.
    Placed,
    /// Stored, a pod, and on no node.
    Pending,
}

impl Outcome {
    /// The word for it, as in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Denied => "denied",
            Self::Invalid => "invalid",
            Self::Placed => "placed",
            Self::Pending => "pending",
        }
    }
}

/// A field that admission filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The path of the field, such as `spec.containers[0].resources.limits[cpu]`.
    pub path: String,
    /// The value it got.
    pub value: String,
    /// The object that the value comes from, such as `LimitRange/containers`.
    pub from: String,
}

/// An object in the form in which it is kept; both serialise alike.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A pod, typed, as there may be very many.
    Pod(Arc<Pod>),
    /// Anything else.
    Other(Value),
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pod(pod) => pod.as_ref().serialize(serializer),
            Self::Other(value) => value.serialize(serializer),
        }
    }
}

/// A quota as it stands at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuotaReport {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The bounds in force.
    pub hard: BTreeMap<String, String>,
    /// What is used of them.
    pub used: BTreeMap<String, String>,
}

/// A node as it stands at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeReport {
    /// Its name.
    pub name: String,
    /// What pods may use of it.
    pub allocatable: BTreeMap<String, String>,
    /// What the pods on it request.
    pub requested: BTreeMap<String, String>,
    /// How many pods are on it.
    pub pods: u64,
}

/// The counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// How many objects there are in all.
    pub objects: u64,
    /// How many are stored and are no pods to be placed.
    pub admitted: u64,
    /// How many admission refused.
    pub denied: u64,
    /// How many are not valid.
    pub invalid: u64,
    /// How many pods have a node.
    pub placed: u64,
    /// How many pods have none.
    pub pending: u64,
    /// How many objects had something filled in.
    pub changed: u64,
    /// What is to be said of the run as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Report {
    /// Counts the outcomes.
    pub fn new(
        objects: Vec<ObjectReport>,
        quotas: Vec<QuotaReport>,
        nodes: Vec<NodeReport>,
        rollouts: Vec<RolloutReport>,
        remarks: Vec<String>,
    ) -> Self {
        let mut summary = Summary { schema_version: SCHEMA_VERSION, notes: remarks, ..Summary::default() };
        for object in &objects {
            summary.objects += 1;
            summary.changed += u64::from(!object.changes.is_empty());
            match object.outcome {
                Outcome::Admitted => summary.admitted += 1,
                Outcome::Denied => summary.denied += 1,
                Outcome::Invalid => summary.invalid += 1,
                Outcome::Placed => summary.placed += 1,
                Outcome::Pending => summary.pending += 1,
            }
        }
        Self { objects, quotas, nodes, rollouts, summary }
    }

    /// Whether nothing was refused, nothing waits, and no rolling update stands still.
    pub fn all_well(&self) -> bool {
        let stands = [RolloutOutcome::Stalled, RolloutOutcome::Refused];
        !self.rollouts.iter().any(|rollout| stands.contains(&rollout.outcome))
            && self.summary.denied == 0
            && self.summary.invalid == 0
            && self.summary.pending == 0
    }
}

impl ObjectReport {
    /// An object that is stored, with nothing more to say of it.
    pub fn admitted(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            outcome: Outcome::Admitted,
            code: None,
            reason: None,
            message: None,
            warnings: Vec::new(),
            changes: Vec::new(),
            node: None,
            object: None,
        }
    }

    /// How the object is called in tables: `Pod shop/web`.
    pub fn title(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }

    /// The controller that made the object, as kind and name.
    pub fn controller(&self) -> Option<(&str, &str)> {
        let Some(Body::Pod(pod)) = &self.object else { return None };
        let owners = pod.metadata.owner_references.as_ref()?;
        let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
        Some((owner.kind.as_str(), owner.name.as_str()))
    }
}
