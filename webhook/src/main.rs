//! `plimsoll-webhook`: LimitRange and ResourceQuota as admission webhooks.

use std::process::ExitCode;

use clap::Parser as _;
use plimsoll_runtime::{Shutdown, logging};
use plimsoll_webhook::server;

/// Enforces LimitRanges and ResourceQuotas as admission webhooks of the Kubernetes API server.
#[derive(clap::Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    logging: logging::Flags,
    #[command(flatten)]
    server: server::Config,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.logging.start();
    match server::run(arguments.server, Shutdown::on_signals()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "stopped");
            ExitCode::FAILURE
        }
    }
}
