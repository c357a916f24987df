//! Beside an API server whose own plugins are on: one replica of the webhook is asked to enforce, the other to shadow.

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use serde_json::json;

use super::Test;
use super::client::{Sandbox, pod, same, status};

pub(super) const TESTS: &[(&str, Test)] = &[
    ("modes::built_in_plugins_are_found_and_told_of", |sandbox| found(sandbox).boxed_local()),
    ("modes::a_quota_is_charged_by_the_built_in_plugin_alone", |sandbox| charged_once(sandbox).boxed_local()),
    ("modes::defaults_and_bounds_are_the_built_in_plugins", |sandbox| limit_range(sandbox).boxed_local()),
];

async fn found(sandbox: Sandbox) -> anyhow::Result<()> {
    let plimsoll = sandbox.cluster.plimsoll()?;
    for (replica, mode) in ["beside", "shadow"].into_iter().enumerate() {
        ensure!(
            plimsoll.metric(replica, "plimsoll_mode", mode).await? == 1,
            "replica {replica} is not {mode}"
        );
        ensure!(
            plimsoll.metric(replica, "plimsoll_mode", "enforce").await? == 0,
            "replica {replica} enforces"
        );
        for name in ["\"LimitRanger\"", "\"ResourceQuota\"", "\"resourcequota-controller\""] {
            let seen = plimsoll.metric(replica, "plimsoll_built_in_found", name).await?;
            ensure!(seen == 1, "replica {replica} has not found {name}");
        }
    }
    // The probe leaves nothing behind.
    let own = sandbox.in_namespace("plimsoll-system");
    sandbox
        .eventually("the probe's objects are gone", async || {
            let quotas = own.list("v1", "ResourceQuota").await?;
            Ok(quotas.is_empty() && own.list("v1", "LimitRange").await?.is_empty())
        })
        .await
}

async fn charged_once(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 2}}}")
        .await?;
    sandbox.create(&pod("one")).await?;
    sandbox.create(&pod("two")).await?;
    same(&sandbox.used("team").await?, json!({"pods": "2"}))?;
    let plimsoll = sandbox.cluster.plimsoll()?;
    let mut number = 0;
    sandbox
        .eventually("our webhook counts a refusal that it did not enforce", async || {
            number += 1;
            let name = format!("more-{number}");
            let refused = status(sandbox.create(&pod(&name)).await)?;
            let expected = format!(
                "pods \"{name}\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=2"
            );
            // It is the plugin's own message, with no word of a webhook.
            ensure!(refused.message == expected, "{}", refused.message);
            let mut counted = 0;
            for replica in 0..plimsoll.webhooks() {
                let name = "plimsoll_webhook_unenforced_verdicts_total";
                counted += plimsoll.metric(replica, name, "ResourceQuota").await?;
            }
            Ok(counted > 0)
        })
        .await?;
    let quota = sandbox.get("v1", "ResourceQuota", "team").await?;
    same(&quota["status"]["used"], json!({"pods": "2"}))?;
    ensure!(
        quota["metadata"]["annotations"].is_null(),
        "our ledger stands in a quota that is not ours: {quota}"
    );
    sandbox.delete("v1", "Pod", "one").await?;
    sandbox.uses("team", json!({"pods": "1"})).await
}

async fn limit_range(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create(
            "{apiVersion: v1, kind: LimitRange, metadata: {name: limits}, spec: {limits: [{type: Container,
                max: {cpu: 1}, default: {cpu: 500m}, defaultRequest: {cpu: 100m}}]}}",
        )
        .await?;
    let created = sandbox.create(&pod("one")).await?;
    let annotation = &created["metadata"]["annotations"]["kubernetes.io/limit-ranger"];
    let set = annotation.as_str().context("the plugin tells what it set")?;
    ensure!(set == "LimitRanger plugin set: cpu request for container a; cpu limit for container a", "{set}");
    let big = "{apiVersion: v1, kind: Pod, metadata: {name: big}, spec: {schedulerName: none, containers: [{name: a, image: pause,
        resources: {limits: {cpu: 2}}}]}}";
    let refused = status(sandbox.create(big).await)?;
    ensure!(
        refused.message == "pods \"big\" is forbidden: maximum cpu usage per Container is 1, but limit is 2",
        "{}",
        refused.message
    );
    Ok(())
}
