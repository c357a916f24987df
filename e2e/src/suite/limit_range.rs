//! LimitRanges: defaults, minima, maxima, ratios, claims, resize.

use futures::FutureExt as _;
use kube::api::PostParams;
use serde_json::json;

use super::Test;
use super::client::{Sandbox, refused, same};

pub(super) const TESTS: &[(&str, Test)] = &[
    ("limit_range::fills_in_defaults", |sandbox| fills_in_defaults(sandbox).boxed_local()),
    ("limit_range::a_new_limit_range_holds_at_once", |sandbox| holds_at_once(sandbox).boxed_local()),
    ("limit_range::refuses_what_is_out_of_bounds", |sandbox| refuses_out_of_bounds(sandbox).boxed_local()),
    ("limit_range::refuses_claims_out_of_bounds", |sandbox| refuses_claims(sandbox).boxed_local()),
    ("limit_range::refuses_a_resize_out_of_bounds", |sandbox| refuses_resize(sandbox).boxed_local()),
    ("limit_range::defaults_are_tried_by_a_dry_run", |sandbox| dry_run(sandbox).boxed_local()),
];

/// Upstream's e2e case "should create a LimitRange with defaults and ensure pod has those defaults applied".
async fn fills_in_defaults(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create(
            "{apiVersion: v1, kind: LimitRange, metadata: {name: limits}, spec: {limits: [{type: Container,
                default: {cpu: 500m, memory: 500Mi, ephemeral-storage: 500Gi},
                defaultRequest: {cpu: 100m, memory: 200Mi, ephemeral-storage: 200Gi}}]}}",
        )
        .await?;
    let pod = sandbox
        .create(
            "{apiVersion: v1, kind: Pod, metadata: {name: partial}, spec: {containers: [{name: pause, image: pause,
                resources: {requests: {memory: 150Mi, ephemeral-storage: 150Gi}, limits: {cpu: 300m}}}]}}",
        )
        .await?;
    same(
        &pod["spec"]["containers"][0]["resources"],
        json!({
            "requests": {"cpu": "300m", "memory": "150Mi", "ephemeral-storage": "150Gi"},
            "limits": {"cpu": "300m", "memory": "500Mi", "ephemeral-storage": "500Gi"},
        }),
    )?;
    same(
        &pod["metadata"]["annotations"]["kubernetes.io/limit-ranger"],
        "LimitRanger plugin set: ephemeral-storage, memory limit for container pause".into(),
    )
}

async fn holds_at_once(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create(
            "{apiVersion: v1, kind: LimitRange, metadata: {name: limits},
                spec: {limits: [{type: Container, max: {cpu: 1}}]}}",
        )
        .await?;
    let pod = sandbox
        .create(
            "{apiVersion: v1, kind: Pod, metadata: {name: heavy}, spec: {containers: [{name: a, image: pause,
                resources: {limits: {cpu: 2}}}]}}",
        )
        .await;
    refused(pod, 403, r#"pods "heavy" is forbidden: maximum cpu usage per Container is 1, but limit is 2"#)
}

async fn refuses_out_of_bounds(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create(
            "{apiVersion: v1, kind: LimitRange, metadata: {name: limits}, spec: {limits: [
                {type: Container, min: {memory: 50Mi}, max: {memory: 1Gi}, maxLimitRequestRatio: {cpu: 2}},
                {type: Pod, max: {memory: 1Gi}}]}}",
        )
        .await?;
    let pod = |resources: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: web}},
                spec: {{containers: [{{name: a, image: pause, resources: {resources}}}]}}}}"
        )
    };
    let ratio = "{requests: {cpu: 1, memory: 10Mi}, limits: {cpu: 3, memory: 2Gi}}";
    refused(
        sandbox.create(&pod(ratio)).await,
        403,
        "pods \"web\" is forbidden: [minimum memory usage per Container is 50Mi, but request is 10Mi, \
         maximum memory usage per Container is 1Gi, but limit is 2Gi, \
         cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000, \
         maximum memory usage per Pod is 1Gi, but limit is 2Gi]",
    )?;
    sandbox.create(&pod("{requests: {cpu: 1, memory: 60Mi}, limits: {cpu: 2, memory: 1Gi}}")).await?;
    Ok(())
}

async fn refuses_claims(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create(
            "{apiVersion: v1, kind: LimitRange, metadata: {name: limits},
                spec: {limits: [{type: PersistentVolumeClaim, min: {storage: 1Gi}, max: {storage: 5Gi}}]}}",
        )
        .await?;
    let claim = |size: &str| {
        format!(
            "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: data}},
                spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: {size}}}}}}}}}"
        )
    };
    let refusal = |words: &str| format!("persistentvolumeclaims \"data\" is forbidden: {words}");
    refused(
        sandbox.create(&claim("500Mi")).await,
        403,
        &refusal("minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi"),
    )?;
    refused(
        sandbox.create(&claim("6Gi")).await,
        403,
        &refusal("maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi"),
    )?;
    sandbox.create(&claim("2Gi")).await?;
    Ok(())
}

async fn refuses_resize(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create(
            "{apiVersion: v1, kind: LimitRange, metadata: {name: limits}, spec: {limits: [{type: Container,
                min: {cpu: 50m, memory: 50Mi}, max: {cpu: 500m, memory: 500Mi}}]}}",
        )
        .await?;
    sandbox
        .create(
            "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {schedulerName: none, containers: [{name: a, image: pause,
                resources: {requests: {cpu: 100m, memory: 100Mi}, limits: {cpu: 100m, memory: 100Mi}}}]}}",
        )
        .await?;
    let resize = |cpu: &str| {
        json!({"spec": {"containers": [{"name": "a", "image": "pause", "resources": {
            "requests": {"cpu": cpu, "memory": "100Mi"}, "limits": {"cpu": cpu, "memory": "100Mi"}}}]}})
    };
    let strategic = |cpu: &str| sandbox.resize("web", resize(cpu));
    refused(
        strategic("600m").await,
        403,
        "pods \"web\" is forbidden: maximum cpu usage per Container is 500m, but limit is 600m",
    )?;
    refused(
        strategic("10m").await,
        403,
        "pods \"web\" is forbidden: minimum cpu usage per Container is 50m, but request is 10m",
    )?;
    let resized = strategic("200m").await?;
    same(&resized["spec"]["containers"][0]["resources"]["requests"]["cpu"], "200m".into())
}

async fn dry_run(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .create(
            "{apiVersion: v1, kind: LimitRange, metadata: {name: limits},
                spec: {limits: [{type: Container, default: {cpu: 1}}]}}",
        )
        .await?;
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let pod =
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, image: pause}]}}";
    let pod = sandbox.create_with(pod, &dry).await?;
    same(&pod["spec"]["containers"][0]["resources"]["requests"]["cpu"], "1".into())
}
