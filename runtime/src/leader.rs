//! Leader election: of several replicas one works, the others wait.

use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::{Api, Client};
use kube_lease_manager::LeaseManagerBuilder;
use tokio::sync::watch;
use tokio::time::Instant;

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
    #[arg(
        long = "leader-elect-lease-duration-seconds",
        default_value_t = 15,
        value_parser = clap::value_parser!(u64).range(3..),
        value_name = "SECONDS"
    )]
    duration_seconds: u64,
}

/// Holds the Lease, until it is dropped or lost.
pub struct Leadership(Option<Held>);

struct Held {
    /// Whether the task that renews holds the Lease, as far as it has heard.
    leads: watch::Receiver<bool>,
    leases: Api<Lease>,
    name: String,
    identity: String,
    duration: Duration,
}

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
        let identity = format!("{}_{:016x}", hostname(), rand::random::<u64>());
        let manager = LeaseManagerBuilder::new(client.clone(), name)
            .with_namespace(&self.namespace)
            .with_identity(&identity)
            .with_duration(duration)
            // It is renewed when a third is over, so that an attempt that fails can be made up for.
            .with_grace((2 * duration).div_ceil(3))
            .build()
            .await
            .with_context(|| format!("can't use Lease {name}"))?;
        tracing::info!(lease = name, "waiting to lead");
        let (mut leads, _) = manager.watch().await;
        leads.wait_for(|leads| *leads).await.with_context(|| format!("can't hold Lease {name}"))?;
        tracing::info!(lease = name, "leading");
        Ok(Leadership(Some(Held {
            leads,
            leases: Api::namespaced(client, &self.namespace),
            name: name.clone(),
            identity,
            duration: Duration::from_secs(duration),
        })))
    }
}

impl Leadership {
    /// Returns before another process may lead.
    pub async fn lost(&self) {
        let Some(held) = &self.0 else { return std::future::pending().await };
        let mut leads = held.leads.clone();
        tokio::select! {
            // The task that renews has ended if the channel is closed.
            _ = leads.wait_for(|leads| !*leads) => {}
            () = held.unrenewed() => tracing::warn!(lease = held.name, "the Lease has not been renewed in time"),
        }
    }
}

impl Held {
    /// Returns when the Lease has nearly run out. The task that renews it tries on for as long as the API server does not answer, and
    /// does not tell; but others take the Lease as soon as it has run out.
    ///
    /// # Source
    /// client-go `tools/leaderelection` (`RenewDeadline`)
    async fn unrenewed(&self) {
        let trusted = self.duration.mul_f64(0.8);
        let mut look = tokio::time::interval(self.duration / 10);
        let mut renewal = None;
        let mut until = Instant::now() + trusted;
        while Instant::now() < until {
            let asked = look.tick().await;
            let Ok(read) = tokio::time::timeout_at(until, self.leases.get(&self.name)).await else { return };
            let renewed = read.ok().and_then(|lease| renewed_by(&self.identity, lease.spec?));
            if renewed.is_some() && renewed != renewal {
                renewal = renewed;
                until = asked + trusted;
            }
        }
    }
}

/// When a process has last renewed a Lease, if it holds it.
fn renewed_by(identity: &str, lease: LeaseSpec) -> Option<MicroTime> {
    lease.renew_time.filter(|_| lease.holder_identity.as_deref() == Some(identity))
}

/// What the pod is called; whoever looks at the Lease wants to know which one leads.
#[expect(clippy::disallowed_methods, reason = "not a setting")]
fn hostname() -> String {
    std::env::var("HOSTNAME").unwrap_or_else(|_| "plimsoll".to_owned())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use k8s_openapi::jiff::Timestamp;
    use serde_json::json;

    use super::*;

    const DURATION: Duration = Duration::from_secs(15);

    /// For how long a process leads whose Lease is read so: `holder` and the last renewal, by how much time has passed; none while the
    /// API server does not answer.
    async fn led(
        lease: impl Fn(Duration) -> Option<(&'static str, i64)> + Send + Sync + 'static,
    ) -> Duration {
        let (started, lease) = (Instant::now(), std::sync::Arc::new(lease));
        let answer = move |_: http::Request<kube::client::Body>| {
            let lease = std::sync::Arc::clone(&lease);
            async move {
                let Some((holder, renewed)) = lease(started.elapsed()) else {
                    return std::future::pending().await;
                };
                let renewed = Timestamp::from_second(renewed).unwrap();
                let spec = json!({"holderIdentity": holder, "renewTime": format!("{renewed:.6}")});
                let body = json!({"metadata": {"name": "plimsoll-controller"}, "spec": spec});
                Ok::<_, Infallible>(http::Response::new(Body::from(body.to_string())))
            }
        };
        let client = Client::new(tower::service_fn(answer), "kube-system");
        let (_renewing, leads) = watch::channel(true);
        let leases = Api::default_namespaced(client);
        let (name, identity) = ("plimsoll-controller".to_owned(), "me".to_owned());
        let leadership = Leadership(Some(Held { leads, leases, name, identity, duration: DURATION }));
        leadership.lost().await;
        started.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_is_not_renewed_any_more_is_lost_before_it_has_run_out() {
        let mine = |_| Some(("me", 1));
        assert_eq!(led(mine).await, DURATION.mul_f64(0.8));
        // Renewed each five seconds, until a minute has passed.
        let stalls = |passed: Duration| {
            let passed = i64::try_from(passed.as_secs()).unwrap();
            (passed < 60).then_some(("me", passed / 5))
        };
        let led = led(stalls).await.as_secs();
        assert!((60..70).contains(&led), "{led} s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_another_holds_is_lost() {
        let theirs = |passed: Duration| Some(("other", i64::try_from(passed.as_secs()).unwrap()));
        assert_eq!(led(theirs).await, DURATION.mul_f64(0.8));
    }
}
