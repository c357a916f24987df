//! Constraints, parsed, and which nodes and pods they count.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/podtopologyspread/common.go`

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, TopologySpreadConstraint};
use plimsoll_matching::label_selector::{Labels, Selector, SelectorError, labels_of};

use super::default_selector::default_selector;
use crate::config::PodTopologySpreadArgs;
use crate::listers::Listers;
use crate::pod_info::{PodInfo, fields};
use crate::snapshot::{NodeCounts, NodeIndex, PodIdentity, Snapshot, TopologyColumn};
use crate::well_known_labels::{HOSTNAME, ZONE};

/// The `defaultingType` under which the configuration lists the constraints of pods that have none.
const LIST: &str = "List";

/// What happens to nodes that don't meet a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenUnsatisfiable {
    /// They don't take the pod.
    DoNotSchedule,
    /// They are less welcome.
    ScheduleAnyway,
}

impl WhenUnsatisfiable {
    fn as_str(self) -> &'static str {
        match self {
            Self::DoNotSchedule => "DoNotSchedule",
            Self::ScheduleAnyway => "ScheduleAnyway",
        }
    }
}

/// A constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Constraint {
    pub(super) max_skew: i64,
    pub(super) topology_key: String,
    pub(super) selector: Selector,
    pub(super) min_domains: usize,
    honors_node_affinity: bool,
    pub(super) honors_node_taints: bool,
}

/// The plugin's settings.
#[derive(Clone, Debug)]
pub(super) struct Spreading {
    defaults: Arc<Vec<TopologySpreadConstraint>>,
    is_system: bool,
}

impl Spreading {
    pub(super) fn new(args: &PodTopologySpreadArgs) -> Self {
        if args.defaulting_type == LIST {
            return Self { defaults: Arc::new(args.default_constraints.clone()), is_system: false };
        }
        Self { defaults: Arc::new(system_constraints()), is_system: true }
    }

    /// Whether only nodes count that have the labels of all constraints. Those of the system let a node without a zone spread by
    /// its name.
    pub(super) fn requires_all_labels(&self, pod: &Pod) -> bool {
        has_own_constraints(pod) || !self.is_system
    }

    /// The constraints of a pod of one kind: its own, or those of pods that have none.
    ///
    /// # Source
    /// `common.go` (`buildDefaultConstraints`)
    pub(super) fn constraints(
        &self,
        pod: &Pod,
        listers: &Listers,
        when: WhenUnsatisfiable,
    ) -> Result<Vec<Constraint>, SelectorError> {
        let labels = labels_of(&pod.metadata);
        if has_own_constraints(pod) {
            let own = fields::spec(pod).topology_spread_constraints.as_deref().unwrap_or_default();
            return Constraint::all(own, labels, when);
        }
        let mut constraints = Constraint::all(&self.defaults, labels, when)?;
        if constraints.is_empty() {
            return Ok(constraints);
        }
        let selector = default_selector(pod, listers);
        if selector.is_everything() {
            return Ok(Vec::new());
        }
        for constraint in &mut constraints {
            constraint.selector = selector.clone();
        }
        Ok(constraints)
    }
}

/// Whether a pod says itself how it spreads.
fn has_own_constraints(pod: &Pod) -> bool {
    fields::spec(pod).topology_spread_constraints.as_ref().is_some_and(|own| !own.is_empty())
}

/// What is said of constraints that can't be read.
pub(super) fn what_failed(pod: &Pod, kind: &str, error: &SelectorError) -> String {
    if has_own_constraints(pod) {
        format!("obtaining pod's {kind} topology spread constraints: {error}")
    } else {
        format!("setting default {kind} topology spread constraints: {error}")
    }
}

fn system_constraints() -> Vec<TopologySpreadConstraint> {
    let softly = |topology_key: &str, max_skew| TopologySpreadConstraint {
        topology_key: topology_key.to_owned(),
        when_unsatisfiable: WhenUnsatisfiable::ScheduleAnyway.as_str().to_owned(),
        max_skew,
        ..TopologySpreadConstraint::default()
    };
    vec![softly(HOSTNAME, 3), softly(ZONE, 5)]
}

impl Constraint {
    fn all(
        constraints: &[TopologySpreadConstraint],
        labels: &Labels,
        when: WhenUnsatisfiable,
    ) -> Result<Vec<Self>, SelectorError> {
        let of_kind = constraints.iter().filter(|one| one.when_unsatisfiable == when.as_str());
        of_kind.map(|constraint| Self::new(constraint, labels)).collect()
    }

    fn new(constraint: &TopologySpreadConstraint, labels: &Labels) -> Result<Self, SelectorError> {
        let selector = Selector::from_label_selector(constraint.label_selector.as_ref())?;
        let policy = |policy: Option<&String>, default| policy.map_or(default, |policy| policy == "Honor");
        Ok(Self {
            max_skew: constraint.max_skew.into(),
            topology_key: constraint.topology_key.clone(),
            selector: with_match_label_keys(selector, constraint, labels),
            min_domains: constraint.min_domains.map_or(1, |domains| usize::try_from(domains).unwrap_or(0)),
            honors_node_affinity: policy(constraint.node_affinity_policy.as_ref(), true),
            honors_node_taints: policy(constraint.node_taints_policy.as_ref(), false),
        })
    }

    /// Whether the constraint is about a pod with these labels.
    pub(super) fn matches(&self, labels: &Labels) -> bool {
        self.selector.matches(labels)
    }

    /// Whether a pod of the right namespace counts: those being deleted don't, and with an empty selector none does.
    pub(super) fn counts(&self, identity: &PodIdentity) -> bool {
        !identity.is_terminating && !self.selector.is_everything() && self.matches(&identity.labels)
    }

    /// The pods of a namespace that count.
    pub(super) fn counted_pods<'a>(
        &'a self,
        pod: &PodInfo<'_>,
        snapshot: &'a Snapshot,
    ) -> impl Iterator<Item = &'a NodeCounts> {
        let pods = snapshot.pods_in(pod.namespace()).filter(|(identity, _)| self.counts(identity));
        pods.map(|(_, nodes)| nodes)
    }
}

/// The selector, narrowed to pods that have the same values of these labels as the pod.
fn with_match_label_keys(
    selector: Selector,
    constraint: &TopologySpreadConstraint,
    labels: &Labels,
) -> Selector {
    let keys = constraint.match_label_keys.as_deref().unwrap_or_default();
    let own: Labels = keys
        .iter()
        .filter_map(|key| labels.get_key_value(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if own.is_empty() || selector.is_nothing() {
        return selector;
    }
    let own = Selector::from_labels(&own);
    Selector::new(own.requirements().iter().chain(selector.requirements()).cloned().collect())
}

/// Which nodes take part in a constraint.
pub(super) struct Participation<'a> {
    pod: &'a PodInfo<'a>,
    snapshot: &'a Snapshot,
    /// For each set of taints, whether the pod tolerates it.
    tolerated: Vec<bool>,
    /// The domains by the keys of all constraints, if a node has to be in one of each.
    required: Vec<Arc<TopologyColumn>>,
}

impl<'a> Participation<'a> {
    pub(super) fn new(
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        constraints: &[Constraint],
        requires_all_labels: bool,
    ) -> Self {
        let honors_taints = constraints.iter().any(|constraint| constraint.honors_node_taints);
        let tolerated =
            if honors_taints { snapshot.tolerated_taint_sets(pod.tolerations()) } else { Vec::new() };
        let required = if requires_all_labels { constraints } else { &[] };
        let required =
            required.iter().map(|constraint| snapshot.topology(&constraint.topology_key)).collect();
        Self { pod, snapshot, tolerated, required }
    }

    /// Whether a node has the labels that it has to have.
    pub(super) fn has_labels(&self, node: NodeIndex) -> bool {
        self.required.iter().all(|column| column.domain(node).is_some())
    }

    /// Whether the policies of a constraint let a node take part.
    ///
    /// # Source
    /// `common.go` (`matchNodeInclusionPolicies`)
    pub(super) fn meets_policies(&self, constraint: &Constraint, node: NodeIndex) -> bool {
        let required = &self.pod.required_node_affinity;
        let meets_affinity = !constraint.honors_node_affinity
            || required.is_empty()
            || required.matches(self.snapshot.labels(node), self.snapshot.name(node));
        meets_affinity
            && (!constraint.honors_node_taints || self.tolerated[self.snapshot.taint_set(node) as usize])
    }
}
