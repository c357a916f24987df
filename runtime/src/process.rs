//! The outermost frame of a process.

use std::process::ExitCode;

use crate::{Shutdown, logging};

/// Starts the logs, does the work until it ends or is told to, and tells how it went. Must be called in a tokio runtime.
pub async fn run<F>(logging: logging::Flags, work: impl FnOnce(Shutdown) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    logging.start();
    match work(Shutdown::on_signals()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "stopped");
            ExitCode::FAILURE
        }
    }
}
