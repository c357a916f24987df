//! What users see when processes are gone, and that everything comes back by itself.

use anyhow::ensure;
use futures::FutureExt as _;
use serde_json::{Value, json};

use super::Test;
use super::client::{Sandbox, refused, status};

pub(super) const TESTS: &[(&str, Test)] = &[
    ("faults::without_webhooks_the_system_namespaces_work", |sandbox| no_webhooks(sandbox).boxed_local()),
    ("faults::the_api_server_restarts", |sandbox| api_server_restarts(sandbox).boxed_local()),
    ("faults::a_status_edited_by_hand_is_counted_anew", |sandbox| edited_by_hand(sandbox).boxed_local()),
    ("faults::the_rules_deleted_by_hand_come_back", |sandbox| rules_deleted(sandbox).boxed_local()),
];

fn pod(name: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{schedulerName: none, containers: [{{name: a, image: pause}}]}}}}"
    )
}

/// As after all nodes have rebooted: nobody answers, pods of the system are created nevertheless, others have to wait.
async fn no_webhooks(sandbox: Sandbox) -> anyhow::Result<()> {
    let plimsoll = sandbox.cluster.plimsoll()?;
    plimsoll.kill_webhooks();
    let waiting = status(sandbox.create(&pod("web")).await)?;
    ensure!(waiting.code == 500, "{waiting:?}");
    ensure!(waiting.message.contains("failed calling webhook"), "{}", waiting.message);
    sandbox.in_namespace("kube-system").create(&pod(&format!("{}-own", sandbox.namespace))).await?;
    plimsoll.begin_webhooks().await?;
    sandbox
        .eventually("pods are admitted again", async || Ok(sandbox.create(&pod("web")).await.is_ok()))
        .await
}

async fn api_server_restarts(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 2}}}")
        .await?;
    sandbox.create(&pod("one")).await?;
    sandbox.cluster.crash_api_server().await?;
    sandbox
        .eventually("pods are admitted again", async || Ok(sandbox.create(&pod("two")).await.is_ok()))
        .await?;
    sandbox.uses("team", json!({"pods": "2"})).await?;
    refused(
        sandbox.create(&pod("three")).await,
        403,
        "pods \"three\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=2",
    )?;
    // The watches are alive again too.
    sandbox.delete("v1", "Pod", "one").await?;
    sandbox.uses("team", json!({"pods": "1"})).await
}

/// Whoever writes a status without its ledger is found out, and the status becomes true again.
async fn edited_by_hand(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 2}}}")
        .await?;
    sandbox.create(&pod("one")).await?;
    sandbox.create(&pod("two")).await?;
    sandbox.uses("team", json!({"pods": "2"})).await?;
    let nothing = json!({"status": {"used": {"pods": "0"}}});
    sandbox.patch("v1", "ResourceQuota", "team", "status", nothing).await?;
    // Until it is counted anew nothing is charged: a client is told to come back.
    let third = status(sandbox.create(&pod("three")).await)?;
    ensure!(third.code == 429 || third.code == 403, "{third:?}");
    sandbox.uses("team", json!({"pods": "2"})).await?;
    refused(
        sandbox.create(&pod("three")).await,
        403,
        "pods \"three\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=2",
    )
}

async fn rules_deleted(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {secrets: 0}}}")
        .await?;
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: one}}";
    let expected = "secrets \"one\" is forbidden: exceeded quota: team, requested: secrets=1, used: secrets=0, limited: secrets=0";
    refused(sandbox.create(secret).await, 403, expected)?;
    sandbox
        .delete_cluster_wide(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            "plimsoll-quota",
        )
        .await?;
    sandbox
        .eventually("the rules are back", async || {
            let dry = kube::api::PostParams { dry_run: true, ..kube::api::PostParams::default() };
            let tried: Result<Value, kube::Error> = sandbox.create_with(secret, &dry).await;
            Ok(refused(tried, 403, expected).is_ok())
        })
        .await
}
