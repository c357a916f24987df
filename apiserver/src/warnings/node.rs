//! Nodes, and classes that choose nodes by their labels.

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::node::v1::RuntimeClass;
use k8s_openapi::api::storage::v1::StorageClass;
use plimsoll_api::field::Path;

use super::node_labels::deprecated_node_label;
use crate::validation::cidr::warning_for_cidr;

/// The warnings that a new node calls for.
///
/// # Source
/// kubernetes `pkg/registry/core/node/strategy.go` (`nodeWarnings`)
pub fn node(node: &Node) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(spec) = &node.spec else { return warnings };
    if spec.external_id.as_ref().is_some_and(|id| !id.is_empty()) {
        let text = "spec.externalID: this field is deprecated, and is unused by Kubernetes";
        warnings.push(text.to_owned());
    }
    let path = Path::root("spec");
    let path = path.child("podCIDRs");
    for (index, range) in spec.pod_cidrs.iter().flatten().enumerate() {
        warnings.extend(warning_for_cidr(range, &path.index(index)));
    }
    warnings
}

/// The warnings that a new RuntimeClass calls for.
///
/// # Source
/// kubernetes `pkg/api/node/util.go` (`GetWarningsForRuntimeClass`)
pub fn runtime_class(class: &RuntimeClass) -> Vec<String> {
    let labels = class.scheduling.iter().flat_map(|scheduling| scheduling.node_selector.iter().flatten());
    labels
        .filter_map(|(key, _)| deprecated_node_label(key))
        .map(|message| format!("scheduling.nodeSelector: {message}"))
        .collect()
}

/// The warnings that a new StorageClass calls for.
///
/// # Source
/// kubernetes `pkg/api/storage/util.go` (`GetWarningsForStorageClass`)
pub fn storage_class(class: &StorageClass) -> Vec<String> {
    let mut warnings = Vec::new();
    let path = Path::root("allowedTopologies");
    for (index, term) in class.allowed_topologies.iter().flatten().enumerate() {
        let term_path = path.index(index);
        let path = term_path.child("matchLabelExpressions");
        for (index, expression) in term.match_label_expressions.iter().flatten().enumerate() {
            if let Some(message) = deprecated_node_label(&expression.key) {
                warnings.push(format!("{}: {message}", path.index(index).child("key")));
            }
        }
    }
    warnings
}
