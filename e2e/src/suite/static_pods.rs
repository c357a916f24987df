//! Mirror pods, which show what a kubelet runs from a file of its own.

use futures::FutureExt as _;
use serde_json::json;

use super::Test;
use super::client::{Sandbox, refused};

pub(super) const TESTS: &[(&str, Test)] = &[
    ("static_pods::are_counted_and_never_refused", |sandbox| mirror_pods(sandbox).boxed_local()),
    ("static_pods::of_anyone_else_are_ordinary_pods", |sandbox| someone_else(sandbox).boxed_local()),
];

fn mirror(name: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, annotations: {{kubernetes.io/config.mirror: abc}}}},
            spec: {{nodeName: e2e-static, containers: [{{name: a, image: pause, resources: {{limits: {{cpu: 4}}}}}}]}}}}"
    )
}

async fn limit(sandbox: &Sandbox) -> anyhow::Result<()> {
    sandbox
        .create(
            "{apiVersion: v1, kind: LimitRange, metadata: {name: limits},
                spec: {limits: [{type: Container, max: {cpu: 1}, default: {cpu: 1, memory: 1Gi}}]}}",
        )
        .await?;
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 0, cpu: 0}}}",
        )
        .await
}

/// DIFFERENCE: D-admission-1. Upstream refuses them, which hides pods that run nevertheless.
async fn mirror_pods(sandbox: Sandbox) -> anyhow::Result<()> {
    limit(&sandbox).await?;
    let kubelet = sandbox.as_user("system:node:e2e-static").await?;
    let stored = kubelet.create(&mirror("web")).await?;
    // The kubelet runs the file, so the mirror shows what is in it.
    super::client::same(
        &stored["spec"]["containers"][0]["resources"],
        json!({"limits": {"cpu": "4"}, "requests": {"cpu": "4"}}),
    )?;
    sandbox.uses("team", json!({"cpu": "4", "pods": "1"})).await
}

async fn someone_else(sandbox: Sandbox) -> anyhow::Result<()> {
    limit(&sandbox).await?;
    let expected = "pods \"web\" is forbidden: maximum cpu usage per Container is 1, but limit is 4";
    refused(sandbox.create(&mirror("web")).await, 403, expected)?;
    let other = sandbox.as_user("system:node:e2e-other").await?;
    refused(other.create(&mirror("web")).await, 403, expected)
}
