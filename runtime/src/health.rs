//! /healthz, /livez, /readyz and /metrics.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Shutdown;

/// Metrics that can tell their names.
pub trait Registers {
    /// Names every metric.
    fn register(&self, registry: &mut Registry);
}

/// What the endpoint tells.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    registry: Registry,
    ready: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Health {
    /// Tells these metrics, and is ready when `ready` says so.
    pub fn new(metrics: &[&dyn Registers], ready: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        let mut registry = Registry::default();
        for metrics in metrics {
            metrics.register(&mut registry);
        }
        Self(Arc::new(Inner { registry, ready: Box::new(ready) }))
    }

    /// Begins to answer, until the process is to end.
    ///
    /// # Errors
    /// The address can't be had.
    pub async fn serve(self, address: SocketAddr, mut shutdown: Shutdown) -> anyhow::Result<JoinHandle<()>> {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("can't listen at {address}"))?;
        let server = axum::serve(listener, self.router())
            .with_graceful_shutdown(async move { shutdown.requested().await });
        Ok(tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "health and metrics are not served any more");
            }
        }))
    }

    fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok" }))
            .route("/livez", get(|| async { "ok" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(self)
    }
}

async fn ready(State(Health(health)): State<Health>) -> impl IntoResponse {
    if (health.ready)() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the caches are not filled yet")
    }
}

async fn metrics(State(Health(health)): State<Health>) -> impl IntoResponse {
    let mut text = String::new();
    match encode(&mut text, &health.registry) {
        Ok(()) => {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            (StatusCode::OK, [(header::CONTENT_TYPE, content_type)], text)
        }
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], error.to_string())
        }
    }
}
