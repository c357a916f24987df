//! Quotas with scopes, and resources that may only be used where a quota covers them.

use futures::FutureExt as _;
use serde_json::json;

use super::Test;
use super::client::{Sandbox, refused};
use super::quota::{claim, pod};

pub(super) const TESTS: &[(&str, Test)] = &[
    ("scopes::choose_pods", |sandbox| scopes(sandbox).boxed_local()),
    ("scopes::choose_pods_by_selectors", |sandbox| selectors(sandbox).boxed_local()),
    ("scopes::choose_pods_by_priority_class", |sandbox| priority_classes(sandbox).boxed_local()),
    ("scopes::choose_pods_by_affinity_across_namespaces", |sandbox| across_namespaces(sandbox).boxed_local()),
    ("scopes::choose_claims_by_volume_attributes_class", |sandbox| volume_attributes(sandbox).boxed_local()),
    ("scopes::limited_priority_classes_need_a_quota", |sandbox| limited_scopes(sandbox).boxed_local()),
    ("scopes::limited_resources_need_a_quota", |sandbox| limited_resources(sandbox).boxed_local()),
];

async fn scopes(sandbox: Sandbox) -> anyhow::Result<()> {
    for (name, scope) in [("best", "BestEffort"), ("other", "NotBestEffort"), ("short", "Terminating")] {
        sandbox
            .quota(&format!(
                "{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: {name}}},
                    spec: {{hard: {{pods: 1}}, scopes: [{scope}]}}}}"
            ))
            .await?;
    }
    let best =
        "{apiVersion: v1, kind: Pod, metadata: {name: best}, spec: {containers: [{name: a, image: pause}]}}";
    sandbox.create(best).await?;
    sandbox.uses("best", json!({"pods": "1"})).await?;
    sandbox.uses("other", json!({"pods": "0"})).await?;
    refused(
        sandbox.create(&best.replace("name: best", "name: second")).await,
        403,
        "pods \"second\" is forbidden: exceeded quota: best, requested: pods=1, used: pods=1, limited: pods=1",
    )?;
    sandbox.create(&pod("other", "1")).await?;
    sandbox.uses("other", json!({"pods": "1"})).await?;
    // A deadline brings the pod under another quota, which is charged in full.
    sandbox.patch("v1", "Pod", "other", "", json!({"spec": {"activeDeadlineSeconds": 3600}})).await?;
    sandbox.uses("short", json!({"pods": "1"})).await?;
    refused(
        sandbox.patch("v1", "Pod", "best", "", json!({"spec": {"activeDeadlineSeconds": 3600}})).await,
        403,
        "pods \"best\" is forbidden: exceeded quota: short, requested: pods=1, used: pods=1, limited: pods=1",
    )
}

async fn priority_classes(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox.priority_class("e2e-high", 1000).await?;
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: high}, spec: {hard: {pods: 1}, scopeSelector: {
                matchExpressions: [{scopeName: PriorityClass, operator: In, values: [e2e-high]}]}}}",
        )
        .await?;
    let high = |name: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}},
                spec: {{priorityClassName: e2e-high, containers: [{{name: a, image: pause}}]}}}}"
        )
    };
    sandbox.create(&pod("plain", "1")).await?;
    sandbox.create(&high("one")).await?;
    sandbox.uses("high", json!({"pods": "1"})).await?;
    refused(
        sandbox.create(&high("two")).await,
        403,
        "pods \"two\" is forbidden: exceeded quota: high, requested: pods=1, used: pods=1, limited: pods=1",
    )
}

/// The same scopes as selectors, and the operators that a selector alone has.
async fn selectors(sandbox: Sandbox) -> anyhow::Result<()> {
    for (name, scope) in [("long", "NotTerminating"), ("short", "Terminating"), ("best", "BestEffort")] {
        sandbox
            .quota(&format!(
                "{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: {name}}}, spec: {{hard: {{pods: 1}}, scopeSelector: {{
                    matchExpressions: [{{scopeName: {scope}, operator: Exists}}]}}}}}}"
            ))
            .await?;
    }
    let deadline = |name: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{activeDeadlineSeconds: 3600, schedulerName: none,
                containers: [{{name: a, image: pause, resources: {{requests: {{cpu: 1}}}}}}]}}}}"
        )
    };
    sandbox.create(&pod("long", "1")).await?;
    sandbox.create(&deadline("short")).await?;
    for (name, used) in [("long", "1"), ("short", "1"), ("best", "0")] {
        sandbox.uses(name, json!({"pods": used})).await?;
    }
    refused(
        sandbox.create(&deadline("second")).await,
        403,
        "pods \"second\" is forbidden: exceeded quota: short, requested: pods=1, used: pods=1, limited: pods=1",
    )
}

async fn across_namespaces(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: across}, spec: {hard: {pods: 1}, scopeSelector: {
                matchExpressions: [{scopeName: CrossNamespacePodAffinity, operator: Exists}]}}}",
        )
        .await?;
    let near = |name: &str, whose: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{schedulerName: none, containers: [{{name: a, image: pause}}],
                affinity: {{podAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: zone,
                labelSelector: {{}} {whose}}}]}}}}}}}}"
        )
    };
    sandbox.create(&near("here", "")).await?;
    sandbox.uses("across", json!({"pods": "0"})).await?;
    sandbox.create(&near("there", ", namespaces: [default]")).await?;
    sandbox.uses("across", json!({"pods": "1"})).await?;
    refused(
        sandbox.create(&near("everywhere", ", namespaceSelector: {}")).await,
        403,
        "pods \"everywhere\" is forbidden: exceeded quota: across, requested: pods=1, used: pods=1, limited: pods=1",
    )
}

async fn volume_attributes(sandbox: Sandbox) -> anyhow::Result<()> {
    for (name, operator) in [("fast", "operator: In, values: [e2e-fast]"), ("any", "operator: Exists")] {
        sandbox
            .quota(&format!(
                "{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: {name}}}, spec: {{hard: {{persistentvolumeclaims: 2}}, scopeSelector: {{
                    matchExpressions: [{{scopeName: VolumeAttributesClass, {operator}}}]}}}}}}"
            ))
            .await?;
    }
    let with_class = |name: &str, class: &str| {
        claim(name, "none", "1Gi")
            .replace("spec: {", &format!("spec: {{volumeAttributesClassName: {class}, "))
    };
    sandbox.create(&claim("plain", "none", "1Gi")).await?;
    sandbox.create(&with_class("one", "e2e-fast")).await?;
    sandbox.create(&with_class("two", "e2e-slow")).await?;
    sandbox.uses("fast", json!({"persistentvolumeclaims": "1"})).await?;
    sandbox.uses("any", json!({"persistentvolumeclaims": "2"})).await?;
    refused(
        sandbox.create(&with_class("three", "e2e-slow")).await,
        403,
        "persistentvolumeclaims \"three\" is forbidden: exceeded quota: any, requested: persistentvolumeclaims=1, \
         used: persistentvolumeclaims=2, limited: persistentvolumeclaims=2",
    )
}

/// What the webhooks' own configuration says.
async fn limited_scopes(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox.priority_class("e2e-limited", 1000).await?;
    let limited = "{apiVersion: v1, kind: Pod, metadata: {name: one}, spec: {priorityClassName: e2e-limited, schedulerName: none,
        containers: [{name: a, image: pause}]}}";
    refused(
        sandbox.create(limited).await,
        403,
        "pods \"one\" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [e2e-limited]}]",
    )?;
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: limited}, spec: {hard: {pods: 1}, scopeSelector: {
                matchExpressions: [{scopeName: PriorityClass, operator: In, values: [e2e-limited]}]}}}",
        )
        .await?;
    sandbox.create(limited).await?;
    sandbox.uses("limited", json!({"pods": "1"})).await
}

async fn limited_resources(sandbox: Sandbox) -> anyhow::Result<()> {
    let gold = claim("gold", "e2e-limited", "1Gi");
    refused(
        sandbox.create(&gold).await,
        403,
        "persistentvolumeclaims \"gold\" is forbidden: insufficient quota to consume: \
         e2e-limited.storageclass.storage.k8s.io/persistentvolumeclaims,e2e-limited.storageclass.storage.k8s.io/requests.storage",
    )?;
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: gold}, spec: {hard: {
                e2e-limited.storageclass.storage.k8s.io/persistentvolumeclaims: 1,
                e2e-limited.storageclass.storage.k8s.io/requests.storage: 1Gi}}}",
        )
        .await?;
    sandbox.create(&gold).await?;
    Ok(())
}
