//! What users see when processes are gone, and that everything comes back by itself.

use std::time::Duration;

use anyhow::ensure;
use futures::FutureExt as _;
use serde_json::{Value, json};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Test;
use super::client::{Sandbox, pod, refused, status};
use crate::cluster::Signal;

pub(super) const TESTS: &[(&str, Test)] = &[
    ("faults::without_webhooks_the_system_namespaces_work", |sandbox| no_webhooks(sandbox).boxed_local()),
    ("faults::the_api_server_restarts", |sandbox| api_server_restarts(sandbox).boxed_local()),
    ("faults::etcd_stalls", |sandbox| etcd_stalls(sandbox).boxed_local()),
    ("faults::reviews_that_can_not_be_read", |sandbox| unreadable_reviews(sandbox).boxed_local()),
    ("faults::clients_that_do_not_speak", |sandbox| silent_clients(sandbox).boxed_local()),
    ("faults::a_status_edited_by_hand_is_counted_anew", |sandbox| edited_by_hand(sandbox).boxed_local()),
    ("faults::the_rules_deleted_by_hand_come_back", |sandbox| rules_deleted(sandbox).boxed_local()),
];

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

/// Nothing can be stored; clients are told so in time, and afterwards nothing is lost and nothing charged twice.
async fn etcd_stalls(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 5}}}")
        .await?;
    sandbox.create(&pod("one")).await?;
    sandbox.uses("team", json!({"pods": "1"})).await?;
    sandbox.cluster.signal_etcd(Signal::Stop)?;
    let tried: Vec<String> = (0..8).map(|number| pod(&format!("try-{number}"))).collect();
    let tries = futures::future::join_all(tried.iter().map(|pod| sandbox.create(pod)));
    // The API server gives up on a request after 34 seconds; a client that is told to come back does so.
    let while_stalled = tokio::time::timeout(Duration::from_secs(20), tries).await;
    sandbox.cluster.signal_etcd(Signal::Continue)?;
    for tried in while_stalled.into_iter().flatten() {
        let refused = status(tried)?;
        ensure!(matches!(refused.code, 429 | 500 | 504), "{refused:?}");
    }
    sandbox
        .eventually("pods are admitted again", async || Ok(sandbox.create(&pod("again")).await.is_ok()))
        .await?;
    // What was under way may have been stored or not; the quota tells how many there are, once it is sure.
    sandbox
        .eventually_within(Duration::from_mins(2), "the quota says what is stored", async || {
            let stored = sandbox.list("v1", "Pod").await?.len();
            ensure!(stored <= 5, "{stored} pods are stored");
            Ok(sandbox.used("team").await? == json!({"pods": stored.to_string()}))
        })
        .await
}

/// Whatever is sent to the webhook's own port gets an answer that fits, and the process goes on.
async fn unreadable_reviews(sandbox: Sandbox) -> anyhow::Result<()> {
    let webhook = sandbox.cluster.plimsoll()?.webhook_client()?;
    let json = "application/json";
    let review = |request: Value| {
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
            .to_string()
    };
    let pods = json!({"group": "", "version": "v1", "resource": "pods"});
    let kind = json!({"group": "", "version": "v1", "kind": "Pod"});
    let request = |operation: &str, object: Value| json!({"uid": "1", "kind": kind, "resource": pods, "operation": operation, "namespace": "a", "object": object});
    let cases = [
        ("POST", "/validate", json, String::new(), 400),
        ("POST", "/validate", json, "\u{0}\u{1}".to_owned(), 400),
        ("POST", "/validate", json, "[".repeat(100_000), 400),
        ("POST", "/validate", "application/yaml", "a: b".to_owned(), 415),
        ("POST", "/validate", json, review(Value::Null), 400),
        ("POST", "/validate", json, review(request("MERGE", json!({}))), 400),
        ("POST", "/mutate", json, review(request("CREATE", json!({"spec": []}))), 400),
        ("POST", "/mutate", json, review(json!({})).replace("/v1", "/v1beta1"), 400),
        ("POST", "/validate", json, " ".repeat(9 * 1024 * 1024), 413),
        ("GET", "/validate", json, String::new(), 405),
        ("POST", "/", json, review(request("CREATE", json!({}))), 404),
    ];
    for (method, path, content_type, body, expected) in cases {
        let shown: String = body.chars().take(60).collect();
        let request = http::Request::builder().method(method).uri(path).header("Content-Type", content_type);
        let response = webhook.send(request.body(body.into_bytes().into())?).await?;
        let code = response.status().as_u16();
        ensure!(code == expected, "{method} {path} of {shown:?} is answered {code}, not {expected}");
    }
    sandbox.create(&pod("after")).await?;
    Ok(())
}

/// Connections on which nothing comes, or only the beginning of a greeting, do not keep others waiting.
async fn silent_clients(sandbox: Sandbox) -> anyhow::Result<()> {
    let port = sandbox.cluster.plimsoll()?.webhook_port();
    let mut silent = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        if number % 2 == 0 {
            // A TLS record of 512 bytes is announced, and no more than its first three come.
            stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01]).await?;
        }
        silent.push(stream);
    }
    sandbox.create(&pod("meanwhile")).await?;
    // In the end the webhook hangs up.
    for stream in &mut silent {
        let mut rest = Vec::new();
        let hung_up = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
        ensure!(hung_up.is_ok(), "a silent connection is still open after 30 s");
    }
    Ok(())
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
