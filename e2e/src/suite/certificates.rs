//! The webhook's certificate: replaced under load, and made anew when someone deletes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use super::Test;
use super::client::Sandbox;
use crate::cluster::CERTIFICATE_SECRET;

pub(super) const TESTS: &[(&str, Test)] = &[
    ("certificates::are_replaced_under_load_without_a_failure", |sandbox| replaced(sandbox).boxed_local()),
    ("certificates::are_made_anew_when_the_secret_is_deleted", |sandbox| made_anew(sandbox).boxed_local()),
];

async fn replaced(sandbox: Sandbox) -> anyhow::Result<()> {
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let api: Api<Pod> = Api::namespaced(sandbox.client.clone(), &sandbox.namespace);
            tokio::spawn(create_and_delete(api, number, Arc::clone(&done)))
        })
        .collect();
    let before = served(&sandbox).await?;
    let changed = sandbox
        .eventually("the certificate is replaced", async || Ok(served(&sandbox).await? != before))
        .await;
    done.store(true, Ordering::Release);
    for client in clients {
        let created = client.await.context("a client ended early")??;
        ensure!(created > 0, "a client has created nothing");
    }
    changed
}

async fn served(sandbox: &Sandbox) -> anyhow::Result<Option<Vec<u8>>> {
    let [namespace, name] = CERTIFICATE_SECRET;
    let secrets: Api<Secret> = Api::namespaced(sandbox.client.clone(), namespace);
    let secret = secrets.get_opt(name).await?;
    Ok(secret.and_then(|secret| Some(secret.data?.get("tls.crt")?.0.clone())))
}

/// Creates and deletes pods until told to end; returns how many. No create may fail.
async fn create_and_delete(api: Api<Pod>, number: usize, done: Arc<AtomicBool>) -> anyhow::Result<usize> {
    let mut created = 0;
    while !done.load(Ordering::Acquire) {
        let name = format!("client-{number}-{created}");
        let pod = json!({
            "metadata": {"name": name},
            "spec": {"schedulerName": "none", "containers": [{"name": "a", "image": "pause"}]},
        });
        api.create(&PostParams::default(), &serde_json::from_value(pod)?).await?;
        api.delete(&name, &DeleteParams::default().grace_period(0)).await?;
        created += 1;
    }
    Ok(created)
}

async fn made_anew(sandbox: Sandbox) -> anyhow::Result<()> {
    let [namespace, name] = CERTIFICATE_SECRET;
    let secrets: Api<Secret> = Api::namespaced(sandbox.client.clone(), namespace);
    let before = served(&sandbox).await?;
    secrets.delete(name, &DeleteParams::default()).await?;
    sandbox
        .eventually("there is another certificate", async || {
            let after = served(&sandbox).await?;
            Ok(after.is_some() && after != before)
        })
        .await?;
    let api: Api<Pod> = Api::namespaced(sandbox.client.clone(), &sandbox.namespace);
    let pod = json!({"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "a", "image": "pause"}]}});
    let pod: Pod = serde_json::from_value(pod)?;
    sandbox
        .eventually("pods are admitted again", async || {
            Ok(api.create(&PostParams::default(), &pod).await.is_ok())
        })
        .await?;
    // The webhook's own outage is no one else's: what no quota counts is not asked about.
    let config_maps: Api<ConfigMap> = Api::namespaced(sandbox.client.clone(), &sandbox.namespace);
    let config_map = serde_json::from_value(json!({"metadata": {"name": "free"}}))?;
    config_maps.create(&PostParams::default(), &config_map).await?;
    Ok(())
}
