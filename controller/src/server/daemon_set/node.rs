//! Nodes, as far as placing daemon pods looks at them: a cluster has many, and they report often.

use k8s_openapi::api::core::v1::{Node, NodeSpec, Taint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use crate::server::follow::Followed;
use crate::slim_metadata::SlimMetadata;

/// A node with nothing but name, version, labels and taints.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Received")]
pub(super) struct SlimNode(pub(super) Node);

impl Followed for SlimNode {
    fn metadata(&self) -> &ObjectMeta {
        &self.0.metadata
    }
}

#[derive(Deserialize)]
struct Received {
    #[serde(default)]
    metadata: SlimMetadata,
    spec: Option<ReceivedSpec>,
}

#[derive(Deserialize)]
struct ReceivedSpec {
    taints: Option<Vec<Taint>>,
}

impl From<Received> for SlimNode {
    fn from(Received { metadata, spec }: Received) -> Self {
        let taints = spec.and_then(|spec| spec.taints);
        let spec = taints.map(|taints| NodeSpec { taints: Some(taints), ..NodeSpec::default() });
        Self(Node { metadata: metadata.into(), spec, status: None })
    }
}

/// The taints of a node.
pub(super) fn taints_of(node: &Node) -> &[Taint] {
    node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default()
}
