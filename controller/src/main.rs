//! `plimsoll-controller`: the ResourceQuota status controller.

use std::process::ExitCode;

use clap::Parser as _;
use plimsoll_controller::server;
use plimsoll_runtime::{Shutdown, logging};

/// Keeps the status of ResourceQuotas true.
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
