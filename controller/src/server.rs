//! The controllers as a process.

mod controllers;
mod daemon_set;
mod follow;
mod metrics;
mod resource_quota;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use plimsoll_runtime::health::Health;
use plimsoll_runtime::{Shutdown, client, leader, mode};

use controllers::{Controllers, Known};
pub use metrics::Metrics;

/// Flags of the controller.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    #[command(flatten)]
    client: client::Flags,
    #[command(flatten)]
    leader: leader::Flags,
    #[command(flatten)]
    mode: mode::Flags,
    /// Which controllers run, separated by commas: `*` stands for all that are on by default, `name` turns one on, `-name` turns one
    /// off. There are resourcequota-controller, on by default, and daemonset-controller, off by default: turn the cluster's own off
    /// first.
    #[arg(long, default_value = "*", value_name = "LIST")]
    controllers: Controllers,
    /// How many DaemonSets are looked at at the same time.
    #[arg(long, default_value_t = 2, value_name = "COUNT", value_parser = at_least_one)]
    concurrent_daemonset_syncs: usize,
    /// Where /healthz, /readyz, /livez and /metrics are, without TLS.
    #[arg(long, default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    metrics_bind_address: SocketAddr,
    /// How often every quota is counted anew even if nothing happens, in seconds; with 0, never.
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    resource_quota_sync_period_seconds: u64,
    /// The ValidatingWebhookConfiguration whose rules follow quotas.
    #[arg(long, default_value = "plimsoll-quota", value_name = "NAME")]
    quota_webhook_configuration: String,
}

/// # Source
/// `cmd/kube-controller-manager/app/options/daemonsetcontroller.go` (`Validate`)
fn at_least_one(text: &str) -> Result<usize, String> {
    let count: i64 = text.parse().map_err(|error| format!("{error}"))?;
    let too_few = format!("concurrent-daemonset-syncs must be greater than 0, but got {count}");
    usize::try_from(count).ok().filter(|count| *count > 0).ok_or(too_few)
}

/// Runs until it is told to stop.
///
/// # Errors
/// What keeps it from starting.
pub async fn run(config: Config, mut shutdown: Shutdown) -> anyhow::Result<()> {
    let client = config.client.connect().await?;
    let metrics = Arc::new(Metrics::default());
    let mode_metrics = Arc::new(mode::Metrics::default());
    let daemon_set_metrics = Arc::new(daemon_set::Metrics::default());
    let health = Health::new(&[&*metrics, &*mode_metrics, &*daemon_set_metrics], || true);
    let health = health.serve(config.metrics_bind_address, shutdown.clone()).await?;
    // A replica that waits is as ready as one that leads.
    let leading = tokio::select! {
        leading = config.leader.wait(client.clone()) => Some(leading?),
        () = shutdown.requested() => None,
    };
    if let Some(leading) = leading {
        let period = Duration::from_secs(config.resource_quota_sync_period_seconds);
        let rules = config.quota_webhook_configuration;
        let probes = config.mode.probe_namespace().to_owned();
        let runs = |controller| config.controllers.run(controller);
        let daemon_sets = async {
            if runs(Known::DaemonSet) {
                let workers = config.concurrent_daemonset_syncs;
                daemon_set::Controller::run(client.clone(), daemon_set_metrics, workers).await;
            }
            std::future::pending::<()>().await;
        };
        let quotas = async {
            if !runs(Known::ResourceQuota) {
                std::future::pending::<()>().await;
            }
            let mut in_force = config.mode.follow(client.clone(), mode_metrics).await;
            loop {
                in_force.until_enforcing(true).await;
                let (client, metrics) = (client.clone(), Arc::clone(&metrics));
                let controller =
                    resource_quota::Controller::new(client, metrics, period, rules.clone(), probes.clone());
                // Elsewhere the status belongs to the API server's own controller.
                tokio::select! {
                    () = controller.run() => {}
                    () = in_force.until_enforcing(false) => {}
                }
            }
        };
        tokio::select! {
            () = quotas => {}
            () = daemon_sets => {}
            () = leading.lost() => bail!("lost the lease; another replica leads now"),
            () = shutdown.requested() => {}
        }
    }
    health.await.context("the health endpoint failed")
}
