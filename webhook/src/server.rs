//! The webhook as a process: it watches LimitRanges and quotas, answers reviews over TLS, and writes charges.

pub mod certificates;
mod commit;
mod conflict;
mod http;
mod lookup;
mod metrics;
pub mod registration;
mod stored_quota;
mod watch;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum_server::accept::{TcpConfigAcceptor, TcpKeepaliveConfig, TcpSocketConfig};
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use plimsoll_quota::LimitedResource;
use plimsoll_runtime::health::Health;
use plimsoll_runtime::{Shutdown, client, mode};
use tokio::task::{JoinError, JoinSet};

use crate::quota_configuration::QuotaConfiguration;
use certificates::Served;
pub use http::{App, router};
pub use metrics::Metrics;
pub use watch::Caches;

/// After how long an idle connection is asked whether its peer is still there, and how long a peer has to answer.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// After how long without a request a connection is closed. The API server itself closes what has been idle for 90 seconds; if it
/// came second, a review sent at that moment would fail.
const IDLE: Duration = Duration::from_mins(2);

/// How long it may take to give back what is held of quotas in advance when the process ends.
const GIVE_BACK: Duration = Duration::from_secs(2);

/// Flags of the webhook.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    #[command(flatten)]
    client: client::Flags,
    /// Where reviews are answered, over TLS; may be given several times. The API server keeps 25 idle connections to an address, so
    /// under load two, one for each phase, spare it handshakes.
    #[arg(long, default_value = "0.0.0.0:8443", value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// Where /healthz, /readyz, /livez and /metrics are, without TLS.
    #[arg(long, default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    metrics_bind_address: SocketAddr,
    #[command(flatten)]
    certificates: certificates::Flags,
    #[command(flatten)]
    registration: registration::Flags,
    #[command(flatten)]
    mode: mode::Flags,
    /// A ResourceQuotaConfiguration, the file that the API server's own plugin takes: what may only be used where a quota covers it.
    #[arg(long, value_name = "FILE")]
    resource_quota_configuration: Option<PathBuf>,
    /// How long requests under way may still take when the process is told to stop, in seconds.
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    shutdown_grace_seconds: u64,
}

/// Runs until it is told to stop.
///
/// # Errors
/// What keeps it from starting.
pub async fn run(config: Config, shutdown: Shutdown) -> anyhow::Result<()> {
    let limited = match &config.resource_quota_configuration {
        Some(path) => limited_resources(path).with_context(|| format!("can't use {}", path.display()))?,
        None => Vec::new(),
    };
    let client = config.client.connect().await?;
    let metrics = Arc::new(Metrics::default());
    let caches = Arc::new(watch::Caches::default());
    let mut watching = tokio::spawn(Arc::clone(&caches).follow(client.clone(), Arc::clone(&metrics)));
    let mut keeping = tokio::spawn(config.registration.clone().keep(
        client.clone(),
        Arc::clone(&caches),
        limited.iter().map(|limited| limited.resource.clone()).collect(),
    ));
    let configurations = config.registration.configurations();
    let mode_metrics = Arc::new(mode::Metrics::default());
    let (served, in_force) = tokio::join!(
        config.certificates.serve(client.clone(), Arc::clone(&metrics), configurations),
        config.mode.follow(client.clone(), Arc::clone(&mode_metrics)),
    );
    let Served { tls, trusted } = served.context("can't get a certificate")?;
    let app = App::new(client, in_force, limited, Arc::clone(&caches), Arc::clone(&metrics));
    let health = Health::new(&[&*metrics, &*mode_metrics], move || {
        caches.are_filled() && trusted.load(Ordering::Acquire)
    });
    let health = health.serve(config.metrics_bind_address, shutdown.clone()).await?;
    let handle = axum_server::Handle::new();
    tokio::spawn({
        let (handle, mut shutdown) = (handle.clone(), shutdown.clone());
        async move {
            shutdown.requested().await;
            handle.graceful_shutdown(Some(Duration::from_secs(config.shutdown_grace_seconds)));
        }
    });
    let mut servers = JoinSet::new();
    for address in config.listen {
        servers.spawn(serve(address, tls.clone(), app.clone(), handle.clone()));
    }
    let serving = async {
        while let Some(served) = servers.join_next().await {
            served.context("a server ended early")??;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        served = serving => served?,
        ended = &mut watching => bail!("the caches stand still: {}", reason(ended)),
        ended = &mut keeping => bail!("the registration is kept no more: {}", reason(ended)),
    }
    if tokio::time::timeout(GIVE_BACK, app.finish()).await.is_err() {
        tracing::warn!("what is held of quotas in advance is not given back; the recount will do that");
    }
    watching.abort();
    keeping.abort();
    health.await.context("the health endpoint failed")
}

/// Why a task has ended that should not.
fn reason(ended: Result<(), JoinError>) -> String {
    ended.err().map_or_else(|| "nothing more comes".to_owned(), |error| error.to_string())
}

/// Answers reviews at one address until it is told to stop.
async fn serve(
    address: SocketAddr,
    tls: RustlsConfig,
    app: App,
    handle: axum_server::Handle<SocketAddr>,
) -> anyhow::Result<()> {
    tracing::info!(%address, "answering reviews");
    // Answers are small and go out at once; a peer that is gone without a word is noticed.
    let keepalive = TcpKeepaliveConfig::new().time(KEEPALIVE).interval(KEEPALIVE);
    let socket = TcpConfigAcceptor::new(TcpSocketConfig::new().nodelay(true).keepalive(keepalive));
    let acceptor = RustlsAcceptor::new(tls).acceptor(socket);
    let mut server = axum_server::Server::bind(address).acceptor(acceptor).handle(handle);
    server
        .http_builder()
        .http1()
        .timer(hyper_util::rt::TokioTimer::new())
        .header_read_timeout(IDLE)
        .keep_alive(true);
    let served = server.serve(router(app).into_make_service()).await;
    served.with_context(|| format!("can't answer reviews at {address}"))
}

fn limited_resources(path: &Path) -> anyhow::Result<Vec<LimitedResource>> {
    #[expect(clippy::disallowed_methods, reason = "the edge at which files are read")]
    let text = std::fs::read_to_string(path)?;
    Ok(serde_saphyr::from_str::<QuotaConfiguration>(&text)?.limited_resources()?)
}
