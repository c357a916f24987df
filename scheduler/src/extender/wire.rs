//! What is sent to an extender and what comes back. Fields have the names that they have in Go, as upstream sends them; of an answer
//! those that begin with a small letter are read too, which is how extenders have long written them.
//!
//! # Source
//! k8s.io/kube-scheduler `extender/v1/types.go`

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod};
use serde::{Deserialize, Deserializer, Serialize};

/// The best score that an extender gives a node.
pub const MAX_EXTENDER_PRIORITY: i64 = 10;

/// Nodes with what they are refused for.
pub(super) type FailedNodes = BTreeMap<String, String>;
/// For each node the pods that would be removed there.
pub type VictimsOfNodes = BTreeMap<String, MetaVictims>;

/// The question of the verbs that filter and prioritize.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExtenderArgs<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// The nodes, for an extender that doesn't know them.
    pub nodes: Option<NodeList>,
    /// Their names, for one that does.
    pub node_names: Option<Vec<&'a str>>,
}

/// Nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeList {
    /// The nodes.
    #[serde(deserialize_with = "null_is_empty")]
    pub items: Vec<Node>,
}

impl NodeList {
    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|node| node.metadata.name.as_deref().unwrap_or_default())
    }
}

/// The answer of the verb that filters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ExtenderFilterResult {
    /// The nodes that pass.
    #[serde(alias = "nodes")]
    pub nodes: Option<NodeList>,
    /// Their names, of an extender that was asked in names.
    #[serde(alias = "nodeNames", alias = "nodenames")]
    pub node_names: Option<Vec<String>>,
    /// The others, each with what it is refused for.
    #[serde(alias = "failedNodes", deserialize_with = "null_reasons_are_empty")]
    pub failed_nodes: FailedNodes,
    /// The same of those on which removing pods wouldn't help; they count as such if they stand in both.
    #[serde(alias = "failedAndUnresolvableNodes", deserialize_with = "null_reasons_are_empty")]
    pub failed_and_unresolvable_nodes: FailedNodes,
    /// Why there is no answer; empty if there is one.
    #[serde(alias = "error", deserialize_with = "null_is_empty")]
    pub error: String,
}

/// A score that an extender gives a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct HostPriority {
    /// The name of the node.
    #[serde(alias = "host", deserialize_with = "null_is_empty")]
    pub host: String,
    /// The score.
    #[serde(alias = "score", deserialize_with = "null_is_empty")]
    pub score: i64,
}

/// The question of the verb for preemption.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExtenderPreemptionArgs<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// For each node the pods that would be removed there, for an extender that doesn't know them.
    pub node_name_to_victims: Option<BTreeMap<String, Victims>>,
    /// Their UIDs, for one that does.
    pub node_name_to_meta_victims: Option<VictimsOfNodes>,
}

/// Pods that would be removed from a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Victims {
    /// The pods, the most important first.
    pub pods: Vec<Pod>,
    /// How many of them disruption budgets would keep.
    #[serde(rename = "NumPDBViolations")]
    pub num_pdb_violations: i64,
}

/// The same by UID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct MetaVictims {
    /// The pods, the most important first.
    #[serde(alias = "pods", deserialize_with = "null_pods_are_empty")]
    pub pods: Vec<MetaPod>,
    /// How many of them disruption budgets would keep.
    #[serde(rename = "NumPDBViolations", alias = "numPDBViolations")]
    pub num_pdb_violations: i64,
}

/// A pod by its UID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetaPod {
    /// The UID.
    #[serde(rename = "UID", alias = "uid")]
    pub uid: String,
}

/// The answer of the verb for preemption.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ExtenderPreemptionResult {
    /// For each node on which pods may be removed, which.
    #[serde(alias = "nodeNameToMetaVictims", deserialize_with = "null_victims_are_empty")]
    pub node_name_to_meta_victims: VictimsOfNodes,
}

/// The question of the verb that binds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ExtenderBindingArgs {
    /// The pod's name.
    pub pod_name: String,
    /// The pod's namespace.
    pub pod_namespace: String,
    /// The pod's UID.
    #[serde(rename = "PodUID")]
    pub pod_uid: String,
    /// The name of the node.
    pub node: String,
}

/// The answer of the verb that binds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ExtenderBindingResult {
    /// Why the pod isn't bound; empty if it is.
    #[serde(alias = "error", deserialize_with = "null_is_empty")]
    pub error: String,
}

/// Go sends null for lists and maps that were never filled.
fn null_is_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn null_reasons_are_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FailedNodes, D::Error> {
    let nodes: BTreeMap<String, Option<String>> = null_is_empty(deserializer)?;
    Ok(nodes.into_iter().map(|(node, reason)| (node, reason.unwrap_or_default())).collect())
}

// DIFFERENCE: D-scheduler-53. Upstream ends with a panic at null among the victims.
fn null_victims_are_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VictimsOfNodes, D::Error> {
    let nodes: BTreeMap<String, Option<MetaVictims>> = null_is_empty(deserializer)?;
    Ok(nodes.into_iter().map(|(node, victims)| (node, victims.unwrap_or_default())).collect())
}

fn null_pods_are_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<MetaPod>, D::Error> {
    let pods: Vec<Option<MetaPod>> = null_is_empty(deserializer)?;
    Ok(pods.into_iter().map(Option::unwrap_or_default).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_among_victims_is_nothing() {
        let text = r#"{"NodeNameToMetaVictims": {"a": null, "b": {"Pods": [null, {"UID": "u"}]}, "c": {"Pods": null}}}"#;
        let answer: ExtenderPreemptionResult = serde_json::from_str(text).unwrap();
        let uids = |node: &str| -> Vec<String> {
            answer.node_name_to_meta_victims[node].pods.iter().map(|pod| pod.uid.clone()).collect()
        };
        assert_eq!([uids("a"), uids("b"), uids("c")], [vec![], vec![String::new(), "u".to_owned()], vec![]]);
        let empty: ExtenderPreemptionResult =
            serde_json::from_str(r#"{"NodeNameToMetaVictims": null}"#).unwrap();
        assert!(empty.node_name_to_meta_victims.is_empty());
    }
}
