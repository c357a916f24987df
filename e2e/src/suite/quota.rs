//! ResourceQuotas.

use anyhow::ensure;
use futures::FutureExt as _;
use futures::future::join_all;
use kube::api::PostParams;
use serde_json::json;

use super::Test;
use super::client::{Sandbox, refused, same};

pub(super) const TESTS: &[(&str, Test)] = &[
    ("quota::counts_the_life_of_a_pod", |sandbox| life_of_a_pod(sandbox).boxed_local()),
    ("quota::a_dry_run_is_decided_and_not_charged", |sandbox| dry_run(sandbox).boxed_local()),
    ("quota::counts_objects_of_built_in_kinds", |sandbox| built_in_kinds(sandbox).boxed_local()),
    ("quota::counts_custom_resources", |sandbox| custom_resources(sandbox).boxed_local()),
    ("quota::counts_custom_resources_in_any_version", |sandbox| versions(sandbox).boxed_local()),
    ("quota::counts_services_by_type", |sandbox| services(sandbox).boxed_local()),
    ("quota::counts_claims_by_storage_class", |sandbox| storage_classes(sandbox).boxed_local()),
    ("quota::a_claim_that_grows_is_charged_the_difference", |sandbox| growing_claim(sandbox).boxed_local()),
    ("quota::counts_claims_on_devices", |sandbox| device_claims(sandbox).boxed_local()),
    ("quota::what_a_pod_has_paid_is_not_charged_to_its_claim", |sandbox| paid_claims(sandbox).boxed_local()),
    ("quota::counts_amounts_of_every_resource", |sandbox| every_resource(sandbox).boxed_local()),
    ("quota::every_quota_is_charged", |sandbox| several(sandbox).boxed_local()),
    ("quota::system_namespaces_are_counted_and_not_refused", |sandbox| exempt(sandbox).boxed_local()),
    ("quota::resize_is_charged", |sandbox| resize(sandbox).boxed_local()),
    ("quota::a_deployment_says_why_its_pods_are_refused", |sandbox| deployment(sandbox).boxed_local()),
    ("quota::a_lowered_quota_admits_nothing_more", |sandbox| lowered(sandbox).boxed_local()),
    ("quota::a_deleted_quota_limits_nothing", |sandbox| deleted(sandbox).boxed_local()),
    ("quota::generated_names_are_each_charged_once", |sandbox| generated_names(sandbox).boxed_local()),
    ("quota::server_side_apply_is_charged_like_a_create", |sandbox| server_side_apply(sandbox).boxed_local()),
];

pub(super) fn pod(name: &str, cpu: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{name: a, image: pause,
            resources: {{requests: {{cpu: {cpu}}}}}}}]}}}}"
    )
}

async fn life_of_a_pod(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 2, cpu: 1}}}",
        )
        .await?;
    sandbox.create(&pod("one", "600m")).await?;
    sandbox.uses("team", json!({"cpu": "600m", "pods": "1"})).await?;
    refused(
        sandbox.create(&pod("two", "500m")).await,
        403,
        "pods \"two\" is forbidden: exceeded quota: team, requested: cpu=500m, used: cpu=600m, limited: cpu=1",
    )?;
    refused(
        sandbox.create("{apiVersion: v1, kind: Pod, metadata: {name: none}, spec: {containers: [{name: a, image: pause}]}}").await,
        403,
        "pods \"none\" is forbidden: failed quota: team: must specify cpu for: a",
    )?;
    sandbox.create(&pod("two", "400m")).await?;
    sandbox.uses("team", json!({"cpu": "1", "pods": "2"})).await?;
    sandbox.delete("v1", "Pod", "one").await?;
    sandbox.uses("team", json!({"cpu": "400m", "pods": "1"})).await?;
    sandbox.create(&pod("three", "600m")).await?;
    sandbox.uses("team", json!({"cpu": "1", "pods": "2"})).await
}

async fn dry_run(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 1}}}")
        .await?;
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    sandbox.create_with(&pod("one", "1"), &dry).await?;
    sandbox.create(&pod("one", "1")).await?;
    refused(
        sandbox.create_with(&pod("two", "1"), &dry).await,
        403,
        "pods \"two\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=1, limited: pods=1",
    )
}

async fn built_in_kinds(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {
                count/configmaps: 3, secrets: 1, count/deployments.apps: 1, replicationcontrollers: 0}}}",
        )
        .await?;
    // kube-root-ca.crt is there already.
    sandbox
        .uses(
            "team",
            json!({"count/configmaps": "1", "secrets": "0", "count/deployments.apps": "0", "replicationcontrollers": "0"}),
        )
        .await?;
    let config_map = |name: &str| {
        format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{a: b}}}}")
    };
    sandbox.create(&config_map("one")).await?;
    sandbox.create(&config_map("two")).await?;
    refused(
        sandbox.create(&config_map("three")).await,
        403,
        "configmaps \"three\" is forbidden: exceeded quota: team, requested: count/configmaps=1, \
         used: count/configmaps=3, limited: count/configmaps=3",
    )?;
    sandbox.create("{apiVersion: v1, kind: Secret, metadata: {name: one}}").await?;
    refused(
        sandbox.create("{apiVersion: v1, kind: Secret, metadata: {name: two}}").await,
        403,
        "secrets \"two\" is forbidden: exceeded quota: team, requested: secrets=1, used: secrets=1, limited: secrets=1",
    )?;
    sandbox.delete("v1", "Secret", "one").await?;
    sandbox
        .eventually("the deleted secret makes room", async || {
            Ok(sandbox.create("{apiVersion: v1, kind: Secret, metadata: {name: two}}").await.is_ok())
        })
        .await
}

async fn custom_resources(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create_cluster_wide(
            "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.e2e.plimsoll.dev},
                spec: {group: e2e.plimsoll.dev, scope: Namespaced, names: {plural: widgets, singular: widget, kind: Widget},
                versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}",
        )
        .await?;
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: team},
                spec: {hard: {count/widgets.e2e.plimsoll.dev: 1}}}",
        )
        .await?;
    let widget =
        |name: &str| format!("{{apiVersion: e2e.plimsoll.dev/v1, kind: Widget, metadata: {{name: {name}}}}}");
    sandbox.create(&widget("one")).await?;
    sandbox.uses("team", json!({"count/widgets.e2e.plimsoll.dev": "1"})).await?;
    refused(
        sandbox.create(&widget("two")).await,
        403,
        "widgets.e2e.plimsoll.dev \"two\" is forbidden: exceeded quota: team, requested: \
         count/widgets.e2e.plimsoll.dev=1, used: count/widgets.e2e.plimsoll.dev=1, \
         limited: count/widgets.e2e.plimsoll.dev=1",
    )?;
    sandbox.delete("e2e.plimsoll.dev/v1", "Widget", "one").await?;
    sandbox.uses("team", json!({"count/widgets.e2e.plimsoll.dev": "0"})).await
}

/// A resource that the preferred version of its group does not serve, and that moves to another version.
async fn versions(sandbox: Sandbox) -> anyhow::Result<()> {
    let definition = |plural: &str, kind: &str, versions: &str| {
        format!(
            "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: {plural}.moves.e2e.plimsoll.dev}},
                spec: {{group: moves.e2e.plimsoll.dev, scope: Namespaced, names: {{plural: {plural}, kind: {kind}}},
                versions: [{versions}]}}}}"
        )
    };
    let version = |name: &str, served: bool| json!({"name": name, "served": served, "storage": served, "schema": {"openAPIV3Schema": {"type": "object"}}});
    let in_first = version("v1beta1", true).to_string();
    sandbox.create_cluster_wide(&definition("anchors", "Anchor", &version("v1", true).to_string())).await?;
    sandbox.create_cluster_wide(&definition("gadgets", "Gadget", &in_first)).await?;
    let key = "count/gadgets.moves.e2e.plimsoll.dev";
    sandbox
        .quota(&format!(
            "{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: team}}, spec: {{hard: {{{key}: 2}}}}}}"
        ))
        .await?;
    let gadget = |version: &str, name: &str| {
        format!("{{apiVersion: moves.e2e.plimsoll.dev/{version}, kind: Gadget, metadata: {{name: {name}}}}}")
    };
    sandbox.create(&gadget("v1beta1", "one")).await?;
    sandbox.uses("team", json!({key: "1"})).await?;
    let versions = json!({"spec": {"versions": [version("v1beta1", false), version("v1beta2", true)]}});
    let (of, kind) = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    sandbox.patch_cluster_wide(of, kind, "gadgets.moves.e2e.plimsoll.dev", versions).await?;
    sandbox
        .eventually("the new version is served", async || {
            Ok(sandbox.create(&gadget("v1beta2", "two")).await.is_ok())
        })
        .await?;
    sandbox.uses("team", json!({key: "2"})).await?;
    sandbox.delete("moves.e2e.plimsoll.dev/v1beta2", "Gadget", "one").await?;
    sandbox.uses("team", json!({key: "1"})).await
}

async fn services(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: team},
                spec: {hard: {services: 3, services.nodeports: 1, services.loadbalancers: 0}}}",
        )
        .await?;
    let service = |name: &str, kind: &str, ports: &str| {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{type: {kind}, ports: [{ports}]}}}}"
        )
    };
    let (one, two) = ("{name: a, port: 80}", "{name: a, port: 80}, {name: b, port: 81}");
    sandbox.create(&service("plain", "ClusterIP", two)).await?;
    refused(
        sandbox.create(&service("ports", "NodePort", two)).await,
        403,
        "services \"ports\" is forbidden: exceeded quota: team, requested: services.nodeports=2, \
         used: services.nodeports=0, limited: services.nodeports=1",
    )?;
    sandbox.create(&service("port", "NodePort", one)).await?;
    refused(
        sandbox.create(&service("balanced", "LoadBalancer", one)).await,
        403,
        "services \"balanced\" is forbidden: exceeded quota: team, requested: services.loadbalancers=1,\
         services.nodeports=1, used: services.loadbalancers=0,services.nodeports=1, \
         limited: services.loadbalancers=0,services.nodeports=1",
    )?;
    refused(
        sandbox.patch("v1", "Service", "plain", "", json!({"spec": {"type": "NodePort"}})).await,
        403,
        "services \"plain\" is forbidden: exceeded quota: team, requested: services.nodeports=2, \
         used: services.nodeports=1, limited: services.nodeports=1",
    )?;
    sandbox
        .uses("team", json!({"services": "2", "services.nodeports": "1", "services.loadbalancers": "0"}))
        .await
}

pub(super) fn claim(name: &str, class: &str, size: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {name}}}, spec: {{storageClassName: {class},
            accessModes: [ReadWriteOnce], resources: {{requests: {{storage: {size}}}}}}}}}"
    )
}

async fn storage_classes(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {
                requests.storage: 10Gi, gold.storageclass.storage.k8s.io/requests.storage: 2Gi,
                gold.storageclass.storage.k8s.io/persistentvolumeclaims: 5}}}",
        )
        .await?;
    sandbox.create(&claim("silver", "silver", "5Gi")).await?;
    refused(
        sandbox.create(&claim("gold", "gold", "3Gi")).await,
        403,
        "persistentvolumeclaims \"gold\" is forbidden: exceeded quota: team, requested: \
         gold.storageclass.storage.k8s.io/requests.storage=3Gi, used: \
         gold.storageclass.storage.k8s.io/requests.storage=0, limited: \
         gold.storageclass.storage.k8s.io/requests.storage=2Gi",
    )?;
    sandbox.create(&claim("gold", "gold", "2Gi")).await?;
    sandbox
        .uses(
            "team",
            json!({"requests.storage": "7Gi", "gold.storageclass.storage.k8s.io/requests.storage": "2Gi",
                "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1"}),
        )
        .await
}

/// A claim whose class allows it to grow once it is bound.
async fn growing_claim(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create_cluster_wide(
            "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: growing},
                provisioner: kubernetes.io/no-provisioner, allowVolumeExpansion: true}",
        )
        .await?;
    sandbox
        .create_cluster_wide(
            "{apiVersion: v1, kind: PersistentVolume, metadata: {name: growing}, spec: {storageClassName: growing,
                capacity: {storage: 50Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /tmp}}}",
        )
        .await?;
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {requests.storage: 20Gi}}}",
        )
        .await?;
    sandbox.create(&claim("data", "growing", "10Gi")).await?;
    sandbox.create(&claim("rest", "silver", "8Gi")).await?;
    sandbox
        .eventually("the claim is bound", async || {
            let claim = sandbox.get("v1", "PersistentVolumeClaim", "data").await?;
            Ok(claim["status"]["phase"] == "Bound")
        })
        .await?;
    let grow = |size: &str| json!({"spec": {"resources": {"requests": {"storage": size}}}});
    refused(
        sandbox.patch("v1", "PersistentVolumeClaim", "data", "", grow("15Gi")).await,
        403,
        "persistentvolumeclaims \"data\" is forbidden: exceeded quota: team, requested: requests.storage=5Gi, \
         used: requests.storage=18Gi, limited: requests.storage=20Gi",
    )?;
    sandbox.patch("v1", "PersistentVolumeClaim", "data", "", grow("12Gi")).await?;
    sandbox.uses("team", json!({"requests.storage": "20Gi"})).await
}

/// Upstream's e2e table "pod-resize-resource-quota-test". KWOK's pods can't be resized once they run, so these wait.
async fn resize(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: resize-resource-quota},
                spec: {hard: {cpu: 800m, memory: 800Mi}}}",
        )
        .await?;
    let pod = |name: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{schedulerName: none, containers: [{{name: a, image: pause,
                resources: {{requests: {{cpu: 300m, memory: 300Mi}}, limits: {{cpu: 300m, memory: 300Mi}}}}}}]}}}}"
        )
    };
    sandbox.create(&pod("one")).await?;
    sandbox.create(&pod("two")).await?;
    sandbox.uses("resize-resource-quota", json!({"cpu": "600m", "memory": "600Mi"})).await?;
    let resize = |cpu: &str, memory: &str| {
        let amounts = json!({"cpu": cpu, "memory": memory});
        json!({"spec": {"containers": [
            {"name": "a", "resources": {"requests": amounts, "limits": amounts}}]}})
    };
    refused(
        sandbox.resize("one", resize("600m", "300Mi")).await,
        403,
        "pods \"one\" is forbidden: exceeded quota: resize-resource-quota, requested: cpu=300m, used: cpu=600m, \
         limited: cpu=800m",
    )?;
    refused(
        sandbox.resize("one", resize("250m", "750Mi")).await,
        403,
        "pods \"one\" is forbidden: exceeded quota: resize-resource-quota, requested: memory=450Mi, used: \
         memory=600Mi, limited: memory=800Mi",
    )?;
    sandbox.resize("one", resize("500m", "300Mi")).await?;
    sandbox.uses("resize-resource-quota", json!({"cpu": "800m", "memory": "600Mi"})).await
}

async fn deployment(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 1}}}")
        .await?;
    sandbox
        .create(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2, selector: {matchLabels: {a: b}},
                template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: pause}]}}}}",
        )
        .await?;
    let expected = "is forbidden: exceeded quota: team, requested: pods=1, used: pods=1, limited: pods=1";
    sandbox
        .eventually("an event tells of the refusal", async || {
            let events = sandbox.list("v1", "Event").await?;
            Ok(events.iter().any(|event| {
                let message = event["message"].as_str().unwrap_or_default();
                event["reason"] == "FailedCreate"
                    && message.starts_with("Error creating: ")
                    && message.ends_with(expected)
            }))
        })
        .await
}

async fn lowered(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 3}}}")
        .await?;
    sandbox.create(&pod("one", "1")).await?;
    sandbox.create(&pod("two", "1")).await?;
    sandbox.patch("v1", "ResourceQuota", "team", "", json!({"spec": {"hard": {"pods": "1"}}})).await?;
    sandbox
        .eventually("the new limit is in force", async || {
            let quota = sandbox.get("v1", "ResourceQuota", "team").await?;
            Ok(quota["status"]["hard"]["pods"] == "1")
        })
        .await?;
    refused(
        sandbox.create(&pod("three", "1")).await,
        403,
        "pods \"three\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=1",
    )
}

async fn deleted(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 0}}}")
        .await?;
    refused(
        sandbox.create(&pod("one", "1")).await,
        403,
        "pods \"one\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=0, limited: pods=0",
    )?;
    sandbox.delete("v1", "ResourceQuota", "team").await?;
    sandbox.create(&pod("one", "1")).await?;
    Ok(())
}

async fn generated_names(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 5}}}")
        .await?;
    let pod = "{apiVersion: v1, kind: Pod, metadata: {generateName: web-}, spec: {containers: [{name: a, image: pause}]}}";
    for _ in 0..5 {
        sandbox.create(pod).await?;
    }
    let sixth = sandbox.create(pod).await;
    let status = super::client::status(sixth)?;
    let expected = "exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5";
    ensure!(status.message.ends_with(expected), "{}", status.message);
    sandbox.uses("team", json!({"pods": "5"})).await
}

async fn server_side_apply(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {count/configmaps: 2}}}")
        .await?;
    let config_map = |name: &str, value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": value}});
    sandbox.apply(config_map("one", "b")).await?;
    let changed = sandbox.apply(config_map("one", "c")).await?;
    same(&changed["data"]["a"], "c".into())?;
    refused(
        sandbox.apply(config_map("two", "b")).await,
        403,
        "configmaps \"two\" is forbidden: exceeded quota: team, requested: count/configmaps=1, \
         used: count/configmaps=2, limited: count/configmaps=2",
    )
}

async fn device_claims(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create_cluster_wide(
            "{apiVersion: resource.k8s.io/v1, kind: DeviceClass, metadata: {name: gpu.e2e.plimsoll.dev}, spec: {}}",
        )
        .await?;
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {
                count/resourceclaims.resource.k8s.io: 2, gpu.e2e.plimsoll.dev.deviceclass.resource.k8s.io/devices: 3}}}",
        )
        .await?;
    let claim = |name: &str, count: u32| {
        format!(
            "{{apiVersion: resource.k8s.io/v1, kind: ResourceClaim, metadata: {{name: {name}}}, spec: {{devices: {{requests: [
                {{name: a, exactly: {{deviceClassName: gpu.e2e.plimsoll.dev, allocationMode: ExactCount, count: {count}}}}}]}}}}}}"
        )
    };
    sandbox.create(&claim("one", 2)).await?;
    refused(
        sandbox.create(&claim("two", 2)).await,
        403,
        "resourceclaims.resource.k8s.io \"two\" is forbidden: exceeded quota: team, requested: \
         gpu.e2e.plimsoll.dev.deviceclass.resource.k8s.io/devices=2, used: \
         gpu.e2e.plimsoll.dev.deviceclass.resource.k8s.io/devices=2, limited: \
         gpu.e2e.plimsoll.dev.deviceclass.resource.k8s.io/devices=3",
    )?;
    sandbox.create(&claim("two", 1)).await?;
    let used = |claims: &str, devices: &str| {
        json!({"count/resourceclaims.resource.k8s.io": claims,
            "gpu.e2e.plimsoll.dev.deviceclass.resource.k8s.io/devices": devices})
    };
    sandbox.uses("team", used("2", "3")).await?;
    sandbox.delete("resource.k8s.io/v1", "ResourceClaim", "one").await?;
    sandbox.uses("team", used("1", "1")).await
}

/// Claims as the scheduler makes them for the extended resources of a pod.
async fn paid_claims(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create_cluster_wide(
            "{apiVersion: resource.k8s.io/v1, kind: DeviceClass, metadata: {name: paid.e2e.plimsoll.dev},
                spec: {extendedResourceName: e2e.plimsoll.dev/paid}}",
        )
        .await?;
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {
                count/resourceclaims.resource.k8s.io: 9, requests.e2e.plimsoll.dev/paid: 2}}}",
        )
        .await?;
    let used = |claims: &str, devices: &str| json!({"count/resourceclaims.resource.k8s.io": claims, "requests.e2e.plimsoll.dev/paid": devices});
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: one}, spec: {schedulerName: none, containers: [
        {name: a, image: pause, resources: {limits: {e2e.plimsoll.dev/paid: 2}}}]}}";
    let created = sandbox.create(pod).await?;
    sandbox.uses("team", used("0", "2")).await?;
    let uid = &created["metadata"]["uid"];
    let claim = |name: &str, is_made_for: bool| {
        format!(
            "{{apiVersion: resource.k8s.io/v1, kind: ResourceClaim, metadata: {{name: {name},
                annotations: {{resource.kubernetes.io/extended-resource-claim: \"{is_made_for}\"}},
                ownerReferences: [{{apiVersion: v1, kind: Pod, name: one, uid: {uid}, controller: true}}]}},
                spec: {{devices: {{requests: [
                    {{name: a, exactly: {{deviceClassName: paid.e2e.plimsoll.dev, allocationMode: ExactCount, count: 2}}}}]}}}}}}"
        )
    };
    let in_full = |name: &str| {
        format!(
            "resourceclaims.resource.k8s.io \"{name}\" is forbidden: exceeded quota: team, requested: \
             requests.e2e.plimsoll.dev/paid=2, used: requests.e2e.plimsoll.dev/paid=2, limited: requests.e2e.plimsoll.dev/paid=2"
        )
    };
    refused(sandbox.create(&claim("own", false)).await, 403, &in_full("own"))?;
    // Several at once: one gets what the pod has paid, for the others there is no room.
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let claims = names.map(|name| claim(name, true));
    let created = join_all(claims.iter().map(|claim| sandbox.create(claim))).await;
    let admitted = created.iter().filter(|created| created.is_ok()).count();
    ensure!(admitted == 1, "{admitted} claims of one pod were admitted");
    sandbox.uses("team", used("1", "2")).await?;
    refused(sandbox.create(&claim("late", true)).await, 403, &in_full("late"))?;
    // A pod that has ended pays no more.
    sandbox.patch("v1", "Pod", "one", "status", json!({"status": {"phase": "Succeeded"}})).await?;
    let next = pod.replace("name: one", "name: two");
    refused(
        sandbox.create(&next).await,
        403,
        "pods \"two\" is forbidden: exceeded quota: team, requested: requests.e2e.plimsoll.dev/paid=2, \
         used: requests.e2e.plimsoll.dev/paid=2, limited: requests.e2e.plimsoll.dev/paid=2",
    )?;
    sandbox.uses("team", used("1", "2")).await?;
    sandbox.delete("v1", "Pod", "one").await?;
    sandbox.uses("team", used("0", "0")).await
}

/// Limits, ephemeral storage, huge pages, extended resources, and amounts of the pod as a whole.
async fn every_resource(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota(
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {limits.cpu: 4, limits.memory: 4Gi,
                requests.ephemeral-storage: 10Gi, hugepages-2Mi: 100Mi, requests.example.com/gpu: 2}}}",
        )
        .await?;
    let pod = |name: &str, gpus: u32| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{schedulerName: none, containers: [{{name: a, image: pause,
                resources: {{requests: {{ephemeral-storage: 1Gi}},
                    limits: {{cpu: 1, memory: 1Gi, ephemeral-storage: 2Gi, hugepages-2Mi: 20Mi, example.com/gpu: {gpus}}}}}}}]}}}}"
        )
    };
    sandbox.create(&pod("one", 1)).await?;
    sandbox
        .uses(
            "team",
            json!({"limits.cpu": "1", "limits.memory": "1Gi", "requests.ephemeral-storage": "1Gi",
                "hugepages-2Mi": "20Mi", "requests.example.com/gpu": "1"}),
        )
        .await?;
    refused(
        sandbox.create(&pod("two", 2)).await,
        403,
        "pods \"two\" is forbidden: exceeded quota: team, requested: requests.example.com/gpu=2, \
         used: requests.example.com/gpu=1, limited: requests.example.com/gpu=2",
    )?;
    let whole = "{apiVersion: v1, kind: Pod, metadata: {name: whole}, spec: {schedulerName: none,
        resources: {limits: {cpu: 2, memory: 1Gi}}, containers: [{name: a, image: pause}, {name: b, image: pause}]}}";
    sandbox.create(whole).await?;
    sandbox
        .uses(
            "team",
            json!({"limits.cpu": "3", "limits.memory": "2Gi", "requests.ephemeral-storage": "1Gi",
                "hugepages-2Mi": "20Mi", "requests.example.com/gpu": "1"}),
        )
        .await?;
    // A pod with amounts as a whole need not have them in each container; one without must.
    refused(
        sandbox.create("{apiVersion: v1, kind: Pod, metadata: {name: none}, spec: {containers: [{name: b, image: pause}, {name: a, image: pause}]}}").await,
        403,
        "pods \"none\" is forbidden: failed quota: team: must specify limits.cpu for: a,b; limits.memory for: a,b",
    )
}

async fn several(sandbox: Sandbox) -> anyhow::Result<()> {
    for (name, hard) in [("a", "{pods: 5}"), ("b", "{pods: 1, cpu: 5}")] {
        sandbox
            .quota(&format!(
                "{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: {name}}}, spec: {{hard: {hard}}}}}"
            ))
            .await?;
    }
    sandbox.create(&pod("one", "1")).await?;
    sandbox.uses("a", json!({"pods": "1"})).await?;
    sandbox.uses("b", json!({"cpu": "1", "pods": "1"})).await?;
    refused(
        sandbox.create(&pod("two", "1")).await,
        403,
        "pods \"two\" is forbidden: exceeded quota: b, requested: pods=1, used: pods=1, limited: pods=1",
    )?;
    sandbox.uses("a", json!({"pods": "1"})).await
}

/// The webhooks leave `kube-system` out; the recount does not.
async fn exempt(sandbox: Sandbox) -> anyhow::Result<()> {
    let system = sandbox.in_namespace("kube-system");
    system
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: e2e}, spec: {hard: {persistentvolumeclaims: 0}}}")
        .await?;
    system.create(&claim("e2e", "none", "1Gi")).await?;
    system.uses("e2e", json!({"persistentvolumeclaims": "1"})).await?;
    system.delete("v1", "PersistentVolumeClaim", "e2e").await?;
    system.uses("e2e", json!({"persistentvolumeclaims": "0"})).await?;
    system.delete("v1", "ResourceQuota", "e2e").await
}
