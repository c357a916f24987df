//! Two DaemonSet controllers, each alone with an API server.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;

use super::median;
use crate::cluster::{BareCluster, DaemonSets, Process};

const NAMESPACE: &str = "bench";
/// How many calls prepare a cluster at the same time.
const AT_ONCE: usize = 32;
/// How often it is looked how far a controller has come.
const LOOK: Duration = Duration::from_millis(20);
/// A controller that has written nothing for so long is done.
const QUIET: Duration = Duration::from_secs(5);
/// How often a kubelet writes the status of a node on which nothing changes, in seconds.
const HEARTBEAT: u32 = 300;

/// What one controller took.
struct Measurement {
    /// Seconds until the last pod was created.
    created: f64,
    /// Seconds until the status told of it.
    settled: f64,
    /// Seconds of CPU until then, and until all events were written.
    cpu: f64,
    /// Seconds of CPU of the API server until the status told of it.
    api_server_cpu: f64,
    /// Mebibytes when all was done.
    memory: f64,
    /// Per cent of a core, while nodes tell that they are well.
    idle_cpu: f64,
    /// Writes in that time.
    idle_writes: f64,
}

/// Measures both, in turns, and prints the medians.
pub(super) async fn run(
    nodes: &[usize],
    heartbeats: Duration,
    rounds: usize,
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    writeln!(
        output,
        "{:<42}{:>10}{:>10}{:>8}{:>17}{:>12}{:>16}{:>8}",
        "", "created s", "status s", "CPU s", "API server CPU s", "memory MiB", "heartbeats CPU", "writes"
    )?;
    for count in nodes {
        let mut rows = [
            ("kube-controller-manager", DaemonSets::Upstream, Vec::new()),
            ("plimsoll-controller", DaemonSets::Others, Vec::new()),
        ];
        for _ in 0..rounds {
            for (_, keeper, measurements) in &mut rows {
                measurements.push(measure(*keeper, *count, heartbeats).await?);
            }
        }
        for (name, _, measurements) in &rows {
            let of = |field: fn(&Measurement) -> f64| median(measurements.iter().map(field).collect());
            writeln!(
                output,
                "{:<42}{:>10.2}{:>10.2}{:>8.2}{:>17.2}{:>12.1}{:>14.2} %{:>8.0}",
                format!("{name}, {count} nodes"),
                of(|row| row.created),
                of(|row| row.settled),
                of(|row| row.cpu),
                of(|row| row.api_server_cpu),
                of(|row| row.memory),
                of(|row| row.idle_cpu),
                of(|row| row.idle_writes),
            )?;
        }
    }
    Ok(())
}

async fn measure(keeper: DaemonSets, nodes: usize, heartbeats: Duration) -> anyhow::Result<Measurement> {
    let cluster = BareCluster::start().await?;
    let client = &cluster.client;
    prepare(client, nodes).await?;
    let controller = cluster.begin_daemon_sets(keeper)?;
    // Once it has looked at a DaemonSet for no node it is at work.
    create(client, "nowhere", "none").await?;
    status_of(client, "nowhere", 0).await?;
    let (before, api_server_before) = (cpu_of(&controller)?, cluster.api_server_cpu_seconds()?);
    let started = Instant::now();
    create(client, "agent", "all").await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    while count(&pods).await? < nodes {
        tokio::time::sleep(LOOK).await;
    }
    let created = started.elapsed().as_secs_f64();
    status_of(client, "agent", nodes).await?;
    let settled = started.elapsed().as_secs_f64();
    let api_server_cpu = cluster.api_server_cpu_seconds()? - api_server_before;
    quiet(client).await?;
    let (cpu, memory) = (cpu_of(&controller)? - before, controller.memory()?.1);

    let (before, writes_before, started) = (cpu_of(&controller)?, writes(client).await?, Instant::now());
    beat(client, nodes, heartbeats).await?;
    let idle_cpu = (cpu_of(&controller)? - before) / started.elapsed().as_secs_f64() * 100.0;
    let idle_writes = writes(client).await? - writes_before;
    ensure!(count(&pods).await? == nodes, "there are {} pods for {nodes} nodes", count(&pods).await?);
    cluster.remove_folder()?;
    Ok(Measurement { created, settled, cpu, api_server_cpu, memory, idle_cpu, idle_writes })
}

fn cpu_of(controller: &Process) -> anyhow::Result<f64> {
    Ok(controller.cpu_seconds()?.1)
}

/// Creates a namespace, and nodes like those of a cloud: what a kubelet writes about one is several kilobytes.
async fn prepare(client: &Client, nodes: usize) -> anyhow::Result<()> {
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": NAMESPACE}}))?;
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await?;
    let api: Api<Node> = Api::all(client.clone());
    let images: Vec<_> = (0..40)
        .map(|number| json!({"names": [format!("registry.example/team/image-{number}:v1.2.{number}")], "sizeBytes": 52_428_800}))
        .collect();
    let amounts = json!({"cpu": "32", "memory": "128Gi", "pods": "110", "ephemeral-storage": "200Gi"});
    let created = futures::stream::iter(0..nodes).map(|number| {
        let name = node_name(number);
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {
                "of": "all", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                "topology.kubernetes.io/zone": format!("zone-{}", number % 3), "node.kubernetes.io/instance-type": "m8.xlarge",
            }},
            "status": {
                "allocatable": amounts, "capacity": amounts, "images": images,
                "conditions": [condition("Ready"), condition("MemoryPressure"), condition("DiskPressure"), condition("PIDPressure")],
            },
        });
        let api = &api;
        async move {
            api.create(&PostParams::default(), &serde_json::from_value(node)?).await?;
            anyhow::Ok(())
        }
    });
    created.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    Ok(())
}

fn node_name(number: usize) -> String {
    format!("node-{number}")
}

fn condition(kind: &str) -> serde_json::Value {
    #[expect(clippy::disallowed_methods, reason = "a benchmark plays kubelets by the real clock")]
    let now = Timestamp::now().to_string();
    let status = if kind == "Ready" { "True" } else { "False" };
    json!({"type": kind, "status": status, "reason": "Kubelet", "lastHeartbeatTime": now, "lastTransitionTime": "2026-01-01T00:00:00Z"})
}

async fn create(client: &Client, name: &str, nodes: &str) -> anyhow::Result<()> {
    let daemon_set: DaemonSet = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"nodeSelector": {"of": nodes}, "containers": [{"name": "agent", "image": "pause:1"}]},
            },
        },
    }))?;
    Api::namespaced(client.clone(), NAMESPACE).create(&PostParams::default(), &daemon_set).await?;
    Ok(())
}

/// Waits until the status of a DaemonSet tells of so many pods.
async fn status_of(client: &Client, name: &str, pods: usize) -> anyhow::Result<()> {
    let api: Api<DaemonSet> = Api::namespaced(client.clone(), NAMESPACE);
    loop {
        let status = api.get(name).await?.status.unwrap_or_default();
        if status.observed_generation.is_some()
            && usize::try_from(status.current_number_scheduled) == Ok(pods)
        {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// How many pods there are, at the cost of listing one.
async fn count(pods: &Api<Pod>) -> anyhow::Result<usize> {
    let list = pods.list_metadata(&ListParams::default().limit(1)).await?;
    let more = list.metadata.remaining_item_count.unwrap_or_default();
    Ok(list.items.len() + usize::try_from(more).context("a count below nothing")?)
}

/// Waits until nothing has been written for a while.
async fn quiet(client: &Client) -> anyhow::Result<()> {
    loop {
        let before = writes(client).await?;
        tokio::time::sleep(QUIET).await;
        if (writes(client).await? - before).abs() < 0.5 {
            return Ok(());
        }
    }
}

/// How often the API server has been asked to write what a DaemonSet controller writes.
async fn writes(client: &Client) -> anyhow::Result<f64> {
    let request = http::Request::get("/metrics").body(Vec::new()).context("a plain request")?;
    let metrics = client.request_text(request).await?;
    let has = |labels: &str, label: &str, values: &[&str]| {
        values.iter().any(|value| labels.contains(&format!("{label}=\"{value}\"")))
    };
    let counts = metrics.lines().filter_map(|line| {
        let (labels, count) = line.strip_prefix("apiserver_request_total{")?.split_once("} ")?;
        let is_write = has(labels, "verb", &["POST", "PUT", "PATCH", "DELETE"]);
        let is_ours = has(labels, "resource", &["pods", "daemonsets", "controllerrevisions", "events"]);
        if is_write && is_ours { count.parse::<f64>().ok() } else { None }
    });
    Ok(counts.sum())
}

/// Has each node tell that it is well as often as a kubelet does.
async fn beat(client: &Client, nodes: usize, duration: Duration) -> anyhow::Result<()> {
    let api: Api<Node> = Api::all(client.clone());
    let pause = Duration::from_secs(1) * HEARTBEAT / u32::try_from(nodes).context("too many nodes")?.max(1);
    let mut ticks = tokio::time::interval(pause);
    let until = Instant::now() + duration;
    for number in (0..nodes).cycle() {
        ticks.tick().await;
        if Instant::now() > until {
            break;
        }
        let status = json!({"status": {"conditions": [condition("Ready")]}});
        let patch = Patch::Strategic(status);
        api.patch_status(&node_name(number), &PatchParams::default(), &patch).await?;
    }
    Ok(())
}
