//! Leader election: of several replicas one works, the others wait.

use anyhow::Context as _;
use kube::Client;
use kube_lease_manager::LeaseManagerBuilder;
use tokio::sync::watch;

/// How replicas agree on who works.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Flags {
    /// Works only while this process holds the Lease; so of several replicas one does.
    #[arg(long = "leader-elect", default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    enabled: bool,
    /// The name of the Lease.
    #[arg(long = "leader-elect-resource-name", default_value = "plimsoll-controller", value_name = "NAME")]
    name: String,
    /// The namespace of the Lease.
    #[arg(long = "leader-elect-resource-namespace", default_value = "kube-system", value_name = "NAME")]
    namespace: String,
    /// For how long a Lease is held without being renewed, in seconds.
    #[arg(long = "leader-elect-lease-duration-seconds", default_value_t = 15, value_name = "SECONDS")]
    duration_seconds: u64,
}

/// Holds the Lease, until it is dropped or lost.
#[derive(Debug)]
pub struct Leadership(Option<watch::Receiver<bool>>);

impl Flags {
    /// Waits until this process leads.
    ///
    /// # Errors
    /// The Lease can't be had at all, because its settings are wrong or the API server refuses.
    pub async fn wait(&self, client: Client) -> anyhow::Result<Leadership> {
        if !self.enabled {
            return Ok(Leadership(None));
        }
        let duration = self.duration_seconds;
        let name = &self.name;
        let manager = LeaseManagerBuilder::new(client, name)
            .with_namespace(&self.namespace)
            .with_duration(duration)
            // It is renewed when two thirds are over, as upstream's renew deadline has it.
            .with_grace(duration.div_ceil(3).max(1))
            .build()
            .await
            .with_context(|| format!("can't use Lease {name}"))?;
        tracing::info!(lease = name, "waiting to lead");
        let (mut leads, _) = manager.watch().await;
        leads.wait_for(|leads| *leads).await.with_context(|| format!("can't hold Lease {name}"))?;
        tracing::info!(lease = name, "leading");
        Ok(Leadership(Some(leads)))
    }
}

impl Leadership {
    /// Returns once another process may lead.
    pub async fn lost(&mut self) {
        match &mut self.0 {
            // The task that renews has ended if the channel is closed.
            Some(leads) => drop(leads.wait_for(|leads| !*leads).await),
            None => std::future::pending().await,
        }
    }
}
