//! Nodes that KWOK plays.

use k8s_openapi::api::core::v1::Node;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::json;

/// Creates nodes of 64 CPUs and 256 GiB each.
pub(super) async fn create(client: &Client, count: usize) -> anyhow::Result<()> {
    let api: Api<Node> = Api::all(client.clone());
    for number in 1..=count {
        let name = format!("node-{number}");
        let amounts = json!({"cpu": "64", "memory": "256Gi", "pods": "1000", "ephemeral-storage": "1Ti"});
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
            "status": {"allocatable": amounts, "capacity": amounts},
        });
        api.create(&PostParams::default(), &serde_json::from_value(node)?).await?;
    }
    Ok(())
}
