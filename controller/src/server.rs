//! The controllers as a process.

mod metrics;
mod resource_quota;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use plimsoll_runtime::health::Health;
use plimsoll_runtime::{Shutdown, client, leader};

pub use metrics::Metrics;

/// Flags of the controller.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    #[command(flatten)]
    client: client::Flags,
    #[command(flatten)]
    leader: leader::Flags,
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
    let health = Health::new(Arc::clone(&metrics), || true);
    let health = tokio::spawn(health.serve(config.metrics_bind_address, shutdown.clone()));
    // A replica that waits is as ready as one that leads.
    let leading = tokio::select! {
        leading = config.leader.wait(client.clone()) => Some(leading?),
        () = shutdown.requested() => None,
    };
    if let Some(mut leading) = leading {
        let period = Duration::from_secs(config.resource_quota_sync_period_seconds);
        let rules = config.quota_webhook_configuration;
        let controller = resource_quota::Controller::new(client, metrics, period, rules);
        tokio::select! {
            () = controller.run() => {}
            () = leading.lost() => bail!("lost the lease; another replica leads now"),
            () = shutdown.requested() => {}
        }
    }
    health.await.context("the health endpoint ended")?
}
