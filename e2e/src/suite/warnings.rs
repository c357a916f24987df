//! Sentences that clients are shown beside an answer.

use anyhow::ensure;
use futures::FutureExt as _;

use super::Test;
use super::client::Sandbox;

pub(super) const TESTS: &[(&str, Test)] = &[
    ("warnings::a_quota_that_is_nearly_full", |sandbox| nearly_full(sandbox).boxed_local()),
    ("warnings::limit_ranges_that_contradict_each_other", |sandbox| contradicting(sandbox).boxed_local()),
    ("warnings::a_default_that_acts_as_a_maximum", |sandbox| hidden_max(sandbox).boxed_local()),
];

async fn warned(sandbox: &Sandbox, yaml: &str, expected: &[&str]) -> anyhow::Result<()> {
    let warnings = sandbox.create_and_read_warnings(yaml).await?;
    ensure!(warnings == expected, "warned {warnings:?}, not {expected:?}");
    Ok(())
}

async fn nearly_full(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {count/pods: 20, cpu: 10}}}")
        .await?;
    let pod = |name: &str, cpu: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{schedulerName: none, containers: [{{name: a, image: pause,
                resources: {{requests: {{cpu: {cpu}}}}}}}]}}}}"
        )
    };
    warned(&sandbox, &pod("one", "7"), &[]).await?;
    let eighty = "quota team is nearly full: 80 % of cpu is used (8 of 10)";
    warned(&sandbox, &pod("two", "1"), &[eighty]).await?;
    let more = "quota team is nearly full: 95 % of cpu is used (9500m of 10)";
    warned(&sandbox, &pod("three", "1500m"), &[more]).await
}

async fn contradicting(sandbox: Sandbox) -> anyhow::Result<()> {
    let limit_range = |name: &str, bound: &str| {
        format!(
            "{{apiVersion: v1, kind: LimitRange, metadata: {{name: {name}}}, spec: {{limits: [{{type: Pod, {bound}}}]}}}}"
        )
    };
    warned(&sandbox, &limit_range("a", "min: {cpu: 2}"), &[]).await?;
    let second = limit_range("b", "max: {cpu: 1}");
    let expected = "no Pod can have cpu: min in LimitRange a (2) is above max in LimitRange b (1)";
    // The webhook knows of the first as soon as its watch has told of it.
    sandbox
        .eventually("the contradiction is warned of", async || {
            let warnings = sandbox.create_and_read_warnings(&second).await?;
            sandbox.delete("v1", "LimitRange", "b").await?;
            Ok(warnings == [expected])
        })
        .await
}

async fn hidden_max(sandbox: Sandbox) -> anyhow::Result<()> {
    warned(
        &sandbox,
        "{apiVersion: v1, kind: LimitRange, metadata: {name: a}, spec: {limits: [{type: Container, max: {cpu: 2}, default: {cpu: 500m}}]}}",
        &["a Container with a cpu request above 500m and no limit is invalid: its limit comes from default in LimitRange a (500m)"],
    )
    .await
}
