//! The node affinity by which the scheduler binds a daemon pod to the node that it was made for.

use k8s_openapi::api::core::v1::{Affinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// The only field of a node that node affinity knows.
const NODE_NAME_FIELD: &str = "metadata.name";

/// Pins a pod to one node: the required terms of its node affinity become the one that names the node. Preferred terms
/// and pod affinity stay.
///
/// # Source
/// `pkg/controller/daemon/util/daemonset_util.go` (`ReplaceDaemonSetPodNodeNameNodeAffinity`)
pub fn pin_to_node(affinity: &mut Option<Affinity>, node: &str) {
    let node_affinity = affinity.get_or_insert_default().node_affinity.get_or_insert_default();
    node_affinity.required_during_scheduling_ignored_during_execution = Some(required_node(node));
}

/// What only a node of this name fulfils.
pub(super) fn required_node(node: &str) -> NodeSelector {
    let named = NodeSelectorRequirement {
        key: NODE_NAME_FIELD.to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![node.to_owned()]),
    };
    let term = NodeSelectorTerm { match_fields: Some(vec![named]), match_expressions: None };
    NodeSelector { node_selector_terms: vec![term] }
}

/// Why a pod belongs to no node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTargetNode {
    /// Nothing is required of the node.
    #[error("no spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution for pod {pod}")]
    NoRequiredAffinity {
        /// Namespace and name of the pod.
        pod: String,
    },
    /// The list of required terms is empty.
    #[error("no nodeSelectorTerms in requiredDuringSchedulingIgnoredDuringExecution of pod {pod}")]
    NoTerms {
        /// Namespace and name of the pod.
        pod: String,
    },
    /// A term names no node or several.
    #[error("the matchFields value of '{NODE_NAME_FIELD}' is not unique for pod {pod}")]
    NotUnique {
        /// Namespace and name of the pod.
        pod: String,
    },
    /// No term names a node.
    #[error("no node name found for pod {pod}")]
    NotNamed {
        /// Namespace and name of the pod.
        pod: String,
    },
}

/// The node that a daemon pod is on or, while it is Pending, was made for.
///
/// # Errors
/// The pod isn't bound, and its node affinity names no node.
pub fn target_node_name(pod: &Pod) -> Result<&str, NoTargetNode> {
    let spec = pod.spec.as_ref();
    let node_name = spec.and_then(|spec| spec.node_name.as_deref());
    target_of(&pod.metadata, node_name, spec.and_then(|spec| spec.affinity.as_ref()))
}

/// The same for a pod of which no more is known.
///
/// # Source
/// `pkg/controller/daemon/util/daemonset_util.go` (`GetTargetNodeName`)
pub(super) fn target_of<'p>(
    metadata: &ObjectMeta,
    node_name: Option<&'p str>,
    affinity: Option<&'p Affinity>,
) -> Result<&'p str, NoTargetNode> {
    let named = || {
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        format!("{namespace}/{}", metadata.name.as_deref().unwrap_or_default())
    };
    if let Some(node) = node_name.filter(|node| !node.is_empty()) {
        return Ok(node);
    }
    let terms = affinity
        .and_then(|affinity| affinity.node_affinity.as_ref())
        .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref())
        .map(|selector| &selector.node_selector_terms)
        .ok_or_else(|| NoTargetNode::NoRequiredAffinity { pod: named() })?;
    if terms.is_empty() {
        return Err(NoTargetNode::NoTerms { pod: named() });
    }
    let requirement = terms
        .iter()
        .flat_map(|term| term.match_fields.iter().flatten())
        .find(|requirement| requirement.key == NODE_NAME_FIELD && requirement.operator == "In")
        .ok_or_else(|| NoTargetNode::NotNamed { pod: named() })?;
    match requirement.values.as_deref() {
        Some([node]) => Ok(node),
        _ => Err(NoTargetNode::NotUnique { pod: named() }),
    }
}
