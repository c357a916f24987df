//! Pods created into one namespace with a LimitRange and a quota.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::ValueEnum as _;
use k8s_openapi::api::core::v1::{LimitRange, Namespace, Pod, ResourceQuota};
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;

use super::median;
use crate::cluster::{Cluster, DaemonSets, Deciders, Shape};

/// What stands in the namespace.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Limits {
    /// Leaves the LimitRange out; pods then bring the amounts that it would have filled in.
    #[arg(long)]
    without_limit_range: bool,
    /// Leaves the quota out.
    #[arg(long)]
    without_quota: bool,
}

/// Who decides while it is measured.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Contender {
    /// Nobody.
    Neither,
    /// Upstream's plugins and its quota controller.
    BuiltIn,
    /// A webhook that agrees at once.
    EmptyWebhook,
    /// A webhook that agrees at once, with a patch that sets what the LimitRange would.
    PatchingWebhook,
    /// Our webhook and our controller.
    Plimsoll,
}

impl Contender {
    pub(super) fn deciders(self) -> Deciders {
        match self {
            Self::Neither => Deciders::Nobody,
            Self::BuiltIn => Deciders::BuiltIns,
            Self::EmptyWebhook => Deciders::Empty { patches: false },
            Self::PatchingWebhook => Deciders::Empty { patches: true },
            Self::Plimsoll => Deciders::Plimsoll { webhooks: 1 },
        }
    }
}

/// What each contender has to bear.
#[derive(Clone, Copy)]
pub(super) struct Load<'l> {
    pub(super) workers: &'l [usize],
    pub(super) duration: Duration,
    pub(super) limits: Limits,
}

/// Measures each contender with each number of workers, in turns, and prints the medians.
pub(super) fn run(
    runtime: &tokio::runtime::Runtime,
    rounds: usize,
    load: Load<'_>,
    contenders: &[Contender],
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    // One row a decider and number of workers, one column a round.
    let mut rows: Vec<(String, Vec<Measurement>)> = Vec::new();
    for _ in 0..rounds {
        for contender in contenders {
            let measured = runtime.block_on(measure(contender.deciders(), load))?;
            let name =
                contender.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
            for (workers, measurement) in load.workers.iter().zip(measured) {
                let name = format!("{name}, {workers} workers");
                match rows.iter_mut().find(|(row, _)| *row == name) {
                    Some((_, measurements)) => measurements.push(measurement),
                    None => rows.push((name, vec![measurement])),
                }
            }
        }
    }
    writeln!(output, "{:<28}{:>9}{:>10}{:>10}  CPU, ms a pod", "", "pods/s", "p50 ms", "p99 ms")?;
    for (name, measurements) in rows {
        let of = |field: fn(&Measurement) -> f64| median(measurements.iter().map(field).collect());
        let cpu = measurements.first().map(|first| first.cpu.clone()).unwrap_or_default();
        writeln!(
            output,
            "{name:<28}{:>9.0}{:>10.1}{:>10.1}  {cpu}",
            of(|row| row.rate),
            of(|row| row.p50_ms),
            of(|row| row.p99_ms)
        )?;
    }
    Ok(())
}

/// One measurement.
struct Measurement {
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu: String,
}

async fn measure(
    deciders: Deciders,
    Load { workers, duration, limits }: Load<'_>,
) -> anyhow::Result<Vec<Measurement>> {
    // The same for all, so that nothing but admission and quota differs.
    let shape = Shape { daemon_sets: DaemonSets::Upstream, ..Shape::new(deciders, 0) };
    let cluster = Cluster::start(shape).await?;
    let mut measurements = Vec::new();
    for count in workers {
        let namespace = format!("bench-{count}");
        prepare(&cluster.client, &namespace, deciders, limits).await?;
        // The first second fills caches and opens connections.
        create_for(&cluster.client, &namespace, *count, Duration::from_secs(1), limits).await?;
        let before = cluster.cpu_seconds()?;
        let started = Instant::now();
        let mut latencies = create_for(&cluster.client, &namespace, *count, duration, limits).await?;
        let elapsed = started.elapsed().as_secs_f64();
        let after = cluster.cpu_seconds()?;
        latencies.sort();
        let at = |per_mille: usize| {
            let place = (latencies.len() * per_mille / 1000).min(latencies.len().saturating_sub(1));
            latencies.get(place).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
        };
        let pods = f64::from(u32::try_from(latencies.len()).unwrap_or(u32::MAX));
        let cpu = before
            .iter()
            .zip(&after)
            .map(|((name, before), (_, after))| format!("{name} {:.2}", (after - before) * 1000.0 / pods));
        let cpu = cpu.collect::<Vec<_>>().join(", ");
        measurements.push(Measurement { rate: pods / elapsed, p50_ms: at(500), p99_ms: at(990), cpu });
    }
    std::fs::remove_dir_all(cluster.folder()).context("can't remove the logs")?;
    Ok(measurements)
}

pub(super) async fn prepare(
    client: &Client,
    name: &str,
    deciders: Deciders,
    limits: Limits,
) -> anyhow::Result<()> {
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await?;
    let accounts: Api<k8s_openapi::api::core::v1::ServiceAccount> = Api::namespaced(client.clone(), name);
    while accounts.get_opt("default").await?.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let limit_range: LimitRange = serde_json::from_value(json!({
        "metadata": {"name": "limits"},
        "spec": {"limits": [{"type": "Container", "default": {"cpu": "500m", "memory": "256Mi"},
            "defaultRequest": {"cpu": "100m", "memory": "128Mi"}, "max": {"cpu": "2", "memory": "2Gi"}}]},
    }))?;
    let hard = json!({"pods": "1000000", "requests.cpu": "1000000", "requests.memory": "1Pi", "limits.cpu": "1000000"});
    let quota: ResourceQuota =
        serde_json::from_value(json!({"metadata": {"name": "team"}, "spec": {"hard": hard}}))?;
    if deciders == Deciders::Nobody {
        return Ok(());
    }
    if !limits.without_limit_range {
        let limit_ranges: Api<LimitRange> = Api::namespaced(client.clone(), name);
        limit_ranges.create(&PostParams::default(), &limit_range).await?;
    }
    if limits.without_quota {
        return Ok(());
    }
    let quotas: Api<ResourceQuota> = Api::namespaced(client.clone(), name);
    quotas.create(&PostParams::default(), &quota).await?;
    let counts = |quota: &ResourceQuota| quota.status.as_ref().is_some_and(|status| status.used.is_some());
    let is_counted = !matches!(deciders, Deciders::Empty { .. });
    while is_counted && !counts(&quotas.get("team").await?) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Creates pods, and returns how long each took.
async fn create_for(
    client: &Client,
    namespace: &str,
    workers: usize,
    duration: Duration,
    limits: Limits,
) -> anyhow::Result<Vec<Duration>> {
    let resources = if limits.without_limit_range {
        json!({"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}})
    } else {
        json!({})
    };
    let next = Arc::new(AtomicU64::new(0));
    let until = Instant::now() + duration;
    let tasks: Vec<_> = (0..workers)
        .map(|_| {
            let resources = resources.clone();
            let (api, next): (Api<Pod>, _) = (Api::namespaced(client.clone(), namespace), Arc::clone(&next));
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while Instant::now() < until {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let pod = json!({
                        "metadata": {"name": format!("pod-{}-{number}", duration.as_secs())},
                        "spec": {"schedulerName": "none", "containers": [{"name": "a", "image": "pause", "resources": resources}]},
                    });
                    let pod = serde_json::from_value(pod)?;
                    let started = Instant::now();
                    api.create(&PostParams::default(), &pod).await?;
                    latencies.push(started.elapsed());
                }
                anyhow::Ok(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.context("a worker ended early")??);
    }
    Ok(latencies)
}
