//! Nodes that exist only because the user asked for some.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, NodeSpec, NodeStatus};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_resource_math::Quantity;

/// What the nodes look like.
#[derive(Clone, Debug)]
pub struct MadeUpNodes {
    /// How many.
    pub count: u32,
    /// Cores of each.
    pub cpu: Quantity,
    /// Bytes of memory of each.
    pub memory: Quantity,
    /// How many pods each takes.
    pub pods: u32,
}

/// Makes the nodes `node-1`, `node-2` and so on, with the labels that a kubelet sets. Names that are taken are left out.
pub fn made_up_nodes(nodes: &MadeUpNodes, is_taken: impl Fn(&str) -> bool) -> impl Iterator<Item = Node> {
    let amounts: BTreeMap<String, ApiQuantity> = [
        ("cpu", nodes.cpu.to_string()),
        ("memory", nodes.memory.to_string()),
        ("pods", nodes.pods.to_string()),
    ]
    .into_iter()
    .map(|(name, amount)| (name.to_owned(), ApiQuantity(amount)))
    .collect();
    let names = (1_u64..).map(|number| format!("node-{number}")).filter(move |name| !is_taken(name));
    names.take(nodes.count as usize).map(move |name| {
        let labels = [
            ("kubernetes.io/arch", "amd64"),
            ("kubernetes.io/hostname", name.as_str()),
            ("kubernetes.io/os", "linux"),
        ];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        Node {
            metadata: ObjectMeta { labels: Some(labels), name: Some(name), ..ObjectMeta::default() },
            spec: Some(NodeSpec::default()),
            status: Some(NodeStatus {
                allocatable: Some(amounts.clone()),
                capacity: Some(amounts.clone()),
                ..NodeStatus::default()
            }),
        }
    })
}
