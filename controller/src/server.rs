//! The controllers as a process.

mod metrics;
mod resource_quota;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use plimsoll_runtime::health::Health;
use plimsoll_runtime::{Shutdown, client, leader, mode};

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
    /// Where /healthz, /readyz, /livez and /metrics are, without TLS.
    #[arg(long, default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    metrics_bind_address: SocketAddr,
    /// How often every quota is counted anew even if nothing happens, in seconds.
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    resource_quota_sync_period_seconds: u64,
    /// The ValidatingWebhookConfiguration whose rules follow quotas.
    #[arg(long, default_value = "plimsoll-quota", value_name = "NAME")]
    quota_webhook_configuration: String,
}

/// Runs until it is told to stop.
///
/// # Errors
/// What keeps it from starting.
pub async fn run(config: Config, mut shutdown: Shutdown) -> anyhow::Result<()> {
    let client = config.client.connect().await?;
    let metrics = Arc::new(Metrics::default());
    let mode_metrics = Arc::new(mode::Metrics::default());
    let health = Health::new(&[&*metrics, &*mode_metrics], || true);
    let health = tokio::spawn(health.serve(config.metrics_bind_address, shutdown.clone()));
    // A replica that waits is as ready as one that leads.
    let leading = tokio::select! {
        leading = config.leader.wait(client.clone()) => Some(leading?),
        () = shutdown.requested() => None,
    };
    if let Some(mut leading) = leading {
        let period = Duration::from_secs(config.resource_quota_sync_period_seconds);
        let rules = config.quota_webhook_configuration;
        let probes = config.mode.probe_namespace().to_owned();
        let mut in_force = config.mode.follow(client.clone(), mode_metrics).await;
        let quotas = async {
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
            () = leading.lost() => bail!("lost the lease; another replica leads now"),
            () = shutdown.requested() => {}
        }
    }
    health.await.context("the health endpoint ended")?
}
